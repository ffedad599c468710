// Eight field elements inside a transform: their form never changes, so there is none, and their limbs are not carried.
//
// A Sums<P> stands for sum limb[i] 2^(52 i) in each lane, where a limb is a signed number below 2^61 (a product's are below
// 2^56, and a transform adds at most thirty of them to one place). Additions and subtractions work limb by limb; only what
// vpmadd52 is to read as a factor is carried first. Its magnitude m (value from 0 to m p) is stated where it is used, and a
// build with PROOFGRID_VERIFY checks it there.
//
// A product with a constant w takes w's five multiples w 2^(52 (i + 1)) mod p: the sum of x's limbs times these is
// below 5 2^52 p, and one Montgomery round divides by 2^52: x w below 6p, with 61 vpmadd52 where a general product takes
// 101, and without a change of form.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <utility>

#include "proofgrid/ifma/field.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

template <class P>
struct Sums {
  using L = Lanes<P>;
  using C = Constants<P>;
  static constexpr size_t limbs = C::limbs;
  static constexpr unsigned product = limbs + 1;   // the magnitude of a product with a constant
  static constexpr unsigned reduced = 2;           // the magnitude after reduce()

  Word limb[limbs];

  // The multiples of a constant that all lanes share: limb j of w 2^(52 (i + 1)) mod p at [i][j].
  struct Constant {
    uint64_t limb[limbs][limbs];
    PROOFGRID_INLINE Word at(size_t i, size_t j) const { return all(limb[i][j]); }
  };
  // The same with a constant per lane.
  struct LaneConstants {
    Word limb[limbs][limbs];
    PROOFGRID_INLINE Word at(size_t i, size_t j) const { return limb[i][j]; }
  };

  PROOFGRID_INLINE static Sums from(const L& x) {
    Sums r;
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) r.limb[i] = x.limb[i];
    return r;
  }
  // Carried, of magnitude m.
  PROOFGRID_INLINE L lanes(unsigned m) const {
    L r;
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) r.limb[i] = limb[i];
    r.carry();
    return r.bound(m);
  }
  // Enough carrying for a factor: vpmadd52 reads the low 52 bits of a limb, so what was carried upwards may stay above them.
  // What this leaves is no value to add to or to reduce.
  PROOFGRID_INLINE void carry_factor() {
#pragma GCC unroll 8
    for (size_t i = 0; i + 1 < limbs; ++i) {
      limb[i + 1] = _mm512_add_epi64(limb[i + 1], _mm512_srai_epi64(limb[i], limb_bits));
    }
  }
  // The value again, after carry_factor().
  PROOFGRID_INLINE Sums of_factor() const {
    Sums r = *this;
#pragma GCC unroll 8
    for (size_t i = 0; i + 1 < limbs; ++i) r.limb[i] = low_bits(limb[i]);
    return r;
  }
  PROOFGRID_INLINE const Sums& verify([[maybe_unused]] unsigned m) const {
#if defined(PROOFGRID_VERIFY)
    for (size_t i = 0; i < limbs; ++i) {
      const Word limit = all(uint64_t{1} << 61);
      if (_mm512_cmpge_epi64_mask(_mm512_abs_epi64(limb[i]), limit)) verify::broken(P::name, "a limb beyond 2^61");
    }
    lanes(m);
#endif
    return *this;
  }

  PROOFGRID_INLINE friend Sums operator+(const Sums& a, const Sums& b) {
    Sums r;
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) r.limb[i] = _mm512_add_epi64(a.limb[i], b.limb[i]);
    return r;
  }
  // a - b + m p.
  template <unsigned m>
  PROOFGRID_INLINE static Sums subtract(const Sums& a, const Sums& b) {
    static constexpr auto offset = C::multiple(m);
    Sums r;
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) {
      r.limb[i] = _mm512_sub_epi64(_mm512_add_epi64(a.limb[i], all(offset.limb[i])), b.limb[i]);
    }
    return r;
  }

  // x[c] = x[c] w[c] for carried values of any magnitude; the results have magnitude 6. 61 vpmadd52 each.
  template <size_t count, class W>
  PROOFGRID_INLINE static void multiply(Sums* const (&x)[count], const W* const (&w)[count]) {
    Word wide[count][limbs + 1];
#pragma GCC unroll 4
    for (size_t c = 0; c < count; ++c) {
#pragma GCC unroll 8
      for (size_t j = 0; j <= limbs; ++j) wide[c][j] = _mm512_setzero_si512();
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) {
#pragma GCC unroll 8
      for (size_t j = 0; j < limbs; ++j) {
#pragma GCC unroll 4
        for (size_t c = 0; c < count; ++c) {
          const Word multiple = w[c]->at(i, j);
          wide[c][j] = _mm512_madd52lo_epu64(wide[c][j], x[c]->limb[i], multiple);
          wide[c][j + 1] = _mm512_madd52hi_epu64(wide[c][j + 1], x[c]->limb[i], multiple);
        }
      }
    }
    Word q[count];
#pragma GCC unroll 4
    for (size_t c = 0; c < count; ++c) {
      q[c] = _mm512_madd52lo_epu64(_mm512_setzero_si512(), wide[c][0], all(C::minus_inverse));
    }
#pragma GCC unroll 8
    for (size_t j = 0; j < limbs; ++j) {
      const Word p = all(C::modulus.limb[j]);
#pragma GCC unroll 4
      for (size_t c = 0; c < count; ++c) {
        wide[c][j] = _mm512_madd52lo_epu64(wide[c][j], q[c], p);
        wide[c][j + 1] = _mm512_madd52hi_epu64(wide[c][j + 1], q[c], p);
      }
    }
#pragma GCC unroll 4
    for (size_t c = 0; c < count; ++c) {
      x[c]->limb[0] = _mm512_add_epi64(wide[c][1], _mm512_srli_epi64(wide[c][0], limb_bits));
#pragma GCC unroll 8
      for (size_t j = 1; j < limbs; ++j) x[c]->limb[j] = wide[c][j + 1];
      x[c]->verify(product);
    }
  }
  template <class W>
  PROOFGRID_INLINE void multiply_by(const W& w) {
    multiply<1, W>({this}, {&w});
  }

  // x minus a multiple of p that its top limb tells: from any magnitude to at most 1.001, hence 2. 10 vpmadd52.
  PROOFGRID_INLINE Sums reduce() const {
    // Carries that are missing from the top limb are below 2^9; p is above 2^44 of its units.
    const Word top = _mm512_max_epi64(_mm512_sub_epi64(limb[limbs - 1], all(512)), _mm512_setzero_si512());
    const Word q = _mm512_srli_epi64(_mm512_madd52hi_epu64(_mm512_setzero_si512(), top, all(reciprocal)), reciprocal_shift);
    Sums r = *this;
#pragma GCC unroll 8
    for (size_t j = 0; j + 1 < limbs; ++j) {
      const Word p = all(minus_modulus.limb[j]);
      r.limb[j] = _mm512_madd52lo_epu64(r.limb[j], q, p);
      r.limb[j + 1] = _mm512_madd52hi_epu64(r.limb[j + 1], q, p);
    }
    const Word above = _mm512_madd52lo_epu64(_mm512_setzero_si512(), q, all(C::modulus.limb[limbs - 1] + 1));
    r.limb[limbs - 1] = _mm512_sub_epi64(r.limb[limbs - 1], above);
    return r;
  }
  // Values below 2^(64 words) as a factor, whose limbs reach above 52 bits.
  template <size_t... i>
  PROOFGRID_INLINE static Sums factor_from_words(const Word (&words)[P::limbs], std::index_sequence<i...>) {
    return {{factor_limb<i>(words)...}};
  }
  PROOFGRID_INLINE static Sums factor_from_words(const Word (&words)[P::limbs]) {
    return factor_from_words(words, std::make_index_sequence<limbs>());
  }
  // Words of values below 2^(64 words), after carry_factor().
  PROOFGRID_INLINE void to_words(Word (&words)[P::limbs]) const { to_words(words, std::make_index_sequence<P::limbs>()); }
  // The canonical values. 10 vpmadd52, and a subtraction where a top limb is not below p's: once in 2^45 random values.
  PROOFGRID_INLINE void to_canonical_words(Word (&words)[P::limbs]) const {
    const Sums r = reduce();
    Sums carried = r;
    carried.carry_factor();
    if (_mm512_cmpge_epu64_mask(carried.limb[limbs - 1], all(C::modulus.limb[limbs - 1]))) [[unlikely]] {
      return r.lanes(reduced).template canonical<reduced>().to_words(words);
    }
    r.verify(1);
    carried.to_words(words);
  }

 private:
  template <size_t i>
  PROOFGRID_INLINE static Word factor_limb(const Word (&words)[P::limbs]) {
    constexpr size_t word = limb_bits * i / 64;
    constexpr int shift = limb_bits * i % 64;
    if constexpr (shift == 0) {
      return words[word];
    } else if constexpr (shift > 64 - int(limb_bits) && word + 1 < P::limbs) {
      return _mm512_shrdi_epi64(words[word], words[word + 1], shift);
    } else {
      return _mm512_srli_epi64(words[word], shift);
    }
  }
  template <size_t... j>
  PROOFGRID_INLINE void to_words(Word (&words)[P::limbs], std::index_sequence<j...>) const {
    ((words[j] = word_of<64 * j / limb_bits, 64 * j % limb_bits>()), ...);
  }
  // From bit `shift` of limb `first` on: its 52 bits are moved below the next limb's.
  template <size_t first, int shift>
  PROOFGRID_INLINE Word word_of() const {
    const Word low = _mm512_slli_epi64(limb[first], 64 - limb_bits);
    return _mm512_shrdi_epi64(low, limb[first + 1], 64 - int(limb_bits) + shift);
  }

  static constexpr unsigned top_bits = P::bits - limb_bits * (limbs - 1);  // of p's top limb
  static constexpr unsigned reciprocal_shift = top_bits - 1;
  static_assert(top_bits >= 44 && top_bits + 3 <= limb_bits && P::limbs == 4, "a scalar field of four words in five limbs");

  // floor(2^(52 limbs + reciprocal_shift) / p), below 2^52.
  static constexpr uint64_t reciprocal = [] {
    uint64_t quotient = 0, rest[limbs] = {};
    for (unsigned i = 0; i <= limb_bits * limbs + reciprocal_shift; ++i) {
      uint64_t carry = i == 0, less[limbs] = {}, borrow = 0;
      for (size_t j = 0; j < limbs; ++j) {
        const uint64_t doubled = 2 * rest[j] + carry;
        rest[j] = doubled & limb_mask;
        carry = doubled >> limb_bits;
        const uint64_t difference = rest[j] - C::modulus.limb[j] - borrow;
        less[j] = difference & limb_mask;
        borrow = difference >> 63;
      }
      quotient = 2 * quotient + !borrow;
      for (size_t j = 0; j < limbs && !borrow; ++j) rest[j] = less[j];
    }
    return quotient;
  }();
  static_assert(reciprocal <= limb_mask);

  // -p mod 2^(52 (limbs - 1)), to which -(p's top limb + 1) belongs.
  static constexpr typename C::Number minus_modulus = [] {
    typename C::Number r{};
    uint64_t borrow = 0;
    for (size_t j = 0; j < limbs; ++j) {
      const uint64_t difference = 0 - C::modulus.limb[j] - borrow;
      r.limb[j] = difference & limb_mask;
      borrow = difference >> 63;
    }
    return r;
  }();
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
