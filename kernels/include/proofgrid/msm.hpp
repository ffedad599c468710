// Multi-scalar multiplication: Pippenger's bucket method (Bernstein, Doumen, Lange, Oosterwijk, eprint 2012/549) with
// signed digits and affine buckets.
//
//   classify  each scalar is checked and sorted into zero (dropped), small (at most 2^7: one digit) and dense; witnesses
//             are mostly zeros, ones and bytes
//   tasks     one per window of the dense scalars, and a few for the small ones; threads take them in turn
//   task      the sum of one window's buckets (buckets.hpp)
//
// Up to 16 terms are added without buckets (straus.hpp).
//
// Cost for n dense scalars of b bits: (b / c + 1) * (n * 6.3 + 2^(c-1) * 24) mul of the coordinate field.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "proofgrid/buckets.hpp"
#include "proofgrid/straus.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

namespace msm_detail {

inline constexpr size_t chunk_size = size_t{1} << 20;  // points per pass: bounds the digits to 36 MB
inline constexpr unsigned small_bits = 7;
inline constexpr size_t few = 16;             // no more terms than these do without buckets
inline constexpr size_t alone = 512;          // and no more than these without threads, which take longer to start

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
    if (window == 0 && n <= few) return add_few(bases, scalars);
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

  // The terms whose scalar is not zero, without buckets.
  Xyzz<F> add_few(const std::byte* bases, const std::byte* scalars) {
    std::vector<Affine<F>> terms;
    std::vector<uint64_t> factors;
    dense_.insert(dense_.end(), small_.begin(), small_.end());
    for (const size_t i : dense_) {
      terms.push_back(converted_.empty() ? Affine<F>::load_mont(bases + i * Affine<F>::bytes) : converted_[i]);
      factors.resize(factors.size() + limbs);
      std::memcpy(&factors[factors.size() - limbs], scalars + i * S::bytes, S::bytes);
    }
    run_.progress.expect(1);
    const Xyzz<F> total = sum_of_few<limbs>(terms, factors);
    run_.progress.step();
    return total;
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
    const auto add_task = [&](size_t task, unsigned worker) {
      run_.progress.check();
      sums[task] = task < windows * parts
                       ? dense_task(bases, task / parts, task % parts, parts, window, workspace(worker))
                       : small_task(bases, task - windows * parts, small_parts, workspace(worker));
      run_.progress.step();
    };
    if (n_ <= alone) {
      for (size_t task = 0; task < sums.size(); ++task) add_task(task, 0);
    } else {
      run_.team.run(sums.size(), add_task);
    }
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
