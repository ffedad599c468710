// 2^d times each of many points, eight at a time: Jacobian doublings on y^2 = x^3 + b (EFD shortw/jacobian-0, dbl-1998-cmo-2),
// and one inversion for 64 points. Points of even order, which our curves do not have, come out as infinity.
#pragma once

#include <immintrin.h>

#include <algorithm>

#include "proofgrid/ifma/inverse.hpp"
#include "proofgrid/ifma/points.hpp"
#include "proofgrid/ifma/tower.hpp"
#include "proofgrid/run.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// (X / Z^2, Y / Z^3), infinity with Z = 0; x and y of magnitude 2, z of 3.
template <class F>
struct JacobianLanes {
  F x, y, z;

  // 3 products, 4 squares.
  PROOFGRID_INLINE void double_up() {
    const F xx = x.square(), yy = y.square();
    const F four_xyy = combine<4, 0>(x * yy), three_xx = combine<3, 0>(xx);
    z = (y + y) * z;
    x = combine<1, -2, 2>(three_xx.square(), four_xyy);
    y = combine<1, -8>(three_xx * F::template subtract<2>(four_xyy, x), yy.square());
  }

 private:
  template <unsigned k, int l>
  PROOFGRID_INLINE static F combine(const F& a) {
    return ifma::combine<k, l>(a, a);
  }
  template <unsigned k, int l, unsigned m = 3>
  PROOFGRID_INLINE static F combine(const F& a, const F& b) {
    return ifma::combine<k, l, m>(a, b);
  }
};

// to[i] = 2^d from[i] for n records; infinity, whose record is zeros, stays. d * 800 vpmadd52 (BN254's G1) for eight points.
// Threaded.
template <class F>
void write_multiples(const std::byte* from, size_t n, unsigned d, std::byte* to, Run& run) {
  constexpr size_t vectors = 8, block = vectors * lanes, bytes = Records<F>::bytes;
  run.team.split((n + block - 1) / block, 1, [&](size_t begin, size_t end, unsigned) {
    for (size_t first = block * begin; first < std::min(n, block * end); first += block) {
      run.progress.check();
      const size_t count = std::min(block, n - first);
      JacobianLanes<F> points[vectors];
      for (size_t v = 0; v < vectors; ++v) {
        RecordRows rows;
        for (size_t i = 0; i < lanes; ++i) rows[i] = from + (first + std::min(lanes * v + i, count - 1)) * bytes;
        const PointLanes<F> p = Records<F>::point(rows);
        points[v] = {p.x, p.y, F::one()};
      }
      for (size_t v = 0; v < vectors; v += 2) {  // two, whose latencies hide each other
        for (unsigned k = 0; k < d; ++k) points[v].double_up(), points[v + 1].double_up();
      }
      F before[vectors], product = F::one();  // infinity is left out of the product
      Mask infinite[vectors];
      for (size_t v = 0; v < vectors; ++v) {
        infinite[v] = points[v].z.template is_zero<F::product>();
        before[v] = product;
        product = product * F::blend(infinite[v], points[v].z, F::one());
      }
      F rest = inverse(product);
      for (size_t v = vectors; v-- > 0;) {
        const F z = rest * before[v], zz = z.square();
        rest = rest * F::blend(infinite[v], points[v].z, F::one());
        const F x = points[v].x * zz, y = points[v].y * (zz * z);
        const auto finite = [&](const F& c) {
          return F::blend(infinite[v], c.template canonical<F::product>(), F::zero());
        };
        std::byte* rows[lanes] = {};
        const size_t here = count > lanes * v ? std::min(lanes, count - lanes * v) : 0;
        for (size_t i = 0; i < here; ++i) rows[i] = to + (first + lanes * v + i) * bytes;
        Records<F>::store(rows, static_cast<Mask>((1u << here) - 1), {finite(x), finite(y)});
      }
    }
  });
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
