// Multi-scalar multiplication eight additions at a time: what ../msm.hpp says of jobs, scalars and tasks holds here. A
// task is a range of a job's rows of buckets: one for each window, fewer where the bases come with multiples
// (../multiples.hpp).
//
//   some rows at a time (as many as fill the lanes with buckets)
//     digits.hpp    the digits of eight scalars at a time; the points of each bucket
//     buckets.hpp   the buckets' sums
//   all rows of the task at once
//     buckets_reduce.hpp   the rows' sums from the buckets'
//
// Cost over n dense scalars of b bits with k multiples: (b / c + 1) * (n + 2 * 2^(c-1) / k) affine additions, each an eighth of
// 5 mul and 1 square. Memory: 4 bytes a term and job; for each thread 12 bytes a term of the largest task (an entry and
// four digits; with multiples 6 for each), a record for each bucket of its rows, and 2 MB; for bases that are not
// prepared, a record each. Up to 12 terms are added without buckets (../straus.hpp).
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <optional>
#include <vector>

#include "proofgrid/ifma/buckets_reduce.hpp"
#include "proofgrid/ifma/digits.hpp"
#include "proofgrid/ifma/points_prepared.hpp"
#include "proofgrid/msm.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

namespace msm_detail {

inline constexpr size_t task_size = size_t{1} << 21;  // terms of one task: bounds its memory
inline constexpr size_t task_buckets = 16384;         // of one task, which keeps a record of each
inline constexpr unsigned read_windows = 4;           // windows whose digits are read together
inline constexpr size_t batch_buckets = 4096;         // rows are taken together until they have so many

// In additions: a row of n terms, with their digits and sort, and its share of the reduction.
inline double window_cost(double n, size_t buckets) {
  return 1.15 * n + 2.3 * static_cast<double>(buckets) + 200;
}

// The cheapest rows for n terms; if a window is asked for, the widest that it has room for.
inline WindowRows choose_rows(size_t n, unsigned bits, unsigned multiples, unsigned asked) {
  WindowRows best{};
  double least = 0;
  for (unsigned window = 2; window <= max_window; ++window) {
    if (!WindowRows::fits(bits, multiples, window) || (asked && best.rows && window > asked)) continue;
    const WindowRows rows = WindowRows::of(bits, multiples, window);
    const double terms = static_cast<double>(n) * window_count(bits, window) / rows.rows;
    const double cost = rows.rows * window_cost(terms, size_t{1} << (window - 1));
    if (best.rows == 0 || asked || cost < least) best = rows, least = cost;
  }
  return best;
}

}  // namespace msm_detail

template <class G>
class MsmPlan {
 public:
  using F = LanesOf<typename G::Coordinate>;
  using Scalar = typename G::Scalar;
  using Sum = Xyzz<typename G::Coordinate>;

  struct Worker {
    std::vector<Digit, HugePages<Digit>> digits;
    BucketSort sort;
    BucketSums<F> sums;
    RecordArray<F> buckets;
    BucketReducer<F> reducer;
  };
  using Workers = std::vector<std::optional<Worker>>;

  MsmPlan(const MsmJob& job, const ScalarClasses<Scalar>& scalars, size_t offset, Run& run)
      : job_(job), scalars_(scalars), offset_(offset), records_(job, run) {}

  void select() {
    select(scalars_.dense, dense_);
    select(scalars_.small, small_);
  }

  double work() const { return weight * static_cast<double>(dense_.size()); }

  void add_tasks(TaskPool& pool, Workers& workers, const Progress& progress, bool alone) {
    using namespace msm_detail;
    const size_t threads = workers.size();
    if (job_.window == 0 && dense_.size() + small_.size() <= proofgrid::msm_detail::few_terms) {
      return pool.add(weight * 500, [this](unsigned) { add_few(); });
    }
    rows_ = choose_rows(dense_.size(), Scalar::Params::bits, job_.multiples, job_.window);
    const unsigned rows = dense_.empty() ? 0 : rows_.rows;
    // As many tasks as threads share evenly; what rows are left over, all threads share.
    const unsigned left = alone ? rows % static_cast<unsigned>(threads) : 0, whole = rows - left;
    const size_t wanted = std::clamp<size_t>(task_buckets >> (rows_.window - 1), job_.multiples > 1 ? 1 : 4, 64);
    const size_t most = (whole + threads - 1) / threads;
    const size_t rounds = (most + wanted - 1) / wanted, tasks = std::min<size_t>(rounds * threads, whole);
    for (size_t t = 0; t < tasks; ++t) {
      const auto first = static_cast<unsigned>(whole * t / tasks), end = static_cast<unsigned>(whole * (t + 1) / tasks);
      split(dense_.size(), 1, first, end - first);
    }
    for (unsigned row = whole; row < rows; ++row) split(dense_.size(), threads, row, 1);
    split(small_.size(), alone ? std::min(threads, small_.size() / 4096) : 1, small_row, 1);
    if (tasks_.empty()) return fold();
    pending_.store(tasks_.size(), std::memory_order_relaxed);
    for (Task& task : tasks_) {
      const auto terms = static_cast<double>(multiples(task) * (task.end - task.begin));
      const double cost = weight * task.rows * window_cost(terms, buckets(task));
      pool.add(cost, [this, &task, &workers, &progress](unsigned worker) {
        if (!workers[worker]) workers[worker].emplace();
        add_up(task, *workers[worker], progress);
        if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) fold();
      });
    }
  }

 private:
  static constexpr unsigned small_row = ~0u;
  static constexpr double weight = F::words > F::Params::limbs ? 2.5 : 1;  // of an addition, against group 1

  // The terms [begin, end) of dense_ and the rows from `first` on; or of small_, which have one row.
  struct Task {
    unsigned first, rows;
    size_t begin, end;
    std::vector<Sum> sums;
  };

  void select(const std::vector<std::uint32_t>& places, std::vector<std::uint32_t>& chosen) const {
    const auto begin = std::lower_bound(places.begin(), places.end(), offset_);
    const auto end = std::lower_bound(begin, places.end(), offset_ + job_.n);
    chosen.reserve(static_cast<size_t>(end - begin));
    for (auto place = begin; place != end; ++place) {
      const auto i = static_cast<std::uint32_t>(*place - offset_);
      if (!records_.is_infinity(i) && job_.counts(i)) chosen.push_back(i);
    }
  }

  void split(size_t n, size_t parts, unsigned first, unsigned rows) {
    if (n == 0) return;
    parts = std::max({parts, size_t{1}, (n * job_.multiples + msm_detail::task_size - 1) / msm_detail::task_size});
    for (size_t part = 0; part < parts; ++part) {
      tasks_.push_back({first, rows, n * part / parts, n * (part + 1) / parts, {}});
    }
  }

  size_t buckets(const Task& task) const {
    return task.first == small_row ? small_buckets() : size_t{1} << (rows_.window - 1);
  }
  size_t small_buckets() const { return std::max(std::bit_ceil(size_t{scalars_.largest_small}), lanes); }
  unsigned multiples(const Task& task) const { return task.first == small_row ? 1 : job_.multiples; }

  void add_up(Task& task, Worker& worker, const Progress& progress) const {
    const bool small = task.first == small_row;
    const std::uint32_t* const places = (small ? small_ : dense_).data() + task.begin;
    const size_t n = task.end - task.begin, row = std::max(buckets(task), lanes), stride = (n + 7) / 8 * 8;
    const auto at_once = static_cast<unsigned>(std::clamp<size_t>(msm_detail::batch_buckets / row, 1, task.rows));
    worker.buckets.assign(task.rows * row);
    const unsigned multiples = this->multiples(task);
    const unsigned ahead = std::min(msm_detail::read_windows / at_once * at_once, task.rows);
    const unsigned read_at_once = small ? 1 : std::max(at_once, multiples == 1 ? ahead : 1);
    worker.digits.resize(read_at_once * multiples * stride);
    for (unsigned done = 0; done < task.rows; done += at_once) {
      progress.check();
      const unsigned rows = std::min(at_once, task.rows - done);
      const Digit* const digits = worker.digits.data() + done % read_at_once * multiples * stride;
      if (small) {
        read_small(places, n, worker.digits.data());
      } else if (done % read_at_once == 0) {
        read(task.first + done, std::min(read_at_once, task.rows - done), places, n, worker.digits.data(), stride);
      }
      worker.sort.sort(digits, stride, places, n, rows, multiples, job_.n, row);
      worker.sums.sum(records_.data(), worker.sort.entries(), worker.sort.begins(), rows * row, worker.buckets,
                      done * row, progress);
    }
    task.sums.resize(task.rows);
    worker.reducer.reduce(worker.buckets, task.rows, row, task.sums.data());
  }

  // The digits of the rows [first, first + rows), one after the other and each with those of its multiples.
  void read(unsigned first, unsigned rows, const std::uint32_t* places, size_t n, Digit* digits, size_t stride) const {
    const LaneDigits reader(Scalar::Params::bits, rows_.window);
    if (job_.multiples == 1) return reader.read(job_.scalars, places, n, first, 1, rows, digits, stride);
    for (unsigned row = 0; row < rows; ++row) {
      reader.read(job_.scalars, places, n, first + row, rows_.rows, job_.multiples,
                  digits + row * job_.multiples * stride, stride);
    }
  }

  void read_small(const std::uint32_t* places, size_t n, Digit* digits) const {
    for (size_t i = 0; i < n; ++i) {
      // Checked once and read again: a racing writer can spoil the sum but not the digits' range.
      uint64_t word;
      std::memcpy(&word, job_.scalars + size_t{places[i]} * Scalar::bytes, sizeof word);
      digits[i] = static_cast<Digit>(std::min<uint64_t>(word, small_buckets()));
    }
  }

  void add_few() const {
    proofgrid::msm_detail::add_few<G>(job_, dense_, small_, [&](const std::vector<std::uint32_t>& places) {
      std::vector<Affine<typename G::Coordinate>> points;
      for (size_t first = 0; first < places.size(); first += lanes) {
        const size_t count = std::min(lanes, places.size() - first);
        RecordRows rows;
        for (size_t i = 0; i < lanes; ++i) {
          rows[i] = records_.data() + size_t{places[first + std::min(i, count - 1)]} * Records<F>::bytes;
        }
        Affine<typename G::Coordinate> eight[lanes];
        load_points<F>(rows, 0xff, eight);
        points.insert(points.end(), eight, eight + count);
      }
      return points;
    });
  }

  // The rows' sums, the highest first, each shifted into its place.
  void fold() const {
    std::vector<Sum> sums(rows_.rows, Sum::infinity());
    Sum total = Sum::infinity(), small = Sum::infinity();
    for (const Task& task : tasks_) {
      for (unsigned i = 0; i < task.rows; ++i) {
        (task.first == small_row ? small : sums[task.first + i]) += task.sums[i];
      }
    }
    for (size_t row = dense_.empty() ? 0 : sums.size(); row-- > 0;) {
      for (unsigned i = 0; i < rows_.window; ++i) total = total.dbl();
      total += sums[row];
    }
    total += small;
    total.to_affine().to_canonical(job_.out);
  }

  const MsmJob job_;
  const ScalarClasses<Scalar>& scalars_;
  const size_t offset_;
  const JobRecords<G> records_;
  std::vector<std::uint32_t> dense_, small_;
  WindowRows rows_{};
  std::vector<Task> tasks_;
  std::atomic<size_t> pending_{0};
};

// Sums of a few terms only are not worth lanes: they are msm.hpp's.
template <class C>
void msm_many(const MsmJob* jobs, size_t count, Run& run) {
  const auto is_small = [](const MsmJob& job) {
    return job.n <= proofgrid::msm_detail::few_terms && job.window == 0 && job.form != MsmJob::Form::prepared;
  };
  if (std::all_of(jobs, jobs + count, is_small)) return proofgrid::msm_many<C>(jobs, count, run);
  run_plans<MsmPlan<G1<C>>, MsmPlan<G2<C>>>(jobs, count, run);
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
