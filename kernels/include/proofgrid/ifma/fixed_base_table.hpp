// Sums of a table's rows, and the table of one point's multiples that fixed_base.hpp adds up.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "proofgrid/batch_add.hpp"
#include "proofgrid/ifma/digits.hpp"
#include "proofgrid/ifma/points_add.hpp"
#include "proofgrid/ifma/points_prepared.hpp"
#include "proofgrid/run.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

namespace fixed_base_detail {

inline constexpr size_t batch = 2048;  // sums that share an inversion

// The multiples of one point: record d holds d times it. Record 0 is infinity, all zeros; `regular` says that no other
// one is.
struct Multiples {
  const std::byte* records;
  bool regular;
};

// One batch of PointSums: to sum i the multiple that digits[i] names, with its sign. Meanwhile it fetches what the next
// batch reads, if there is one.
template <class F>
struct Step {
  static constexpr unsigned magnitude = 1;
  static constexpr bool has_signs = true;
  Multiples multiples;
  const Digit* digits;
  Multiples next = {};
  const Digit* next_digits = nullptr;

  PROOFGRID_INLINE static __m128i load(const Digit* digits, size_t v) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(digits + lanes * v));
  }
  PROOFGRID_INLINE static void locate(RecordRows& rows, const Multiples& multiples, const Digit* digits, size_t v) {
    alignas(16) std::uint16_t place[lanes];
    _mm_store_si128(reinterpret_cast<__m128i*>(place), _mm_abs_epi16(load(digits, v)));
#pragma GCC unroll 8
    for (size_t i = 0; i < lanes; ++i) rows[i] = multiples.records + size_t{place[i]} * Records<F>::bytes;
  }

  PROOFGRID_INLINE Mask active(size_t v) const {
    const __m128i digit = load(digits, v);
    const Mask some = _mm_test_epi16_mask(digit, digit);
    if (multiples.regular) [[likely]] return some;
    const PointLanes<F> p = point(v);
    return some & static_cast<Mask>(~(p.x.is_all_zero() & p.y.is_all_zero()));
  }
  PROOFGRID_INLINE Mask negative(size_t v) const { return _mm_movepi16_mask(load(digits, v)); }
  PROOFGRID_INLINE F x(size_t v) const {
    RecordRows rows;
    locate(rows, multiples, digits, v);
    return Records<F>::x(rows);
  }
  PROOFGRID_INLINE F y(size_t v) const {
    RecordRows rows;
    locate(rows, multiples, digits, v);
    return Records<F>::y(rows);
  }
  PROOFGRID_INLINE PointLanes<F> point(size_t v) const {
    RecordRows rows;
    locate(rows, multiples, digits, v);
    return Records<F>::point(rows);
  }
  PROOFGRID_INLINE void fetch(size_t v) const {
    if (!next_digits) return;
    RecordRows rows;
    locate(rows, next, next_digits, v);
#pragma GCC unroll 8
    for (size_t i = 0; i < lanes; ++i) Records<F>::prefetch(rows[i]);
  }
};

// Sums of digits' multiples. Digits come in whole batches of PointSums: zeros beyond the last sum.
template <class F>
class DigitSums {
 public:
  static constexpr size_t padded(size_t count) {
    constexpr size_t together = lanes * PointSums<F>::chains;
    return (count + together - 1) / together * together;
  }

  explicit DigitSums(size_t most) : sums_(padded(most) / lanes) {}

  // The sums of the first `count` digits of each list, which begin `stride` apart: multiples(w) for list w.
  template <class Lists>
  void sum(const Lists& multiples, unsigned lists, const Digit* digits, size_t stride, size_t count) {
    const size_t vectors = padded(count) / lanes;
    for (unsigned w = 0; w < lists; ++w, digits += stride) {
      Step<F> step{multiples(w), digits};
      if (w + 1 < lists) step.next = multiples(w + 1), step.next_digits = digits + stride;
      if (w == 0) {
        start(step, vectors);
      } else if (std::any_of(digits, digits + count, [](Digit digit) { return digit != 0; })) {
        sums_.add(vectors, step);
      }
    }
  }

  // Canonical records of vector v's first `count` sums after `map`, whose values have magnitude m at most; infinity is
  // all zeros.
  template <unsigned m, class Map>
  void store(size_t v, size_t count, std::byte* const (&rows)[lanes], const Map& map) const {
    const auto form = [&](const F& c) {
      return F::blend(sums_.empty(v), map(c).template canonical<m>(), F::zero());
    };
    const PointLanes<F>& sum = sums_.sum(v);
    Records<F>::store(rows, static_cast<Mask>((1u << count) - 1), {form(sum.x), form(sum.y)});
  }

  Mask infinite(size_t v) const { return sums_.empty(v); }

 private:
  void start(const Step<F>& step, size_t vectors) {
    const Step<F> before{{}, nullptr, step.multiples, step.digits};
    for (size_t v = 0; v < vectors; ++v) before.fetch(v);
    for (size_t v = 0; v < vectors; ++v) {
      const PointLanes<F> p = step.point(v);
      sums_.sum(v) = {p.x, F::blend(step.negative(v), p.y, p.y.template negate<1>())};
      sums_.empty(v) = static_cast<Mask>(~step.active(v));
      step.fetch(v);
    }
  }

  PointSums<F> sums_;
};

// multiples(w) are those of 2^(window * w) * base, up to 2^(window-1) times.
template <class G>
class Table {
 public:
  using F = LanesOf<typename G::Coordinate>;
  using Point = Affine<typename G::Coordinate>;
  const unsigned window, windows;

  // Each multiple is low + high for two short lists of a window's, made one point at a time: 2^(window/2 + 1) of them.
  Table(const Point& base, unsigned bits, unsigned c, Run& run)
      : window(c), windows(window_count(bits, c)), low_bits_(c / 2), length_((size_t{1} << (c - c / 2)) + 1),
        row_count_((size_t{1} << (c - 1)) + 1), irregular_(windows, 0) {
    const RecordArray<F> lists = short_lists(base, run);
    records_.assign(windows * row_count_);
    const size_t parts = (row_count_ + batch - 1) / batch;
    run.team.run(windows * parts, [&](size_t task, unsigned) {
      run.progress.check();
      const size_t w = task / parts, begin = task % parts * batch;
      fill(w, begin, std::min(batch, row_count_ - begin), lists.data() + 2 * w * length_ * Records<F>::bytes);
    });
  }

  Multiples multiples(unsigned w) const {
    return {records_.data() + w * row_count_ * Records<F>::bytes, !irregular_[w]};
  }

 private:
  // For each window two lists of length_ records: the multiples of its power of the base, and of 2^low_bits_ times it.
  RecordArray<F> short_lists(const Point& base, Run& run) const {
    std::vector<Point> points(2 * windows * length_, Point::infinity());
    auto power = Xyzz<typename G::Coordinate>::from(base);
    for (unsigned bit = 0; bit < windows * window; ++bit) {
      const unsigned w = bit / window;
      if (bit % window == 0) points[2 * w * length_ + 1] = power.to_affine();
      if (bit % window == low_bits_) points[(2 * w + 1) * length_ + 1] = power.to_affine();
      power = power.dbl();
    }
    run.team.run(2 * windows, [&](size_t list, unsigned) {
      run.progress.check();
      Point* const multiples = points.data() + list * length_;
      BatchAdder<typename G::Coordinate> adder(length_);
      for (size_t done = 1; done < length_ - 1; done *= 2) {
        const std::vector<Point> top(done, multiples[done]);
        adder.add(ArrayPairs<typename G::Coordinate>{top.data(), multiples + 1, multiples + done + 1}, done);
      }
    });
    RecordArray<F> records;
    records.assign(points.size());
    std::vector<uint64_t> infinite((points.size() + 63) / 64);
    write_records<G>(reinterpret_cast<const std::byte*>(points.data()), points.size(), true, records.data(),
                     infinite.data(), run);
    return records;
  }

  // Multiples [begin, begin + count) of window w from its two lists.
  void fill(size_t w, size_t begin, size_t count, const std::byte* lists) {
    DigitSums<F> sums(count);
    const size_t stride = sums.padded(count);
    std::vector<Digit> digits(2 * stride, 0);
    for (size_t i = 0; i < count; ++i) {
      digits[i] = static_cast<Digit>((begin + i) & ((size_t{1} << low_bits_) - 1));
      digits[stride + i] = static_cast<Digit>((begin + i) >> low_bits_);
    }
    const auto list = [&](unsigned l) { return Multiples{lists + l * length_ * Records<F>::bytes, false}; };
    sums.sum(list, 2, digits.data(), stride, count);
    for (size_t first = 0; first < count; first += lanes) {
      const size_t here = std::min(lanes, count - first);
      std::byte* rows[lanes] = {};
      for (size_t k = 0; k < here; ++k) {
        rows[k] = records_.data() + (w * row_count_ + begin + first + k) * Records<F>::bytes;
      }
      const auto as_it_is = [](const F& c) { return c; };
      sums.template store<PointSums<F>::magnitude>(first / lanes, here, rows, as_it_is);
      const unsigned others = ((1u << here) - 1) & ~(begin + first == 0 ? 1u : 0u);
      if (sums.infinite(first / lanes) & others) std::atomic_ref(irregular_[w]).store(1);
    }
  }

  unsigned low_bits_;
  size_t length_, row_count_;
  RecordArray<F> records_;
  std::vector<std::uint8_t> irregular_;  // windows with infinity among their multiples, the zeroth apart
};

}  // namespace fixed_base_detail

}  // namespace proofgrid
PROOFGRID_IFMA_END
