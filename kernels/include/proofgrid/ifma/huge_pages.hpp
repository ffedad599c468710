// Memory in huge pages where the system has them: points are gathered from all over it, and with pages of 4 KB each
// would cost a walk of the page table.
#pragma once

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstddef>
#include <new>

#include "proofgrid/layer.hpp"

namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// An allocator of cache lines; from the size of a huge page on, of such pages. Elements made without a value are left
// uninitialised.
template <class T>
struct HugePages {
  using value_type = T;

  HugePages() = default;
  template <class U>
  HugePages(const HugePages<U>&) {}

  static T* allocate(std::size_t n) {
    const std::size_t bytes = n * sizeof(T);
    void* const start = ::operator new(bytes, alignment(bytes));
#if defined(__linux__)
    if (bytes >= huge_page) madvise(start, bytes, MADV_HUGEPAGE);
#endif
    return static_cast<T*>(start);
  }
  static void deallocate(T* start, std::size_t n) { ::operator delete(start, alignment(n * sizeof(T))); }
  template <class U>
  static void construct(U* place) {
    ::new (static_cast<void*>(place)) U;
  }
  template <class U, class Argument>
  static void construct(U* place, Argument&& argument) {
    ::new (static_cast<void*>(place)) U(static_cast<Argument&&>(argument));
  }
  template <class U>
  bool operator==(const HugePages<U>&) const {
    return true;
  }

 private:
  static constexpr std::size_t line = 64, huge_page = std::size_t{2} << 20;

  static std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t{bytes < huge_page ? line : huge_page};
  }
};

}  // namespace proofgrid
