// Multiplication by a factor known in advance with its quotient (Shoup; Harvey, J. Symb. Comp. 60, 2014), for moduli p of
// four limbs with 5.2 p < R = 2^256: w is the factor, w' = floor(w R / p).
//
//   q = the high words of a w', short of a w / p by less than 4;   a w - q p, computed modulo R, lies in [0, 4p)
//
// Why less than 4: w' is short of w R / p by less than 1, which costs a / R < 1. Of a w' only the columns from 2^192 on
// are added, with one of the three high words that the column below would send there: the others cost less than 1 each, and
// dropping the column at 2^192 in the end costs less than 1.
// 11 + 10 + 10 multiplications of words instead of Montgomery's 36, 8 of which are imul; no chain from word to word.
//
// Bounds, p being below 0.19 R, so that 5.28 p < R:
//
//   wide     below 4 p                a product of anything below R
//   narrow   below p + 2^250 < 1.09 p reduce(): the multiple of p at or below the top 6 bits is subtracted
//   stored   below 5.2 p              narrow + wide, narrow - wide + 4 p, 2 narrow - 2 narrow + 3 p
#pragma once

#include "proofgrid/field_adx.hpp"
#include "proofgrid/limbs.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {
namespace adx {

// 5.2 p < 2^256?
template <class P>
inline constexpr bool lazy = P::limbs == 4 && P::modulus[P::limbs - 1] < ~uint64_t{0} / 52 * 10;

// A factor w < p, in no form, its quotient w', and four bits more of it: floor(16 w R / p) = 16 w' + rest.
struct Factor {
  uint64_t factor[4], quotient[4], rest;
};

// w R mod p is the Montgomery form m of w, and w R = m + w' p: reducing m yields w, and w' on the way. About a mul.
template <class F>
Factor make_factor(const F& factor) {
  using P = typename F::Params;
  Factor w;
  factor.store_mont(w.factor);
  uint64_t remainder[4];
  factor.store_mont(remainder);
  w.rest = 0;
  for (int bit = 0; bit < 4; ++bit) {
    limbs::add<4>(remainder, remainder, remainder);  // p has a spare bit
    w.rest *= 2;
    if (limbs::less<4>(remainder, P::modulus)) continue;
    limbs::sub<4>(remainder, remainder, P::modulus);
    ++w.rest;
  }
  for (uint64_t& multiple : w.quotient) {
    multiple = w.factor[0] * P::minus_inverse;
    uint64_t carry = 0;
    limbs::mul_add(multiple, P::modulus[0], w.factor[0], carry);
    for (size_t j = 1; j < 4; ++j) w.factor[j - 1] = limbs::mul_add(multiple, P::modulus[j], w.factor[j], carry);
    w.factor[3] = carry;
  }
  return w;
}

// x mod p for x < 2^256 and x < 3 p.
template <class F>
PROOFGRID_INLINE F fully_reduced(const uint64_t* x) {
  using P = typename F::Params;
  uint64_t once[4], twice[4];
  reduce_once4<P>(once, x[0], x[1], x[2], x[3]);
  reduce_once4<P>(twice, once[0], once[1], once[2], once[3]);
  return F::load_mont(twice);
}

// Multiples of p: small ones, and for each value of a number's top 6 bits the largest that is not above it.
template <class P>
struct Multiples {
  uint64_t small[5][4], below[64][4];
  uint64_t minus_one[4];  // R - p

  static constexpr Multiples make() {
    Multiples m{};
    const uint64_t zero[4] = {};
    limbs::sub<4>(m.minus_one, zero, P::modulus);
    for (int k = 1; k < 5; ++k) limbs::add<4>(m.small[k], m.small[k - 1], P::modulus);
    uint64_t last[4] = {}, next[4] = {P::modulus[0], P::modulus[1], P::modulus[2], P::modulus[3]};
    bool more = true;  // next < R
    for (uint64_t top = 0; top < 64; ++top) {
      const uint64_t value[4] = {0, 0, 0, top << 58};
      while (more && !limbs::less<4>(value, next)) {
        for (size_t i = 0; i < 4; ++i) last[i] = next[i];
        more = limbs::add<4>(next, last, P::modulus) == 0;
      }
      for (size_t i = 0; i < 4; ++i) m.below[top][i] = last[i];
    }
    return m;
  }
};

template <class P>
inline constexpr Multiples<P> multiples = Multiples<P>::make();

#define PG_WORD(name, j) "8*" #j "(%[" #name "])"
// (to, above) += word in rdx times `operand`, on the chains of OF and CF.
#define PG_ADD_PRODUCT(operand, to, above)  \
  "mulxq " operand ", %[lo], %[hi]\n\t"     \
  "adoxq %[lo], %[" to "]\n\t"              \
  "adcxq %[hi], %[" above "]\n\t"
// The same for the highest column so far: `above` is new.
#define PG_TOP_PRODUCT(operand, to, above)     \
  "mulxq " operand ", %[lo], %[" above "]\n\t" \
  "adoxq %[lo], %[" to "]\n\t"                 \
  "adcxq %[zero], %[" above "]\n\t"            \
  "adoxq %[zero], %[" above "]\n\t"
#define PG_CARRY(above) "adoxq %[zero], %[" above "]\n\t"
// Clears both chains, for the next row of the same word or of another.
#define PG_NEXT_ROW "xorl %k[lo], %k[lo]\n\t"
#define PG_NEXT_WORD(operand) "movq " operand ", %%rdx\n\t" PG_NEXT_ROW
// r3 += the low word of a product.
#define PG_ADD_LOW(word, operand) "movq " word ", %[lo]\n\t" "imulq " operand ", %[lo]\n\t" "addq %[lo], %[r3]\n\t"

// The assembly takes 14 registers, which a function with the address sanitizer's frame has not got.
#if defined(__SANITIZE_ADDRESS__)
#define PG_INLINE [[gnu::noinline]]
#else
#define PG_INLINE [[gnu::always_inline]] inline
#endif

// r = a * w - q p, below 4 p, for a < R.
template <class P>
PG_INLINE void mul_by_factor(uint64_t* r, const uint64_t* a, const Factor& w) {
  uint64_t r0, r1, r2, r3, q0, q1, q2, q3, below, lo, hi;
  // Rows of a w' (into q0.., and `below` for the column under them) and of a w (into r0..r3) alternate, so that the
  // multiplier has work while a chain of carries waits: 8 % faster than one after the other.
  asm("movq " PG_WORD(a, 0) ", %[r3]\n\t"
      "imulq " PG_WORD(w, 3) ", %[r3]\n\t"
      PG_ADD_LOW(PG_WORD(a, 1), PG_WORD(w, 2)) PG_ADD_LOW(PG_WORD(a, 2), PG_WORD(w, 1))
      PG_ADD_LOW(PG_WORD(a, 3), PG_WORD(w, 0))
      "movq " PG_WORD(a, 0) ", %%rdx\n\t"
      "mulxq " PG_WORD(w, 7) ", %[below], %[q0]\n\t"
      "mulxq " PG_WORD(w, 0) ", %[r0], %[r1]\n\t"
      "mulxq " PG_WORD(w, 1) ", %[lo], %[r2]\n\t"
      "addq %[lo], %[r1]\n\t"
      "mulxq " PG_WORD(w, 2) ", %[lo], %[hi]\n\t"
      "adcq %[lo], %[r2]\n\t"
      "adcq %[hi], %[r3]\n\t"
      PG_NEXT_WORD(PG_WORD(a, 1))
      "mulxq " PG_WORD(w, 5) ", %[lo], %[hi]\n\t"
      "adcxq %[hi], %[below]\n\t"
      PG_ADD_PRODUCT(PG_WORD(w, 6), "below", "q0") PG_TOP_PRODUCT(PG_WORD(w, 7), "q0", "q1")
      PG_NEXT_ROW
      PG_ADD_PRODUCT(PG_WORD(w, 0), "r1", "r2") PG_ADD_PRODUCT(PG_WORD(w, 1), "r2", "r3") PG_CARRY("r3")
      PG_NEXT_WORD(PG_WORD(a, 2))
      PG_ADD_PRODUCT(PG_WORD(w, 5), "below", "q0") PG_ADD_PRODUCT(PG_WORD(w, 6), "q0", "q1")
      PG_TOP_PRODUCT(PG_WORD(w, 7), "q1", "q2")
      PG_NEXT_ROW
      PG_ADD_PRODUCT(PG_WORD(w, 0), "r2", "r3") PG_CARRY("r3")
      PG_NEXT_WORD(PG_WORD(a, 3))
      PG_ADD_PRODUCT(PG_WORD(w, 4), "below", "q0") PG_ADD_PRODUCT(PG_WORD(w, 5), "q0", "q1")
      PG_ADD_PRODUCT(PG_WORD(w, 6), "q1", "q2") PG_TOP_PRODUCT(PG_WORD(w, 7), "q2", "q3")
      // rows of q (R - p)
      PG_NEXT_WORD("%[q0]")
      PG_ADD_PRODUCT("%[n0]", "r0", "r1") PG_ADD_PRODUCT("%[n1]", "r1", "r2") PG_ADD_PRODUCT("%[n2]", "r2", "r3")
      PG_CARRY("r3")
      PG_NEXT_WORD("%[q1]")
      PG_ADD_PRODUCT("%[n0]", "r1", "r2") PG_ADD_PRODUCT("%[n1]", "r2", "r3") PG_CARRY("r3")
      PG_NEXT_WORD("%[q2]")
      PG_ADD_PRODUCT("%[n0]", "r2", "r3") PG_CARRY("r3")
      PG_ADD_LOW("%[q0]", "%[n3]") PG_ADD_LOW("%[q1]", "%[n2]") PG_ADD_LOW("%[q2]", "%[n1]")
      "imulq %[n0], %[q3]\n\t"
      "addq %[q3], %[r3]\n\t"
      : [r0] "=&r"(r0), [r1] "=&r"(r1), [r2] "=&r"(r2), [r3] "=&r"(r3), [q0] "=&r"(q0), [q1] "=&r"(q1), [q2] "=&r"(q2),
        [q3] "=&r"(q3), [below] "=&r"(below), [lo] "=&r"(lo), [hi] "=&r"(hi)
      : [a] "r"(a), [w] "r"(&w), [zero] "m"(multiples<P>.small[0][0]), [n0] "m"(multiples<P>.minus_one[0]),
        [n1] "m"(multiples<P>.minus_one[1]), [n2] "m"(multiples<P>.minus_one[2]), [n3] "m"(multiples<P>.minus_one[3])
      : "rdx", "cc", "memory");  // it reads *a and w: as operands they would take registers that clang has not got
  r[0] = r0, r[1] = r1, r[2] = r2, r[3] = r3;
}

template <class F>
struct ShoupLazy {
  using P = typename F::Params;
  using Twiddle = Factor;
  uint64_t limb[4];

  static Factor twiddle(const F& factor) { return make_factor(factor); }
  PROOFGRID_INLINE static ShoupLazy reduced(const F& x) { return reduce(x.data()); }
  PROOFGRID_INLINE static ShoupLazy product(const F& x, const Factor& w) {
    ShoupLazy r;
    mul_by_factor<P>(r.limb, x.data(), w);
    return r;
  }
  PROOFGRID_INLINE void store(F& x) const { x = F::load_mont(limb); }
  PROOFGRID_INLINE void store_reduced(F& x) const {
    const ShoupLazy narrow = reduce();
    uint64_t reduced[4];
    reduce_once4<P>(reduced, narrow.limb[0], narrow.limb[1], narrow.limb[2], narrow.limb[3]);
    x = F::load_mont(reduced);
  }

  PROOFGRID_INLINE ShoupLazy reduce() const { return reduce(limb); }
  PROOFGRID_INLINE friend ShoupLazy operator*(const ShoupLazy& a, const Factor& w) {
    ShoupLazy r;
    mul_by_factor<P>(r.limb, a.limb, w);
    return r;
  }
  PROOFGRID_INLINE static ShoupLazy sum(const ShoupLazy& a, const ShoupLazy& b) { return plus(a.limb, b.limb); }
  PROOFGRID_INLINE static ShoupLazy difference(const ShoupLazy& a, const ShoupLazy& b) {
    return minus(plus(a.limb, multiples<P>.small[4]).limb, b.limb);
  }
  PROOFGRID_INLINE static ShoupLazy difference_of_sums(const ShoupLazy& a, const ShoupLazy& b) {
    return minus(plus(a.limb, multiples<P>.small[3]).limb, b.limb);
  }

 private:
  PROOFGRID_INLINE static ShoupLazy reduce(const uint64_t* x) { return minus(x, multiples<P>.below[x[3] >> 58]); }
  PROOFGRID_INLINE static ShoupLazy plus(const uint64_t* a, const uint64_t* b) {
    ShoupLazy r;
    limbs::add<4>(r.limb, a, b);
    return r;
  }
  PROOFGRID_INLINE static ShoupLazy minus(const uint64_t* a, const uint64_t* b) {
    ShoupLazy r;
    limbs::sub<4>(r.limb, a, b);
    return r;
  }
};

// The same for moduli of which R holds but two multiples: q is exact, and all values but the stored ones, which are any
// below R, are fully reduced. For what is too small for quad.hpp.
template <class F>
struct ExactLazy {
  using P = typename F::Params;
  using Twiddle = Factor;
  F value;

  static Factor twiddle(const F& factor) { return make_factor(factor); }
  static ExactLazy reduced(const F& x) { return {fully_reduced<F>(x.data())}; }
  static ExactLazy product(const F& x, const Factor& w) { return multiply(x.data(), w); }
  void store(F& x) const { x = value; }
  void store_reduced(F& x) const { x = value; }

  ExactLazy reduce() const { return *this; }
  friend ExactLazy operator*(const ExactLazy& a, const Factor& w) { return multiply(a.value.data(), w); }
  static ExactLazy sum(const ExactLazy& a, const ExactLazy& b) { return {a.value + b.value}; }
  static ExactLazy difference(const ExactLazy& a, const ExactLazy& b) { return {a.value - b.value}; }
  static ExactLazy difference_of_sums(const ExactLazy& a, const ExactLazy& b) { return {a.value - b.value}; }

 private:
  // For a < R: q = floor(a w' / R) is short of a w / p by less than 1 + a / R, so that a w - q p < 2 p.
  static ExactLazy multiply(const uint64_t* a, const Factor& w) {
    uint64_t aw[8], aq[8], qp[8], r[4];
    product_of_words(aw, a, w.factor), product_of_words(aq, a, w.quotient), product_of_words(qp, aq + 4, P::modulus);
    limbs::sub<4>(r, aw, qp);
    return {fully_reduced<F>(r)};
  }
  static void product_of_words(uint64_t* r, const uint64_t* a, const uint64_t* b) {
    for (size_t i = 0; i < 8; ++i) r[i] = 0;
    for (size_t i = 0; i < 4; ++i) {
      for (size_t j = 0; j < 4; ++j) r[i + j] = limbs::mul_add(a[i], b[j], r[i + j], r[i + 4]);
    }
  }
};

#undef PG_WORD
#undef PG_ADD_PRODUCT
#undef PG_TOP_PRODUCT
#undef PG_CARRY
#undef PG_NEXT_ROW
#undef PG_NEXT_WORD
#undef PG_ADD_LOW
#undef PG_INLINE

}  // namespace adx
}  // namespace proofgrid
