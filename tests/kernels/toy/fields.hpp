// Every element and every pair of elements of a prime field of one limb, against machine integers.
#pragma once

#include "check.hpp"
#include "proofgrid/fp2.hpp"

namespace toy {

template <class P>
proofgrid::Fp<P> element(uint64_t value) {
  return proofgrid::Fp<P>::from_canonical(&value);
}

template <class P>
uint64_t integer(const proofgrid::Fp<P>& x) {
  uint64_t value = 0;
  x.to_canonical(&value);
  return value;
}

template <class P>
void every_element() {
  using F = proofgrid::Fp<P>;
  const uint64_t p = P::modulus[0];
  uint64_t power = 1;
  for (uint64_t i = 0; i < (uint64_t{1} << P::two_adicity) - 1; ++i) power = power * integer(F::constant_mont(P::root_of_unity_mont)) % p;
  expect(power != 1 && integer(F::constant_mont(P::root_of_unity_mont)) * power % p == 1, P::name, "w^(2^s) = 1", {power});
  for (uint64_t a = 0; a < p; ++a) {
    const F x = element<P>(a);
    expect(integer(x) == a, P::name, "to_canonical(from_canonical(a)) = a", {a});
    expect(integer(F::from_small(a)) == a, P::name, "from_small", {a});
    expect(integer(-x) == (p - a) % p, P::name, "-a", {a});
    expect(integer(x.dbl()) == 2 * a % p, P::name, "2a", {a});
    expect(integer(x.square()) == a * a % p, P::name, "a^2", {a});
    const uint64_t inverse = integer(x.inverse());
    expect(a == 0 ? inverse == 0 : a * inverse % p == 1, P::name, "1/a", {a, inverse});
    expect(F::is_canonical(&a), P::name, "is_canonical(a), a < p", {a});
    const uint64_t beyond = a + p;
    expect(!F::is_canonical(&beyond), P::name, "not is_canonical(a + p)", {a});
  }
}

template <class P>
void every_pair_of_elements() {
  const uint64_t p = P::modulus[0];
  for (uint64_t a = 0; a < p; ++a) {
    for (uint64_t b = 0; b < p; ++b) {
      const auto x = element<P>(a), y = element<P>(b);
      expect(integer(x + y) == (a + b) % p, P::name, "a + b", {a, b});
      expect(integer(x - y) == (a + p - b) % p, P::name, "a - b", {a, b});
      expect(integer(x * y) == a * b % p, P::name, "a b", {a, b});
      expect((x == y) == (a == b), P::name, "a = b", {a, b});
    }
  }
}

// (a + b u)(c + d u) for every a, b, c, d.
template <class P>
void every_pair_of_fp2() {
  const uint64_t p = P::modulus[0];
  for (uint64_t i = 0; i < p * p; ++i) {
    const uint64_t a = i % p, b = i / p;
    const proofgrid::Fp2<P> x{element<P>(a), element<P>(b)};
    const auto one = x * x.inverse();
    expect(i == 0 ? one.is_zero() : one == proofgrid::Fp2<P>::one(), P::name, "1/(a + b u)", {a, b});
    expect(x.square() == x * x, P::name, "(a + b u)^2", {a, b});
    for (uint64_t j = 0; j < p * p; ++j) {
      const uint64_t c = j % p, d = j / p;
      const auto product = x * proofgrid::Fp2<P>{element<P>(c), element<P>(d)};
      expect(integer(product.c0) == (a * c + (p - b) * d) % p && integer(product.c1) == (a * d + b * c) % p, P::name,
             "(a + b u)(c + d u)", {a, b, c, d});
    }
  }
}

}  // namespace toy
