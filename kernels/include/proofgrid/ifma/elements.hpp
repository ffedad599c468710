// Field operations on whole arrays, eight elements at a time: the contracts of proofgrid/elements.hpp.
#pragma once

#include <immintrin.h>

#include <cstring>
#include <memory>
#include <string>

#include "proofgrid/ifma/inverse.hpp"
#include "proofgrid/ifma/transpose.hpp"
#include "proofgrid/run.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

namespace elements_detail {

inline constexpr size_t block = 1024;
inline constexpr size_t chains = 4;  // of products, so that a multiplication need not wait for the one before it

// Elements [index, index + count), count <= 8, the lanes beyond them zero. Each must be below p; `what` names them.
template <class P>
PROOFGRID_INLINE Lanes<P> load(const std::byte* source, const char* what, size_t index, size_t count) {
  constexpr size_t bytes = 8 * P::limbs;
  Word words[P::limbs];
  if (count == lanes) [[likely]] {
    load_rows(words, source + index * bytes);
  } else {
    alignas(64) std::byte padded[lanes * bytes] = {};
    std::memcpy(padded, source + index * bytes, count * bytes);
    load_rows(words, padded);
  }
  Lanes<P> difference;
  const Lanes<P> x = Lanes<P>::template from_words<Constants<P>::headroom>(words);  // whatever they are
#pragma GCC unroll 8
  for (size_t i = 0; i < Lanes<P>::limbs; ++i) {
    difference.limb[i] = _mm512_sub_epi64(x.limb[i], all(Constants<P>::modulus.limb[i]));
  }
  difference.carry();
  const unsigned below = _mm512_movepi64_mask(difference.limb[Lanes<P>::limbs - 1]);
  if (below != 0xff) [[unlikely]] {
    throw MalformedInput(std::string(what) + ": element " + std::to_string(index + __builtin_ctz(~below)) +
                         " is not below the field's modulus");
  }
  Lanes<P> checked = x;
  return checked.bound(1);
}

template <class P>
PROOFGRID_INLINE void store(uint64_t* target, const Lanes<P>& canonical, size_t index, size_t count) {
  Word words[P::limbs];
  canonical.to_words(words);
  if (count == lanes) [[likely]] {
    store_rows(target + index * P::limbs, words);
  } else {
    alignas(64) uint64_t padded[lanes * P::limbs];
    store_rows(padded, words);
    std::memcpy(target + index * P::limbs, padded, 8 * count * P::limbs);
  }
}

}  // namespace elements_detail

// out[i] = map(a[i]); the functor gives magnitude m.
template <class P, unsigned m, class Map>
void for_each_element(const std::byte* a, uint64_t* out, size_t n, Run& run, const Map& map) {
  using namespace elements_detail;
  run.team.split(n, block, [&](size_t begin, size_t end, unsigned) {
    for (size_t i = begin; i < end; i += lanes) {
      const size_t count = std::min(lanes, end - i);
      store<P>(out, map(load<P>(a, "a", i, count)).template canonical<m>(), i, count);
    }
  });
}

// out[i] = combine(a[i], b[i]); the functor gives magnitude m.
template <class P, unsigned m, class Combine>
void for_each_pair(const std::byte* a, const std::byte* b, uint64_t* out, size_t n, Run& run, const Combine& combine) {
  using namespace elements_detail;
  run.team.split(n, block, [&](size_t begin, size_t end, unsigned) {
    for (size_t i = begin; i < end; i += lanes) {
      const size_t count = std::min(lanes, end - i);
      const Lanes<P> x = load<P>(a, "a", i, count), y = load<P>(b, "b", i, count);
      store<P>(out, combine(x, y).template canonical<m>(), i, count);
    }
  });
}

template <class P>
void add_elements(const std::byte* a, const std::byte* b, uint64_t* out, size_t n, Run& run) {
  for_each_pair<P, 2>(a, b, out, n, run, [](const Lanes<P>& x, const Lanes<P>& y) { return x + y; });
}
template <class P>
void subtract_elements(const std::byte* a, const std::byte* b, uint64_t* out, size_t n, Run& run) {
  for_each_pair<P, 2>(a, b, out, n, run,
                      [](const Lanes<P>& x, const Lanes<P>& y) { return Lanes<P>::template subtract<1>(x, y); });
}
template <class P>
void negate_elements(const std::byte* a, uint64_t* out, size_t n, Run& run) {
  for_each_element<P, 2>(a, out, n, run, [](const Lanes<P>& x) { return x.template negate<1>(); });
}

// Canonical products: (x R) y / R. 2 mul.
template <class P>
void mul_elements(const std::byte* a, const std::byte* b, uint64_t* out, size_t n, Run& run) {
  for_each_pair<P, 3>(a, b, out, n, run,
                      [](const Lanes<P>& x, const Lanes<P>& y) { return Lanes<P>::enter_canonical(x) * y; });
}
template <class P>
void square_elements(const std::byte* a, uint64_t* out, size_t n, Run& run) {
  for_each_element<P, 3>(a, out, n, run, [](const Lanes<P>& x) { return Lanes<P>::enter_canonical(x) * x; });
}

// Canonical to Montgomery words and back. 1 mul: a product divides by 2^(52 limbs), so the factor has that besides.
template <class P>
void to_mont(const std::byte* a, uint64_t* out, size_t n, Run& run) {
  static constexpr auto factor = Constants<P>::power_of_two(64 * P::limbs + limb_bits * Lanes<P>::limbs);
  for_each_element<P, 3>(a, out, n, run, [](const Lanes<P>& x) { return x * Lanes<P>::broadcast(factor); });
}
template <class P>
void from_mont(const std::byte* a, uint64_t* out, size_t n, Run& run) {
  static constexpr auto factor = Constants<P>::power_of_two(limb_bits * Lanes<P>::limbs - 64 * P::limbs);
  for_each_element<P, 3>(a, out, n, run, [](const Lanes<P>& x) { return x * Lanes<P>::broadcast(factor); });
}

// Canonical inverses; the inverse of zero is zero. 5 mul, and one scalar inversion for a block.
template <class P>
void inverse_elements(const std::byte* a, uint64_t* out, size_t n, Run& run) {
  using namespace elements_detail;
  using F = Lanes<P>;
  run.team.split(n, block, [&](size_t begin, size_t end, unsigned) {
    constexpr size_t vectors = block / lanes;
    const std::unique_ptr<F[]> values(new F[vectors]), products(new F[vectors]);
    Mask zeros[vectors];
    for (size_t from = begin; from < end; from += block) {
      const size_t count = std::min(block, end - from), used = (count + lanes - 1) / lanes;
      F running[chains] = {F::one(), F::one(), F::one(), F::one()};
      for (size_t v = 0; v < used; ++v) {
        const F x = load<P>(a, "a", from + v * lanes, std::min(lanes, count - v * lanes));
        zeros[v] = x.is_all_zero();
        values[v] = F::blend(zeros[v], F::enter_canonical(x), F::one());
        products[v] = running[v % chains];
        running[v % chains] = running[v % chains] * values[v];
      }
      const F first = running[0] * running[1], second = running[2] * running[3], total = inverse(first * second);
      const F after_first = total * second, after_second = total * first;
      F inverses[chains] = {after_first * running[1], after_first * running[0], after_second * running[3],
                            after_second * running[2]};
      for (size_t v = used; v-- > 0;) {
        const F x = F::leave_canonical(inverses[v % chains] * products[v]).template canonical<F::product>();
        inverses[v % chains] = inverses[v % chains] * values[v];
        store<P>(out, F::blend(zeros[v], x, F::zero()), from + v * lanes, std::min(lanes, count - v * lanes));
      }
    }
  });
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
