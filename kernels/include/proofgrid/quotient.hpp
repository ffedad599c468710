// The quotient of Groth16 in the basis that snarkjs' proving keys use: the values of A B - C at the odd 2^(k+1)-th roots of
// unity, where A, B interpolate the products of the constraint matrices with the witness on the 2^k-th roots and
// C interpolates their pointwise product. The division by the (there constant) vanishing polynomial is in the key.
//
// Cost for n = 2^k and m coefficients: 6 NTTs, m + 8 n mul.
#pragma once

#include <atomic>
#include <string>

#include "proofgrid/elements.hpp"
#include "proofgrid/ntt.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

namespace quotient_detail {

// A coefficient as it lies in a .zkey: 3 words of 32 bits, then v * R^2. Not aligned.
template <class F>
struct Coefficient {
  static constexpr size_t bytes = 12 + F::bytes;
  std::uint32_t matrix, constraint, signal;
  F value;  // v * R^2: times a canonical witness it gives the Montgomery form of v * w

  static Coefficient load(const std::byte* source) {
    std::uint32_t head[3];
    std::memcpy(head, source, sizeof head);
    return {head[0], head[1], head[2], F::load_mont(source + sizeof head)};
  }

  void require(size_t index, size_t constraints, size_t signals) const {
    const char* wrong = matrix > 1                          ? "matrix is neither 0 nor 1"
                        : constraint >= constraints         ? "constraint lies outside the domain"
                        : signal >= signals                 ? "signal lies outside the witness"
                        : !F::is_canonical(value.data()) ? "value is not below the modulus"
                                                            : nullptr;
    if (wrong) throw MalformedInput("coefficients: record " + std::to_string(index) + ": its " + wrong);
  }
};

// Rows that several threads add to. Neighbouring records mostly share a row, so a lock is taken once per row and run.
class StripedLocks {
 public:
  class Guard {
   public:
    explicit Guard(std::atomic_flag& flag) : flag_(flag) {
      while (flag_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    }
    ~Guard() { flag_.clear(std::memory_order_release); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    std::atomic_flag& flag_;
  };
  Guard lock(size_t row) { return Guard(flags_[row % count]); }

 private:
  static constexpr size_t count = 1024;
  std::atomic_flag flags_[count];
};

// rows[matrix][-constraint mod n] += value * witness[signal]. Rows are filled backwards because the transform that reads
// them is a forward one, and an inverse is what is wanted (see ntt.hpp).
template <class F>
void add_products(const std::byte* coefficients, size_t count, const std::byte* witness, size_t signals, size_t n,
                  F* const rows[2], Run& run) {
  StripedLocks locks;
  run.team.split(count, 4096, [&](size_t begin, size_t end, unsigned) {
    run.progress.check();
    std::uint32_t matrix = 0, constraint = 0;
    F sum = F::zero();
    const auto flush = [&] {
      const size_t row = (n - constraint) & (n - 1);
      const auto guard = locks.lock(2 * row + matrix);
      rows[matrix][row] += sum;
    };
    for (size_t i = begin; i < end; ++i) {
      const auto c = Coefficient<F>::load(coefficients + i * Coefficient<F>::bytes);
      c.require(i, n, signals);
      if (c.matrix != matrix || c.constraint != constraint) {
        flush();
        matrix = c.matrix, constraint = c.constraint, sum = F::zero();
      }
      sum += c.value * elements_detail::load<F>(witness, "witness", c.signal);
    }
    flush();
  });
}

}  // namespace quotient_detail

// out[i] for i < 2^log_n, canonical. Requires log_n < two_adicity. Throws MalformedInput for a record or a witness value
// out of range; values that no record reads are not looked at.
template <class F>
void quotient(const std::byte* coefficients, size_t count, const std::byte* witness, size_t signals, unsigned log_n,
              F* out, Run& run) {
  using namespace quotient_detail;
  const size_t n = size_t{1} << log_n;
  run.progress.expect(8);
  const auto table = twiddles<F>(log_n, run.team);  // n of them: their second half is also the coset's powers
  const Twiddle<F>* t = table->data();
  std::vector<F> b(n, F::zero()), c(n);
  std::fill(out, out + n, F::zero());
  F* const rows[2] = {out, b.data()};
  add_products(coefficients, count, witness, signals, n, rows, run);
  run.team.split(n, 1024, [&](size_t begin, size_t end, unsigned) {
    for (size_t i = begin; i < end; ++i) c[i] = out[i] * b[i];
  });
  run.progress.step();

  // To coefficients, times powers of the 2^(k+1)-th root (t[i] is the power of bit-reversed i) over n, and back.
  const F scale = F::from_small(n).inverse();
  for (F* x : {out, b.data(), c.data()}) {
    natural_to_reversed(x, log_n, t, run);
    run.progress.step();
    run.team.split(n, 1024, [&](size_t begin, size_t end, unsigned) {
      for (size_t i = begin; i < end; ++i) Lazy<F>::product(x[i] * scale, t[i]).store_reduced(x[i]);
    });
    reversed_to_natural(x, log_n, t, run);
    run.progress.step();
  }
  run.team.split(n, 1024, [&](size_t begin, size_t end, unsigned) {
    for (size_t i = begin; i < end; ++i) out[i] = elements_detail::divide_by_radix(out[i] * b[i] - c[i]);
  });
  run.progress.step();
}

}  // namespace proofgrid
