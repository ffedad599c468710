// Fp12 spread over the lanes, and its Miller loop, against those of single elements, on what is drawn; coefficients 0, 1 and p - 1 among them.
#pragma once

#include "../toy/check.hpp"
#include "proofgrid/ifma/spread_pairing.hpp"

namespace spread {

using toy::draw, toy::expect;
using std::size_t, std::uint64_t;

template <class P>
proofgrid::Fp<P> drawn_element(uint64_t& state) {
  using F = proofgrid::Fp<P>;
  const uint64_t kind = draw(state) % 8;
  if (kind == 0) return F::zero();
  if (kind == 1) return F::one();
  if (kind == 2) return -F::one();
  uint64_t words[P::limbs];
  for (uint64_t& word : words) word = draw(state) << 33 | draw(state);
  words[P::limbs - 1] %= P::modulus[P::limbs - 1];
  return kind == 3 ? -F::load_mont(words) : F::load_mont(words);
}

template <class C>
proofgrid::Fp12<C> drawn(uint64_t& state) {
  const auto element = [&] { return drawn_element<typename C::Fq>(state); };
  const auto pair = [&] { return proofgrid::Fp2<typename C::Fq>{element(), element()}; };
  return {{pair(), pair(), pair()}, {pair(), pair(), pair()}};
}

template <class C>
void drawn_elements(size_t count) {
  using Fq12 = proofgrid::Fp12<C>;
  using Spread = proofgrid::ifma::Spread12<C>;
  uint64_t state = 3;
  expect(Spread::one().gathered() == Fq12::one(), C::name, "one", {});
  for (uint64_t i = 0; i < count; ++i) {
    const Fq12 x = drawn<C>(state), y = drawn<C>(state);
    const Spread a = Spread::spread(x), b = Spread::spread(y);
    expect(a.gathered() == x, C::name, "there and back", {i});
    expect((a * b).gathered() == x * y, C::name, "a b", {i});
    expect(a.square().gathered() == x.square(), C::name, "a^2", {i});
    expect((a * b).square().gathered() == (x * y).square(), C::name, "(a b)^2", {i});
    expect(a.conjugate().gathered() == x.conjugate(), C::name, "conjugate", {i});
    expect(a.frobenius().gathered() == x.frobenius(), C::name, "a^q", {i});
    expect(a.inverse().gathered() == x.inverse(), C::name, "1 / a", {i});
    Fq12 cyclotomic = x.conjugate() * x.inverse();
    cyclotomic = cyclotomic.frobenius().frobenius() * cyclotomic;
    const Spread c = Spread::spread(cyclotomic);
    expect(c.cyclotomic_square().gathered() == cyclotomic.square(), C::name, "cyclotomic square", {i});
    expect(c.cyclotomic_square().cyclotomic_square().gathered() == cyclotomic.square().square(), C::name,
           "two cyclotomic squares", {i});
    if (i % 8 == 0) {
      expect(proofgrid::final_exponentiation<C>(a).gathered() == proofgrid::final_exponentiation<C>(x), C::name,
             "final exponentiation", {i});
    }
  }
}

// Of lines and points that need not be on any curve.
template <class C>
void drawn_lines(size_t count) {
  using Fq = proofgrid::Fp<typename C::Fq>;
  using Line = proofgrid::Line<C>;
  uint64_t state = 4;
  const auto pair = [&] { return proofgrid::Fp2<typename C::Fq>{drawn_element<typename C::Fq>(state),
                                                                drawn_element<typename C::Fq>(state)}; };
  for (uint64_t i = 0; i < count; ++i) {
    proofgrid::MillerLoop<C> loop;
    proofgrid::ifma::SpreadMillerLoop<C> spread_loop;
    std::vector<std::vector<uint64_t>> memory(i % 4, std::vector<uint64_t>(proofgrid::lines_bytes<C> / 8));
    for (auto& words : memory) {
      auto* const lines = reinterpret_cast<Line*>(words.data());
      for (size_t k = 0; k < proofgrid::line_count<C>; ++k) lines[k] = {pair(), pair(), pair()};
      const proofgrid::Affine<Fq> p{drawn_element<typename C::Fq>(state), drawn_element<typename C::Fq>(state)};
      loop.add_pair(p, lines), spread_loop.add_pair(p, lines);
    }
    expect(spread_loop.run().gathered() == loop.run(), C::name, "Miller loop", {i});
  }
}

}  // namespace spread
