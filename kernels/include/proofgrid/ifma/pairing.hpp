// Products of pairings with eight pairs in the lanes: pairing.hpp's contract, from `lanes_from` pairs on.
#pragma once

#include <immintrin.h>

#include <vector>

#include "proofgrid/ifma/miller.hpp"
#include "proofgrid/pairing.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// Eight points of canonical words, gathered one at a time, as lanes.
template <class Point, class Coordinate>
class Gather {
  static constexpr size_t coordinate_words = Coordinate::words;

 public:
  void set(size_t lane, const uint64_t (&words)[Point::words]) {
    for (size_t i = 0; i < 2; ++i) {
      std::memcpy(rows_[i] + lane * coordinate_words, words + i * coordinate_words, 8 * coordinate_words);
    }
  }
  // Magnitude 3.
  LanesPoint<Coordinate> points() const {
    Word x[coordinate_words], y[coordinate_words];
    load_rows(x, rows_[0]), load_rows(y, rows_[1]);
    return {Coordinate::enter_canonical(Coordinate::from_words(x)), Coordinate::enter_canonical(Coordinate::from_words(y))};
  }

 private:
  uint64_t rows_[2][lanes * coordinate_words];
};

template <class C>
class LanesPairing {
  using P = Affine<typename Tower<C>::Fq>;
  using Q = Affine<typename Tower<C>::Fq2>;

 public:
  // The pairs of one accumulator: 16 vectors of them stay in the second cache.
  static constexpr size_t vectors_of_group = 16;

  // The Miller loops of the pairs [begin, end), multiplied.
  static Fp12<C> miller(const std::byte* g1, const std::byte* g2, size_t begin, size_t end) {
    LanesMillerLoop<C> loop;
    for (size_t first = begin; first < end; first += lanes) {
      Gather<P, Lanes<typename C::Fq>> left;
      Gather<Q, Lanes2<typename C::Fq>> right;
      for (size_t lane = 0; lane < lanes; ++lane) {
        uint64_t p[P::words] = {}, q[Q::words] = {};
        if (first + lane < end) load(g1, "g1", first + lane, p), load(g2, "g2", first + lane, q);
        if (is_zero(p) || is_zero(q)) {  // counts as one
          std::memset(p, 0, sizeof p);
          generator().to_canonical(q);
        }
        left.set(lane, p), right.set(lane, q);
      }
      loop.add(left.points(), right.points());
    }
    return loop.run().product();
  }

 private:
  template <size_t words>
  static bool is_zero(const uint64_t (&x)[words]) {
    uint64_t any = 0;
    for (uint64_t word : x) any |= word;
    return any == 0;
  }
  template <size_t words>
  static void load(const std::byte* points, const char* what, size_t i, uint64_t (&target)[words]) {
    using Point = std::conditional_t<words == P::words, P, Q>;
    pairing_detail::load<Point>(points, what, i).to_canonical(target);
  }
  static Q generator() {
    using F = typename Tower<C>::Fq;
    return {{F::constant_mont(C::g2_x_c0_mont), F::constant_mont(C::g2_x_c1_mont)},
            {F::constant_mont(C::g2_y_c0_mont), F::constant_mont(C::g2_y_c1_mont)}};
  }
};

// As pairing.hpp has it, on all threads.
template <class C>
void pairing_product(const std::byte* g1, const std::byte* g2, size_t n, uint64_t* out, Run& run) {
  constexpr size_t lanes_from = 4;  // a vector costs about as much as three pairs one by one
  if (n < lanes_from) return proofgrid::pairing_product<C>(g1, g2, n, out, run);
  const size_t vectors = (n + lanes - 1) / lanes;
  const size_t most = std::min(LanesPairing<C>::vectors_of_group, (vectors + run.team.size() - 1) / run.team.size());
  const size_t groups = (vectors + most - 1) / most;
  std::vector<Fp12<C>> products(groups, Fp12<C>::one());
  run.team.run(groups, [&](size_t group, unsigned) {
    run.progress.check();
    const size_t begin = vectors * group / groups * lanes, end = vectors * (group + 1) / groups * lanes;
    products[group] = LanesPairing<C>::miller(g1, g2, begin, std::min(end, n));
  });
  Fp12<C> product = Fp12<C>::one();
  for (const Fp12<C>& factor : products) product = product * factor;
  FinalExponentiation<C>::apply(product).to_canonical(out);
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
