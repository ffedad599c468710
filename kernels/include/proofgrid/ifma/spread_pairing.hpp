// The Miller loop of pairing.hpp for a few pairs: one accumulator, spread over the lanes, that single elements' lines are
// multiplied into. Cost in vpmadd52 for bn254: 65 squares at 816, and for each pair 88 lines at 672.
#pragma once

#include <immintrin.h>

#include <vector>

#include "proofgrid/ifma/spread.hpp"
#include "proofgrid/pairing.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

template <class C>
class SpreadMillerLoop {
  using P = typename C::Fq;
  using Base = Lanes<P>;
  using F = Lanes2<P>;
  using Line = proofgrid::Line<C>;

 public:
  void add_pair(const Affine<Fp<P>>& p, const Line* lines) {
    if (!p.is_infinity()) pairs_.push_back({line_factors(p), lines});
  }

  Spread12<C> run() {
    if (pairs_.empty()) return f_;
    for (size_t i = C::ate_naf_length - 1; i-- > 0;) {
      f_ = f_.square();
      multiply_by_next();
      if (C::ate_naf[i] != 0) multiply_by_next();
    }
    if (C::seed_negative) f_ = f_.conjugate();
    if constexpr (C::is_bn) multiply_by_next(), multiply_by_next();
    return f_;
  }

 private:
  struct Pair {
    Base factors;  // of a, a, b, b, c, c: y_P, y_P, x_P, x_P, 1, 1
    const Line* next;
  };

  // The product with a line, whose coefficients are in the form of single elements, is in this one.
  static Base line_factors(const Affine<Fp<P>>& p) {
    uint64_t rows[lanes * P::limbs];
    const Fp<P> factors[lanes] = {p.y, p.y, p.x, p.x, Fp<P>::one(), Fp<P>::one(), Fp<P>::one(), Fp<P>::one()};
    for (size_t lane = 0; lane < lanes; ++lane) factors[lane].store_mont(rows + lane * P::limbs);
    Word words[P::limbs];
    load_rows(words, rows);
    return Base::enter_mont(Base::enter_mont(Base::from_words(words)));
  }

  void multiply_by_next() {
    for (Pair& pair : pairs_) multiply_by(*pair.next++, pair.factors);
  }

  // f times a + b w + c w^3 (type D) or c + b w^2 + a w^3 (type M): three terms, magnitudes 3 * 3 * 3. The line is read as the
  // first six of eight lanes; what follows it is a line too, or lines_bytes' zeros.
  [[gnu::noinline]] void multiply_by(const Line& line, const Base& factors) {
    static constexpr uint64_t middle = C::twist_d ? 1 : 2;                 // the power of w beside b
    static constexpr uint64_t first = C::twist_d ? 0 : 4, last = 4 - first;  // the lanes of the coefficients of 1 and w^3
    static constexpr LaneIndex swap{{1, 0, 3, 2, 5, 4, 7, 6}}, rotated[2] = {rotation(middle), rotation(3)};
    static constexpr LaneIndex to_first[2] = {spread_detail::everywhere(first), spread_detail::everywhere(first + 1)};
    static constexpr LaneIndex to_middle[2] = {beside(2, middle), beside(3, middle)};
    static constexpr LaneIndex to_last[2] = {beside(last, 3), beside(last + 1, 3)};
    Word words[P::limbs];
    load_rows(words, &line);
    const Base plain = Base::from_words(words) * factors, swapped = permute(plain, swap, plain);
    // xi (k + l u) = (9 k - l) + (9 l + k) u
    const Base partner = Base::blend(spread_detail::even_lanes | 0b1000000, swapped, swapped.template negate<3>());
    const Base xi = combine<Tower<C>::xi_real, 1>(plain, partner);
    const auto pick = [&](const LaneIndex(&index)[2]) {
      return Factor<P>(F{permute(plain, index[0], xi), permute(plain, index[1], xi)});
    };
    const Factor<P> x0 = f_.f, x1 = permute(x0, rotated[0]), x2 = permute(x0, rotated[1]);
    const Factor<P> y0 = pick(to_first), y1 = pick(to_middle), y2 = pick(to_last);
    f_.f = dot<P, 3>({&x0, &x1, &x2}, {&y0, &y1, &y2});
  }

  // Lane k takes coefficient k - i mod 6.
  static constexpr LaneIndex rotation(uint64_t i) {
    LaneIndex r{};
    for (uint64_t k = 0; k < 6; ++k) r.from[k] = (k + 6 - i) % 6;
    return r;
  }
  // A line's lane, the one times xi in the lanes k < i.
  static constexpr LaneIndex beside(uint64_t lane, uint64_t i) {
    LaneIndex r{};
    for (uint64_t k = 0; k < 8; ++k) r.from[k] = k < i ? 8 + lane : lane;
    return r;
  }

  Spread12<C> f_ = Spread12<C>::one();
  std::vector<Pair> pairs_;
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
