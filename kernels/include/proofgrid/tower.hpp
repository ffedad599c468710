// The tower over a curve's base field, C being the curve's parameters:
//
//   Fp2 = Fp[u] / (u^2 + 1),   Fp6 = Fp2[v] / (v^3 - xi),   Fp12 = Fp6[w] / (w^2 - v),   so w^6 = xi = xi_real + u.
//
// Form and bound of every coordinate are those of field.hpp; all values are canonical, so equality is equality of
// limbs. Cost is counted in m and s, the multiplication (3 mul) and squaring (2 mul) of Fp2; additions are not
// counted. Sources: Devegili, O hEigeartaigh, Scott, Dahab, eprint 2006/471 (Karatsuba, Chung-Hasan); Beuchat et al.,
// eprint 2010/354 (tower, sparse products); Granger, Scott, eprint 2009/565 (cyclotomic squaring).
#pragma once

#include "proofgrid/fp2.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

namespace small {

// The k in [0, 64) with value_mont = k * 1; 64 where there is none.
template <class P>
constexpr unsigned integer(const uint64_t (&value_mont)[P::limbs]) {
  uint64_t multiple[P::limbs] = {};
  for (unsigned k = 0; k < 64; ++k) {
    if (limbs::equal<P::limbs>(multiple, value_mont)) return k;
    uint64_t sum[P::limbs] = {}, reduced[P::limbs] = {};
    limbs::add<P::limbs>(sum, multiple, P::one_mont);
    const bool below = limbs::sub<P::limbs>(reduced, sum, P::modulus) != 0;
    for (size_t i = 0; i < P::limbs; ++i) multiple[i] = below ? sum[i] : reduced[i];
  }
  return 64;
}

// k * x by doubling and adding, unrolled at compile time: no multiplication.
template <unsigned k, class Element>
Element times(const Element& x) {
  static_assert(k > 0);
  if constexpr (k == 1) {
    return x;
  } else if constexpr (k % 2 == 0) {
    return times<k / 2>(x).dbl();
  } else {
    return times<k / 2>(x).dbl() + x;
  }
}

}  // namespace small

// The constants of the tower of C, and multiplication by xi without a multiplication.
template <class C>
struct Tower {
  using Fq = Fp<typename C::Fq>;
  using Fq2 = Fp2<typename C::Fq>;
  static constexpr unsigned xi_real = small::integer<typename C::Fq>(C::xi_c0_mont);
  static_assert(xi_real > 0 && xi_real < 64, "xi is expected to be k + u with 0 < k < 64");
  static_assert(small::integer<typename C::Fq>(C::xi_c1_mont) == 1, "xi is expected to be k + u");

  static Fq2 mul_by_xi(const Fq2& a) {
    return {small::times<xi_real>(a.c0) - a.c1, small::times<xi_real>(a.c1) + a.c0};
  }
  // xi^(i * (q - 1) / 6): what the q-th power makes of w^i.
  static Fq2 frobenius(size_t i) {
    return {Fq::constant_mont(C::frobenius_c0_mont[i]), Fq::constant_mont(C::frobenius_c1_mont[i])};
  }
};

// c0 + c1 v + c2 v^2.
template <class C>
struct Fp6 {
  using Fq2 = typename Tower<C>::Fq2;
  Fq2 c0, c1, c2;

  static Fp6 zero() { return {Fq2::zero(), Fq2::zero(), Fq2::zero()}; }
  static Fp6 one() { return {Fq2::one(), Fq2::zero(), Fq2::zero()}; }

  bool operator==(const Fp6& other) const { return c0 == other.c0 && c1 == other.c1 && c2 == other.c2; }
  friend Fp6 operator+(const Fp6& a, const Fp6& b) { return {a.c0 + b.c0, a.c1 + b.c1, a.c2 + b.c2}; }
  friend Fp6 operator-(const Fp6& a, const Fp6& b) { return {a.c0 - b.c0, a.c1 - b.c1, a.c2 - b.c2}; }
  Fp6 operator-() const { return {-c0, -c1, -c2}; }
  Fp6 dbl() const { return {c0.dbl(), c1.dbl(), c2.dbl()}; }

  // Karatsuba: 6 m.
  friend Fp6 operator*(const Fp6& a, const Fp6& b) {
    const Fq2 v0 = a.c0 * b.c0, v1 = a.c1 * b.c1, v2 = a.c2 * b.c2;
    return {v0 + mul_by_xi((a.c1 + a.c2) * (b.c1 + b.c2) - v1 - v2),
            (a.c0 + a.c1) * (b.c0 + b.c1) - v0 - v1 + mul_by_xi(v2),
            (a.c0 + a.c2) * (b.c0 + b.c2) - v0 - v2 + v1};
  }

  // By b0 + b1 v: 5 m.
  Fp6 mul_sparse(const Fq2& b0, const Fq2& b1) const {
    const Fq2 v0 = c0 * b0, v1 = c1 * b1;
    return {v0 + mul_by_xi(c2 * b1), (c0 + c1) * (b0 + b1) - v0 - v1, c2 * b0 + v1};
  }

  // By b1 v: 3 m.
  Fp6 mul_sparse_v(const Fq2& b1) const { return {mul_by_xi(c2 * b1), c0 * b1, c1 * b1}; }

  // By an element of Fp2: 3 m.
  Fp6 scaled(const Fq2& b) const { return {c0 * b, c1 * b, c2 * b}; }

  Fp6 mul_by_v() const { return {mul_by_xi(c2), c0, c1}; }

  // eprint 2010/354, algorithm 17: 9 m + 3 s + 1 inverse. Inverse of zero is zero.
  Fp6 inverse() const {
    const Fq2 a = c0.square() - mul_by_xi(c1 * c2);
    const Fq2 b = mul_by_xi(c2.square()) - c0 * c1;
    const Fq2 c = c1.square() - c0 * c2;
    const Fq2 norm = (c0 * a + mul_by_xi(c2 * b + c1 * c)).inverse();
    return {a * norm, b * norm, c * norm};
  }

  static Fq2 mul_by_xi(const Fq2& a) { return Tower<C>::mul_by_xi(a); }
};

// c0 + c1 w.
template <class C>
struct Fp12 {
  using Fq2 = typename Tower<C>::Fq2;
  using Fq6 = Fp6<C>;
  static constexpr size_t limbs = 12 * C::Fq::limbs;
  Fq6 c0, c1;

  static Fp12 one() { return {Fq6::one(), Fq6::zero()}; }
  bool operator==(const Fp12& other) const { return c0 == other.c0 && c1 == other.c1; }

  // Karatsuba: 18 m.
  friend Fp12 operator*(const Fp12& a, const Fp12& b) {
    const Fq6 low = a.c0 * b.c0, high = a.c1 * b.c1;
    return {low + high.mul_by_v(), (a.c0 + a.c1) * (b.c0 + b.c1) - low - high};
  }

  // The complex method: 12 m.
  Fp12 square() const {
    const Fq6 cross = c0 * c1;
    return {(c0 + c1) * (c0 + c1.mul_by_v()) - cross - cross.mul_by_v(), cross.dbl()};
  }

  // 1 inverse of Fp6 + 4 multiplications of Fp6, about 30 m. Inverse of zero is zero.
  Fp12 inverse() const {
    const Fq6 norm = (c0 * c0 - (c1 * c1).mul_by_v()).inverse();
    return {c0 * norm, -(c1 * norm)};
  }

  // x -> x^(q^6). The inverse wherever x^(q^6 + 1) = 1, so after the easy part of the final exponentiation.
  Fp12 conjugate() const { return {c0, -c1}; }

  // x -> x^q: 5 m. The coefficient of w^i is conjugated and multiplied by xi^(i (q - 1) / 6).
  Fp12 frobenius() const {
    return {{c0.c0.conjugate(), c0.c1.conjugate() * Tower<C>::frobenius(2), c0.c2.conjugate() * Tower<C>::frobenius(4)},
            {c1.c0.conjugate() * Tower<C>::frobenius(1), c1.c1.conjugate() * Tower<C>::frobenius(3),
             c1.c2.conjugate() * Tower<C>::frobenius(5)}};
  }

  // x^2 for x in the cyclotomic subgroup, x^(q^4 - q^2 + 1) = 1; wrong elsewhere. 9 s.
  // eprint 2009/565, section 3.2: three squarings in Fp4 = Fp2[s] / (s^2 - xi), s = w^3.
  Fp12 cyclotomic_square() const {
    const Fp4 a = Fp4{c0.c0, c1.c1}.square(), b = Fp4{c1.c0, c0.c2}.square(), c = Fp4{c0.c1, c1.c2}.square();
    return {{three_minus_two(a.real, c0.c0), three_minus_two(b.real, c0.c1), three_minus_two(c.real, c0.c2)},
            {three_plus_two(Tower<C>::mul_by_xi(c.imaginary), c1.c0), three_plus_two(a.imaginary, c1.c1),
             three_plus_two(b.imaginary, c1.c2)}};
  }

  // By the line a + b w + c w^3 (type D twist): 13 m.
  Fp12 mul_line_d(const Fq2& a, const Fq2& b, const Fq2& c) const {
    const Fq6 low = c0.scaled(a), high = c1.mul_sparse(b, c);
    return {low + high.mul_by_v(), (c0 + c1).mul_sparse(a + b, c) - low - high};
  }

  // By the line c + b w^2 + a w^3 (type M twist): 13 m.
  Fp12 mul_line_m(const Fq2& a, const Fq2& b, const Fq2& c) const {
    const Fq6 low = c0.mul_sparse(c, b), high = c1.mul_sparse_v(a);
    return {low + high.mul_by_v(), (c0 + c1).mul_sparse(c, a + b) - low - high};
  }

  // Twelve elements of Fp by w-degree, v-degree, u-degree, the lowest first.
  void to_canonical(uint64_t* canonical) const {
    for (const Fq6* half : {&c0, &c1}) {
      for (const Fq2* coefficient : {&half->c0, &half->c1, &half->c2}) {
        coefficient->to_canonical(canonical);
        canonical += 2 * C::Fq::limbs;
      }
    }
  }

 private:
  struct Fp4 {
    Fq2 real, imaginary;
    // 3 s.
    Fp4 square() const {
      const Fq2 low = real.square(), high = imaginary.square();
      return {low + Tower<C>::mul_by_xi(high), (real + imaginary).square() - low - high};
    }
  };
  static Fq2 three_minus_two(const Fq2& a, const Fq2& b) { return (a - b).dbl() + a; }
  static Fq2 three_plus_two(const Fq2& a, const Fq2& b) { return (a + b).dbl() + a; }
};

}  // namespace proofgrid
