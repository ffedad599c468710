// Groth16's quotient (see quotient.hpp above) on eight lanes, in three passes over A, B and C, in place: inverse transforms
// of the columns; inverse transforms of the rows and straight on, while they are in the cache, forward ones over the odd roots;
// forward transforms of the columns, which end in A B - C. No pass turns bits around: the rows go from natural to bit-reversed
// places and back.
//
//   before    a, b, c = a b / R     R = 2^260; a product of two values is divided by it
//   after     f a, f b, f c         f = 2^130; the inverse transforms take it along with 1 / n
//   result    (f a)(f b) / R + (f c)(-R f) / R = a b - R c
//
// Cost for n = 2^k and m coefficients other than 1 and -1: 6 NTTs, m mul, 162 n / 8 vpmadd52. Memory: 2 n elements besides `out`.
#pragma once

#include <immintrin.h>

#include "proofgrid/ifma/ntt.hpp"
#include "proofgrid/ifma/sparse.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

template <class P>
class QuotientTransforms {
 public:
  using F = Fp<P>;
  using L = Lanes<P>;
  using S = Sums<P>;

  // a[row] and b[row] hold the rows' products; a receives the result, canonical. 6 <= log_n < two_adicity.
  QuotientTransforms(unsigned log_n, F* a, F* b, F* c, Run& run)
      : log_n_(log_n),
        log_n1_(log_n / 2),
        log_n2_(log_n - log_n1_),
        n1_(size_t{1} << log_n1_),
        n2_(size_t{1} << log_n2_),
        a_(a),
        b_(b),
        c_(c),
        run_(run),
        buffers_(run.team.size() << log_n2_),
        factors_(run.team.size() << log_n2_),
        forward_(block_twiddles<P>(log_n1_ - 1, false)),
        inverse_(block_twiddles<P>(log_n2_ - 1, true)),
        odd_(odd_twiddles<P>(log_n2_)) {
    uint64_t words[P::limbs] = {};
    words[2] = 4;  // 2^130
    const F scale = F::from_canonical(words), odd_root = root_of_unity<F>(log_n + 1);
    start_ = all_lanes(scale * F::from_small(n1_ * n2_).inverse());
    minus_scale_ = all_lanes(-scale);
    column_ratios_ = geometric_series(F::one(), direction_root<P>(log_n, true), n2_);
    row_starts_ = geometric_series(F::one(), odd_root, n1_);
    row_ratios_ = geometric_series(F::one(), odd_root.square(), n1_);
  }

  void compute() {
    run_.team.run(n2_ / lanes, [&](size_t group, unsigned worker) { invert_columns(group, worker); });
    run_.progress.step(3);
    run_.team.run(n1_ / lanes, [&](size_t group, unsigned worker) { extend_rows(group, worker); });
    run_.progress.step(2);
    run_.team.run(n2_ / lanes, [&](size_t group, unsigned worker) { finish_columns(group, worker); });
    run_.progress.step(2);
  }

 private:
  // Eight elements of row i from column 8 g on: in natural order, or stored as eight lanes of another kind.
  PROOFGRID_INLINE std::byte* piece(F* x, size_t i, size_t g) const {
    return reinterpret_cast<std::byte*>(x + i * n2_ + g * lanes);
  }
  PROOFGRID_INLINE static void load_words(Word (&words)[P::limbs], const std::byte* source) {
#pragma GCC unroll 4
    for (size_t j = 0; j < P::limbs; ++j) words[j] = _mm512_loadu_si512(source + j * sizeof(Word));
  }
  PROOFGRID_INLINE static void store_words(std::byte* target, const Word (&words)[P::limbs]) {
#pragma GCC unroll 4
    for (size_t j = 0; j < P::limbs; ++j) _mm512_storeu_si512(target + j * sizeof(Word), words[j]);
  }
  PROOFGRID_INLINE static L load_stored(const std::byte* source) {
    Word words[P::limbs];
    load_words(words, source);
    return L::template from_words<stored<P>>(words);
  }
  PROOFGRID_INLINE static L load_rows_of(const std::byte* source) {
    Word words[P::limbs];
    load_rows(words, source);
    return L::from_words(words);
  }

  // Eight columns of all three; what was row 8 g + r of columns 8 c .. 8 c + 7 becomes column 8 c + r of rows 8 g .. 8 g + 7.
  void invert_columns(size_t group, unsigned worker) {
    run_.progress.check();
    S* x = buffers_.data() + (worker << log_n2_);
    S* factors = factors_.data() + (worker << log_n2_);
    Steps<P>(start_, lanes_of<P>(&column_ratios_[group * lanes])).fill(factors, n1_);
    const auto finish = [&](F* target, unsigned m) {
      step_and_transpose<P, S::product>(
          x, log_n1_, m, [this](size_t k) { return reverse_bits(k, log_n1_); },
          [factors](size_t g, size_t r) -> const S& { return factors[g * lanes + r]; },
          [&](size_t g, const Word (&words)[P::limbs][lanes]) {
            for (size_t r = 0; r < lanes; ++r) {
              prefetch_piece_to_write(piece(target, (g + 1) * lanes + r, group));
              store_column(piece(target, g * lanes + r, group), words, r);
            }
          });
    };
    finish(c_, ColumnTransform<P>::template transform<L::product>(x, log_n1_, inverse_->data(), [&](size_t i) {
      prefetch_piece(piece(a_, i + rows_ahead, group));
      prefetch_piece(piece(b_, i + rows_ahead, group));
      return S::from(load_rows_of(piece(a_, i, group)) * load_rows_of(piece(b_, i, group)));
    }));
    for (F* y : {a_, b_}) {
      finish(y, ColumnTransform<P>::template transform<1>(x, log_n1_, inverse_->data(), [&](size_t i) {
        prefetch_piece(piece(y, i + rows_ahead, group));
        return S::from(load_rows_of(piece(y, i, group)));
      }));
    }
  }
  PROOFGRID_INLINE static void store_column(std::byte* target, const Word (&words)[P::limbs][lanes], size_t r) {
#pragma GCC unroll 4
    for (size_t j = 0; j < P::limbs; ++j) _mm512_storeu_si512(target + j * sizeof(Word), words[j][r]);
  }

  // Eight rows of all three, k1 = 8 g .. 8 g + 7: to coefficients, times powers of the odd root z, and to values;
  // z^(k1 + n1 k2) = z^k1 (z^n1)^k2, of which the second factor is odd_twiddles'. The pieces hold eight columns of a row again.
  void extend_rows(size_t group, unsigned worker) {
    run_.progress.check();
    S* x = buffers_.data() + (worker << log_n2_);
    S* factors = factors_.data() + (worker << log_n2_);
    const size_t row = group * lanes;
    Steps<P>(lanes_of<P>(&row_starts_[row]), lanes_of<P>(&row_ratios_[row])).fill(factors, n2_);
    for (F* y : {a_, b_, c_}) {
      unsigned m = ColumnTransform<P>::template transform<stored<P>>(x, log_n2_, inverse_->data(), [&](size_t j) {
        return S::from(load_stored(piece(y, row + j % lanes, j / lanes)));
      });
      m = ColumnTransform<P>::transform_odd(x, log_n2_, m, odd_->data());
      step_and_transpose<P, S::product>(
          x, log_n2_, m, [](size_t j) { return j; },
          [factors](size_t g, size_t r) -> const S& { return factors[g * lanes + r]; },
          [&](size_t g, const Word (&words)[P::limbs][lanes]) {
            for (size_t r = 0; r < lanes; ++r) store_column(piece(y, row + r, g), words, r);
          });
    }
  }

  // Eight columns of all three, and of the result.
  void finish_columns(size_t group, unsigned worker) {
    run_.progress.check();
    S* x = buffers_.data() + (worker << log_n2_);
    const auto transform = [&](F* y) {
      return ColumnTransform<P>::template transform<stored<P>>(
          x, log_n1_, forward_->data(), [&](size_t k) {
            prefetch_piece(piece(y, k + rows_ahead, group));
            return S::from(load_stored(piece(y, k, group)));
          });
    };
    for (F* y : {a_, b_}) {
      [[maybe_unused]] const unsigned m = transform(y);
      for (size_t i = 0; i < n1_; ++i) {
        Word words[P::limbs];
        S value = x[reverse_bits(i, log_n1_)].verify(m).reduce();
        value.verify(S::reduced);
        value.carry_factor();
        value.to_words(words);
        prefetch_piece_to_write(piece(y, i + rows_ahead, group));
        store_words(piece(y, i, group), words);
      }
    }
    [[maybe_unused]] const unsigned m = transform(c_);
    for (size_t i = 0; i < n1_; ++i) {
      prefetch_piece_to_write(piece(a_, i + rows_ahead, group));
      prefetch_piece(piece(b_, i + rows_ahead, group));
      const L a = load_stored(piece(a_, i, group)), b = load_stored(piece(b_, i, group));
      const L c = x[reverse_bits(i, log_n1_)].verify(m).reduce().lanes(S::reduced);
      Word words[P::limbs];
      S::from(L::sum_of_products(a, b, c, minus_scale_)).to_canonical_words(words);
      store_rows(piece(a_, i, group), words);
    }
  }

  unsigned log_n_, log_n1_, log_n2_;
  size_t n1_, n2_;
  F *a_, *b_, *c_;
  Run& run_;
  Buffer<S> buffers_;
  Buffer<S> factors_;
  std::shared_ptr<const std::vector<Constant<P>>> forward_, inverse_, odd_;
  L start_, minus_scale_;                                       // f / n and -f R
  std::vector<F> column_ratios_, row_starts_, row_ratios_;
};

}  // namespace proofgrid

namespace proofgrid::inline PROOFGRID_LAYER {

// As quotient.hpp's function, eight elements at a time where there are enough.
template <class P>
void quotient_in_lanes(const std::byte* coefficients, size_t count, const std::byte* witness, size_t signals,
                       unsigned log_n, Fp<P>* out, Run& run) {
  if (log_n < ifma::smallest_log_n) return quotient(coefficients, count, witness, signals, log_n, out, run);
  const size_t n = size_t{1} << log_n;
  const ifma::Buffer<Fp<P>> b(n), c(n);
  run.progress.expect(8);
  ifma::SparseProducts<Fp<P>>(coefficients, count, witness, signals, n).write({out, b.data()}, run);
  run.progress.step();
  ifma::QuotientTransforms<P>(log_n, out, b.data(), c.data(), run).compute();
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
