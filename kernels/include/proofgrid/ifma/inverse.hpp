// Inverses of eight elements by one scalar inversion (Montgomery, Math. Comp. 48, 1987), across the lanes.
#pragma once

#include <immintrin.h>

#include "proofgrid/field.hpp"
#include "proofgrid/ifma/field.hpp"
#include "proofgrid/ifma/fp2.hpp"

namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// 1/x for Montgomery words, in place. A function of its own, outside the vectors' target: the assembly of single elements
// needs every general register, and a frame of vectors takes two.
template <class P>
[[gnu::noinline]] void invert_mont_words(uint64_t (&words)[P::limbs]) {
  Fp<P>::load_mont(words).inverse().store_mont(words);
}

}  // namespace proofgrid

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// Lane i of the result is lane i ^ distance; distance is 1, 2 or 4.
template <unsigned distance, class P>
PROOFGRID_INLINE Lanes<P> swap_lanes(const Lanes<P>& x) {
  Lanes<P> r;
#pragma GCC unroll 8
  for (size_t i = 0; i < Lanes<P>::limbs; ++i) {
    if constexpr (distance == 1) r.limb[i] = _mm512_permutex_epi64(x.limb[i], 0xb1);
    if constexpr (distance == 2) r.limb[i] = _mm512_permutex_epi64(x.limb[i], 0x4e);
    if constexpr (distance == 4) r.limb[i] = _mm512_shuffle_i64x2(x.limb[i], x.limb[i], 0x4e);
  }
  return r.bound(x.magnitude());
}

// 1/x for canonical x; zero gives zero. 8 multiplications and one inversion of Fp<P>.
template <class P>
[[gnu::noinline]] Lanes<P> inverse_canonical(const Lanes<P>& x) {
  using F = Lanes<P>;
  const Mask zeros = x.is_all_zero();
  const F one = F::blend(zeros, x, F::one());
  const F two = one * swap_lanes<1>(one), four = two * swap_lanes<2>(two), eight = four * swap_lanes<4>(four);

  Word words[F::words];
  F::leave_mont(eight).template canonical<F::product>().to_words(words);
  uint64_t total[F::words];  // of lane 0; all lanes hold the same product
#pragma GCC unroll 8
  for (size_t j = 0; j < F::words; ++j) total[j] = static_cast<uint64_t>(_mm_cvtsi128_si64(_mm512_castsi512_si128(words[j])));
  invert_mont_words<P>(total);
#pragma GCC unroll 8
  for (size_t j = 0; j < F::words; ++j) words[j] = all(total[j]);

  F r = F::enter_mont(F::from_words(words));
  r = r * swap_lanes<4>(four) * swap_lanes<2>(two) * swap_lanes<1>(one);
  return F::blend(zeros, r, F::zero());
}

// 1/x for x of magnitude at most m, a product's unless it is stated; zero gives zero.
template <unsigned m, class P>
PROOFGRID_INLINE Lanes<P> inverse(const Lanes<P>& x) {
  return inverse_canonical(x.template canonical<m>());
}

// conjugate / norm: 4 multiplications besides.
template <unsigned m, class P>
inline Lanes2<P> inverse(const Lanes2<P>& x) {
  using F = Lanes<P>;
  const F scale = inverse<F::product>(F::sum_of_products(x.c0, x.c0, x.c1, x.c1));
  return x.template conjugate<m>() * scale;
}

template <class Coordinate>
inline Coordinate inverse(const Coordinate& x) {
  return inverse<Coordinate::product>(x);
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
