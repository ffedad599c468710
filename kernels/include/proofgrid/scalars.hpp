// The scalars of several MSMs, checked and sorted once: zero (dropped), small (at most 2^7) and dense. Witnesses are mostly
// zeros, ones and bytes, and four of a Groth16 proof's five MSMs read the same one.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "proofgrid/field.hpp"
#include "proofgrid/msm_job.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

inline constexpr unsigned small_scalar_bits = 7;
inline constexpr uint64_t small_scalar_limit = uint64_t{1} << small_scalar_bits;

// An array of canonical scalars, at any alignment. `dense` and `small` hold the places of each class, ascending.
template <class S>
class ScalarClasses {
 public:
  ScalarClasses(const std::byte* data, size_t n) : data_(data), n_(n) {}

  std::vector<std::uint32_t> dense, small;
  uint64_t largest_small = 0;

  const std::byte* data() const { return data_; }
  const std::byte* end() const { return data_ + n_ * S::bytes; }

  // Grows over an array that begins inside this one, or returns false. Call with ascending addresses, before sort().
  bool absorb(const std::byte* data, size_t n) {
    if (data > end() || (data - data_) % static_cast<std::ptrdiff_t>(S::bytes) != 0) return false;
    n_ = std::max(n_, static_cast<size_t>(data - data_) / S::bytes + n);
    return true;
  }

  // Reads each scalar once. Throws MalformedInput for one that is not below the group's order.
  void sort(Run& run) {
    if (n_ > max_count) throw MalformedInput("scalars: " + std::to_string(n_) + " are more than 2^31 - 1");
    const size_t parts = std::clamp<size_t>(n_ / 4096, 1, size_t{4} * run.team.size());
    std::vector<Range> ranges(parts);
    run.team.run(n_ ? parts : 0, [&](size_t part, unsigned) {
      for (size_t i = n_ * part / parts; i < n_ * (part + 1) / parts; ++i) classify(i, ranges[part]);
    });
    for (const Range& range : ranges) {
      if (range.bad != none) {
        throw MalformedInput("scalars: element " + std::to_string(range.bad) + " is not below the group's order");
      }
      dense.insert(dense.end(), range.dense.begin(), range.dense.end());
      small.insert(small.end(), range.small.begin(), range.small.end());
      largest_small = std::max(largest_small, range.largest_small);
    }
  }

 private:
  static constexpr size_t none = ~size_t{0}, max_count = (size_t{1} << 31) - 1;

  struct Range {
    std::vector<std::uint32_t> dense, small;
    uint64_t largest_small = 0;
    size_t bad = none;
  };

  void classify(size_t i, Range& range) const {
    uint64_t words[S::limbs], high = 0;
    std::memcpy(words, data_ + i * S::bytes, sizeof words);
    for (size_t j = 1; j < S::limbs; ++j) high |= words[j];
    if (high == 0 && words[0] <= small_scalar_limit) {
      range.largest_small = std::max(range.largest_small, words[0]);
      if (words[0] != 0) range.small.push_back(static_cast<std::uint32_t>(i));
    } else if (S::is_canonical(words)) {
      range.dense.push_back(static_cast<std::uint32_t>(i));
    } else {
      range.bad = std::min(range.bad, i);
    }
  }

  const std::byte* data_;
  size_t n_;
};

// The classes of all jobs' scalars, each stretch of memory sorted once, and where each job's scalars begin in theirs.
template <class S>
class SharedScalars {
 public:
  struct Part {
    size_t array, offset;
  };

  SharedScalars(const MsmJob* jobs, size_t count, Run& run) : parts_(count) {
    std::vector<size_t> order(count);
    for (size_t i = 0; i < count; ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return jobs[a].scalars < jobs[b].scalars; });
    for (const size_t i : order) {
      const MsmJob& job = jobs[i];
      if (arrays_.empty() || !arrays_.back().absorb(job.scalars, job.n)) arrays_.emplace_back(job.scalars, job.n);
      parts_[i] = {arrays_.size() - 1, static_cast<size_t>(job.scalars - arrays_.back().data()) / S::bytes};
    }
    for (ScalarClasses<S>& array : arrays_) array.sort(run);
  }

  const ScalarClasses<S>& array(size_t job) const { return arrays_[parts_[job].array]; }
  size_t offset(size_t job) const { return parts_[job].offset; }

 private:
  std::vector<ScalarClasses<S>> arrays_;
  std::vector<Part> parts_;
};

}  // namespace proofgrid
