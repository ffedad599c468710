// Affine additions eight at a time, a whole batch of vectors with one inversion: 5 multiplications and 1 square for
// eight sums (Montgomery, Math. Comp. 48, 1987), 590 vpmadd52 over BN254's G1. Over G2 what is inverted are the norms of the
// denominators, elements of Fq: 3 multiplications and 1 square in Fq2, 6 multiplications in Fq, 1,312 where 5 and 1 take 1,452.
//
//   forward   the products of all denominators x2 - x1, in `chains` independent chains, so that one multiplication's
//             latency hides behind another's
//   inverse   of the chains' product: eight lanes, one scalar inversion
//   backward  each denominator's inverse, the slope, the sum
//
// The common path asks nothing. A vector with an idle lane or an empty sum is added carefully: each lane by its own
// case. A vector with equal or opposite points makes the product vanish; then the whole batch is done carefully. So
// sums are right for every input, and the worst input costs less than twice the best.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "proofgrid/ifma/inverse.hpp"
#include "proofgrid/ifma/points.hpp"
#include "proofgrid/ifma/points_factors.hpp"
#include "proofgrid/ifma/tower.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// Sums of points, and the addition of one more point to each. A Source says where a batch's second operands come from:
// vector v holds point(v) (its x and y alone: x(v), y(v)) of magnitude Source::magnitude, in the lanes of active(v), which is 0
// beyond the last vector; where Source::has_signs, y counts negative in the lanes of negative(v). A point may be a sum of a
// lower vector, before its addition: sums change from the last vector to the first. So is fetch(v) called, between v's
// multiplications: a place to ask for what the next batch reads.
template <class F>
class PointSums {
 public:
  static constexpr unsigned magnitude = 5;  // of the sums' coordinates
  static constexpr size_t chains = 2;       // batches are padded to a multiple
  using Norm = decltype(points_detail::norm(std::declval<F>()));

  explicit PointSums(size_t vectors)
      : capacity_((vectors + chains - 1) / chains * chains),
        sums_(new PointLanes<F>[capacity_]),
        chords_(new F[capacity_]),
        norms_(has_norms ? new Norm[capacity_] : nullptr),
        prefix_(new Norm[capacity_]),
        lanes_(new Cases[capacity_]),
        empty_(new Mask[capacity_]) {}

  size_t capacity() const { return capacity_; }
  PointLanes<F>& sum(size_t v) { return sums_[v]; }
  const PointLanes<F>& sum(size_t v) const { return sums_[v]; }
  Mask& empty(size_t v) { return empty_[v]; }  // the lanes whose sum is infinity
  Mask empty(size_t v) const { return empty_[v]; }

  // sum(v) += source's vector v, for v in [0, count).
  template <class Source>
  void add(size_t count, Source& source) {
    const size_t padded = (count + chains - 1) / chains * chains;
    Norm inverse[chains];
    if (!forward<false>(padded, source, inverse)) forward<true>(padded, source, inverse);
    backward(padded, source, inverse);
  }

 private:
  static constexpr bool has_norms = !std::is_same_v<F, Norm>;

  // Of a vector that is added carefully: the lanes that add by chord or tangent, by tangent, that become the second
  // operand, that become infinity. Of any other: slope is all ones, the rest none.
  struct Cases {
    Mask careful, slope, tangent, copy, vanish;
  };

  // False if a denominator is zero: then careful is needed.
  template <bool careful, class Source>
  bool forward(size_t count, Source& source, Norm (&inverse)[chains]) {
    Norm product[chains];
#pragma GCC unroll 4
    for (size_t j = 0; j < chains; ++j) product[j] = Norm::one();
    for (size_t v = 0; v < count; v += chains) {
      bool plain = !careful;
#pragma GCC unroll 4
      for (size_t j = 0; j < chains; ++j) plain &= int{source.active(v + j) == 0xff} & int{empty_[v + j] == 0};
      if (plain) [[likely]] {
        Norm d[chains];
#pragma GCC unroll 4
        for (size_t j = 0; j < chains; ++j) {
          const F chord = points_detail::chord<Source::magnitude, magnitude>(source.x(v + j), sums_[v + j].x);
          chords_[v + j] = chord;
          d[j] = points_detail::norm(chord);
          if constexpr (has_norms) norms_[v + j] = d[j];
        }
#pragma GCC unroll 4
        for (size_t j = 0; j < chains; ++j) {
          lanes_[v + j].careful = 0;
          prefix_[v + j] = product[j];
          product[j] = points_detail::factor_product(product[j], d[j]);
        }
      } else {
#pragma GCC unroll 4
        for (size_t j = 0; j < chains; ++j) {
          prefix_[v + j] = product[j];
          product[j] = product[j] * distinguish(v + j, source);
        }
      }
    }
    static_assert(chains == 2);
    const Norm all_inverse = ifma::inverse(product[0] * product[1]);
    if (all_inverse.is_all_zero() != 0) return false;
    inverse[0] = all_inverse * product[1];
    inverse[1] = all_inverse * product[0];
    return true;
  }

  template <class Source>
  void backward(size_t count, Source& source, Norm (&inverse)[chains]) {
    constexpr unsigned m = Source::magnitude;
    constexpr bool is_gathered = m == 1;  // then x2 is read once, for its chord
    using namespace points_detail;
    Norm rest[chains];
#pragma GCC unroll 4
    for (size_t j = 0; j < chains; ++j) rest[j] = inverse[j];
    for (size_t v = count; v > 0;) {
      v -= chains;
      Mask careful = 0;
#pragma GCC unroll 4
      for (size_t j = 0; j < chains; ++j) careful |= lanes_[v + j].careful;
      if (!careful) [[likely]] {
        // Two sums in stages: each stage without a multiplication stands behind one of the other sum, beside which it
        // runs.
        static_assert(chains == 2);
        Norm inverses[chains];
        F x2[chains], slope[chains], square_of[chains], rise[chains];
        const auto invert = [&](size_t j) __attribute__((always_inline)) {
          inverses[j] = factor_product(rest[j], prefix_[v + j]);
        };
        const auto load = [&](size_t j) __attribute__((always_inline)) {
          if constexpr (!is_gathered) x2[j] = source.x(v + j);
          rise[j] = this->rise<true>(source, v + j, source.y(v + j));
        };
        const auto divide = [&](size_t j) __attribute__((always_inline)) {
          slope[j] = quotient(rise[j], chords_[v + j], inverses[j]);
        };
        const auto advance = [&](size_t j) __attribute__((always_inline)) {
          if constexpr (has_norms) {
            rest[j] = factor_product(rest[j], norms_[v + j]);
          } else {
            rest[j] = factor_product(rest[j], chords_[v + j]);
          }
        };
        const auto square = [&](size_t j) __attribute__((always_inline)) { square_of[j] = open_square(slope[j]); };
        const auto set_x = [&](size_t j) __attribute__((always_inline)) {
          const F x1 = sums_[v + j].x;
          if constexpr (is_gathered) {
            sums_[v + j].x = third_x<m, magnitude>(square_of[j], x1, chords_[v + j]);
          } else {
            sums_[v + j].x = lowered_difference<magnitude, m>(square_of[j], x1, x2[j]);
          }
          rise[j] = factor_difference<magnitude, magnitude>(x1, sums_[v + j].x);
        };
        const auto climb = [&](size_t j) __attribute__((always_inline)) { slope[j] = open_product(slope[j], rise[j]); };
        const auto set_y = [&](size_t j) __attribute__((always_inline)) {
          sums_[v + j].y = lowered_difference<magnitude, 0>(slope[j], sums_[v + j].y, slope[j]);
        };
        invert(0), load(0), invert(1), divide(0), load(1), advance(0), divide(1), square(0), advance(1);
        source.fetch(v);
        set_x(0), square(1), climb(0), set_x(1), climb(1);
        source.fetch(v + 1);
        set_y(0), set_y(1);
      } else {
#pragma GCC unroll 4
        for (size_t i = 0; i < chains; ++i) {
          const size_t j = chains - 1 - i;
          rest[j] = finish(v + j, source, rest[j]);
          source.fetch(v + j);
        }
      }
    }
  }

  // The cases of vector v's lanes, and the norms of their denominators: x2 - x1, 2 y1 or 1.
  template <class Source>
  [[gnu::noinline]] Norm distinguish(size_t v, Source& source) {
    const PointLanes<F>& a = sums_[v];
    const Mask active = source.active(v), both = active & ~empty_[v];
    F chord = F::one(), tangent = F::one();
    Cases c{1, 0, 0, static_cast<Mask>(active & empty_[v]), 0};
    if (both) {
      const PointLanes<F> b = source.point(v);
      chord = F::template subtract<magnitude>(b.x, a.x);
      const Mask same_x = both & chord.template is_zero<Source::magnitude + magnitude>();
      if (same_x) {
        c.tangent = same_x & rise<false>(source, v, b.y).template is_zero<2 * magnitude>() &
                    ~a.y.template is_zero<magnitude>();
        tangent = a.y + a.y;
      }
      c.vanish = same_x & ~c.tangent;
      c.slope = both & ~c.vanish;
    }
    lanes_[v] = c;
    chords_[v] = settled(F::blend(c.slope, F::one(), F::blend(c.tangent, chord, tangent)));
    return points_detail::norm(chords_[v]);
  }
  // A denominator as chord() gives it, of magnitude 10 at most.
  template <class P>
  static Lanes<P> settled(const Lanes<P>& d) {
    return d;
  }
  template <class P>
  static Lanes2<P> settled(const Lanes2<P>& d) {
    return {combine<1, 0>(d.c0, d.c0), combine<0, -1, magnitude + magnitude>(d.c1, d.c1)};
  }

  // The same lanes' sums, from the inverse of the denominators up to and with v's; gives that of those before v.
  template <class Source>
  [[gnu::noinline]] Norm finish(size_t v, Source& source, const Norm& inverse) {
    using namespace points_detail;
    constexpr unsigned m = Source::magnitude;
    if (!lanes_[v].careful) lanes_[v] = {0, 0xff, 0, 0, 0};
    const Cases c = lanes_[v];
    if (!(c.slope | c.copy | c.vanish)) return inverse;
    PointLanes<F>& a = sums_[v];
    const PointLanes<F> b = source.point(v);
    const F xx = a.x.square(), numerator = F::blend(c.tangent, rise<false>(source, v, b.y), xx + xx + xx);
    const F slope = quotient(numerator, chords_[v], inverse * prefix_[v]);
    const F x3 = lowered_difference<magnitude, m>(open_square(slope), a.x, b.x);
    const F step = open_product(slope, F::template subtract<magnitude>(a.x, x3));
    const F y3 = lowered_difference<magnitude, 0>(step, a.y, a.y);
    a.x = F::blend(c.copy, F::blend(c.slope, a.x, x3), b.x);
    a.y = F::blend(c.copy, F::blend(c.slope, a.y, y3), with_sign(source, v, b.y));
    empty_[v] = static_cast<Mask>((empty_[v] & ~c.copy) | c.vanish);
    return inverse * norm(chords_[v]);
  }

  // y2 - y1 with y2's sign; of magnitude 10 at most.
  template <bool factor, class Source>
  PROOFGRID_INLINE F rise(const Source& source, size_t v, const F& y2) const {
    if constexpr (Source::has_signs) {
      static_assert(2 * Source::magnitude + magnitude <= 2 * magnitude);
      return points_detail::signed_difference<factor, Source::magnitude, magnitude>(source.negative(v), y2, sums_[v].y);
    } else {
      static_assert(magnitude == 5);
      return points_detail::plain_difference(y2, sums_[v].y);
    }
  }
  template <class Source>
  PROOFGRID_INLINE static F with_sign(const Source& source, size_t v, const F& y) {
    if constexpr (Source::has_signs) {
      return F::blend(source.negative(v), y, y.template negate<Source::magnitude>());
    } else {
      return y;
    }
  }

  size_t capacity_;
  std::unique_ptr<PointLanes<F>[]> sums_;
  std::unique_ptr<F[]> chords_;
  std::unique_ptr<Norm[]> norms_, prefix_;  // where a denominator is not its own norm
  std::unique_ptr<Cases[]> lanes_;
  std::unique_ptr<Mask[]> empty_;
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
