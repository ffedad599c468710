// scale_each.hpp with eight points of G1 in the lanes.
#pragma once

#include <immintrin.h>

#include "proofgrid/ifma/gather.hpp"
#include "proofgrid/ifma/inverse.hpp"
#include "proofgrid/ifma/tower.hpp"
#include "proofgrid/scale_each.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// A point of y^2 = x^3 + b, b small, as (X/Z, Y/Z), infinity with Z = 0; magnitude 3. The formulas are complete on a curve
// without points of order two, as our G1s are (Renes, Costello, Batina, eprint 2015/1060, algorithms 7 and 9).
template <class C>
class Projective {
  using P = typename C::Fq;
  using F = Lanes<P>;
  static constexpr unsigned b3 = 3 * small::integer<P>(C::b_mont);

 public:
  F x, y, z;

  static Projective infinity() { return {F::zero(), F::one(), F::zero()}; }
  static Projective blend(Mask mask, const Projective& a, const Projective& b) {
    return {F::blend(mask, a.x, b.x), F::blend(mask, a.y, b.y), F::blend(mask, a.z, b.z)};
  }
  // Where the mask has a one.
  Projective negated(Mask mask) const { return {x, F::blend(mask, y, combine<0, -1>(y, y)), z}; }

  // 4 products, 2 squares, a sum of two.
  Projective dbl() const {
    const F yy = y.square(), yz = y * z, xy = x * y, t = z.square();
    const F bzz = combine<b3, 0>(t, t), eight = combine<8, 0>(yy, yy), rest = combine<1, -3, 2>(yy, bzz);
    return {combine<2, 0>(rest, rest) * xy, F::sum_of_products(rest, combine<1, 1>(yy, bzz), bzz, eight), yz * eight};
  }

  // 6 products, 3 sums of two.
  Projective plus(const Projective& b) const {
    const F xx = x * b.x, yy = y * b.y, zz = z * b.z;
    const F xy = combine<1, -1, 6>((x + y) * (b.x + b.y), xx + yy);
    const F yz = combine<1, -1, 6>((y + z) * (b.y + b.z), yy + zz);
    const F xz = combine<1, -1, 6>((x + z) * (b.x + b.z), xx + zz);
    const F bzz = combine<b3, 0>(zz, zz), bxz = combine<b3, 0>(xz, xz), three = combine<3, 0>(xx, xx);
    const F sum = combine<1, 1>(yy, bzz), minus = combine<1, -1, 2>(yy, bzz);
    return {F::sum_of_products(xy, minus, yz, combine<0, -1>(bxz, bxz)), F::sum_of_products(minus, sum, bxz, three),
            F::sum_of_products(sum, yz, three, xy)};
  }
};

// Digits from -8 to 7 of eight scalars, base 16, the lowest first.
template <class Scalar>
class WindowDigits {
 public:
  static constexpr size_t most = 16 * Scalar::limbs + 1;

  void set(size_t lane, const uint64_t (&scalar)[Scalar::limbs]) {
    int carry = 0;
    for (size_t i = 0; i < most; ++i) {
      int digit = (i + 1 < most ? static_cast<int>(scalar[i / 16] >> (4 * (i % 16)) & 15) : 0) + carry;
      carry = digit >= 8;
      if (carry) digit -= 16;
      digits_[i][lane] = digit;
      if (digit != 0) count_ = std::max(count_, i + 1);
    }
  }
  // Digits up to the highest that is not zero in any lane.
  size_t count() const { return count_; }
  Word operator[](size_t i) const { return _mm512_load_si512(digits_[i]); }

 private:
  size_t count_ = 0;
  alignas(64) int64_t digits_[most][lanes] = {};
};

// As scale_each.hpp has it, for G1. For scalars of 128 bits 132 doublings at 812 vpmadd52 and 33
// additions at 1,230 for eight points of bn254, and the table: 19,400 a point.
template <class C>
void scale_each_g1(const std::byte* bases, const std::byte* scalars, size_t n, uint64_t* out, Run& run) {
  using F = Lanes<typename C::Fq>;
  using Point = Affine<Fp<typename C::Fq>>;
  using Scalar = Fp<typename C::Fr>;
  constexpr size_t lanes_from = 3;
  if (n < lanes_from) return proofgrid::scale_each<G1<C>>(bases, scalars, n, out, run);
  run.progress.expect(1);
  run.team.run((n + lanes - 1) / lanes, [&](size_t vector, unsigned) {
    run.progress.check();
    const size_t first = vector * lanes, count = std::min(lanes, n - first);
    Gather<Point, F> gather;
    WindowDigits<Scalar> digits;
    Mask infinite = 0;
    for (size_t lane = 0; lane < lanes; ++lane) {
      gather.clear(lane);
      if (lane < count) {
        uint64_t scalar[Scalar::limbs];
        gather.load(lane, bases, "bases", first + lane);
        scale_detail::load_scalar<Scalar>(scalars, first + lane, scalar);
        digits.set(lane, scalar);
      }
      if (gather.is_zero(lane)) infinite = static_cast<Mask>(infinite | 1u << lane);
    }
    const LanesPoint<F> p = gather.points();
    Projective<C> table[9];  // multiples 0 to 8
    table[0] = Projective<C>::infinity();
    table[1] = Projective<C>::blend(infinite, {p.x, p.y, F::one()}, table[0]);
    for (size_t i = 2; i < 9; ++i) table[i] = i % 2 == 0 ? table[i / 2].dbl() : table[i - 1].plus(table[1]);

    Projective<C> sum = Projective<C>::infinity();
    for (size_t i = digits.count(); i-- > 0;) {
      for (int k = 0; k < 4; ++k) sum = sum.dbl();
      const Word digit = digits[i], size = _mm512_abs_epi64(digit);
      Projective<C> multiple = table[0];
      for (uint64_t k = 1; k < 9; ++k) {
        multiple = Projective<C>::blend(_mm512_cmpeq_epi64_mask(size, all(k)), multiple, table[k]);
      }
      sum = sum.plus(multiple.negated(_mm512_movepi64_mask(digit)));
    }
    const F z_inverse = inverse(sum.z);
    gather.put({sum.x * z_inverse, sum.y * z_inverse});
    for (size_t lane = 0; lane < count; ++lane) gather.words(lane, out + (first + lane) * Point::words);
  });
  run.progress.step();
}

// What the group's table takes: lanes where there is a way with them.
template <class G>
void scale_each(const std::byte* bases, const std::byte* scalars, size_t n, uint64_t* out, Run& run) {
  if constexpr (std::is_same_v<G, G1<typename G::Curve>>) {
    scale_each_g1<typename G::Curve>(bases, scalars, n, out, run);
  } else {
    proofgrid::scale_each<G>(bases, scalars, n, out, run);
  }
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
