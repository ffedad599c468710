// Transforms on eight lanes: n = n1 n2 places as a matrix of n1 rows, first its columns, then w^(j k), then its rows, which by
// then lie as columns (Bailey, J. Supercomputing 4, 1990: the six-step method, its transposes 8 x 8 and in registers).
//
//   x[i n2 + j]  ->  sum over i  ->  y[k1][j] w^(j k1)  ->  sum over j  ->  out[k1 + n1 k2]
//
// Limit: n / 2 * log2 n * 61 / 8 vpmadd52. Two passes over memory, 32 bytes an element each way; what a pass will touch
// next is prefetched, for its steps are powers of two.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "proofgrid/ifma/ntt_buffer.hpp"
#include "proofgrid/ifma/ntt_columns.hpp"
#include "proofgrid/ifma/ntt_step_table.hpp"
#include "proofgrid/elements.hpp"
#include "proofgrid/ntt.hpp"
#include "proofgrid/run.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

inline constexpr unsigned smallest_log_n = 6;  // 8 x 8; below, one element at a time

// Rows lie a power of two apart, where no prefetcher of the hardware follows, and few of them have room in the nearer caches
// together. Prefetching past the end does no harm.
inline constexpr size_t rows_ahead = 4, places_ahead = 8;
inline constexpr size_t cache_line = 64;

// Eight elements, which lie on five lines where they are not aligned.
template <int write, class T>
PROOFGRID_INLINE void prefetch_lines(const T* start, size_t bytes) {
  const auto* first = reinterpret_cast<const std::byte*>(start);
  for (size_t i = 0; i < bytes; i += cache_line) __builtin_prefetch(first + i, write, 2);
  __builtin_prefetch(first + bytes - 1, write, 2);
}
template <class T>
PROOFGRID_INLINE void prefetch_piece(const T* source) {
  prefetch_lines<0>(source, 4 * cache_line);
}
template <class T>
PROOFGRID_INLINE void prefetch_piece_to_write(const T* target) {
  prefetch_lines<1>(target, 4 * cache_line);
}

// One transform as ntt.hpp's function of the same name does it, for 6 <= log_n <= two_adicity.
template <class P>
class Transform {
 public:
  using F = Fp<P>;
  using L = Lanes<P>;
  using S = Sums<P>;

  Transform(const std::byte* values, F* out, unsigned log_n, bool inverse, const F& shift, Run& run)
      : values_(values),
        out_(out),
        log_n1_(log_n / 2),
        log_n2_(log_n - log_n1_),
        n1_(size_t{1} << log_n1_),
        n2_(size_t{1} << log_n2_),
        inverse_(inverse),
        shifted_(!(shift == F::one())),
        run_(run),
        twiddles_(block_twiddles<P>(log_n2_ - 1, inverse)),
        middle_(n1_ * n2_ / lanes),
        buffers_(run.team.size() << log_n2_) {
    // Forward: x[i n2 + j] times shift^(i n2) shift^j. Inverse: out[k1 + n1 k2] times shift^-k1 shift^-(n1 k2), and 1 / n.
    const F step = inverse ? shift.inverse() : shift;
    start_ = all_lanes(inverse ? F::from_small(n1_ * n2_).inverse() : F::one());
    if (shifted_) {
      const uint64_t exponent = inverse ? n1_ : n2_;
      powers_ = geometric<P>(F::one(), step.pow(&exponent, 1), inverse ? n2_ : n1_);
      if (!inverse) starts_ = geometric_series(F::one(), step, n2_);
    } else {
      steps_ = StepTable<P>::find(log_n, inverse);
      if (!steps_) new_steps_ = StepTable<P>::create(log_n, inverse);
    }
    if (!steps_) ratios_ = geometric_series(inverse ? step : F::one(), direction_root<P>(log_n, inverse), n2_);
  }

  void compute() {
    run_.progress.expect(2);
    run_.team.run(n2_ / lanes, [&](size_t group, unsigned worker) { transform_columns(group, worker); });
    run_.progress.step();
    if (new_steps_) StepTable<P>::keep(std::move(new_steps_));
    run_.team.run(n1_ / lanes, [&](size_t group, unsigned worker) { transform_rows(group, worker); });
    run_.progress.step();
  }

 private:
  // Columns 8 group .. 8 group + 7.
  void transform_columns(size_t group, unsigned worker) {
    run_.progress.check();
    S* x = buffers_.data() + (worker << log_n2_);
    const unsigned m = ColumnTransform<P>::template transform<S::reduced>(
        x, log_n1_, twiddles_->data(), [&](size_t i) { return load(i, group); });
    if (steps_) {
      const Stored<P>* factors = steps_->group(group);
      finish_columns<1>(x, m, group, [&](size_t g, size_t r) {
        const Stored<P>* factor = factors + g * lanes + r;
        prefetch_piece(factor + places_ahead);
        return S::factor_from_words(factor->word);
      });
      return;
    }
    const size_t column = group * lanes;
    Steps<P> steps(starts_.empty() ? start_ : lanes_of<P>(&starts_[column]), lanes_of<P>(&ratios_[column]));
    Stored<P>* kept = new_steps_ ? new_steps_->group(group) : nullptr;
    finish_columns<S::product>(x, m, group, [&](size_t g, size_t r) -> const S& {
      const S& factor = steps.next(g, r);
      if (kept) factor.of_factor().to_canonical_words(kept[g * lanes + r].word);
      return factor;
    });
  }

  // Eight elements of row i, below 2 p.
  PROOFGRID_INLINE S load(size_t i, size_t group) const {
    const std::byte* source = values_ + (i * n2_ + group * lanes) * F::bytes;
    prefetch_piece(source + rows_ahead * n2_ * F::bytes);
    Word words[P::limbs];
    load_rows(words, source);
    // Below p is what has a top word below p's; others are looked at one by one.
    const Mask below = _mm512_cmplt_epu64_mask(words[P::limbs - 1], all(P::modulus[P::limbs - 1]));
    if (below != 0xff) [[unlikely]] require_canonical(words, i * n2_ + group * lanes);
    S x = S::from(L::from_words(words));
    if (shifted_ && !inverse_) {
      x.multiply_by(powers_[i]);
      x = x.reduce();
    }
    return x;
  }

  // Throws for an element that is not below p; `first` is the first one's index.
  [[gnu::cold, gnu::noinline]] void require_canonical(const Word (&words)[P::limbs], size_t first) const {
    uint64_t read[P::limbs][lanes];
    std::memcpy(read, words, sizeof read);
    for (size_t lane = 0; lane < lanes; ++lane) {
      uint64_t element[P::limbs];
      for (size_t j = 0; j < P::limbs; ++j) element[j] = read[j][lane];
      if (F::is_canonical(element)) continue;
      proofgrid::elements_detail::load<F>(values_, "values", first + lane);
      throw MalformedInput("values: they changed while they were read");
    }
  }

  template <unsigned step_magnitude, class Factor>
  PROOFGRID_INLINE void finish_columns(const S* x, unsigned m, size_t group, const Factor& factor) const {
    step_and_transpose<P, step_magnitude>(
        x, log_n1_, m, [this](size_t k) { return reverse_bits(k, log_n1_); }, factor,
        [&](size_t g, const Word (&words)[P::limbs][lanes]) {
          Stored<P>* target = middle_.data() + g * n2_ + group * lanes;
          for (size_t c = 0; c < lanes; ++c) {
            prefetch_piece_to_write(target + n2_ + c);
#pragma GCC unroll 4
            for (size_t j = 0; j < P::limbs; ++j) target[c].word[j] = words[j][c];
          }
        });
  }

  // Rows 8 group .. 8 group + 7.
  void transform_rows(size_t group, unsigned worker) {
    run_.progress.check();
    S* x = buffers_.data() + (worker << log_n2_);
    const Stored<P>* source = middle_.data() + group * n2_;
    ColumnTransform<P>::template transform<stored<P>>(
        x, log_n2_, twiddles_->data(),
        [&](size_t j) {
          prefetch_piece(source + j + places_ahead);
          return S::from(L::template from_words<stored<P>>(source[j].word));
        },
        [&](const S* done) {
          const size_t place = static_cast<size_t>(done - x), k = reverse_bits(place, log_n2_);
          prefetch_piece_to_write(out_ + reverse_bits((place + places_ahead) & (n2_ - 1), log_n2_) * n1_ + group * lanes);
          S element = *done;
          if (shifted_ && inverse_) {
            element.carry_factor();
            element.multiply_by(powers_[k]);
          }
          Word words[P::limbs];
          element.to_canonical_words(words);
          store_rows(out_ + k * n1_ + group * lanes, words);
        });
  }

  const std::byte* values_;
  F* out_;
  unsigned log_n1_, log_n2_;
  size_t n1_, n2_;
  bool inverse_, shifted_;
  Run& run_;
  std::shared_ptr<const std::vector<Constant<P>>> twiddles_;
  Buffer<Stored<P>> middle_;  // [k1 / 8][j], lanes k1 mod 8
  Buffer<S> buffers_;
  L start_;
  std::shared_ptr<const StepTable<P>> steps_;  // none where it would be too large, or is new
  std::shared_ptr<StepTable<P>> new_steps_;
  std::vector<F> ratios_, starts_;       // of columns, where there is no table
  std::vector<Constant<P>> powers_;      // of the shift
};

}  // namespace proofgrid

namespace proofgrid::inline PROOFGRID_LAYER {

// The transform of ntt.hpp, eight elements at a time where there are enough.
template <class P>
void ntt_in_lanes(const std::byte* values, Fp<P>* out, unsigned log_n, bool inverse, const Fp<P>& shift, Run& run) {
  if constexpr (P::two_adicity >= ifma::smallest_log_n) {
    if (log_n >= ifma::smallest_log_n) return ifma::Transform<P>(values, out, log_n, inverse, shift, run).compute();
  }
  ntt(values, out, log_n, inverse, shift, run);
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
