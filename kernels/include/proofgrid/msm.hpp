// Multi-scalar multiplication, many at a time: Pippenger's bucket method (Bernstein, Doumen, Lange, Oosterwijk, eprint
// 2012/549) with signed digits and affine buckets.
//
//   scalars   checked and classed once for all jobs (scalars.hpp): zero, small (one digit) and dense
//   bases     checked unless prepared (prepared.hpp); terms with an infinite base are dropped
//   tasks     of each job one per window of the dense scalars, and a few for the small ones; those of all jobs lie in one
//             pool (task_pool.hpp), so that the threads stay busy to the end
//   task      the digits of one window, and the sum of its buckets (buckets.hpp)
//   fold      of a job's windows, by the thread that finishes its last task
//
// Up to 12 terms are added without buckets (straus.hpp), and up to 512 by one thread: starting others takes longer.
//
// Cost for n dense scalars of b bits: (b / c + 1) * (n * 6.3 + 2^(c-1) * 24) mul of the coordinate field. Memory: 4 bytes a
// term and job, and for each thread about 12 bytes a term of the largest task (its entries' vector grows by
// doubling) and 2 MB.
#pragma once

#include <atomic>
#include <deque>
#include <optional>

#include "proofgrid/buckets.hpp"
#include "proofgrid/prepared.hpp"
#include "proofgrid/scalars.hpp"
#include "proofgrid/straus.hpp"
#include "proofgrid/task_pool.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

namespace msm_detail {

inline constexpr size_t task_size = size_t{1} << 20;  // terms of one task: bounds its memory to 12 MB
inline constexpr size_t few_terms = 12, serial_terms = 512;
inline constexpr double addition_cost = 6.3, bucket_cost = 24;

inline double task_cost(size_t n, size_t buckets) {
  return addition_cost * static_cast<double>(n) + bucket_cost * static_cast<double>(buckets);
}

// The sum of a job's few terms at `places` and `more`, by the thread that calls; load(places) gives their points.
template <class G, class Load>
void add_few(const MsmJob& job, std::vector<std::uint32_t> places, const std::vector<std::uint32_t>& more,
             const Load& load) {
  using S = typename G::Scalar;
  places.insert(places.end(), more.begin(), more.end());
  const std::vector<Affine<typename G::Coordinate>> terms = load(places);
  std::vector<uint64_t> factors(places.size() * S::limbs);
  for (size_t i = 0; i < places.size(); ++i) {
    std::memcpy(&factors[i * S::limbs], job.scalars + size_t{places[i]} * S::bytes, S::bytes);
  }
  sum_of_few<S::limbs>(terms, factors).to_affine().to_canonical(job.out);
}

template <class F>
inline constexpr double mul_cost = 1;  // against a multiplication in Fq
template <class P>
inline constexpr double mul_cost<Fp2<P>> = 3;

// The cheapest window for n dense scalars, in mul: see the cost at the top.
inline unsigned choose_window(size_t n, unsigned bits) {
  unsigned best = 2;
  double least = 0;
  for (unsigned window = 2; window <= max_window; ++window) {
    const double cost = window_count(bits, window) * task_cost(n, size_t{1} << (window - 1));
    if (window == 2 || cost < least) best = window, least = cost;
  }
  return best;
}

}  // namespace msm_detail

// One job over one group, from its bases to its sum. What msm_many asks of a plan: this constructor, `Worker` (one thread's
// memory, made on first use), select(), work() and add_tasks(). A layer with another way to add up a window brings its own.
template <class G>
class MsmPlan {
 public:
  using F = typename G::Coordinate;
  using Scalar = typename G::Scalar;

  struct Worker {
    msm_detail::Workspace<F> workspace;
    std::vector<Digit> digits;
  };
  using Workers = std::vector<std::optional<Worker>>;

  // `offset` is where the job's scalars begin in `scalars`. Threaded: checks the bases that are not prepared.
  MsmPlan(const MsmJob& job, const ScalarClasses<Scalar>& scalars, size_t offset, Run& run)
      : job_(job), scalars_(scalars), offset_(offset), bases_(job, run) {}

  // The places of the terms that count, by class. One thread; the plans of a call beside each other.
  void select() {
    select(scalars_.dense, dense_);
    select(scalars_.small, small_);
  }

  // About what its additions cost, in any unit.
  double work() const { return msm_detail::mul_cost<F> * static_cast<double>(dense_.size()); }

  // `alone`: the other jobs will not fill the threads. The task that ends last writes the job's sum.
  void add_tasks(TaskPool& pool, Workers& workers, const Progress& progress, bool alone) {
    const size_t threads = workers.size(), terms = dense_.size() + small_.size();
    if (job_.window == 0 && terms <= msm_detail::few_terms) {
      return pool.add(msm_detail::mul_cost<F> * 500, [this](unsigned) { add_few(); });
    }
    window_ = job_.window ? job_.window : msm_detail::choose_window(dense_.size(), Scalar::Params::bits);
    const unsigned windows = dense_.empty() ? 0 : window_count(Scalar::Params::bits, window_);
    // Windows that are left over after every thread has had as many as the others are shared by the threads.
    const unsigned left = alone ? windows % static_cast<unsigned>(threads) : 0;
    for (unsigned w = 0; w < windows; ++w) {
      split(dense_.size(), w + left < windows ? 1 : (threads + left - 1) / left, w);
    }
    split(small_.size(), alone ? std::min(threads, small_.size() / 1024) : 1, small_window);
    if (tasks_.empty()) return fold();
    if (terms <= msm_detail::serial_terms) {
      const double cost = msm_detail::mul_cost<F> * msm_detail::task_cost(windows * terms, windows << (window_ - 1));
      return pool.add(cost, [this, &workers, &progress](unsigned worker) {
        if (!workers[worker]) workers[worker].emplace();
        for (Task& task : tasks_) task.sum = sum(task, *workers[worker], progress);
        fold();
      });
    }
    pending_.store(tasks_.size(), std::memory_order_relaxed);
    for (Task& task : tasks_) {
      const double cost = msm_detail::mul_cost<F> * msm_detail::task_cost(task.end - task.begin, buckets(task));
      pool.add(cost, [this, &task, &workers, &progress](unsigned worker) {
        if (!workers[worker]) workers[worker].emplace();
        task.sum = sum(task, *workers[worker], progress);
        if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) fold();
      });
    }
  }

 private:
  static constexpr unsigned small_window = ~0u;

  // The terms [begin, end) of dense_, and one window of their digits; or of small_, which have one digit.
  struct Task {
    unsigned window;
    size_t begin, end;
    Xyzz<F> sum;
  };

  void select(const std::vector<std::uint32_t>& places, std::vector<std::uint32_t>& chosen) const {
    const auto begin = std::lower_bound(places.begin(), places.end(), offset_);
    const auto end = std::lower_bound(begin, places.end(), offset_ + job_.n);
    chosen.reserve(static_cast<size_t>(end - begin));
    for (auto place = begin; place != end; ++place) {
      const auto i = static_cast<std::uint32_t>(*place - offset_);
      if (!bases_.is_infinity(i) && job_.counts(i)) chosen.push_back(i);
    }
  }

  // Tasks for n terms of a window: `parts` of them, or as many as their memory asks for.
  void split(size_t n, size_t parts, unsigned window) {
    if (n == 0) return;
    parts = std::max({parts, size_t{1}, (n + msm_detail::task_size - 1) / msm_detail::task_size});
    for (size_t part = 0; part < parts; ++part) tasks_.push_back({window, n * part / parts, n * (part + 1) / parts, {}});
  }

  size_t buckets(const Task& task) const {
    return task.window == small_window ? small_scalar_limit : size_t{1} << (window_ - 1);
  }

  Xyzz<F> sum(const Task& task, Worker& worker, const Progress& progress) const {
    const bool small = task.window == small_window;
    const std::uint32_t* const places = (small ? small_ : dense_).data() + task.begin;
    const size_t count = task.end - task.begin;
    const DigitReader<Scalar::limbs> reader(Scalar::Params::bits, window_);
    worker.digits.resize(count);
    for (size_t i = 0; i < count; ++i) {
      // Checked once and read again: a racing writer can spoil the sum but not the digits' range.
      uint64_t words[Scalar::limbs];
      std::memcpy(words, job_.scalars + size_t{places[i]} * Scalar::bytes, sizeof words);
      worker.digits[i] = small ? static_cast<Digit>(std::min(words[0], small_scalar_limit))
                               : reader.digit(words, task.window);
    }
    return worker.workspace.sum(msm_detail::Bases<F>{bases_.points()}, worker.digits.data(),
                                [&](size_t i) { return places[i]; }, count, buckets(task), progress);
  }

  void add_few() const {
    msm_detail::add_few<G>(job_, dense_, small_, [&](const std::vector<std::uint32_t>& places) {
      std::vector<Affine<F>> points;
      for (const size_t i : places) points.push_back(Affine<F>::load_mont(bases_.points() + i * Affine<F>::bytes));
      return points;
    });
  }

  // The windows' sums, the highest first, each shifted into its place; tasks_ has them in ascending order.
  void fold() const {
    Xyzz<F> total = Xyzz<F>::infinity(), small = Xyzz<F>::infinity();
    unsigned window = 0;
    for (size_t i = tasks_.size(); i-- > 0;) {
      const Task& task = tasks_[i];
      if (task.window == small_window) {
        small += task.sum;
        continue;
      }
      for (; window > task.window; --window) total = shifted(total);
      window = task.window;
      total += task.sum;
    }
    total += small;
    total.to_affine().to_canonical(job_.out);
  }

  Xyzz<F> shifted(Xyzz<F> p) const {
    for (unsigned i = 0; i < window_; ++i) p = p.dbl();
    return p;
  }

  const MsmJob job_;
  const ScalarClasses<Scalar>& scalars_;
  const size_t offset_;
  const CheckedBases<G> bases_;
  std::vector<std::uint32_t> dense_, small_;
  unsigned window_ = 0;
  std::vector<Task> tasks_;
  std::atomic<size_t> pending_{0};
};

// All the jobs' sums; group 1's by plans of type First, group 2's by Second. Throws MalformedInput for a scalar >= r or a
// coordinate >= q of bases that are not prepared.
template <class First, class Second>
void run_plans(const MsmJob* jobs, size_t count, Run& run) {
  run.progress.expect(1);
  run.progress.check();
  const SharedScalars<typename First::Scalar> scalars(jobs, count, run);
  std::deque<First> first;
  std::deque<Second> second;
  for (size_t i = 0; i < count; ++i) {
    if (jobs[i].group == 1) {
      first.emplace_back(jobs[i], scalars.array(i), scalars.offset(i), run);
    } else {
      second.emplace_back(jobs[i], scalars.array(i), scalars.offset(i), run);
    }
  }
  run.team.run(count, [&](size_t i, unsigned) {
    if (i < first.size()) {
      first[i].select();
    } else {
      second[i - first.size()].select();
    }
  });
  typename First::Workers first_workers(run.team.size());
  typename Second::Workers second_workers(run.team.size());
  double work = 0;
  for (const First& plan : first) work += plan.work();
  for (const Second& plan : second) work += plan.work();
  const auto alone = [&](const auto& plan) { return count == 1 || plan.work() > work / 2; };
  TaskPool pool;
  for (First& plan : first) plan.add_tasks(pool, first_workers, run.progress, alone(plan));
  for (Second& plan : second) plan.add_tasks(pool, second_workers, run.progress, alone(plan));
  pool.run(run);
  run.progress.step();
}

template <class C>
void msm_many(const MsmJob* jobs, size_t count, Run& run) {
  run_plans<MsmPlan<G1<C>>, MsmPlan<G2<C>>>(jobs, count, run);
}

}  // namespace proofgrid
