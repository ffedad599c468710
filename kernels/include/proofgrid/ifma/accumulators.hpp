// Many sums of points at a time, each in a lane of its own: to each sum a point of a table is added, affine, with one
// inversion for all (Montgomery, Math. Comp. 48, 1987). 5 multiplications and a square an addition, for N = 5 limbs 586
// vpmadd52 for eight. Complete: equal and opposite points and infinity are found and take a slower way.
#pragma once

#include <immintrin.h>

#include <memory>

#include "proofgrid/ifma/inverse.hpp"
#include "proofgrid/ifma/packed_points.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// x of magnitude at most 2 k to magnitude k, by one conditional subtraction of k p.
template <unsigned k, class P>
PROOFGRID_INLINE Lanes<P> halve(const Lanes<P>& x) {
  static constexpr auto offset = Constants<P>::multiple(k);
  x.require(2 * k);
  Lanes<P> r;
#pragma GCC unroll 8
  for (size_t i = 0; i < Lanes<P>::limbs; ++i) r.limb[i] = _mm512_sub_epi64(x.limb[i], all(offset.limb[i]));
  r.carry();
  const Mask negative = _mm512_movepi64_mask(r.limb[Lanes<P>::limbs - 1]);
#pragma GCC unroll 8
  for (size_t i = 0; i < Lanes<P>::limbs; ++i) r.limb[i] = _mm512_mask_mov_epi64(r.limb[i], negative, x.limb[i]);
  return r.bound(k);
}
template <unsigned k, class P>
PROOFGRID_INLINE Lanes2<P> halve(const Lanes2<P>& x) {
  return {halve<k>(x.c0), halve<k>(x.c1)};
}

// (negative ? -a : a) - b + (m + 1) p, where a has magnitude 1 and b at most m; the result has magnitude m + 2.
template <unsigned m, class P>
PROOFGRID_INLINE Lanes<P> signed_difference(Mask negative, const Lanes<P>& a, const Lanes<P>& b) {
  static constexpr auto offset = Constants<P>::multiple(m + 1);
  a.require(1), b.require(m);
  Lanes<P> r;
#pragma GCC unroll 8
  for (size_t i = 0; i < Lanes<P>::limbs; ++i) {
    const Word rest = _mm512_sub_epi64(all(offset.limb[i]), b.limb[i]);
    r.limb[i] = _mm512_mask_sub_epi64(_mm512_add_epi64(rest, a.limb[i]), negative, rest, a.limb[i]);
  }
  r.carry();
  return r.bound(m + 2);
}
template <unsigned m, class P>
PROOFGRID_INLINE Lanes2<P> signed_difference(Mask negative, const Lanes2<P>& a, const Lanes2<P>& b) {
  return {signed_difference<m>(negative, a.c0, b.c0), signed_difference<m>(negative, a.c1, b.c1)};
}

// Which row of a table each of eight lanes takes, and the lanes that take its negative.
struct Choice {
  std::uint32_t place[lanes];
  Mask negative;
};

// Consecutive rows of PackedPoint; row 0 is infinity. `regular` says that no other row is.
struct TableRows {
  const uint64_t* first;
  bool regular;
};

template <class Coordinate>
class Accumulators {
 public:
  using Packed = PackedPoint<Coordinate>;

  // Room for `capacity` sums.
  explicit Accumulators(size_t capacity)
      : most_((capacity + group_lanes - 1) / group_lanes * group),
        x_(new Coordinate[most_]), y_(new Coordinate[most_]), denominators_(new Coordinate[most_]),
        products_(new Coordinate[most_]), cases_(new Cases[most_]), ways_(new Way[most_ / group]),
        infinite_(new Mask[most_]) {}

  // Vectors of eight that `count` sums take; whoever fills choices fills this many, with place 0 beyond the count.
  static constexpr size_t vectors(size_t count) { return (count + group_lanes - 1) / group_lanes * group; }

  const Coordinate& x(size_t v) const { return x_[v]; }  // magnitude 4, as y
  const Coordinate& y(size_t v) const { return y_[v]; }
  Mask infinite(size_t v) const { return infinite_[v]; }

  // sums[v] = the chosen rows.
  void start(const TableRows& rows, const Choice* choices, size_t count) {
    vectors_ = vectors(count);
    for (size_t v = 0; v < vectors_; ++v) {
      if (v + ahead < vectors_) prefetch(rows, choices[v + ahead]);
      const uint64_t* row[lanes];
      locate(row, rows, choices[v]);
      x_[v] = Packed::template gather<0>(row);
      const Coordinate y = Packed::template gather<1>(row);
      infinite_[v] = x_[v].is_all_zero() & y.is_all_zero();
      y_[v] = Coordinate::blend(choices[v].negative, y, y.template negate<1>());
    }
  }

  // sums[v] += the chosen rows.
  void add(const TableRows& rows, const Choice* choices) {
    Coordinate running[group];
    bool any = false;
    for (size_t g = 0; g < vectors_ / group; ++g) any |= (ways_[g] = way(rows, choices + g * group, g)) != Way::skip;
    if (!any) return;
    multiply(rows, choices, running);
    if (!invert(running)) {
      // Somewhere the two x are equal.
      for (size_t g = 0; g < vectors_ / group; ++g) {
        if (ways_[g] == Way::plain) ways_[g] = Way::careful;
      }
      multiply(rows, choices, running);
      invert(running);
    }
    for (size_t g = vectors_ / group; g-- > 0;) {
      if (g >= 2) prefetch_group(rows, choices, g - 2);
      if (ways_[g] == Way::plain) finish<false>(rows, choices, g, running);
      if (ways_[g] == Way::careful) finish<true>(rows, choices, g, running);
    }
  }

 private:
  // Vectors that go together, each in its own chain of products: a multiplication does not wait for its neighbours.
  static constexpr size_t group = 4, group_lanes = group * lanes, ahead = 12;
  static constexpr unsigned bounded = 4;  // the magnitude of the sums' coordinates

  enum class Way : std::uint8_t { plain, careful, skip };
  // Lanes of a careful vector that do not follow the chord, with the point unchanged, taken from the table, doubled or
  // vanishing.
  struct Cases {
    Mask unchanged, fresh, equal, opposite;
  };

  PROOFGRID_INLINE static void locate(const uint64_t* (&row)[lanes], const TableRows& rows, const Choice& choice) {
#pragma GCC unroll 8
    for (size_t i = 0; i < lanes; ++i) row[i] = rows.first + size_t{choice.place[i]} * Packed::row_words;
  }
  PROOFGRID_INLINE static void prefetch(const TableRows& rows, const Choice& choice) {
#pragma GCC unroll 8
    for (size_t i = 0; i < lanes; ++i) Packed::prefetch(rows.first + size_t{choice.place[i]} * Packed::row_words);
  }
  PROOFGRID_INLINE static void prefetch_group(const TableRows& rows, const Choice* choices, size_t g) {
#pragma GCC unroll 4
    for (size_t k = 0; k < group; ++k) prefetch(rows, choices[g * group + k]);
  }

  Way way(const TableRows& rows, const Choice* choices, size_t g) const {
    unsigned zeros = 0, all_zero = 0xff;
    for (size_t k = 0; k < group; ++k) {
      const auto* place = reinterpret_cast<const __m256i*>(choices[k].place);
      const unsigned here = _mm256_testn_epi32_mask(_mm256_loadu_si256(place), _mm256_loadu_si256(place));
      zeros |= here | infinite_[g * group + k];
      all_zero &= here;
    }
    return all_zero == 0xff ? Way::skip : zeros || !rows.regular ? Way::careful : Way::plain;
  }

  // The denominators of the slopes and, before each, the product of its chain's earlier ones; running: whole chains'.
  void multiply(const TableRows& rows, const Choice* choices, Coordinate (&running)[group]) {
    for (size_t k = 0; k < group; ++k) running[k] = Coordinate::one();
    const size_t groups = vectors_ / group;
    for (size_t g = 0; g < std::min<size_t>(groups, ahead / group); ++g) prefetch_group(rows, choices, g);
    for (size_t g = 0; g < groups; ++g) {
      if (g + ahead / group < groups) prefetch_group(rows, choices, g + ahead / group);
      if (ways_[g] == Way::skip) continue;
#pragma GCC unroll 4
      for (size_t k = 0; k < group; ++k) {
        const size_t v = g * group + k;
        const uint64_t* row[lanes];
        locate(row, rows, choices[v]);
        const Coordinate x2 = Packed::template gather<0>(row);
        Coordinate denominator = Coordinate::template subtract<bounded>(x2, x_[v]);
        if (ways_[g] == Way::careful) [[unlikely]] denominator = classify(v, x2, row, choices[v].negative, denominator);
        denominators_[v] = denominator;
        products_[v] = running[k];
        running[k] = running[k] * denominator;
      }
    }
  }

  // Finds the cases of a careful vector; the denominators of its slopes, one where there is none; magnitude 8.
  [[gnu::noinline]] Coordinate classify(size_t v, const Coordinate& x2, const uint64_t* const (&row)[lanes],
                                        Mask negative, const Coordinate& difference) {
    const Coordinate y2 = Packed::template gather<1>(row);
    const Mask unchanged = x2.is_all_zero() & y2.is_all_zero();
    const Mask fresh = infinite_[v] & ~unchanged;
    const Mask meet = difference.template is_zero<bounded + 1>() & ~unchanged & ~fresh;
    Mask equal = 0;
    const Coordinate tangent = y_[v] + y_[v];
    if (meet) {
      equal = meet & signed_difference<bounded>(negative, y2, y_[v]).template is_zero<bounded + 2>() &
              ~y_[v].template is_zero<bounded>();
    }
    const Mask opposite = meet & ~equal;
    cases_[v] = {unchanged, fresh, equal, opposite};
    return Coordinate::blend(unchanged | fresh | opposite, Coordinate::blend(equal, difference, tangent),
                             Coordinate::one());
  }

  // running becomes its inverses; false, and nothing done, where a lane is zero.
  [[gnu::noinline]] bool invert(Coordinate (&running)[group]) const {
    const Coordinate first = running[0] * running[1], second = running[2] * running[3], total = first * second;
    if (total.template is_zero<Coordinate::product>()) return false;
    const Coordinate inverted = inverse(total);
    const Coordinate first_inverse = inverted * second, second_inverse = inverted * first;
    const Coordinate old[group] = {running[0], running[1], running[2], running[3]};
    for (size_t k = 0; k < group; ++k) running[k] = (k < 2 ? first_inverse : second_inverse) * old[k ^ 1];
    return true;
  }

  // The sums of a group, whose chains' inverses up to here are in `running`: one step for all its vectors at a time.
  template <bool careful>
  PROOFGRID_INLINE void finish(const TableRows& rows, const Choice* choices, size_t g, Coordinate (&running)[group]) {
    Coordinate slope[group], x3[group], rest[group];
    const size_t v0 = g * group;
#pragma GCC unroll 4
    for (size_t k = 0; k < group; ++k) {
      slope[k] = running[k] * products_[v0 + k];
      running[k] = running[k] * denominators_[v0 + k];
    }
#pragma GCC unroll 4
    for (size_t k = 0; k < group; ++k) {
      const uint64_t* row[lanes];
      locate(row, rows, choices[v0 + k]);
      const Coordinate y2 = Packed::template gather<1>(row);
      Coordinate numerator = signed_difference<bounded>(choices[v0 + k].negative, y2, y_[v0 + k]);  // magnitude 6
      if constexpr (careful) {
        const Coordinate xx = x_[v0 + k].square();
        numerator = Coordinate::blend(cases_[v0 + k].equal, numerator, xx + xx + xx);  // magnitude 9
      }
      slope[k] = slope[k] * numerator;
    }
#pragma GCC unroll 4
    for (size_t k = 0; k < group; ++k) {
      const Coordinate& x1 = x_[v0 + k];
      if constexpr (careful) {
        const uint64_t* row[lanes];
        locate(row, rows, choices[v0 + k]);
        x3[k] = Coordinate::template subtract<bounded + 1>(slope[k].square(), x1 + Packed::template gather<0>(row));
      } else {
        // The denominator is x2 - x1 + 4 p as an integer, so this is x1 + x2 + 4 p.
        const Coordinate sum = (x1 + x1 + denominators_[v0 + k]).bound(2 * bounded + 1);
        x3[k] = Coordinate::template subtract<2 * bounded + 1>(slope[k].square(), sum).bound(2 * bounded);
      }
      rest[k] = Coordinate::template subtract<2 * bounded>(x1, x3[k]);  // magnitude 12
      x3[k] = halve<bounded>(x3[k]);
    }
#pragma GCC unroll 4
    for (size_t k = 0; k < group; ++k) {
      const Coordinate y3 = halve<bounded>(Coordinate::template subtract<bounded>(slope[k] * rest[k], y_[v0 + k]));
      if constexpr (careful) {
        settle(v0 + k, rows, choices[v0 + k], x3[k], y3);
      } else {
        x_[v0 + k] = x3[k], y_[v0 + k] = y3;
      }
    }
  }

  // Writes the sums of a careful vector by their cases.
  [[gnu::noinline]] void settle(size_t v, const TableRows& rows, const Choice& choice, const Coordinate& x3,
                                const Coordinate& y3) {
    const Cases cases = cases_[v];
    const uint64_t* row[lanes];
    locate(row, rows, choice);
    const Coordinate y2 = Packed::template gather<1>(row);
    const auto among = [&](const Coordinate& old, const Coordinate& sum, const Coordinate& taken) {
      const Coordinate moved = Coordinate::blend(cases.fresh, Coordinate::blend(cases.unchanged, sum, old), taken);
      return Coordinate::blend(cases.opposite, moved, Coordinate::zero());
    };
    x_[v] = among(x_[v], x3, Packed::template gather<0>(row));
    y_[v] = among(y_[v], y3, Coordinate::blend(choice.negative, y2, y2.template negate<1>()));
    infinite_[v] = (infinite_[v] & ~cases.fresh) | cases.opposite;
  }

  size_t most_, vectors_ = 0;
  std::unique_ptr<Coordinate[]> x_, y_, denominators_, products_;
  std::unique_ptr<Cases[]> cases_;
  std::unique_ptr<Way[]> ways_;
  std::unique_ptr<Mask[]> infinite_;
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
