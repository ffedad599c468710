// How a kernel runs: its threads, its progress, its cancellation, and the two errors it may end with.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

namespace proofgrid {

// The input is not what it claims to be; becomes proofgrid.errors.MalformedInput.
struct MalformedInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] inline void refuse_coordinate(const std::string& where) {
  throw MalformedInput(where + " has a coordinate that is not below the modulus");
}
[[noreturn]] inline void refuse_coordinate(const char* what, std::size_t i) {
  refuse_coordinate(what + (": point " + std::to_string(i)));
}

// The caller asked to stop; becomes proofgrid.errors.Cancelled.
struct Cancelled : std::exception {
  const char* what() const noexcept override { return "the computation was cancelled by its caller"; }
};

// The three words of kernels/control.py: cancel flag, steps done, steps in total. Shared with Python threads, hence the
// relaxed atomics. Without words nothing is reported and nothing cancels.
class Progress {
 public:
  explicit Progress(std::uint64_t* words = nullptr) : words_(words) {}

  void expect(std::uint64_t steps) { add(2, steps); }
  void step(std::uint64_t steps = 1) { add(1, steps); }
  void check() const {
    if (words_ && std::atomic_ref(words_[0]).load(std::memory_order_relaxed)) throw Cancelled();
  }

 private:
  void add(int word, std::uint64_t steps) {
    if (words_) std::atomic_ref(words_[word]).fetch_add(steps, std::memory_order_relaxed);
  }
  std::uint64_t* words_;
};

// Threads that live for one kernel call: a pool that outlives calls would be dead in the child of a fork, and task
// queues fork. The threads start with the first parallel run (tens of microseconds each).
//
// Never more threads than the machine has for us to run at once, whatever was asked for: kernels keep memory for each.
// Where the system refuses a thread, or the memory for one, the work is done by those that did start.
class Team {
 public:
  // 0 for as many threads as can run at once.
  explicit Team(unsigned threads) : size_(std::thread::hardware_concurrency()) {
    if (size_ == 0) size_ = std::max(1u, std::min(threads, 64u));  // the system does not say
    if (threads) size_ = std::min(size_, threads);
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team() {
    {
      std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  unsigned size() const { return size_; }

  // Calls body(task, worker) once for each task in [0, tasks), worker < size(); each worker takes the next task when
  // it is free. Returns when all have returned; the first exception stops the rest and is thrown here.
  template <class Body>
  void run(std::size_t tasks, Body&& body) {
    if (tasks == 0) return;
    if (size_ == 1 || tasks == 1) {
      for (std::size_t task = 0; task < tasks; ++task) body(task, 0u);
      return;
    }
    start();
    {
      std::lock_guard lock(mutex_);
      next_.store(0, std::memory_order_relaxed);
      tasks_ = tasks;
      failure_ = nullptr;
      busy_ = threads_.size();
      context_ = &body;
      call_ = [](void* context, std::size_t task, unsigned worker) {
        (*static_cast<std::remove_reference_t<Body>*>(context))(task, worker);
      };
      ++generation_;
    }
    wake_.notify_all();
    work(0);
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return busy_ == 0; });
    if (failure_) std::rethrow_exception(failure_);
  }

  // Splits [0, n) into ranges of at least `grain` and calls body(begin, end, worker) for each.
  template <class Body>
  void split(std::size_t n, std::size_t grain, Body&& body) {
    const std::size_t parts = std::clamp<std::size_t>(n / std::max<std::size_t>(grain, 1), 1, size_t{4} * size_);
    run(n == 0 ? 0 : parts, [&](std::size_t part, unsigned worker) {
      body(n * part / parts, n * (part + 1) / parts, worker);
    });
  }

 private:
  void start() {
    if (!threads_.empty()) return;
    try {
      threads_.reserve(size_ - 1);
      for (unsigned worker = 1; worker < size_; ++worker) threads_.emplace_back([this, worker] { serve(worker); });
    } catch (const std::system_error&) {
      // The system refuses more threads.
    } catch (const std::bad_alloc&) {
      // There is no memory for more.
    }
  }

  void serve(unsigned worker) {
    std::uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return closing_ || generation_ != seen; });
        if (closing_) return;
        seen = generation_;
      }
      work(worker);
      std::lock_guard lock(mutex_);
      if (--busy_ == 0) idle_.notify_one();
    }
  }

  void work(unsigned worker) {
    for (;;) {
      const std::size_t task = next_.fetch_add(1, std::memory_order_relaxed);
      if (task >= tasks_) return;
      try {
        call_(context_, task, worker);
      } catch (...) {
        std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
        next_.store(tasks_, std::memory_order_relaxed);
      }
    }
  }

  using size_t = std::size_t;
  unsigned size_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::uint64_t generation_ = 0;
  std::size_t busy_ = 0, tasks_ = 0;
  bool closing_ = false;
  std::atomic<std::size_t> next_{0};
  std::exception_ptr failure_;
  void* context_ = nullptr;
  void (*call_)(void*, std::size_t, unsigned) = nullptr;
};

// What every kernel is given besides its data.
struct Run {
  Team team;
  Progress progress;

  Run(unsigned threads, std::uint64_t* words) : team(threads), progress(words) {}
};

}  // namespace proofgrid
