// points.hpp's checks with eight points of G2 in the lanes.
#pragma once

#include <immintrin.h>

#include "proofgrid/ifma/miller.hpp"
#include "proofgrid/points.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// check_points of points.hpp for G2.
template <class C>
void check_g2(const std::byte* points, size_t n, std::uint8_t* ok, Run& run) {
  using F = Lanes2<typename C::Fq>;
  using Point = Affine<Fp2<typename C::Fq>>;
  constexpr size_t lanes_from = 3;  // a vector costs about as much as two points one by one
  if (n < lanes_from) return proofgrid::check_points<G2<C>>(points, n, ok, run);
  run.progress.expect(1);
  run.team.run((n + lanes - 1) / lanes, [&](size_t vector, unsigned) {
    run.progress.check();
    const size_t first = vector * lanes, count = std::min(lanes, n - first);
    Gather<Point, F> gather;
    bool canonical[lanes] = {}, infinite[lanes] = {};
    for (size_t lane = 0; lane < lanes; ++lane) {
      gather.clear(lane);
      if (lane < count) canonical[lane] = gather.load_if_canonical(lane, points, first + lane);
      infinite[lane] = gather.is_zero(lane);
    }
    const LanesPoint<F> q = gather.points();
    const F b2 = broadcast(G2<C>::b()), cube = multiply<typename C::Fq>(square(q.x), q.x);
    const Mask on_curve = combine<1, -1, 4>(square(q.y), cube + b2).template is_zero<2>();
    const unsigned good = on_curve & in_subgroup<C>(q);
    for (size_t lane = 0; lane < count; ++lane) {
      ok[first + lane] = canonical[lane] && (infinite[lane] || (good >> lane & 1));
    }
  });
  run.progress.step();
}

// What the group's table takes: lanes where there is a way with them.
template <class G>
void check_points(const std::byte* points, size_t n, std::uint8_t* ok, Run& run) {
  if constexpr (std::is_same_v<G, G2<typename G::Curve>>) {
    check_g2<typename G::Curve>(points, n, ok, run);
  } else {
    proofgrid::check_points<G>(points, n, ok, run);
  }
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
