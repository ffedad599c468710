// Tasks of known and unequal cost, from any number of jobs, over the threads of one call: the dearest first, so that the
// threads end together (Graham, SIAM J. Appl. Math. 17, 1969: at most 4/3 of the best schedule; here tasks are many).
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "proofgrid/run.hpp"

namespace proofgrid {

class TaskPool {
 public:
  using Body = std::function<void(unsigned worker)>;

  // `cost` in any unit, the same for all.
  void add(double cost, Body body) { tasks_.push_back({cost, std::move(body)}); }

  // Runs and forgets them all. Reports progress by cost; a cancel takes effect between two tasks.
  void run(Run& run) {
    std::stable_sort(tasks_.begin(), tasks_.end(), [](const Task& a, const Task& b) { return a.cost > b.cost; });
    double total = 0;
    for (const Task& task : tasks_) total += task.cost;
    const auto steps = [&](const Task& task) { return 1 + static_cast<std::uint64_t>(1000 * task.cost / total); };
    for (const Task& task : tasks_) run.progress.expect(steps(task));
    run.team.run(tasks_.size(), [&](std::size_t i, unsigned worker) {
      run.progress.check();
      tasks_[i].body(worker);
      run.progress.step(steps(tasks_[i]));
    });
    tasks_.clear();
  }

 private:
  struct Task {
    double cost;
    Body body;
  };
  std::vector<Task> tasks_;
};

}  // namespace proofgrid
