// The factors between the halves of a transform, kept for the next one of its size.
#pragma once

#include <immintrin.h>

#include <memory>
#include <mutex>

#include "proofgrid/ifma/ntt_buffer.hpp"
#include "proofgrid/ifma/ntt_steps.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// n factors as the first transform computes them, 32 bytes each. One table per field and direction is kept, of the size
// used last and at most 2^20 elements (32 MB): reading it takes less time than 61 vpmadd52 a factor.
template <class P>
class StepTable {
 public:
  // Null where there is none.
  static std::shared_ptr<const StepTable> find(unsigned log_n, bool inverse) {
    std::lock_guard lock(mutex());
    const auto& kept = slot(inverse);
    return kept && kept->log_n_ == log_n ? kept : nullptr;
  }
  // One to be filled by its maker; null for sizes that are not kept.
  static std::shared_ptr<StepTable> create(unsigned log_n, bool inverse) {
    if (log_n > largest_log_n) return nullptr;
    return std::shared_ptr<StepTable>(new StepTable(log_n, inverse));
  }
  static void keep(std::shared_ptr<StepTable> table) {
    std::lock_guard lock(mutex());
    slot(table->inverse_) = std::move(table);
  }

  // The factors of columns 8 group .. 8 group + 7, in the order of k.
  Stored<P>* group(size_t group) const { return factors_.data() + (group << log_n_ / 2); }

 private:
  static constexpr unsigned largest_log_n = 20;
  StepTable(unsigned log_n, bool inverse) : log_n_(log_n), inverse_(inverse), factors_((size_t{1} << log_n) / lanes) {}

  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  static std::shared_ptr<const StepTable>& slot(bool inverse) {
    static std::shared_ptr<const StepTable> slots[2];
    return slots[inverse];
  }

  unsigned log_n_;
  bool inverse_;
  Buffer<Stored<P>> factors_;
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
