// Fp2 = Fp[u] / (u^2 + 1). The form and the bound of each coordinate are those of field.hpp. Cost in mul of Fp:
// * 3, square 2, inverse 4 + one inverse of Fp.
#pragma once

#include "proofgrid/field.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

template <class P>
class Fp2 {
 public:
  using Base = Fp<P>;
  using Params = P;
  static constexpr size_t bytes = 2 * Base::bytes;

  Base c0, c1;  // c0 + c1 * u

  static Fp2 zero() { return {Base::zero(), Base::zero()}; }
  static Fp2 one() { return {Base::one(), Base::zero()}; }

  // Two consecutive elements, c0 first.
  static Fp2 from_canonical(const uint64_t* canonical) {
    return {Base::from_canonical(canonical), Base::from_canonical(canonical + Base::limbs)};
  }
  void to_canonical(uint64_t* canonical) const {
    c0.to_canonical(canonical);
    c1.to_canonical(canonical + Base::limbs);
  }
  static Fp2 load_mont(const void* source) {
    return {Base::load_mont(source), Base::load_mont(static_cast<const char*>(source) + Base::bytes)};
  }
  void store_mont(void* target) const {
    c0.store_mont(target);
    c1.store_mont(static_cast<char*>(target) + Base::bytes);
  }
  static bool is_canonical(const uint64_t* canonical) {
    return Base::is_canonical(canonical) && Base::is_canonical(canonical + Base::limbs);
  }

  bool is_zero() const { return c0.is_zero() && c1.is_zero(); }
  bool operator==(const Fp2& other) const { return c0 == other.c0 && c1 == other.c1; }

  friend Fp2 operator+(const Fp2& a, const Fp2& b) { return {a.c0 + b.c0, a.c1 + b.c1}; }
  friend Fp2 operator-(const Fp2& a, const Fp2& b) { return {a.c0 - b.c0, a.c1 - b.c1}; }
  // 3 mul: two sums of products where those cost 1.5 each, else Karatsuba.
  friend Fp2 operator*(const Fp2& a, const Fp2& b) {
#if defined(PROOFGRID_LAYER_ADX)
    if constexpr (adx::sums_two_products<P>) {
      const Base first[2] = {a.c0, a.c1}, real[2] = {b.c0, -b.c1}, imaginary[2] = {b.c1, b.c0};
      return {Base::sum_of_products(first, real), Base::sum_of_products(first, imaginary)};
    }
#endif
    const Base low = a.c0 * b.c0, high = a.c1 * b.c1;
    return {low - high, (a.c0 + a.c1) * (b.c0 + b.c1) - low - high};
  }
  // By an element of the base field: 2 mul.
  friend Fp2 operator*(const Fp2& a, const Base& b) { return {a.c0 * b, a.c1 * b}; }
  Fp2& operator+=(const Fp2& other) { return *this = *this + other; }
  Fp2& operator-=(const Fp2& other) { return *this = *this - other; }
  Fp2& operator*=(const Fp2& other) { return *this = *this * other; }
  Fp2 operator-() const { return {-c0, -c1}; }
  Fp2 neg() const { return -*this; }
  Fp2 dbl() const { return {c0.dbl(), c1.dbl()}; }
  // (c0 + c1)(c0 - c1) + 2 c0 c1 u: 2 mul.
  Fp2 square() const {
    const Base cross = c0 * c1;
    return {(c0 + c1) * (c0 - c1), cross.dbl()};
  }
  // x -> x^p.
  Fp2 conjugate() const { return {c0, -c1}; }

  Fp2 pow(const uint64_t* exponent, size_t words) const {
    Fp2 result = one();
    for (size_t i = 64 * words; i-- > 0;) {
      result = result.square();
      if (exponent[i / 64] >> (i % 64) & 1) result *= *this;
    }
    return result;
  }

  // conjugate / norm; inverse of zero is zero.
  Fp2 inverse() const {
    const Base scale = (c0.square() + c1.square()).inverse();
    return {c0 * scale, -(c1 * scale)};
  }
};

}  // namespace proofgrid
