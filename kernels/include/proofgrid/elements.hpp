// Field operations on whole arrays: rows of `limbs` words at any alignment, form and range checked on the way.
#pragma once

#include <atomic>
#include <string>

#include "proofgrid/batch_add.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

namespace elements_detail {

inline constexpr size_t block = 1024;

// The limbs at `source`, which must lie below p; `what` and `index` name them in the refusal.
template <class F>
F load(const std::byte* source, const char* what, size_t index) {
  const F limbs = F::load_mont(source + index * F::bytes);
  if (!F::is_canonical(limbs.data())) [[unlikely]] {
    throw MalformedInput(std::string(what) + ": element " + std::to_string(index) + " is not below the field's modulus");
  }
  return limbs;
}

// x / R: the integer 1 has the limbs (1, 0, ...).
template <class F>
F divide_by_radix(const F& x) {
  uint64_t canonical[F::limbs];
  x.to_canonical(canonical);
  return F::load_mont(canonical);
}

}  // namespace elements_detail

// out[i] = combine(a[i], b[i]) in one pass; the functor sees the raw limbs.
template <class F, class Combine>
void for_each_pair(const std::byte* a, const std::byte* b, F* out, size_t n, Run& run, const Combine& combine) {
  run.team.split(n, elements_detail::block, [&](size_t begin, size_t end, unsigned) {
    for (size_t i = begin; i < end; ++i) {
      out[i] = combine(elements_detail::load<F>(a, "a", i), elements_detail::load<F>(b, "b", i));
    }
  });
}

template <class F, class Map>
void for_each_element(const std::byte* a, F* out, size_t n, Run& run, const Map& map) {
  run.team.split(n, elements_detail::block, [&](size_t begin, size_t end, unsigned) {
    for (size_t i = begin; i < end; ++i) out[i] = map(elements_detail::load<F>(a, "a", i));
  });
}

// Canonical to Montgomery: x R. 1 mul.
template <class F>
void to_mont(const std::byte* a, F* out, size_t n, Run& run) {
  for_each_element(a, out, n, run, [](const F& x) { return F::from_canonical(x.data()); });
}

// Montgomery to canonical: x / R. 1 mul.
template <class F>
void from_mont(const std::byte* a, F* out, size_t n, Run& run) {
  for_each_element(a, out, n, run, [](const F& x) { return elements_detail::divide_by_radix(x); });
}

// Canonical products: (x R) y / R. 2 mul.
template <class F>
void mul_elements(const std::byte* a, const std::byte* b, F* out, size_t n, Run& run) {
  for_each_pair(a, b, out, n, run, [](const F& x, const F& y) { return F::from_canonical(x.data()) * y; });
}

// Canonical inverses; the inverse of zero is zero. The limbs c of x read as a Montgomery form stand for x / R; their
// inverse R / x has limbs R^2 / x, so two divisions by R follow. 5 mul and an inversion per block.
template <class F>
void inverse_elements(const std::byte* a, F* out, size_t n, Run& run) {
  run.team.split(n, elements_detail::block, [&](size_t begin, size_t end, unsigned) {
    std::vector<F> scratch(elements_detail::block);
    for (size_t i = begin; i < end; i += elements_detail::block) {
      const size_t count = std::min(elements_detail::block, end - i);
      for (size_t j = 0; j < count; ++j) out[i + j] = elements_detail::load<F>(a, "a", i + j);
      batch_inverse(out + i, scratch.data(), count);
      for (size_t j = 0; j < count; ++j) {
        out[i + j] = elements_detail::divide_by_radix(elements_detail::divide_by_radix(out[i + j]));
      }
    }
  });
}

}  // namespace proofgrid
