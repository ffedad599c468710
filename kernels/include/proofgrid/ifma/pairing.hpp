// Products of pairings with eight pairs in the lanes: pairing.hpp's contract, from `lanes_from` pairs on.
#pragma once

#include <immintrin.h>

#include <vector>

#include "proofgrid/ifma/gather.hpp"
#include "proofgrid/ifma/miller.hpp"
#include "proofgrid/ifma/spread_pairing.hpp"
#include "proofgrid/pairing.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

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
        bool finite = false;
        if (first + lane < end) {
          left.load(lane, g1, "g1", first + lane), right.load(lane, g2, "g2", first + lane);
          finite = !left.is_zero(lane) && !right.is_zero(lane);
        }
        if (!finite) left.clear(lane), right.set(lane, generator());  // counts as one
      }
      loop.add(left.points(), right.points());
    }
    return loop.run().product();
  }

 private:
  static Q generator() {
    using F = typename Tower<C>::Fq;
    return {{F::constant_mont(C::g2_x_c0_mont), F::constant_mont(C::g2_x_c1_mont)},
            {F::constant_mont(C::g2_y_c0_mont), F::constant_mont(C::g2_y_c1_mont)}};
  }
};

// As pairing.hpp has it, on all threads.
template <class C>
void pairing_product(const std::byte* g1, const std::byte* g2, size_t n, uint64_t* out, Run& run) {
  constexpr size_t lanes_from = 4;  // a vector costs about as much as four pairs one by one
  if (n < lanes_from) {
    const Spread12<C> few = miller_loops<C, SpreadMillerLoop<C>>(g1, g2, 0, n);
    return final_exponentiation<C>(few).to_canonical(out);
  }
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
  final_exponentiation<C>(Spread12<C>::spread(product)).to_canonical(out);
}

// As pairing.hpp has it.
template <class C>
void pairing_of_lines(const std::byte* g1, const std::byte* const* lines, size_t n, uint64_t* out, Run& run) {
  proofgrid::pairing_of_lines<C, SpreadMillerLoop<C>>(g1, lines, n, out, run);
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
