// Eight elements of a prime field at a time, in AVX-512 registers: limb i of all eight lies in one register.
//
// A Lanes<P> has three invisible properties, which every operation states and keeps:
//
//   form       Montgomery with R = 2^(52 limbs); the names of operations that change it say so
//   carried    every limb is below 2^52, since vpmadd52 reads no more of it
//   magnitude  m: every one of the eight values is below m p. A product has magnitude 3; a + b has the sum; a - b has
//              a's plus the bound on b's that the caller states. Factors a, b must keep m_a * m_b <= headroom (BN254: 84,
//              BLS12-381 Fr: 35, Fq: 2^16 - 1), so no product needs a final subtraction. canonical<m> ends a chain.
//
// A build with PROOFGRID_VERIFY carries the magnitude along and aborts where a value breaks its bound.
//
// Cost in vpmadd52, for N limbs (N = 5: 101, 81; N = 8: 257, 201): multiplication N^2 * 4 + 1, square N (N + 1) + 2 N^2 + 1.
// Variable time only where it says so.
#pragma once

#include <immintrin.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "proofgrid/ifma/constants.hpp"
#include "proofgrid/layer.hpp"
#include "proofgrid/params.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

inline constexpr size_t lanes = 8;
using Word = __m512i;  // one 64-bit word per lane
using Mask = __mmask8; // one bit per lane

PROOFGRID_INLINE Word all(uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
PROOFGRID_INLINE Word low_bits(Word x) { return _mm512_and_si512(x, all(limb_mask)); }

template <class P>
class Lanes {
 public:
  using Params = P;
  using C = Constants<P>;
  using Number = typename C::Number;
  static constexpr size_t limbs = C::limbs;
  static constexpr size_t words = P::limbs;                // 64-bit words of one element in memory
  static constexpr unsigned product = 3;                   // the magnitude of a product
  static constexpr uint64_t headroom = C::headroom;        // the most that the magnitudes of two factors may multiply to

  Word limb[limbs];

  PROOFGRID_INLINE static Lanes zero() {
    Lanes r;
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) r.limb[i] = _mm512_setzero_si512();
    return r.bound(1);
  }
  PROOFGRID_INLINE static Lanes broadcast(const Number& x) {
    Lanes r;
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) r.limb[i] = all(x.limb[i]);
    return r.bound(1);
  }
  PROOFGRID_INLINE static Lanes one() { return broadcast(one_number); }

  // From words (word j of the eight values in words[j]), each value below 2^(64 words) and below m p for the stated m.
  // The form does not change: Montgomery words with R = 2^(64 words) need from_words(...) * to_this_form().
  template <unsigned m = 1>
  PROOFGRID_INLINE static Lanes from_words(const Word (&words)[P::limbs]) {
    Lanes r;
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) {
      const size_t word = limb_bits * i / 64, shift = limb_bits * i % 64;
      if (word >= P::limbs) {
        r.limb[i] = _mm512_setzero_si512();
        continue;
      }
      Word bits = _mm512_srli_epi64(words[word], static_cast<unsigned>(shift));
      if (shift > 64 - limb_bits && word + 1 < P::limbs) {
        bits = _mm512_or_si512(bits, _mm512_slli_epi64(words[word + 1], static_cast<unsigned>(64 - shift)));
      }
      r.limb[i] = i + 1 < limbs || 64 * P::limbs > limb_bits * limbs ? low_bits(bits) : bits;
    }
    return r.bound(m);
  }
  // Values below 2^(64 words) as words; canonical values are.
  PROOFGRID_INLINE void to_words(Word (&words)[P::limbs]) const {
#pragma GCC unroll 8
    for (size_t j = 0; j < P::limbs; ++j) {
      const size_t first = 64 * j / limb_bits, shift = 64 * j % limb_bits;
      words[j] = _mm512_srli_epi64(limb[first], static_cast<unsigned>(shift));
      for (size_t i = first + 1; i < limbs && limb_bits * i < 64 * (j + 1); ++i) {
        words[j] = _mm512_or_si512(words[j], _mm512_slli_epi64(limb[i], static_cast<unsigned>(limb_bits * i - 64 * j)));
      }
    }
  }

  // Factors that change the form, each by one multiplication.
  PROOFGRID_INLINE static Lanes from_mont_words() { return broadcast(from_mont_number); }       // x 2^(64 words) -> x R
  PROOFGRID_INLINE static Lanes from_canonical() { return broadcast(from_canonical_number); }   // x -> x R
  PROOFGRID_INLINE static Lanes to_mont_words() { return broadcast(to_mont_number); }           // x R -> x 2^(64 words)
  PROOFGRID_INLINE static Lanes to_canonical() { return broadcast(to_canonical_number); }       // x R -> x
  // The same as functions, which Lanes2 has too. A factor of 1 p: x may have a magnitude up to headroom.
  PROOFGRID_INLINE static Lanes enter_mont(const Lanes& x) { return x * from_mont_words(); }
  PROOFGRID_INLINE static Lanes enter_canonical(const Lanes& x) { return x * from_canonical(); }
  PROOFGRID_INLINE static Lanes leave_mont(const Lanes& x) { return x * to_mont_words(); }
  PROOFGRID_INLINE static Lanes leave_canonical(const Lanes& x) { return x * to_canonical(); }

  PROOFGRID_INLINE friend Lanes operator+(const Lanes& a, const Lanes& b) {
    Lanes r;
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) r.limb[i] = _mm512_add_epi64(a.limb[i], b.limb[i]);
    r.carry();
    return r.bound(a.magnitude() + b.magnitude());
  }

  // a - b + m p, where b has magnitude at most m; the result has a's magnitude plus m.
  template <unsigned m>
  PROOFGRID_INLINE static Lanes subtract(const Lanes& a, const Lanes& b) {
    static constexpr Number offset = C::multiple(m);
    b.require(m);
    Lanes r;
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) {
      r.limb[i] = _mm512_sub_epi64(_mm512_add_epi64(a.limb[i], all(offset.limb[i])), b.limb[i]);
    }
    r.carry();
    return r.bound(a.magnitude() + m);
  }
  template <unsigned m>
  PROOFGRID_INLINE Lanes negate() const {
    return subtract<m>(zero(), *this);
  }

  PROOFGRID_INLINE friend Lanes operator*(const Lanes& a, const Lanes& b) {
    a.require_factors(b);
    Word wide[2 * limbs];
    multiply_wide(wide, a, b);
    return reduce_wide(wide);
  }

  PROOFGRID_INLINE Lanes square() const {
    require_factors(*this);
    Word wide[2 * limbs];
    square_wide(wide, *this);
    return reduce_wide(wide);
  }

  // wide += nothing: wide[i] is the sum of the partial products of weight 2^(52 i), not carried. N^2 * 2 vpmadd52.
  PROOFGRID_INLINE static void multiply_wide(Word (&wide)[2 * limbs], const Lanes& a, const Lanes& b) {
#pragma GCC unroll 16
    for (size_t i = 0; i < 2 * limbs; ++i) wide[i] = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) {
#pragma GCC unroll 8
      for (size_t j = 0; j < limbs; ++j) {
        wide[i + j] = _mm512_madd52lo_epu64(wide[i + j], a.limb[j], b.limb[i]);
        wide[i + j + 1] = _mm512_madd52hi_epu64(wide[i + j + 1], a.limb[j], b.limb[i]);
      }
    }
  }
  PROOFGRID_INLINE static void square_wide(Word (&wide)[2 * limbs], const Lanes& a) {
#pragma GCC unroll 16
    for (size_t i = 0; i < 2 * limbs; ++i) wide[i] = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) {
#pragma GCC unroll 8
      for (size_t j = i + 1; j < limbs; ++j) {
        wide[i + j] = _mm512_madd52lo_epu64(wide[i + j], a.limb[j], a.limb[i]);
        wide[i + j + 1] = _mm512_madd52hi_epu64(wide[i + j + 1], a.limb[j], a.limb[i]);
      }
    }
#pragma GCC unroll 16
    for (size_t i = 1; i < 2 * limbs; ++i) wide[i] = _mm512_add_epi64(wide[i], wide[i]);
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) {
      wide[2 * i] = _mm512_madd52lo_epu64(wide[2 * i], a.limb[i], a.limb[i]);
      wide[2 * i + 1] = _mm512_madd52hi_epu64(wide[2 * i + 1], a.limb[i], a.limb[i]);
    }
  }

  // wide / R mod p, for a value from 0 to headroom p^2 whose columns are signed 64-bit numbers below 2^62.
  // limbs - 1 rounds add t * fold one limb above the low limb t, which vanishes; the last round is Montgomery's own, so
  // what was added is below (1 + 1) p R and the result below 3p. 2 N^2 + 1 vpmadd52.
  PROOFGRID_INLINE static Lanes reduce_wide(Word (&wide)[2 * limbs]) {
#pragma GCC unroll 8
    for (size_t i = 0; i + 1 < limbs; ++i) {
      wide[i + 1] = _mm512_add_epi64(wide[i + 1], _mm512_srai_epi64(wide[i], limb_bits));
#pragma GCC unroll 8
      for (size_t j = 0; j < limbs; ++j) {
        const Word f = all(C::fold.limb[j]);
        wide[i + 1 + j] = _mm512_madd52lo_epu64(wide[i + 1 + j], wide[i], f);
        wide[i + 2 + j] = _mm512_madd52hi_epu64(wide[i + 2 + j], wide[i], f);
      }
    }
    constexpr size_t last = limbs - 1;
    const Word q = _mm512_madd52lo_epu64(_mm512_setzero_si512(), wide[last], all(C::minus_inverse));
#pragma GCC unroll 8
    for (size_t j = 0; j < limbs; ++j) {
      const Word p = all(C::modulus.limb[j]);
      wide[last + j] = _mm512_madd52lo_epu64(wide[last + j], q, p);
      wide[last + j + 1] = _mm512_madd52hi_epu64(wide[last + j + 1], q, p);
    }
    wide[limbs] = _mm512_add_epi64(wide[limbs], _mm512_srai_epi64(wide[last], limb_bits));
    Lanes r;
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) r.limb[i] = wide[limbs + i];
    r.carry();
    return r.bound(product);
  }

  // The canonical representative of values of magnitude at most m. log2(m) conditional subtractions.
  template <unsigned m>
  PROOFGRID_INLINE Lanes canonical() const {
    require(m);
    return subtract_below<top_power(m)>(*this).bound(1);
  }

  // The lanes whose value is zero mod p, for values of magnitude at most m.
  template <unsigned m>
  PROOFGRID_INLINE Mask is_zero() const {
    return canonical<m>().is_all_zero();
  }
  // The lanes whose limbs are all zero.
  PROOFGRID_INLINE Mask is_all_zero() const {
    Word any = limb[0];
#pragma GCC unroll 8
    for (size_t i = 1; i < limbs; ++i) any = _mm512_or_si512(any, limb[i]);
    return _mm512_testn_epi64_mask(any, any);
  }

  // a where the mask has a zero, b where it has a one.
  PROOFGRID_INLINE static Lanes blend(Mask mask, const Lanes& a, const Lanes& b) {
    Lanes r;
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) r.limb[i] = _mm512_mask_blend_epi64(mask, a.limb[i], b.limb[i]);
    return r.bound(a.magnitude() > b.magnitude() ? a.magnitude() : b.magnitude());
  }

  // Limbs to limbs below 2^52: signed carries run upwards; the value must not be negative and must fit.
  PROOFGRID_INLINE void carry() {
#pragma GCC unroll 8
    for (size_t i = 0; i + 1 < limbs; ++i) {
      limb[i + 1] = _mm512_add_epi64(limb[i + 1], _mm512_srai_epi64(limb[i], limb_bits));
      limb[i] = low_bits(limb[i]);
    }
  }

#if defined(PROOFGRID_VERIFY)
  uint64_t magnitude() const { return magnitude_; }
  Lanes& bound(uint64_t m) {
    magnitude_ = m;
    verify();
    return *this;
  }
  void require(uint64_t m) const {
    if (magnitude_ > m) broken("a magnitude above what its operation states");
  }
  void require_factors(const Lanes& b) const {
    if (magnitude_ * b.magnitude_ > C::headroom) broken("factors whose product exceeds the headroom");
  }
  [[noreturn]] static void broken(const char* what) {
    std::fprintf(stderr, "proofgrid VERIFY: %s: %s\n", P::name, what);
    std::abort();
  }

 private:
  uint64_t magnitude_ = 0;
  void verify() const {
    alignas(64) uint64_t values[limbs][lanes];
    for (size_t i = 0; i < limbs; ++i) _mm512_store_si512(values[i], limb[i]);
    if (magnitude_ == 0 || magnitude_ > C::headroom) broken("a magnitude beyond the headroom");
    const Number most = C::multiple(magnitude_);
    for (size_t lane = 0; lane < lanes; ++lane) {
      uint64_t borrow = 0;
      for (size_t i = 0; i < limbs; ++i) {
        if (values[i][lane] > limb_mask) broken("a limb that is not carried");
        borrow = (values[i][lane] - most.limb[i] - borrow) >> 63;
      }
      if (!borrow) broken("a value that is not below its magnitude");
    }
  }
#else
  PROOFGRID_INLINE static constexpr uint64_t magnitude() { return 0; }
  PROOFGRID_INLINE Lanes& bound(uint64_t) { return *this; }
  PROOFGRID_INLINE void require(uint64_t) const {}
  PROOFGRID_INLINE void require_factors(const Lanes&) const {}

 private:
#endif
  static constexpr unsigned words_bits = 64 * P::limbs, all_bits = limb_bits * limbs;
  static constexpr Number one_number = C::power_of_two(all_bits);
  static constexpr Number from_mont_number = C::power_of_two(2 * all_bits - words_bits);
  static constexpr Number from_canonical_number = C::power_of_two(2 * all_bits);
  static constexpr Number to_mont_number = C::power_of_two(words_bits);
  static constexpr Number to_canonical_number = C::power_of_two(0);

  // The largest power of two below m, or 0.
  static constexpr unsigned top_power(unsigned m) {
    unsigned power = 1;
    if (m <= 1) return 0;
    while (2 * power < m) power *= 2;
    return power;
  }
  // x - k p where that is not negative, for k and then its halves down to 1.
  template <unsigned k>
  PROOFGRID_INLINE static Lanes subtract_below(Lanes x) {
    if constexpr (k == 0) {
      return x;
    } else {
      static constexpr Number offset = C::multiple(k);
      Lanes r;
#pragma GCC unroll 8
      for (size_t i = 0; i < limbs; ++i) r.limb[i] = _mm512_sub_epi64(x.limb[i], all(offset.limb[i]));
      r.carry();
      const Mask negative = _mm512_movepi64_mask(r.limb[limbs - 1]);
#pragma GCC unroll 8
      for (size_t i = 0; i < limbs; ++i) r.limb[i] = _mm512_mask_mov_epi64(r.limb[i], negative, x.limb[i]);
      return subtract_below<k / 2>(r);
    }
  }
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
