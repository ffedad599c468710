// The products of Groth16's sparse matrices with the witness, by rows.
//
// A .zkey lists its records by constraint, so the records of a range of rows lie together and a thread owns its rows; records
// in another order are added up by one thread. Most coefficients are 1 or -1, and many wires bits: these take no multiplication,
// and no branch (sparse_rows.hpp).
#pragma once

#include <algorithm>
#include <atomic>
#include <vector>

#include "proofgrid/elements.hpp"
#include "proofgrid/ifma/sparse_rows.hpp"
#include "proofgrid/quotient.hpp"
#include "proofgrid/run.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// rows[matrix][constraint] = sum of value * witness[signal], canonical, for n rows of either matrix.
template <class F>
class SparseProducts {
 public:
  SparseProducts(const std::byte* coefficients, size_t count, const std::byte* witness, size_t signals, size_t n)
      : coefficients_(coefficients), count_(count), witness_(witness), signals_(signals), n_(n) {}

  // Throws MalformedInput for a record or a witness value out of range. At most one mul a record and a quarter a row.
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

  // False if a record lies outside the part's rows; then the rows hold anything.
  bool write_part(const Part& part, F* const (&rows)[2]) const {
    size_t written[2] = {part.first_row, part.first_row};  // rows from here on are still to be written
    const auto fill = [&](size_t matrix, size_t end) {
      for (; written[matrix] < end; ++written[matrix]) rows[matrix][written[matrix]] = F::zero();
    };
    RowBatch<typename F::Params> batch;
    const auto add_again = [&](const sparse_detail::RowSum& sum, F& row) {
      F more;
      batch.finish();
      batch.add(sum, &more);
      batch.finish();
      row += more;
    };
    for (size_t i = part.begin; i < part.end;) {
      const Head row = head(i);
      if (row.matrix > 1 || row.constraint >= n_) [[unlikely]] refuse(i);
      if (row.constraint < part.first_row || row.constraint >= part.end_row) return false;
      auto sum = sparse_detail::RowSum::zero();
      for (; i < part.end; ++i) {
        const Head next = head(i);
        if (next.matrix != row.matrix || next.constraint != row.constraint) break;
        add(i, next.signal, sum);
      }
      if (row.constraint < written[row.matrix]) [[unlikely]] {
        add_again(sum, rows[row.matrix][row.constraint]);
        continue;
      }
      fill(row.matrix, row.constraint);
      written[row.matrix] = row.constraint + 1;
      batch.add(sum, &rows[row.matrix][row.constraint]);
    }
    batch.finish();
    for (size_t matrix : {0, 1}) fill(matrix, part.end_row);
    return true;
  }

  PROOFGRID_INLINE void add(size_t i, std::uint32_t signal, sparse_detail::RowSum& sum) const {
    using namespace sparse_detail;
    if (signal >= signals_) [[unlikely]] refuse(i);
    const std::byte* const place = coefficients_ + i * Coefficient::bytes + sizeof(Head);
    const std::byte* const wire = witness_ + signal * F::bytes;
    const __m256i value = load(place), w = load(wire), p = load(F::Params::modulus);
    if (!is_below(w, p)) [[unlikely]] proofgrid::elements_detail::load<F>(witness_, "witness", signal);
    if (!is_below(value, p)) [[unlikely]] refuse(i);
    const bool one = is_equal(value, load(one_.data())), minus_one = is_equal(value, load(minus_one_.data()));
    sum.plain = _mm512_mask_add_epi64(sum.plain, all_if(one), sum.plain, spread(w));
    sum.plain = _mm512_mask_sub_epi64(sum.plain, all_if(minus_one), sum.plain, spread(w));
    const bool other = !(one | minus_one);
    if (is_below(w, _mm256_set_epi64x(0, 0, 0, 2))) {  // witnesses of bits are random: no branch on them
      const bool counts = other & (_mm_cvtsi128_si32(_mm256_castsi256_si128(w)) != 0);
      sum.values = _mm512_mask_add_epi64(sum.values, all_if(counts), sum.values, spread(value));
      sum.has_values |= counts;
    } else if (other) {
      const F product = sparse_detail::multiply<F>(place, wire);
      sum.products = _mm512_add_epi64(sum.products, spread(load(product.data())));
      sum.has_products = true;
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
PROOFGRID_IFMA_END
