// Points of y^2 = x^3 + b over a field F (Fp or Fp2). Two representations:
//
//   Affine  (x, y); infinity is (0, 0), which is on no curve with b != 0
//   Xyzz    x = X / ZZ, y = Y / ZZZ, ZZ^3 = ZZZ^2; infinity has ZZ = 0
//
// Formulas by their names in the Explicit-Formulas Database, shortw/xyzz (Sutherland 2008). All operations are complete:
// equal points, opposite points, points of order two and infinity take their own branch. Variable time.
#pragma once

#include "proofgrid/fp2.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

template <class F>
struct Affine {
  using Field = F;
  static constexpr size_t bytes = 2 * F::bytes;
  static constexpr size_t words = bytes / 8;

  F x, y;

  static Affine infinity() { return {F::zero(), F::zero()}; }
  bool is_infinity() const { return x.is_zero() && y.is_zero(); }
  bool operator==(const Affine& other) const { return x == other.x && y == other.y; }
  Affine operator-() const { return {x, -y}; }

  // x then y, at any alignment.
  static Affine load_mont(const void* source) {
    return {F::load_mont(source), F::load_mont(static_cast<const char*>(source) + F::bytes)};
  }
  static Affine from_canonical(const uint64_t* canonical) {
    return {F::from_canonical(canonical), F::from_canonical(canonical + words / 2)};
  }
  void store_mont(uint64_t* target) const {
    x.store_mont(target);
    y.store_mont(target + words / 2);
  }
  void to_canonical(uint64_t* canonical) const {
    x.to_canonical(canonical);
    y.to_canonical(canonical + words / 2);
  }
  static bool is_canonical(const uint64_t* canonical) {
    return F::is_canonical(canonical) && F::is_canonical(canonical + words / 2);
  }
};

template <class F>
struct Xyzz {
  F x, y, zz, zzz;

  static Xyzz infinity() { return {F::one(), F::one(), F::zero(), F::zero()}; }
  static Xyzz from(const Affine<F>& p) {
    return p.is_infinity() ? infinity() : Xyzz{p.x, p.y, F::one(), F::one()};
  }
  bool is_infinity() const { return zz.is_zero(); }
  Xyzz operator-() const { return {x, -y, zz, zzz}; }

  // One inversion.
  Affine<F> to_affine() const {
    if (is_infinity()) return Affine<F>::infinity();
    const F zzz_inverse = zzz.inverse();
    const F z_inverse = zzz_inverse * zz;  // ZZ / ZZZ = 1 / Z
    return {x * z_inverse.square(), y * zzz_inverse};
  }

  // dbl-2008-s-1 with a = 0: 6 mul, 3 square. A point of order two (y = 0) gives ZZ = 0, infinity, by itself.
  Xyzz dbl() const {
    const F u = y.dbl(), v = u.square(), w = u * v, s = x * v, xx = x.square();
    const F m = xx.dbl() + xx;
    const F x3 = m.square() - s.dbl();
    return {x3, m * (s - x3) - w * y, v * zz, w * zzz};
  }

  // add-2008-s: 12 mul, 2 square.
  friend Xyzz operator+(const Xyzz& a, const Xyzz& b) {
    if (a.is_infinity()) return b;
    if (b.is_infinity()) return a;
    const F u1 = a.x * b.zz, s1 = a.y * b.zzz;
    const F p = b.x * a.zz - u1, r = b.y * a.zzz - s1;
    if (p.is_zero()) return r.is_zero() ? a.dbl() : infinity();
    const F pp = p.square(), ppp = p * pp, q = u1 * pp;
    const F x3 = r.square() - ppp - q.dbl();
    return {x3, r * (q - x3) - s1 * ppp, a.zz * b.zz * pp, a.zzz * b.zzz * ppp};
  }

  // madd-2008-s: 8 mul, 2 square.
  friend Xyzz operator+(const Xyzz& a, const Affine<F>& b) {
    if (b.is_infinity()) return a;
    if (a.is_infinity()) return from(b);
    const F p = b.x * a.zz - a.x, r = b.y * a.zzz - a.y;
    if (p.is_zero()) return r.is_zero() ? a.dbl() : infinity();
    const F pp = p.square(), ppp = p * pp, q = a.x * pp;
    const F x3 = r.square() - ppp - q.dbl();
    return {x3, r * (q - x3) - a.y * ppp, a.zz * pp, a.zzz * ppp};
  }

  Xyzz& operator+=(const Xyzz& other) { return *this = *this + other; }
  Xyzz& operator+=(const Affine<F>& other) { return *this = *this + other; }

  // Do both stand for the same affine point? 4 mul.
  bool operator==(const Xyzz& other) const {
    if (is_infinity() || other.is_infinity()) return is_infinity() == other.is_infinity();
    return x * other.zz == other.x * zz && y * other.zzz == other.y * zzz;
  }
};

// exponent * p by double-and-add; `words` little-endian 64-bit words. Variable time.
template <class F>
Xyzz<F> multiply(const Affine<F>& p, const uint64_t* exponent, size_t words) {
  Xyzz<F> sum = Xyzz<F>::infinity();
  for (size_t i = 64 * words; i-- > 0;) {
    sum = sum.dbl();
    if (exponent[i / 64] >> (i % 64) & 1) sum += p;
  }
  return sum;
}

// A group names its curve's parameters (C of params.hpp), its coordinate field and its b.
template <class C>
struct G1 {
  using Curve = C;
  using Coordinate = Fp<typename C::Fq>;
  using Scalar = Fp<typename C::Fr>;
  static constexpr const char* name = "g1";
  static Coordinate b() { return Coordinate::constant_mont(C::b_mont); }
};

template <class C>
struct G2 {
  using Curve = C;
  using Coordinate = Fp2<typename C::Fq>;
  using Scalar = Fp<typename C::Fr>;
  static constexpr const char* name = "g2";
  static Coordinate b() {
    using Base = Fp<typename C::Fq>;
    return {Base::constant_mont(C::b2_c0_mont), Base::constant_mont(C::b2_c1_mont)};
  }
};

}  // namespace proofgrid
