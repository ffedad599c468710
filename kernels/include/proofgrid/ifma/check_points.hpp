// points.hpp's checks with eight points in the lanes.
#pragma once

#include <immintrin.h>

#include "proofgrid/ifma/miller.hpp"
#include "proofgrid/ifma/scale_each.hpp"
#include "proofgrid/points.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// |seed| p, by complete formulas: 63 doublings and an addition for each further bit (bls12_381: 5).
template <class C>
Projective<C> multiply_by_seed(const Projective<C>& p) {
  Projective<C> product = p;
  for (unsigned i = 63 - static_cast<unsigned>(__builtin_clzll(C::seed_abs)); i-- > 0;) {
    product = product.dbl();
    if (C::seed_abs >> i & 1) product = product.plus(p);
  }
  return product;
}

// The lanes whose point of the curve is in the subgroup of order r. On a BLS12 curve, as points.hpp has it, where
// phi(P) = -seed^2 P (Scott, eprint 2021/1130; Bowe, eprint 2019/814): seed^2 P = (beta x, -y), which is not infinity.
// 126 doublings and 10 additions: 36,000 vpmadd52 a point of bls12_381.
template <class C>
Mask in_subgroup(const LanesPoint<Lanes<typename C::Fq>>& p) {
  if constexpr (C::is_bn) {
    return 0xff;
  } else {
    using F = Lanes<typename C::Fq>;
    const auto t = multiply_by_seed<C>(multiply_by_seed<C>(Projective<C>{p.x, p.y, F::one()}));
    const F beta_x = p.x * broadcast(points_detail::beta<C>());
    const Mask finite = static_cast<Mask>(~t.z.template is_zero<3>());
    return finite & combine<1, -1>(t.x, beta_x * t.z).template is_zero<2>() &
           combine<1, 1>(t.y, p.y * t.z).template is_zero<2>();
  }
}

// check_points of points.hpp.
template <class G>
void check_points(const std::byte* points, size_t n, std::uint8_t* ok, Run& run) {
  using C = typename G::Curve;
  using F = LanesOf<typename G::Coordinate>;
  constexpr size_t lanes_from = std::is_same_v<G, G2<C>> ? 3 : 2;  // a vector costs less than as many points one by one
  if (n < lanes_from) return proofgrid::check_points<G>(points, n, ok, run);
  run.progress.expect(1);
  run.team.run((n + lanes - 1) / lanes, [&](size_t vector, unsigned) {
    run.progress.check();
    const size_t first = vector * lanes, count = std::min(lanes, n - first);
    Gather<Affine<typename G::Coordinate>, F> gather;
    bool canonical[lanes] = {}, infinite[lanes] = {};
    for (size_t lane = 0; lane < lanes; ++lane) {
      gather.clear(lane);
      if (lane < count) canonical[lane] = gather.load_if_canonical(lane, points, first + lane);
      infinite[lane] = gather.is_zero(lane);
    }
    const LanesPoint<F> q = gather.points();
    const F cube = q.x.square() * q.x;
    const Mask on_curve = combine<1, -1, 4>(q.y.square(), cube + broadcast(G::b())).template is_zero<2>();
    const unsigned good = on_curve & in_subgroup<C>(q);
    for (size_t lane = 0; lane < count; ++lane) {
      ok[first + lane] = canonical[lane] && (infinite[lane] || (good >> lane & 1));
    }
  });
  run.progress.step();
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
