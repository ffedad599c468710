// Fp12 against schoolbook products of polynomials in w over Fq2 with w^6 = xi, on machine integers; elements are drawn.
#pragma once

#include "fields.hpp"
#include "proofgrid/final_exponentiation.hpp"

namespace toy {

// Coefficients of w^0 .. w^5, each c0 + c1 u.
template <class C>
struct Schoolbook {
  static constexpr uint64_t q = C::Fq::modulus[0];
  uint64_t c[6][2] = {};

  static Schoolbook drawn(uint64_t& state) {
    Schoolbook x;
    for (auto& coefficient : x.c) {
      for (uint64_t& part : coefficient) part = draw(state) % q;
    }
    return x;
  }

  friend Schoolbook operator*(const Schoolbook& a, const Schoolbook& b) {
    const uint64_t k = proofgrid::Tower<C>::xi_real;
    Schoolbook product;
    for (int i = 0; i < 6; ++i) {
      for (int j = 0; j < 6; ++j) {
        uint64_t real = (a.c[i][0] * b.c[j][0] + (q - a.c[i][1]) * b.c[j][1]) % q;
        uint64_t imaginary = (a.c[i][0] * b.c[j][1] + a.c[i][1] * b.c[j][0]) % q;
        if (i + j >= 6) {  // times xi = k + u
          const uint64_t turned = (k * real + (q - imaginary)) % q;
          imaginary = (k * imaginary + real) % q;
          real = turned;
        }
        auto& target = product.c[(i + j) % 6];
        target[0] = (target[0] + real) % q, target[1] = (target[1] + imaginary) % q;
      }
    }
    return product;
  }

  Schoolbook power(uint64_t exponent) const {
    Schoolbook result, base = *this;
    result.c[0][0] = 1;
    for (; exponent; exponent >>= 1, base = base * base) {
      if (exponent & 1) result = result * base;
    }
    return result;
  }

  proofgrid::Fp12<C> tower() const {
    const auto at = [&](int i) {
      return proofgrid::Fp2<typename C::Fq>{element<typename C::Fq>(c[i][0]), element<typename C::Fq>(c[i][1])};
    };
    return {{at(0), at(2), at(4)}, {at(1), at(3), at(5)}};
  }
};

// y^((q^4 - q^2 + 1) / r), thrice that for bls12: 4 log2(q) bits, by 128-bit integers.
template <class C>
proofgrid::Fp12<C> final_power(const proofgrid::Fp12<C>& y) {
  const proofgrid::limbs::uint128_t q = C::Fq::modulus[0], r = C::Fr::modulus[0];
  proofgrid::limbs::uint128_t exponent = (q * q * q * q - q * q + 1) / r * (C::is_bn ? 1 : 3);
  proofgrid::Fp12<C> result = proofgrid::Fp12<C>::one(), base = y;
  for (; exponent; exponent >>= 1, base = base.square()) {
    if (exponent & 1) result = result * base;
  }
  return result;
}

template <class C>
void drawn_tower_elements(size_t count) {
  using Fq12 = proofgrid::Fp12<C>;
  uint64_t state = 1;
  for (uint64_t i = 0; i < count; ++i) {
    const auto a = Schoolbook<C>::drawn(state), b = Schoolbook<C>::drawn(state);
    const Fq12 x = a.tower(), y = b.tower();
    expect(x * y == (a * b).tower(), C::name, "Fp12: a b", {i});
    expect(x.square() == (a * a).tower(), C::name, "Fp12: a^2", {i});
    expect(x * x.inverse() == Fq12::one(), C::name, "Fp12: 1/a", {i});
    expect(x.frobenius() == a.power(Schoolbook<C>::q).tower(), C::name, "Fp12: a^q", {i});
    Fq12 turned = x;
    for (int k = 0; k < 6; ++k) turned = turned.frobenius();
    expect(turned == x.conjugate(), C::name, "Fp12: conjugate = q^6-th power", {i});

    Schoolbook<C> line_d = b, line_m = b;
    for (int k : {2, 4, 5}) line_d.c[k][0] = line_d.c[k][1] = 0;
    for (int k : {1, 4, 5}) line_m.c[k][0] = line_m.c[k][1] = 0;
    expect(x.mul_line_d(y.c0.c0, y.c1.c0, y.c1.c1) == (a * line_d).tower(), C::name, "line a + b w + c w^3", {i});
    expect(x.mul_line_m(y.c1.c1, y.c0.c1, y.c0.c0) == (a * line_m).tower(), C::name, "line c + b w^2 + a w^3", {i});

    // (q^6 - 1)(q^2 + 1) leads into the cyclotomic subgroup.
    Fq12 cyclotomic = x.conjugate() * x.inverse();
    cyclotomic = cyclotomic.frobenius().frobenius() * cyclotomic;
    expect(cyclotomic.cyclotomic_square() == cyclotomic.square(), C::name, "cyclotomic square", {i});
    expect(cyclotomic * cyclotomic.conjugate() == Fq12::one(), C::name, "cyclotomic inverse", {i});
    Fq12 power = Fq12::one();
    for (uint64_t k = 0; k < C::seed_abs; ++k) power = power * cyclotomic;
    if (C::seed_negative) power = power.conjugate();
    expect(proofgrid::FinalExponentiation<C>::power_of_seed(cyclotomic) == power, C::name, "x^seed", {i});

    expect(proofgrid::FinalExponentiation<C>::apply(x) == final_power<C>(cyclotomic), C::name, "final exponent", {i});
  }
}

}  // namespace toy
