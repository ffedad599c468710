// Products of eight elements before their reduction.
//
// wide[i] is a sum of partial products of weight 2^(52 i), a signed 64-bit number that is not carried. A column of one
// product takes at most 2 N - 1 terms below 2^52, so it is below 2^56 (N <= 8), and hundreds of products may be added and
// subtracted column by column before one reduction.
#pragma once

#include <immintrin.h>

#include "proofgrid/ifma/constants.hpp"
#include "proofgrid/ifma/verify.hpp"
#include "proofgrid/layer.hpp"
#include "proofgrid/params.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

inline constexpr size_t lanes = 8;
using Word = __m512i;   // one 64-bit word per lane
using Mask = __mmask8;  // one bit per lane

PROOFGRID_INLINE Word all(uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
PROOFGRID_INLINE Word low_bits(Word x) { return _mm512_and_si512(x, all(limb_mask)); }

template <class P>
struct Columns {
  using C = Constants<P>;
  static constexpr size_t limbs = C::limbs;

  PROOFGRID_INLINE static void clear(Word (&wide)[2 * limbs]) {
#pragma GCC unroll 16
    for (size_t i = 0; i < 2 * limbs; ++i) wide[i] = _mm512_setzero_si512();
  }

  // wide += a b, for carried limbs. 2 N^2 vpmadd52.
  PROOFGRID_INLINE static void multiply_add(Word (&wide)[2 * limbs], const Word (&a)[limbs], const Word (&b)[limbs]) {
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) {
#pragma GCC unroll 8
      for (size_t j = 0; j < limbs; ++j) {
        wide[i + j] = _mm512_madd52lo_epu64(wide[i + j], a[j], b[i]);
        wide[i + j + 1] = _mm512_madd52hi_epu64(wide[i + j + 1], a[j], b[i]);
      }
    }
  }

  // 2 wide + a^2, for carried limbs: what wide holds before is doubled too. N (N + 1) vpmadd52.
  PROOFGRID_INLINE static void square_add(Word (&wide)[2 * limbs], const Word (&a)[limbs]) {
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) {
#pragma GCC unroll 8
      for (size_t j = i + 1; j < limbs; ++j) {
        wide[i + j] = _mm512_madd52lo_epu64(wide[i + j], a[j], a[i]);
        wide[i + j + 1] = _mm512_madd52hi_epu64(wide[i + j + 1], a[j], a[i]);
      }
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < 2 * limbs; ++i) wide[i] = _mm512_add_epi64(wide[i], wide[i]);
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) {
      wide[2 * i] = _mm512_madd52lo_epu64(wide[2 * i], a[i], a[i]);
      wide[2 * i + 1] = _mm512_madd52hi_epu64(wide[2 * i + 1], a[i], a[i]);
    }
  }

  // wide / R mod p in the upper half of the columns, not carried, for values from 0 to headroom p^2 with columns below 2^62.
  // `count` of them at once, so that one's additions run while another waits for its low limb (Fp2: up to 8 % faster).
  //
  // limbs - 1 rounds add t * fold one limb above the low limb t, which vanishes; the last round is Montgomery's own, so
  // what was added is below (1 + 1) p R and the result below 3p. A column takes at most 2 N + 1 terms below 2^52 more.
  // 2 N^2 + 1 vpmadd52 each.
  template <size_t count>
  PROOFGRID_INLINE static void reduce(Word (&wide)[count][2 * limbs]) {
#if defined(PROOFGRID_VERIFY)
    for (size_t k = 0; k < count; ++k) verify::reducible<P>(wide[k]);
#endif
#pragma GCC unroll 8
    for (size_t i = 0; i + 1 < limbs; ++i) {
      carry_up(wide, i);
#pragma GCC unroll 8
      for (size_t j = 0; j < limbs; ++j) {
        const Word f = all(C::fold.limb[j]);
#pragma GCC unroll 8
        for (size_t k = 0; k < count; ++k) {
          wide[k][i + 1 + j] = _mm512_madd52lo_epu64(wide[k][i + 1 + j], wide[k][i], f);
          wide[k][i + 2 + j] = _mm512_madd52hi_epu64(wide[k][i + 2 + j], wide[k][i], f);
        }
      }
    }
    constexpr size_t last = limbs - 1;
    Word q[count];
#pragma GCC unroll 8
    for (size_t k = 0; k < count; ++k) {
      q[k] = _mm512_madd52lo_epu64(_mm512_setzero_si512(), wide[k][last], all(C::minus_inverse));
    }
#pragma GCC unroll 8
    for (size_t j = 0; j < limbs; ++j) {
      const Word p = all(C::modulus.limb[j]);
#pragma GCC unroll 8
      for (size_t k = 0; k < count; ++k) {
        wide[k][last + j] = _mm512_madd52lo_epu64(wide[k][last + j], q[k], p);
        wide[k][last + j + 1] = _mm512_madd52hi_epu64(wide[k][last + j + 1], q[k], p);
      }
    }
    carry_up(wide, last);
  }

 private:
  template <size_t count>
  PROOFGRID_INLINE static void carry_up(Word (&wide)[count][2 * limbs], size_t i) {
#pragma GCC unroll 8
    for (size_t k = 0; k < count; ++k) {
      wide[k][i + 1] = _mm512_add_epi64(wide[k][i + 1], _mm512_srai_epi64(wide[k][i], limb_bits));
    }
  }
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
