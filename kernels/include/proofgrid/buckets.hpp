// The buckets of one window: sum over i of digit_i * base_i, by a counting sort of the points, a tree of additions inside
// each bucket and a running sum over the buckets.
//
// The tree adds neighbours pairwise, all buckets beside each other, a few thousand additions to one inversion
// (batch_add.hpp). So a heavy bucket costs no more per point than a light one, and equal, opposite and infinite points
// are handled where they meet. Cost: 6.3 mul a point, 24 mul a bucket.
#pragma once

#include <algorithm>
#include <vector>

#include "proofgrid/batch_add.hpp"
#include "proofgrid/digits.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

namespace msm_detail {

inline constexpr size_t group_bytes = size_t{1} << 19;  // a group of points and its products fit a second-level cache

// A point's place in the chunk and the sign it enters with.
using Entry = std::uint32_t;
constexpr Entry make_entry(size_t index, bool negative) { return static_cast<Entry>(index << 1 | negative); }

// Points in Montgomery form at any alignment: the caller's memory or a converted copy.
template <class F>
struct Bases {
  const std::byte* data;

  const std::byte* at(Entry e) const { return data + size_t{e >> 1} * Affine<F>::bytes; }
  void prefetch(Entry e) const {
    for (size_t offset = 0; offset < Affine<F>::bytes; offset += 64) __builtin_prefetch(at(e) + offset);
    __builtin_prefetch(at(e) + Affine<F>::bytes - 1);
  }
  Affine<F> point(Entry e) const {
    Affine<F> p = Affine<F>::load_mont(at(e));
    if (e & 1) p.y = -p.y;
    return p;
  }
};

// A run of points of one bucket inside a group: `count` of them from `start` on, where their sum grows.
struct Segment {
  std::uint32_t bucket, start, count;
};

// One worker's memory; reused from task to task.
template <class F>
class Workspace {
 public:
  Workspace() : adder_(group_size / 2), points_(new Affine<F>[group_size]) {}

  // The sum over i of digit_i * base_i, for `count` digits, |digit| <= buckets. place(i) is the base's index.
  template <class Place>
  Xyzz<F> sum(const Bases<F>& bases, const Digit* digits, const Place& place, size_t count, size_t buckets,
              const Progress& progress) {
    sort(digits, place, count, buckets);
    buckets_.assign(buckets + 1, Affine<F>::infinity());
    for (size_t done = 0; done < entries_.size();) {
      progress.check();
      done = reduce_group(bases, done);
    }
    return running_sum(buckets);
  }

 private:
  static constexpr size_t group_size = group_bytes / sizeof(Affine<F>);

  // Counting sort: entries_ by bucket, ends_[b] the end of bucket b. Zero digits vanish.
  template <class Place>
  void sort(const Digit* digits, const Place& place, size_t count, size_t buckets) {
    ends_.assign(buckets + 2, 0);
    for (size_t i = 0; i < count; ++i) ++ends_[magnitude(digits[i]) + 1];
    ends_[1] = 0;  // zeros
    for (size_t b = 1; b < ends_.size(); ++b) ends_[b] += ends_[b - 1];
    entries_.resize(ends_.back());
    for (size_t i = 0; i < count; ++i) {
      const Digit digit = digits[i];
      if (digit) entries_[ends_[magnitude(digit)]++] = make_entry(place(i), digit < 0);
    }
    bucket_ = 1;
  }

  static size_t magnitude(Digit digit) { return static_cast<size_t>(digit < 0 ? -static_cast<int>(digit) : digit); }

  // Adds up the entries from `begin` on, as many as a group holds, into their buckets; returns the end.
  size_t reduce_group(const Bases<F>& bases, size_t begin) {
    const size_t end = std::min(begin + group_size, entries_.size());
    gather(bases, begin, end);
    segments_.clear();
    for (size_t i = begin; i < end;) {
      while (ends_[bucket_] <= i) ++bucket_;
      const size_t stop = std::min<size_t>(ends_[bucket_], end);
      segments_.push_back({static_cast<std::uint32_t>(bucket_), static_cast<std::uint32_t>(i - begin),
                           static_cast<std::uint32_t>(stop - i)});
      i = stop;
    }
    for (std::uint32_t step = 1; next_round(step); step *= 2) {
      adder_.add(Neighbours{pairs_.data(), points_.get()}, pairs_.size());
    }
    for (const Segment& segment : segments_) {
      Affine<F>& bucket = buckets_[segment.bucket];
      bucket = bucket.is_infinity() ? points_[segment.start] : sum_of(bucket, points_[segment.start]);
    }
    return end;
  }

  // The entries' points, with their signs, into points_. They lie anywhere in the bases: fetched well ahead.
  void gather(const Bases<F>& bases, size_t begin, size_t end) {
    constexpr size_t ahead = 24;
    for (size_t i = begin; i < end; ++i) {
      bases.prefetch(entries_[std::min(i + ahead, end - 1)]);
      points_[i - begin] = bases.point(entries_[i]);
    }
  }

  // Pairs of partial sums that lie `step` apart; false if every segment has one sum left.
  bool next_round(std::uint32_t step) {
    pairs_.clear();
    for (const Segment& segment : segments_) {
      const std::uint32_t end = segment.start + segment.count;
      for (std::uint32_t i = segment.start; i + step < end; i += 2 * step) pairs_.push_back({i, i + step});
    }
    return !pairs_.empty();
  }

  // A bucket that spans groups meets its own partial sum: rare, one inversion.
  static Affine<F> sum_of(const Affine<F>& a, const Affine<F>& b) { return (Xyzz<F>::from(a) + b).to_affine(); }

  // sum of b * bucket_b = sum over b of (bucket_b + bucket_(b+1) + ...). 24 mul a bucket.
  Xyzz<F> running_sum(size_t buckets) const {
    Xyzz<F> above = Xyzz<F>::infinity(), total = Xyzz<F>::infinity();
    for (size_t b = buckets; b > 0; --b) {
      above += buckets_[b];
      total += above;
    }
    return total;
  }

  // Places of two partial sums; their sum replaces the first.
  struct Pair {
    std::uint32_t first, second;
  };
  struct Neighbours {
    const Pair* pairs;
    Affine<F>* points;
    const F& left_x(size_t i) const { return points[pairs[i].first].x; }
    const F& right_x(size_t i) const { return points[pairs[i].second].x; }
    const Affine<F>& left(size_t i) const { return points[pairs[i].first]; }
    const Affine<F>& right(size_t i) const { return points[pairs[i].second]; }
    void write(size_t i, const Affine<F>& p) const { points[pairs[i].first] = p; }
  };

  BatchAdder<F> adder_;
  std::unique_ptr<Affine<F>[]> points_;
  std::vector<Affine<F>> buckets_;
  std::vector<std::uint32_t> ends_;
  std::vector<Entry> entries_;
  std::vector<Segment> segments_;
  std::vector<Pair> pairs_;
  size_t bucket_ = 1;
};

}  // namespace msm_detail

}  // namespace proofgrid
