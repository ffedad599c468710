// Eight elements of Fp2 = Fp[u] / (u^2 + 1) at a time. Lanes2<P> has the interface of Lanes<P> (field.hpp), so that kernels
// are templates over the coordinate type; form and magnitude are those of both coordinates, and factors must keep
// m_a * m_b <= headroom, here half of the base field's (BN254: 42, BLS12-381: 2^15 - 1).
#pragma once

#include <immintrin.h>

#include "proofgrid/fp2.hpp"
#include "proofgrid/ifma/field.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

template <class P>
class Lanes2 {
 public:
  using Params = P;
  using Base = Lanes<P>;
  using C = Constants<P>;
  struct Number {
    typename C::Number c0, c1;
  };
  static constexpr size_t words = 2 * Base::words;  // c0's, then c1's
  static constexpr unsigned product = 3;
  static constexpr uint64_t headroom = C::headroom / 2;

  Base c0, c1;  // c0 + c1 u

  PROOFGRID_INLINE static Lanes2 zero() { return {Base::zero(), Base::zero()}; }
  PROOFGRID_INLINE static Lanes2 one() { return {Base::one(), Base::zero()}; }
  PROOFGRID_INLINE static Lanes2 broadcast(const Number& x) { return {Base::broadcast(x.c0), Base::broadcast(x.c1)}; }

  template <unsigned m = 1>
  PROOFGRID_INLINE static Lanes2 from_words(const Word (&source)[words]) {
    Word half[2][Base::words];
#pragma GCC unroll 16
    for (size_t i = 0; i < words; ++i) half[i / Base::words][i % Base::words] = source[i];
    return {Base::template from_words<m>(half[0]), Base::template from_words<m>(half[1])};
  }
  PROOFGRID_INLINE void to_words(Word (&target)[words]) const {
    Word half[2][Base::words];
    c0.to_words(half[0]);
    c1.to_words(half[1]);
#pragma GCC unroll 16
    for (size_t i = 0; i < words; ++i) target[i] = half[i / Base::words][i % Base::words];
  }

  // Two multiplications of the base field each, as Lanes has them.
  PROOFGRID_INLINE static Lanes2 enter_mont(const Lanes2& x) { return x * Base::from_mont_words(); }
  PROOFGRID_INLINE static Lanes2 enter_canonical(const Lanes2& x) { return x * Base::from_canonical(); }
  PROOFGRID_INLINE static Lanes2 leave_mont(const Lanes2& x) { return x * Base::to_mont_words(); }
  PROOFGRID_INLINE static Lanes2 leave_canonical(const Lanes2& x) { return x * Base::to_canonical(); }

  PROOFGRID_INLINE friend Lanes2 operator+(const Lanes2& a, const Lanes2& b) { return {a.c0 + b.c0, a.c1 + b.c1}; }
  template <unsigned m>
  PROOFGRID_INLINE static Lanes2 subtract(const Lanes2& a, const Lanes2& b) {
    return {Base::template subtract<m>(a.c0, b.c0), Base::template subtract<m>(a.c1, b.c1)};
  }
  template <unsigned m>
  PROOFGRID_INLINE Lanes2 negate() const {
    return {c0.template negate<m>(), c1.template negate<m>()};
  }

  // Products in Fp2 are called, not inlined: 2 kB of code and more (field.hpp).
  // Karatsuba on unreduced columns: 3 products and 2 reductions, 252 (N = 5) or 642 (N = 8) vpmadd52.
  PROOFGRID_INLINE friend Lanes2 operator*(const Lanes2& a, const Lanes2& b) { return multiply(a, b); }
  // By an element of the base field: 2 of its multiplications; the magnitudes may multiply to C::headroom.
  PROOFGRID_INLINE friend Lanes2 operator*(const Lanes2& a, const Base& b) { return {a.c0 * b, a.c1 * b}; }

  // The same with three squares: 192 (N = 5) or 474 (N = 8) vpmadd52, fewer than (a + b)(a - b) and 2 a b take.
  [[gnu::noinline]] Lanes2 square() const {
    require_room(magnitude() * magnitude());
    Word low[columns], high[columns], cross[columns];
    Base::square_wide(low, c0);
    Base::square_wide(high, c1);
    Base::square_wide(cross, c0 + c1);
    return reduced(low, high, cross);
  }
  // a b + c d: 6 products and 2 reductions, 402 (N = 5) or 1026 (N = 8) vpmadd52.
  [[gnu::noinline]] static Lanes2 sum_of_products(const Lanes2& a, const Lanes2& b, const Lanes2& c, const Lanes2& d) {
    require_room(a.magnitude() * b.magnitude() + c.magnitude() * d.magnitude());
    Word low[columns], high[columns], cross[columns];
    Base::multiply_wide(low, a.c0, b.c0);
    Base::multiply_add_wide(low, c.c0, d.c0);
    Base::multiply_wide(high, a.c1, b.c1);
    Base::multiply_add_wide(high, c.c1, d.c1);
    Base::multiply_wide(cross, a.c0 + a.c1, b.c0 + b.c1);
    Base::multiply_add_wide(cross, c.c0 + c.c1, d.c0 + d.c1);
    return reduced(low, high, cross);
  }

  // x -> x^p, with a magnitude of m + 1 for one of m.
  template <unsigned m>
  PROOFGRID_INLINE Lanes2 conjugate() const {
    return {c0, c1.template negate<m>()};
  }

  template <unsigned m>
  PROOFGRID_INLINE Lanes2 canonical() const {
    return {c0.template canonical<m>(), c1.template canonical<m>()};
  }
  template <unsigned m>
  PROOFGRID_INLINE Mask is_zero() const {
    return canonical<m>().is_all_zero();
  }
  PROOFGRID_INLINE Mask is_all_zero() const { return c0.is_all_zero() & c1.is_all_zero(); }

  PROOFGRID_INLINE static Lanes2 blend(Mask mask, const Lanes2& a, const Lanes2& b) {
    return {Base::blend(mask, a.c0, b.c0), Base::blend(mask, a.c1, b.c1)};
  }

#if defined(PROOFGRID_VERIFY)
  uint64_t magnitude() const { return c0.magnitude() > c1.magnitude() ? c0.magnitude() : c1.magnitude(); }
  Lanes2& bound(uint64_t m) {
    c0.bound(m), c1.bound(m);
    return *this;
  }
  void require(uint64_t m) const { c0.require(m), c1.require(m); }
#else
  PROOFGRID_INLINE static constexpr uint64_t magnitude() { return 0; }
  PROOFGRID_INLINE Lanes2& bound(uint64_t) { return *this; }
  PROOFGRID_INLINE void require(uint64_t) const {}
#endif

 private:
  static constexpr size_t columns = 2 * Base::limbs;

  [[gnu::noinline]] static Lanes2 multiply(const Lanes2& a, const Lanes2& b) {
    require_room(a.magnitude() * b.magnitude());
    Word low[columns], high[columns], cross[columns];
    Base::multiply_wide(low, a.c0, b.c0);
    Base::multiply_wide(high, a.c1, b.c1);
    Base::multiply_wide(cross, a.c0 + a.c1, b.c0 + b.c1);
    return reduced(low, high, cross);
  }

  // The products of factors of these magnitudes may be added: half of the base field's headroom, since a difference of two
  // such sums is brought above zero by as much again.
  PROOFGRID_INLINE static void require_room(uint64_t sum_of_magnitudes) {
#if defined(PROOFGRID_VERIFY)
    verify::require(sum_of_magnitudes != 0 && sum_of_magnitudes <= headroom, P::name,
                    "factors in Fp2 whose product exceeds half of the headroom");
#else
    static_cast<void>(sum_of_magnitudes);
#endif
  }

  // low - high and cross - low - high, reduced: a0 b0 - a1 b1 and a0 b1 + a1 b0. With m_a m_b at most h = headroom:
  //   low, high      from 0 to h p^2, so low - high + h p^2 from 0 to 2 h p^2
  //   cross          less low and high from 0 to 2 h p^2, the columns signed
  //   every column   below 3 * 2 * 2^56 < 2^59 in absolute value, for a sum of two products
  PROOFGRID_INLINE static Lanes2 reduced(const Word (&low)[columns], const Word (&high)[columns],
                                         const Word (&cross)[columns]) {
    static constexpr auto offset = C::square_multiple(headroom);
    Word wide[2][columns];
#pragma GCC unroll 16
    for (size_t i = 0; i < columns; ++i) {
      wide[1][i] = _mm512_sub_epi64(cross[i], _mm512_add_epi64(low[i], high[i]));
      wide[0][i] = _mm512_add_epi64(_mm512_sub_epi64(low[i], high[i]), all(offset.column[i]));
    }
    Base r[2];
    Base::reduce_wide(r, wide);
    return {r[0], r[1]};
  }
};

// The lanes of a scalar field or its quadratic extension.
template <class F>
struct LanesOfField;
template <class P>
struct LanesOfField<Fp<P>> {
  using Type = Lanes<P>;
};
template <class P>
struct LanesOfField<Fp2<P>> {
  using Type = Lanes2<P>;
};
template <class F>
using LanesOf = typename LanesOfField<F>::Type;

}  // namespace proofgrid
PROOFGRID_IFMA_END
