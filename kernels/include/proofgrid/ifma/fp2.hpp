// Eight elements of Fp2 = Fp[u] / (u^2 + 1) at a time. Lanes2<P> has the interface of Lanes<P> (field.hpp), so that kernels
// are templates over the coordinate type; form and magnitude are those of both coordinates, and factors must keep
// m_a * m_b <= headroom, here half of the base field's (BN254: 42, BLS12-381: 2^15 - 1).
#pragma once

#include <immintrin.h>

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

  // Karatsuba on unreduced columns: 3 products of N^2 * 2 and 2 reductions, 252 (N = 5) or 642 (N = 8) vpmadd52.
  PROOFGRID_INLINE friend Lanes2 operator*(const Lanes2& a, const Lanes2& b) {
    a.require_factors(b);
    Word low[columns], high[columns], cross[columns];
    Base::multiply_wide(low, a.c0, b.c0);
    Base::multiply_wide(high, a.c1, b.c1);
    Base::multiply_wide(cross, a.c0 + a.c1, b.c0 + b.c1);
    return reduce(low, high, cross);
  }
  // By an element of the base field: 2 of its multiplications; the magnitudes may multiply to C::headroom.
  PROOFGRID_INLINE friend Lanes2 operator*(const Lanes2& a, const Base& b) { return {a.c0 * b, a.c1 * b}; }

  // The same with three squares: 192 (N = 5) or 474 (N = 8) vpmadd52, fewer than (a + b)(a - b) and 2 a b take.
  PROOFGRID_INLINE Lanes2 square() const {
    require_factors(*this);
    Word low[columns], high[columns], cross[columns];
    Base::square_wide(low, c0);
    Base::square_wide(high, c1);
    Base::square_wide(cross, c0 + c1);
    return reduce(low, high, cross);
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
  void require_factors(const Lanes2& b) const {
    if (magnitude() * b.magnitude() > headroom) Base::broken("factors whose product exceeds half of the headroom");
  }
#else
  PROOFGRID_INLINE static constexpr uint64_t magnitude() { return 0; }
  PROOFGRID_INLINE Lanes2& bound(uint64_t) { return *this; }
  PROOFGRID_INLINE void require(uint64_t) const {}
  PROOFGRID_INLINE void require_factors(const Lanes2&) const {}
#endif

 private:
  static constexpr size_t columns = 2 * Base::limbs;

  // low - high and cross - low - high, reduced. The first is not below -headroom p^2: that much is added.
  PROOFGRID_INLINE static Lanes2 reduce(Word (&low)[columns], const Word (&high)[columns], Word (&cross)[columns]) {
    static constexpr auto offset = C::square_multiple(headroom);
#pragma GCC unroll 16
    for (size_t i = 0; i < columns; ++i) {
      cross[i] = _mm512_sub_epi64(cross[i], _mm512_add_epi64(low[i], high[i]));
      low[i] = _mm512_add_epi64(_mm512_sub_epi64(low[i], high[i]), all(offset.column[i]));
    }
    const Base real = Base::reduce_wide(low);
    return {real, Base::reduce_wide(cross)};
  }
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
