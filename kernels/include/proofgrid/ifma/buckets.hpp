// The sums of many lists of points: bucket b's list holds the entries of the points whose digit is b.
//
//   lists    a list longer than a limit is split, so that a bucket that holds everything is many; the longest first
//   groups   of lists whose sums stay in the second-level cache, one list to a lane
//   steps    step k adds the k-th point of every list that is so long and fetches those of step k + 1
//   levels   the sums of a split list's parts are a list again
//
// So every addition is one of a batch of hundreds, whatever the lists' lengths. Cost: 590 vpmadd52 (BN254's G1) for
// eight points, less the first of each list, and an inversion for each step of a group.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "proofgrid/ifma/huge_pages.hpp"
#include "proofgrid/ifma/points_add.hpp"
#include "proofgrid/run.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// A record's place and the sign it enters with, as in the scalar layers' buckets.hpp.
using Entry = std::uint32_t;

inline constexpr size_t list_limit = 128;  // the longest list; as many entries of place 0 follow the last one, see lay_out

namespace buckets_detail {

template <class F>
struct EntryRows {
  const std::byte* records;

  PROOFGRID_INLINE const std::byte* row(Entry e) const { return records + size_t{e >> 1} * Records<F>::bytes; }
  PROOFGRID_INLINE void rows(RecordRows& rows, const Entry* entries) const {
#pragma GCC unroll 8
    for (size_t i = 0; i < lanes; ++i) rows[i] = row(entries[i]);
  }
  PROOFGRID_INLINE static Mask negative(const Entry* entries) {
    const __m256i e = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(entries));
    return _mm256_test_epi32_mask(e, _mm256_set1_epi32(1));
  }
};

PROOFGRID_INLINE Mask mask_below(size_t v, size_t count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i place = _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(lanes * v)), lane);
  return _mm256_cmplt_epu32_mask(place, _mm256_set1_epi32(static_cast<int>(count)));
}

}  // namespace buckets_detail

// Where sums go: records, and one bit each that says whether there is a point.
template <class F>
struct RecordArray {
  std::vector<Line, HugePages<Line>> memory;
  std::vector<Mask> occupied;

  void assign(size_t n) {
    memory.resize((n * Records<F>::bytes + sizeof(Line) - 1) / sizeof(Line), Line{});
    occupied.assign((n + lanes - 1) / lanes, 0);
  }
  std::byte* data() { return reinterpret_cast<std::byte*>(memory.data()); }
  const std::byte* data() const { return reinterpret_cast<const std::byte*>(memory.data()); }
  bool has(size_t i) const { return occupied[i / lanes] >> (i % lanes) & 1; }
};

template <class F>
class BucketSums {
 public:
  BucketSums() : sums_(group / lanes), rows_(new Row[2 * turn]) {}

  // out's records from `first` on become the sums of the entries[begins[b] .. begins[b + 1]) of b in [0, buckets).
  void sum(const std::byte* records, const Entry* entries, const std::uint32_t* begins, size_t buckets,
           RecordArray<F>& out, size_t first, const Progress& progress) {
    out_ = &out;
    lists_.clear();
    for (size_t b = 0; b < buckets; ++b) {
      if (begins[b + 1] != begins[b]) {
        lists_.push_back({begins[b], begins[b + 1] - begins[b], static_cast<std::uint32_t>(first + b)});
      }
    }
    for (size_t level = 0; !lists_.empty(); ++level) {
      RecordArray<F>& parts = parts_[level % 2];
      split(parts);
      add_lists(records, entries, parts, progress);
      collect(parts);
      records = parts.data(), entries = part_entries_.data();
    }
  }

 private:
  // Lists of a group: a power of two, so that a window's are whole groups, and an eighth more for the parts of split
  // lists.
  static constexpr size_t group = (Records<F>::bytes <= 64 ? 2048 : Records<F>::bytes <= 128 ? 1024 : 512) * 9 / 8;
  static constexpr size_t turn = 8;  // steps whose entries are laid out in rows at once
  static constexpr std::uint32_t is_part = std::uint32_t{1} << 31;

  struct List {
    std::uint32_t start, length, target;  // the target is a record of out_, or with is_part one of a part
  };
  struct Split {
    std::uint32_t first, count, target;
  };

  // The most points of one list: beyond it lists are too few to fill the lanes, or the last steps' batches too small.
  // (Random digits give lists of about the mean plus or minus its root.)
  static std::uint32_t limit(size_t points, size_t lists) {
    const double mean = static_cast<double>(points) / static_cast<double>(lists);
    const auto usual = static_cast<size_t>(mean + 2.2 * std::sqrt(mean) + 2);
    return static_cast<std::uint32_t>(std::clamp<size_t>(std::min(usual, points / 1024), 4, list_limit));
  }

  // lists_ with the long ones in parts, the longest first, into order_; longer_[k] = how many are longer than k.
  void split(RecordArray<F>& parts) {
    size_t points = 0;
    for (const List& list : lists_) points += list.length;
    const std::uint32_t most = limit(points, lists_.size());
    splits_.clear();
    std::uint32_t part = 0;
    const size_t whole = lists_.size();
    for (size_t i = 0; i < whole; ++i) {
      const List list = lists_[i];
      if (list.length <= most) continue;
      const std::uint32_t count = (list.length + most - 1) / most;
      splits_.push_back({part, count, list.target});
      for (std::uint32_t j = 0; j < count; ++j) {
        const auto begin = static_cast<std::uint32_t>(std::uint64_t{list.length} * j / count);
        const auto end = static_cast<std::uint32_t>(std::uint64_t{list.length} * (j + 1) / count);
        const List piece{list.start + begin, end - begin, is_part | part++};
        if (j == 0) {
          lists_[i] = piece;
        } else {
          lists_.push_back(piece);
        }
      }
    }
    parts.assign(part);
    longer_.assign(most + 1, 0);
    for (const List& list : lists_) ++longer_[list.length - 1];
    for (size_t k = most; k-- > 0;) longer_[k] += longer_[k + 1];
    std::vector<std::uint32_t>& place = places_;
    place.assign(longer_.begin(), longer_.end());  // lists of length l begin where the longer ones end
    starts_.assign(lists_.size() + lanes, 0);
    targets_.resize(lists_.size() + lanes);
    for (const List& list : lists_) {
      const std::uint32_t rank = place[list.length]++;
      starts_[rank] = list.start, targets_[rank] = list.target;
    }
  }

  void add_lists(const std::byte* records, const Entry* entries, RecordArray<F>& parts, const Progress& progress) {
    const size_t n = lists_.size(), groups = (n + group - 1) / group;
    const size_t each = ((n + groups - 1) / groups + lanes - 1) / lanes * lanes;
    for (size_t first = 0; first < n; first += each) {
      progress.check();
      add_group(records, entries, first, std::min(each, n - first));
      store_group(parts, first, std::min(each, n - first));
    }
  }

  struct Row {  // one entry of each list of a group
    alignas(64) Entry entries[group];
  };

  // One step's points, and the next step's entries.
  struct Step {
    static constexpr unsigned magnitude = 1;
    static constexpr bool has_signs = true;
    buckets_detail::EntryRows<F> rows_of;
    const Entry *current, *next;
    size_t count, next_count;  // lists that this step and the next one concern

    PROOFGRID_INLINE Mask active(size_t v) const { return buckets_detail::mask_below(v, count); }
    PROOFGRID_INLINE Mask negative(size_t v) const { return rows_of.negative(current + lanes * v); }
    PROOFGRID_INLINE F x(size_t v) const {
      RecordRows rows;
      rows_of.rows(rows, current + lanes * v);
      return Records<F>::x(rows);
    }
    PROOFGRID_INLINE F y(size_t v) const {
      RecordRows rows;
      rows_of.rows(rows, current + lanes * v);
      return Records<F>::y(rows);
    }
    PROOFGRID_INLINE PointLanes<F> point(size_t v) const {
      RecordRows rows;
      rows_of.rows(rows, current + lanes * v);
      return Records<F>::point(rows);
    }
    // Where a list ends in the vector, what follows it is fetched and not used.
    PROOFGRID_INLINE void fetch(size_t v) const {
      if (lanes * v >= next_count) return;
#pragma GCC unroll 8
      for (size_t i = lanes * v; i < lanes * (v + 1); ++i) Records<F>::prefetch(rows_of.row(next[i]));
    }
  };

  // The rows of steps [first, first + turn), for the lists before `count`; asks for the entries of the next turn.
  void lay_out(const Entry* entries, const std::uint32_t* starts, size_t first, size_t count) {
    for (size_t i = 0; i < count; i += lanes) {
      __m256i r[turn];
#pragma GCC unroll 8
      for (size_t j = 0; j < lanes; ++j) {
        const Entry* const list = entries + starts[i + j] + first;
        r[j] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(list));
        _mm_prefetch(list + turn, _MM_HINT_T1);
      }
      transpose_8x8(r);
#pragma GCC unroll 8
      for (size_t k = 0; k < turn; ++k) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(&row(first + k).entries[i]), r[k]);
      }
    }
  }
  Row& row(size_t step) { return rows_[step % (2 * turn)]; }

  void add_group(const std::byte* records, const Entry* entries, size_t first, size_t count) {
    const auto longer = [&](size_t k) {
      const size_t n = k < longer_.size() ? longer_[k] : 0;
      return n <= first ? 0 : std::min(n - first, count);
    };
    const std::uint32_t* const starts = starts_.data() + first;
    lay_out(entries, starts, 0, count);
    Step step{{records}, row(0).entries, row(0).entries, count, count};
    const size_t vectors = (count + lanes - 1) / lanes;
    for (size_t v = 0; v < vectors; ++v) step.fetch(v);
    for (size_t v = 0; v < vectors; ++v) {  // the first points are the first sums
      const PointLanes<F> p = step.point(v);
      sums_.sum(v) = {p.x, F::blend(step.negative(v), p.y, p.y.template negate<1>())};
      sums_.empty(v) = 0;
    }
    for (size_t v = vectors; v < sums_.capacity() && v < vectors + PointSums<F>::chains; ++v) sums_.empty(v) = 0;
    step.next = row(1).entries, step.next_count = longer(1);
    for (size_t v = 0; v < vectors; ++v) step.fetch(v);
    for (size_t k = 1; step.next_count != 0; ++k) {
      step.current = row(k).entries, step.count = step.next_count;
      step.next = row(k + 1).entries, step.next_count = longer(k + 1);
      if ((k + 1) % turn == 0) lay_out(entries, starts, k + 1, step.next_count);
      sums_.add((step.count + lanes - 1) / lanes, step);
    }
  }

  void store_group(RecordArray<F>& parts, size_t first, size_t count) {
    for (size_t v = 0; lanes * v < count; ++v) {
      const Mask mask = buckets_detail::mask_below(v, count) & static_cast<Mask>(~sums_.empty(v));
      std::byte* rows[lanes] = {};
      for (size_t i = 0; i < lanes; ++i) {
        if (!(mask >> i & 1)) continue;
        const std::uint32_t target = targets_[first + lanes * v + i], place = target & ~is_part;
        RecordArray<F>& array = target & is_part ? parts : *out_;
        rows[i] = array.data() + size_t{place} * Records<F>::bytes;
        array.occupied[place / lanes] |= static_cast<Mask>(1u << (place % lanes));
      }
      constexpr unsigned m = PointSums<F>::magnitude;
      const PointLanes<F>& sum = sums_.sum(v);
      Records<F>::store(rows, mask, {sum.x.template canonical<m>(), sum.y.template canonical<m>()});
    }
  }

  // The next level's lists.
  void collect(const RecordArray<F>& parts) {
    lists_.clear();
    part_entries_.clear();
    for (const Split& s : splits_) {
      const auto start = static_cast<std::uint32_t>(part_entries_.size());
      for (std::uint32_t i = s.first; i < s.first + s.count; ++i) {
        if (parts.has(i)) part_entries_.push_back(i << 1);
      }
      const auto length = static_cast<std::uint32_t>(part_entries_.size() - start);
      if (length != 0) lists_.push_back({start, length, s.target});
    }
    part_entries_.resize(part_entries_.size() + list_limit);
  }

  PointSums<F> sums_;
  std::unique_ptr<Row[]> rows_;
  std::vector<List> lists_;
  std::vector<Split> splits_;
  std::vector<std::uint32_t> starts_, targets_, longer_, places_;
  std::vector<Entry> part_entries_;
  RecordArray<F> parts_[2];
  RecordArray<F>* out_ = nullptr;
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
