// The products of Groth16's sparse matrices with the witness, by rows.
//
// A .zkey lists its records by constraint, so the records of a range of rows lie together and a thread owns its rows; records
// in another order are added up by one thread. Most coefficients are 1 or -1: these take no multiplication.
#pragma once

#include <algorithm>
#include <atomic>
#include <vector>

#include "proofgrid/elements.hpp"
#include "proofgrid/quotient.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// rows[matrix][constraint] = sum of value * witness[signal], canonical, for n rows of either matrix.
template <class F>
class SparseProducts {
 public:
  SparseProducts(const std::byte* coefficients, size_t count, const std::byte* witness, size_t signals, size_t n)
      : coefficients_(coefficients), count_(count), witness_(witness), signals_(signals), n_(n) {}

  // Throws MalformedInput for a record or a witness value out of range. At most one mul a record and one a row.
  void write(F* const (&rows)[2], Run& run) const {
    const std::vector<Part> parts = split(8 * run.team.size());
    std::atomic<bool> in_order{!parts.empty()};
    run.team.run(parts.size(), [&](size_t i, unsigned) {
      run.progress.check();
      if (!write_part(parts[i], rows)) in_order.store(false, std::memory_order_relaxed);
    });
    if (!in_order.load()) write_part({0, count_, 0, n_}, rows);
  }

 private:
  using Coefficient = quotient_detail::Coefficient<F>;
  struct Part {
    size_t begin, end;          // records
    size_t first_row, end_row;  // which they may touch
  };

  size_t constraint(size_t i) const {
    std::uint32_t row;
    std::memcpy(&row, coefficients_ + i * Coefficient::bytes + 4, sizeof row);
    return std::min<size_t>(row, n_);
  }

  // Where a row's records begin, if they are sorted; any place if not.
  size_t lower_bound(size_t row) const {
    size_t low = 0, high = count_;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (constraint(middle) < row) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  // Parts that cover all records and rows; none if the records are plainly not sorted.
  std::vector<Part> split(size_t wanted) const {
    const size_t count = std::clamp<size_t>(count_ / 1024, 1, wanted);
    std::vector<Part> parts;
    size_t begin = 0, row = 0;
    for (size_t i = 1; i <= count; ++i) {
      const size_t end_row = i == count ? n_ : constraint(count_ * i / count);
      const size_t end = i == count ? count_ : lower_bound(end_row);
      if (end < begin || end_row < row) return {};
      parts.push_back({begin, end, row, end_row});
      begin = end, row = end_row;
    }
    return parts;
  }

  // A row's sum so far: plain, and what was multiplied, which has the factor R.
  struct Sum {
    F plain, mont;
    bool added = false, multiplied = false;

    PROOFGRID_INLINE void add(const F& x) { plain = added ? plain + x : x, added = true; }
    PROOFGRID_INLINE void add_product(const F& x) { mont = multiplied ? mont + x : x, multiplied = true; }
    PROOFGRID_INLINE F total() const {
      if (!multiplied) return added ? plain : F::zero();
      const F product = proofgrid::elements_detail::divide_by_radix(mont);
      return added ? plain + product : product;
    }
  };

  // False if a record lies outside the part's rows; then the rows hold anything.
  bool write_part(const Part& part, F* const (&rows)[2]) const {
    size_t written[2] = {part.first_row, part.first_row};  // rows from here on are still to be written
    const auto fill = [&](size_t matrix, size_t end) {
      for (; written[matrix] < end; ++written[matrix]) rows[matrix][written[matrix]] = F::zero();
    };
    const auto flush = [&](size_t matrix, size_t row, const Sum& sum) {
      if (row < written[matrix]) {
        rows[matrix][row] += sum.total();
      } else {
        fill(matrix, row);
        rows[matrix][row] = sum.total();
        written[matrix] = row + 1;
      }
    };
    for (size_t i = part.begin; i < part.end;) {
      const Head row = head(i);
      if (row.matrix > 1 || row.constraint >= n_) [[unlikely]] refuse(i);
      if (row.constraint < part.first_row || row.constraint >= part.end_row) return false;
      Sum sum;
      for (; i < part.end; ++i) {
        const Head next = head(i);
        if (next.matrix != row.matrix || next.constraint != row.constraint) break;
        add(i, next.signal, sum);
      }
      flush(row.matrix, row.constraint, sum);
    }
    for (size_t matrix : {0, 1}) fill(matrix, part.end_row);
    return true;
  }

  PROOFGRID_INLINE void add(size_t i, std::uint32_t signal, Sum& sum) const {
    const F value = F::load_mont(coefficients_ + i * Coefficient::bytes + sizeof(Head));
    if (signal >= signals_) [[unlikely]] refuse(i);
    const F w = F::load_mont(witness_ + signal * F::bytes);
    if (!F::is_canonical(w.data())) [[unlikely]] proofgrid::elements_detail::load<F>(witness_, "witness", signal);
    if (value == one_) {
      sum.add(w);
    } else if (value == minus_one_) {
      sum.add(-w);
    } else {
      if (!F::is_canonical(value.data())) [[unlikely]] refuse(i);
      sum.add_product(value * w);
    }
  }

  struct Head {
    std::uint32_t matrix, constraint, signal;
  };
  PROOFGRID_INLINE Head head(size_t i) const {
    Head r;
    std::memcpy(&r, coefficients_ + i * Coefficient::bytes, sizeof r);
    return r;
  }
  // Says what is wrong with record i.
  [[gnu::cold, gnu::noinline]] void refuse(size_t i) const {
    Coefficient::load(coefficients_ + i * Coefficient::bytes).require(i, n_, signals_);
  }

  // As values are stored, v R^2.
  const F one_ = F::constant_mont(F::Params::radix_squared), minus_one_ = -one_;
  const std::byte* coefficients_;
  size_t count_;
  const std::byte* witness_;
  size_t signals_, n_;
};

}  // namespace proofgrid
