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
// Cost in vpmadd52, for N limbs: a multiplication 101 (N = 5) or 257 (N = 8), a square 81 or 201. Constant time.
#pragma once

#include <immintrin.h>

#include <utility>

#include "proofgrid/ifma/constants.hpp"
#include "proofgrid/ifma/verify.hpp"
#include "proofgrid/ifma/wide.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

template <class P>
class Lanes {
 public:
  using Params = P;
  using C = Constants<P>;
  using Number = typename C::Number;
  static constexpr size_t limbs = C::limbs;
  static constexpr size_t words = P::limbs;          // 64-bit words of one element in memory
  static constexpr unsigned product = 3;             // the magnitude of a product
  static constexpr uint64_t headroom = C::headroom;  // the most that the magnitudes of two factors may multiply to

  alignas(64) Word limb[limbs];  // said here: g++ aligns a Word to 16 bytes where the target is not raised, as in a vector

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
  // The form does not change: see enter_mont and enter_canonical.
  template <unsigned m = 1>
  PROOFGRID_INLINE static Lanes from_words(const Word (&words)[P::limbs]) {
    Lanes r;
    set_limbs(r, words, std::make_index_sequence<limbs>());
    return r.bound(m);
  }
  // Values below 2^(64 words) as words; canonical values are.
  PROOFGRID_INLINE void to_words(Word (&words)[P::limbs]) const {
    require_words();
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

  // 4 N^2 + 1 vpmadd52.
  PROOFGRID_INLINE friend Lanes operator*(const Lanes& a, const Lanes& b) {
    if constexpr (called) {
      return called_multiply(a, b);
    } else {
      return inlined_multiply(a, b);
    }
  }
  // N (N + 1) + 2 N^2 + 1 vpmadd52.
  PROOFGRID_INLINE Lanes square() const {
    if constexpr (called) {
      return called_square(*this);
    } else {
      return inlined_square(*this);
    }
  }
  // a b + c d, reduced once: 6 N^2 + 1 vpmadd52. The two products of magnitudes add up to at most headroom.
  PROOFGRID_INLINE static Lanes sum_of_products(const Lanes& a, const Lanes& b, const Lanes& c, const Lanes& d) {
    require_room(a.magnitude() * b.magnitude() + c.magnitude() * d.magnitude());
    Word wide[1][2 * limbs];
    multiply_wide(wide[0], a, b);
    multiply_add_wide(wide[0], c, d);
    return reduced(wide);
  }

  // a^2 + b^2, reduced once: 2 N (N + 1) + 2 N^2 + 1 vpmadd52.
  PROOFGRID_INLINE static Lanes norm(const Lanes& a, const Lanes& b) {
    require_room(a.magnitude() * a.magnitude() + b.magnitude() * b.magnitude());
    Word wide[1][2 * limbs], second[2 * limbs];
    square_wide(wide[0], a);
    square_wide(second, b);
#pragma GCC unroll 16
    for (size_t i = 0; i < 2 * limbs; ++i) wide[0][i] = _mm512_add_epi64(wide[0][i], second[i]);
    return reduced(wide);
  }

  // Products before their reduction, as columns: see wide.hpp, which bounds them.
  using Wide = Columns<P>;
  PROOFGRID_INLINE static void multiply_add_wide(Word (&wide)[2 * limbs], const Lanes& a, const Lanes& b) {
    Wide::multiply_add(wide, a.limb, b.limb);
  }
  PROOFGRID_INLINE static void multiply_wide(Word (&wide)[2 * limbs], const Lanes& a, const Lanes& b) {
    Wide::clear(wide);
    Wide::multiply_add(wide, a.limb, b.limb);
  }
  PROOFGRID_INLINE static void square_wide(Word (&wide)[2 * limbs], const Lanes& a) {
    Wide::clear(wide);
    Wide::square_add(wide, a.limb);
  }
  template <size_t count>
  PROOFGRID_INLINE static void reduce_wide(Lanes (&r)[count], Word (&wide)[count][2 * limbs]) {
    Wide::reduce(wide);
#pragma GCC unroll 8
    for (size_t k = 0; k < count; ++k) {
#pragma GCC unroll 8
      for (size_t i = 0; i < limbs; ++i) r[k].limb[i] = wide[k][limbs + i];
      r[k].carry();
      r[k].bound(product);
    }
  }
  PROOFGRID_INLINE static Lanes reduce_wide(Word (&wide)[2 * limbs]) {
    Word one[1][2 * limbs];
#pragma GCC unroll 16
    for (size_t i = 0; i < 2 * limbs; ++i) one[0][i] = wide[i];
    return reduced(one);
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
    verify::carried_below<P>(limb, m);
    return *this;
  }
  void require(uint64_t m) const {
    verify::require(magnitude_ != 0 && magnitude_ <= m, P::name, "a magnitude above what its operation states");
  }
  void require_words() const { verify::fits_words<P>(limb); }

 private:
  uint64_t magnitude_ = 0;
#else
  PROOFGRID_INLINE static constexpr uint64_t magnitude() { return 0; }
  PROOFGRID_INLINE Lanes& bound(uint64_t) { return *this; }
  PROOFGRID_INLINE void require(uint64_t) const {}
  PROOFGRID_INLINE void require_words() const {}

 private:
#endif
  // The sum of products of factors of these magnitudes can be reduced.
  PROOFGRID_INLINE static void require_room(uint64_t sum_of_magnitudes) {
#if defined(PROOFGRID_VERIFY)
    verify::require(sum_of_magnitudes != 0 && sum_of_magnitudes <= headroom, P::name,
                    "factors whose product exceeds the headroom");
#else
    static_cast<void>(sum_of_magnitudes);
#endif
  }

  // A product of 8 limbs is 2 kB of code: inlined everywhere it would not stay in the instruction cache, and take minutes to
  // compile. Its call costs less than a hundredth of it.
  static constexpr bool called = limbs > 5;
  [[gnu::noinline]] static Lanes called_multiply(const Lanes& a, const Lanes& b) { return inlined_multiply(a, b); }
  [[gnu::noinline]] static Lanes called_square(const Lanes& a) { return inlined_square(a); }
  PROOFGRID_INLINE static Lanes inlined_multiply(const Lanes& a, const Lanes& b) {
    require_room(a.magnitude() * b.magnitude());
    Word wide[1][2 * limbs];
    multiply_wide(wide[0], a, b);
    return reduced(wide);
  }
  PROOFGRID_INLINE static Lanes inlined_square(const Lanes& a) {
    require_room(a.magnitude() * a.magnitude());
    Word wide[1][2 * limbs];
    square_wide(wide[0], a);
    return reduced(wide);
  }

  template <size_t... i>
  PROOFGRID_INLINE static void set_limbs(Lanes& r, const Word (&words)[P::limbs], std::index_sequence<i...>) {
    ((r.limb[i] = limb_of<i>(words)), ...);
  }
  template <size_t i>
  PROOFGRID_INLINE static Word limb_of(const Word (&words)[P::limbs]) {
    constexpr size_t word = limb_bits * i / 64;
    constexpr int shift = limb_bits * i % 64;
    Word bits;
    if constexpr (word >= P::limbs) {
      return _mm512_setzero_si512();
    } else if constexpr (shift > 64 - int(limb_bits) && word + 1 < P::limbs) {
      bits = _mm512_shrdi_epi64(words[word], words[word + 1], shift);
    } else {
      bits = _mm512_srli_epi64(words[word], shift);
    }
    return i + 1 < limbs || 64 * P::limbs > limb_bits * limbs ? low_bits(bits) : bits;
  }

  PROOFGRID_INLINE static Lanes reduced(Word (&wide)[1][2 * limbs]) {
    Lanes r[1];
    reduce_wide(r, wide);
    return r[0];
  }

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
