// Multi-scalar multiplication: Pippenger's bucket method (Bernstein, Doumen, Lange, Oosterwijk, eprint 2012/549) with
// signed digits and affine buckets.
//
//   classify  each scalar is checked and sorted into zero (dropped), small (at most 2^7: one digit) and dense; witnesses
//             are mostly zeros, ones and bytes
//   tasks     one per window of the dense scalars, and a few for the small ones; threads take them in turn
//   task      a counting sort of the points by digit, a tree of additions inside each bucket, a running sum over buckets
//
// The tree adds neighbours pairwise, all buckets beside each other, a few thousand additions to one inversion
// (batch_add.hpp). So a heavy bucket costs no more per point than a light one, and equal, opposite and infinite points
// are handled where they meet.
//
// Cost for n dense scalars of b bits: (b / c + 1) * (n * 6.3 + 2^(c-1) * 24) mul of the coordinate field.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "proofgrid/batch_add.hpp"
#include "proofgrid/digits.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

namespace msm_detail {

inline constexpr size_t chunk_size = size_t{1} << 20;  // points per pass: bounds the digits to 34 MB
inline constexpr unsigned small_bits = 7;
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

// The cheapest window for n dense scalars, in mul: see the cost at the top. `threads` share the windows evenly at best.
inline unsigned choose_window(size_t n, unsigned bits, unsigned threads) {
  unsigned best = 2;
  double least = 0;
  for (unsigned window = 2; window <= max_window; ++window) {
    const unsigned windows = window_count(bits, window), rounds = (windows + threads - 1) / threads;
    const double cost = rounds * (6.3 * static_cast<double>(n) + 24.0 * static_cast<double>(1u << (window - 1)));
    if (window == 2 || cost < least) best = window, least = cost;
  }
  return best;
}

// One pass over at most chunk_size points.
template <class G>
class Chunk {
 public:
  using F = typename G::Coordinate;
  using S = typename G::Scalar;

  Chunk(Run& run, std::vector<std::optional<Workspace<F>>>& workspaces) : run_(run), workspaces_(workspaces) {}

  Xyzz<F> sum(const std::byte* bases, const std::byte* scalars, size_t n, size_t offset, bool bases_mont,
              unsigned window) {
    n_ = n, offset_ = offset;
    classify(bases, scalars, bases_mont);
    if (window == 0) window = choose_window(dense_.size(), S::Params::bits, run_.team.size());
    return add_windows({converted_.empty() ? bases : reinterpret_cast<const std::byte*>(converted_.data())}, scalars,
                       window);
  }

 private:
  static constexpr size_t limbs = S::limbs;

  struct Range {
    std::vector<std::uint32_t> dense, small;
    std::vector<Digit> small_digits;
    size_t bad_base = ~size_t{0}, bad_scalar = ~size_t{0};
  };

  void classify(const std::byte* bases, const std::byte* scalars, bool bases_mont) {
    const size_t parts = std::clamp<size_t>(n_ / 4096, 1, size_t{4} * run_.team.size());
    std::vector<Range> ranges(parts);
    converted_.resize(bases_mont ? 0 : n_);
    run_.team.run(parts, [&](size_t part, unsigned) {
      for (size_t i = n_ * part / parts; i < n_ * (part + 1) / parts; ++i) {
        check_base(bases + i * Affine<F>::bytes, i, bases_mont, ranges[part]);
        classify_scalar(scalars + i * S::bytes, i, ranges[part]);
      }
    });
    for (const Range& range : ranges) {
      refuse(range.bad_base, "bases: point ", " has a coordinate that is not below the modulus");
      refuse(range.bad_scalar, "scalars: element ", " is not below the group's order");
      dense_.insert(dense_.end(), range.dense.begin(), range.dense.end());
      small_.insert(small_.end(), range.small.begin(), range.small.end());
      small_digits_.insert(small_digits_.end(), range.small_digits.begin(), range.small_digits.end());
    }
  }

  void check_base(const std::byte* base, size_t i, bool mont, Range& range) {
    uint64_t words[Affine<F>::words];
    std::memcpy(words, base, sizeof words);
    if (!Affine<F>::is_canonical(words)) return static_cast<void>(range.bad_base = std::min(range.bad_base, i));
    if (!mont) converted_[i] = Affine<F>::from_canonical(words);
  }

  static void classify_scalar(const std::byte* scalar, size_t i, Range& range) {
    constexpr uint64_t bound = uint64_t{1} << small_bits;
    uint64_t words[limbs], high = 0;
    std::memcpy(words, scalar, sizeof words);
    for (size_t j = 1; j < limbs; ++j) high |= words[j];
    if (high == 0 && words[0] <= bound) {
      if (words[0] == 0) return;
      range.small.push_back(static_cast<std::uint32_t>(i));
      range.small_digits.push_back(static_cast<Digit>(words[0]));
    } else if (S::is_canonical(words)) {
      range.dense.push_back(static_cast<std::uint32_t>(i));
    } else {
      range.bad_scalar = std::min(range.bad_scalar, i);
    }
  }

  void refuse(size_t index, const char* before, const char* after) const {
    if (index != ~size_t{0}) throw MalformedInput(before + std::to_string(offset_ + index) + after);
  }

  Xyzz<F> add_windows(const Bases<F>& bases, const std::byte* scalars, unsigned window) {
    const unsigned windows = dense_.empty() ? 0 : window_count(S::Params::bits, window);
    digits_.resize(windows * dense_.size());
    run_.team.split(windows ? dense_.size() : 0, 4096, [&](size_t begin, size_t end, unsigned) {
      for (size_t i = begin; i < end; ++i) {
        uint64_t words[limbs];  // checked once; read again, a racing writer can spoil the sum but not the digits' range
        std::memcpy(words, scalars + size_t{dense_[i]} * S::bytes, sizeof words);
        recode<limbs>(words, S::Params::bits, window, digits_.data() + i, dense_.size());
      }
    });
    // A window is split when there are more threads than windows; the small scalars are split evenly.
    const size_t parts = windows ? std::max<size_t>(1, run_.team.size() / windows) : 0;
    const size_t small_parts = std::clamp<size_t>(small_.size() / 1024, small_.empty() ? 0 : 1, run_.team.size());
    std::vector<Xyzz<F>> sums(windows * parts + small_parts);
    run_.progress.expect(sums.size());
    run_.team.run(sums.size(), [&](size_t task, unsigned worker) {
      run_.progress.check();
      sums[task] = task < windows * parts
                       ? dense_task(bases, task / parts, task % parts, parts, window, workspace(worker))
                       : small_task(bases, task - windows * parts, small_parts, workspace(worker));
      run_.progress.step();
    });
    Xyzz<F> total = Xyzz<F>::infinity();
    for (size_t w = windows; w-- > 0;) {
      for (unsigned i = 0; i < window; ++i) total = total.dbl();
      for (size_t part = 0; part < parts; ++part) total += sums[w * parts + part];
    }
    for (size_t task = windows * parts; task < sums.size(); ++task) total += sums[task];
    return total;
  }

  Xyzz<F> dense_task(const Bases<F>& bases, size_t w, size_t part, size_t parts, unsigned window, Workspace<F>& work) {
    const size_t n = dense_.size(), begin = n * part / parts, end = n * (part + 1) / parts;
    return work.sum(bases, digits_.data() + w * n + begin, [&](size_t i) { return dense_[begin + i]; }, end - begin,
                    size_t{1} << (window - 1), run_.progress);
  }

  Xyzz<F> small_task(const Bases<F>& bases, size_t part, size_t parts, Workspace<F>& work) {
    const size_t n = small_.size(), begin = n * part / parts, end = n * (part + 1) / parts;
    return work.sum(bases, small_digits_.data() + begin, [&](size_t i) { return small_[begin + i]; }, end - begin,
                    size_t{1} << small_bits, run_.progress);
  }

  Workspace<F>& workspace(unsigned worker) {
    if (!workspaces_[worker]) workspaces_[worker].emplace();
    return *workspaces_[worker];
  }

  Run& run_;
  std::vector<std::optional<Workspace<F>>>& workspaces_;
  size_t n_ = 0, offset_ = 0;
  std::vector<Affine<F>> converted_;
  std::vector<std::uint32_t> dense_, small_;
  std::vector<Digit> small_digits_, digits_;
};

}  // namespace msm_detail

// sum of scalars[i] * bases[i]; both at any alignment, scalars canonical, bases canonical or (bases_mont) Montgomery.
// Throws MalformedInput for a scalar >= r or a coordinate >= q. `window` 0 lets the cost model choose.
template <class G>
Affine<typename G::Coordinate> msm(const std::byte* bases, const std::byte* scalars, size_t n, bool bases_mont,
                                   unsigned window, Run& run) {
  using F = typename G::Coordinate;
  std::vector<std::optional<msm_detail::Workspace<F>>> workspaces(run.team.size());
  Xyzz<F> total = Xyzz<F>::infinity();
  for (size_t begin = 0; begin < n; begin += msm_detail::chunk_size) {
    run.progress.check();
    msm_detail::Chunk<G> chunk(run, workspaces);
    total += chunk.sum(bases + begin * Affine<F>::bytes, scalars + begin * G::Scalar::bytes,
                       std::min(msm_detail::chunk_size, n - begin), begin, bases_mont, window);
  }
  return total.to_affine();
}

}  // namespace proofgrid
