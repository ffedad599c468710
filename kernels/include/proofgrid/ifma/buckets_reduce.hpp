// sum over b of (b + 1) * bucket_b, for several rows of buckets at once, in batches of affine additions.
//
// A row of B = m K buckets is read as m steps of K lanes: bucket i K + j is step i of lane j. Running sums from the
// last step down give each lane run_j = sum of its buckets and total_j = sum of i times them, so the row's value is
//
//   sum over j of (j + 1) run_j  +  K * sum over j of total_j:
//
// a row of K weighted points and one of K plain ones, which the next level reads the same way, until rows have 8. A
// level's rows and both additions of a step are one batch. Cost: 2 additions a bucket, and about a third more on small
// rows.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "proofgrid/curve.hpp"
#include "proofgrid/ifma/buckets.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

template <class P>
Fp<P> scalar_coordinate(const Lanes<P>&);
template <class P>
Fp2<P> scalar_coordinate(const Lanes2<P>&);
template <class F>
using ScalarOf = decltype(scalar_coordinate(std::declval<F>()));  // the type of one element of F

// Eight records as single elements; lanes that are not in the mask are infinity.
template <class F>
void load_points(const RecordRows& rows, Mask mask, Affine<ScalarOf<F>> (&points)[lanes]) {
  std::byte records[lanes][Records<F>::bytes] = {};
  std::byte* target[lanes];
  for (size_t i = 0; i < lanes; ++i) target[i] = records[i];
  const PointLanes<F> p = Records<F>::point(rows);
  const auto leave = [](const F& c) { return F::leave_mont(c).template canonical<F::product>(); };
  Records<F>::store(target, mask, {leave(p.x), leave(p.y)});
  for (size_t i = 0; i < lanes; ++i) points[i] = Affine<ScalarOf<F>>::load_mont(records[i]);
}

template <class F>
class BucketReducer {
 public:
  // values[w] = sum over b of (b + 1) * bucket w * buckets + b. `buckets` is a power of two from 8 on.
  void reduce(const RecordArray<F>& source, size_t windows, size_t buckets, Xyzz<ScalarOf<F>>* values) {
    windows_ = windows, rows_ = windows;
    weights_.clear();
    const RecordArray<F>* from = &source;
    for (size_t level = 0; buckets > lanes; ++level) {
      const size_t width = choose_width(buckets);
      RecordArray<F>& to = levels_[level % 2];
      add_level(*from, buckets, width, to);
      weights_.push_back(width);
      rows_ += windows_, buckets = width, from = &to;
    }
    for (size_t w = 0; w < windows; ++w) values[w] = value(*from, w);
  }

 private:
  static constexpr size_t batch = 2048 * 64 / Records<F>::bytes;  // sums, near enough

  // Lanes of a row: as many as fill a batch, but at least four steps, since each level costs its own.
  size_t choose_width(size_t buckets) const {
    size_t width = lanes;
    while (2 * width * (rows_ + windows_) <= batch && 4 * width < buckets) width *= 2;
    return width;
  }

  // Vectors [0, runs) are the lanes' running sums, of all rows; [runs, runs + totals) the totals of the first rows.
  struct Step {
    static constexpr unsigned magnitude = PointSums<F>::magnitude;
    static constexpr bool has_signs = false;
    const RecordArray<F>& from;
    const PointSums<F>& sums;
    size_t buckets, width, runs, totals, first;  // buckets `first` to first + width of each row

    PROOFGRID_INLINE size_t place(size_t v) const {
      const size_t vectors = width / lanes;
      return v / vectors * buckets + first + v % vectors * lanes;
    }
    PROOFGRID_INLINE void rows(RecordRows& rows, size_t v) const {
      const std::byte* record = from.data() + place(v) * Records<F>::bytes;
#pragma GCC unroll 8
      for (size_t i = 0; i < lanes; ++i) rows[i] = record + i * Records<F>::bytes;
    }
    PROOFGRID_INLINE Mask active(size_t v) const {
      if (v < runs) return from.occupied[place(v) / lanes];
      return v < runs + totals ? static_cast<Mask>(~sums.empty(v - runs)) : Mask{0};
    }
    PROOFGRID_INLINE Mask negative(size_t) const { return 0; }
    PROOFGRID_INLINE F x(size_t v) const { return point(v).x; }
    PROOFGRID_INLINE F y(size_t v) const { return point(v).y; }
    PROOFGRID_INLINE PointLanes<F> point(size_t v) const {
      if (v >= runs) return sums.sum(v - runs);
      RecordRows r;
      rows(r, v);
      return Records<F>::point(r);
    }
    PROOFGRID_INLINE void fetch(size_t) const {}
  };

  void add_level(const RecordArray<F>& from, size_t buckets, size_t width, RecordArray<F>& to) {
    const size_t vectors = width / lanes, runs = rows_ * vectors, totals = windows_ * vectors;
    if (!sums_ || sums_->capacity() < runs + totals) sums_.emplace(runs + totals);
    PointSums<F>& sums = *sums_;
    Step step{from, sums, buckets, width, runs, 0, buckets - width};
    for (size_t v = 0; v < runs; ++v) {
      sums.empty(v) = static_cast<Mask>(~step.active(v));
      sums.sum(v) = step.point(v);
    }
    for (size_t v = 0; v < totals; ++v) sums.sum(runs + v) = sums.sum(v), sums.empty(runs + v) = sums.empty(v);
    for (size_t v = runs + totals; v < sums.capacity(); ++v) sums.empty(v) = 0;
    while (step.first > 0) {
      step.first -= width;
      sums.add(runs + step.totals, step);
      step.totals = totals;  // the first time, the totals were copies of the runs
    }
    to.assign((rows_ + windows_) * width);
    constexpr unsigned m = PointSums<F>::magnitude;
    for (size_t v = 0; v < runs + totals; ++v) {
      std::byte* rows[lanes];
      for (size_t i = 0; i < lanes; ++i) rows[i] = to.data() + (lanes * v + i) * Records<F>::bytes;
      to.occupied[v] = static_cast<Mask>(~sums.empty(v));
      const PointLanes<F>& p = sums.sum(v);
      Records<F>::store(rows, to.occupied[v], {p.x.template canonical<m>(), p.y.template canonical<m>()});
    }
  }

  // Window w's value, from rows of eight.
  Xyzz<ScalarOf<F>> value(const RecordArray<F>& from, size_t w) const {
    using Sum = Xyzz<ScalarOf<F>>;
    Sum total = Sum::infinity();
    for (size_t level = weights_.size(); level-- > 0;) {
      Sum plain = Sum::infinity();
      Affine<ScalarOf<F>> points[lanes];
      load(from, (level + 1) * windows_ + w, points);
      for (const auto& p : points) plain += p;
      for (size_t k = 1; k < weights_[level]; k *= 2) plain = plain.dbl();
      total += plain;
    }
    Affine<ScalarOf<F>> points[lanes];
    load(from, w, points);
    Sum above = Sum::infinity();
    for (size_t i = lanes; i-- > 0;) {
      above += points[i];
      total += above;
    }
    return total;
  }

  // Row `row` of eight records as single elements.
  static void load(const RecordArray<F>& from, size_t row, Affine<ScalarOf<F>> (&points)[lanes]) {
    RecordRows rows;
    for (size_t i = 0; i < lanes; ++i) rows[i] = from.data() + (lanes * row + i) * Records<F>::bytes;
    load_points<F>(rows, from.occupied[row], points);
  }

  size_t windows_ = 0, rows_ = 0;
  std::vector<size_t> weights_;
  RecordArray<F> levels_[2];
  std::optional<PointSums<F>> sums_;
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
