// Scratch memory of transforms.
#pragma once

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "proofgrid/layer.hpp"

namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// Blocks that were given back, for the next transform: the kernel takes a tenth of a transform's time to clear new pages.
// The sizes of a worker's transforms repeat.
class KeptBlocks {
 public:
  static constexpr std::align_val_t alignment{std::size_t{2} << 20};  // of a huge page

  static constexpr std::size_t most = std::size_t{64} << 20;

  static void* take(std::size_t bytes) {
    {
      std::lock_guard lock(mutex());
      const auto fits = [bytes](const Block& block) { return block.second == bytes; };
      if (const auto found = std::find_if(blocks().begin(), blocks().end(), fits); found != blocks().end()) {
        void* const start = found->first;
        blocks().erase(found);
        return start;
      }
    }
    void* const start = ::operator new(bytes, alignment);
#if defined(__linux__)
    madvise(start, bytes, MADV_HUGEPAGE);  // else passes that step by powers of two touch a page a row
#endif
    return start;
  }
  static void give_back(void* start, std::size_t bytes) {
    std::lock_guard lock(mutex());
    blocks().push_back({start, bytes});
    std::size_t kept = 0;
    for (const Block& block : blocks()) kept += block.second;
    while (kept > most) {  // the oldest goes first
      kept -= blocks().front().second;
      ::operator delete(blocks().front().first, alignment);
      blocks().erase(blocks().begin());
    }
  }

 private:
  using Block = std::pair<void*, std::size_t>;
  static std::mutex& mutex() {
    static std::mutex& one = *new std::mutex;  // never destroyed, for the process's last buffers come back when it ends
    return one;
  }
  static std::vector<Block>& blocks() {
    static std::vector<Block>& all = *new std::vector<Block>;
    return all;
  }
};

// `count` values on cache lines, not initialised.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::size_t count) : bytes_(count * sizeof(T)) {
    data_ = static_cast<T*>(kept() ? KeptBlocks::take(bytes_) : ::operator new(bytes_, std::align_val_t{64}));
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (kept()) {
      KeptBlocks::give_back(data_, bytes_);
    } else {
      ::operator delete(data_, std::align_val_t{64});
    }
  }
  T* data() const { return data_; }

 private:
  bool kept() const { return bytes_ >= std::size_t{1} << 20; }
  std::size_t bytes_;
  T* data_;
};

}  // namespace proofgrid
