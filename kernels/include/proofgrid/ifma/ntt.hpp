// Transforms on eight lanes: n = n1 n2 places as a matrix of n1 rows, first its columns, then w^(j k), then its rows, which by
// then lie as columns (Bailey, J. Supercomputing 4, 1990: the six-step method, its transposes 8 x 8 and in registers).
//
//   x[i n2 + j]  ->  sum over i  ->  y[k1][j] w^(j k1)  ->  sum over j  ->  out[k1 + n1 k2]
//
// Limit: n / 2 * log2 n * 61 / 8 vpmadd52. Two passes over memory, 32 bytes an element.
#pragma once

#include <immintrin.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include "proofgrid/ifma/ntt_columns.hpp"
#include "proofgrid/ifma/ntt_steps.hpp"
#include "proofgrid/ntt.hpp"
#include "proofgrid/run.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

inline constexpr unsigned smallest_log_n = 6;  // 8 x 8; below, one element at a time

// Memory on cache lines that is not written before its first use, in huge pages where it is large: passes step through it by
// powers of two, which would otherwise touch a page a row.
template <class T>
class Buffer {
 public:
  explicit Buffer(size_t count)
      : alignment_{count * sizeof(T) < 2 * huge_page ? 64 : huge_page},
        data_(static_cast<T*>(::operator new(count * sizeof(T), alignment_))) {
#if defined(__linux__)
    if (alignment_ == std::align_val_t{huge_page}) madvise(data_, count * sizeof(T), MADV_HUGEPAGE);
#endif
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { ::operator delete(data_, alignment_); }
  T* data() const { return data_; }

 private:
  static constexpr size_t huge_page = size_t{2} << 20;
  std::align_val_t alignment_;
  T* data_;
};

// Eight elements as they lie between two passes: word j of all eight, then word j + 1.
template <class P>
struct Stored {
  Word word[P::limbs];
};

// Rows lie a power of two apart, where no prefetcher of the hardware follows; prefetching past the end does no harm.
inline constexpr size_t rows_ahead = 4;
inline constexpr size_t cache_line = 64;
template <class T>
PROOFGRID_INLINE void prefetch_piece(const T* source) {
  for (size_t i = 0; i < 4; ++i) _mm_prefetch(reinterpret_cast<const char*>(source) + cache_line * i, _MM_HINT_T1);
}
template <class T>
PROOFGRID_INLINE void prefetch_piece_to_write(const T* target) {
  for (size_t i = 0; i < 4; ++i) __builtin_prefetch(reinterpret_cast<const char*>(target) + cache_line * i, 1, 2);
}

// The lanes whose value, of eight consecutive elements, lies below p.
template <class P>
PROOFGRID_INLINE Mask below_modulus(const Lanes<P>& x) {
  using C = Constants<P>;
  Word borrow = _mm512_setzero_si512();
#pragma GCC unroll 8
  for (size_t i = 0; i < C::limbs; ++i) {
    const Word difference = _mm512_sub_epi64(x.limb[i], all(C::modulus.limb[i]));
    borrow = _mm512_srai_epi64(_mm512_add_epi64(difference, borrow), limb_bits);
  }
  return _mm512_movepi64_mask(borrow);
}

// As ntt.hpp's function of the same name.
template <class P>
void ntt(const std::byte* values, Fp<P>* out, unsigned log_n, bool inverse, const Fp<P>& shift, Run& run) {
  using F = Fp<P>;
  using L = Lanes<P>;
  using S = Sums<P>;
  const unsigned log_n1 = log_n / 2, log_n2 = log_n - log_n1;
  const size_t n = size_t{1} << log_n, n1 = size_t{1} << log_n1, n2 = size_t{1} << log_n2;
  constexpr size_t bytes = F::bytes;
  run.progress.expect(2);

  const auto table = block_twiddles<P>(std::max(log_n1, log_n2) - 1, inverse);
  const Constant<P>* t = table->data();
  const bool shifted = !(shift == F::one());
  // Forward: x[i n2 + j] times shift^(i n2) shift^j. Inverse: out[k1 + n1 k2] times shift^-k1 shift^-(n1 k2), and 1 / n.
  const F step = inverse ? shift.inverse() : shift;
  const F w = direction_root<P>(log_n, inverse);
  const std::vector<F> ratios = geometric_series(inverse ? step : F::one(), w, n2);
  const L start = all_lanes(inverse ? F::from_small(n).inverse() : F::one());
  std::vector<F> starts;
  std::vector<Constant<P>> powers;
  if (shifted) {
    const uint64_t exponent = inverse ? n1 : n2;
    powers = geometric<P>(F::one(), step.pow(&exponent, 1), inverse ? n2 : n1);
    if (!inverse) starts = geometric_series(F::one(), step, n2);
  }

  const Buffer<Stored<P>> middle(n / lanes);  // [k1 / 8][j], lanes k1 mod 8
  const Buffer<S> buffers(run.team.size() << log_n2);
  std::atomic<size_t> bad{n};
  run.team.run(n2 / lanes, [&](size_t group, unsigned worker) {
    run.progress.check();
    S* x = buffers.data() + (worker << log_n2);
    const std::byte* source = values + group * lanes * bytes;
    Mask fine = 0xff;
    const auto load = [&](size_t i) {
      Word words[P::limbs];
      prefetch_piece(source + (i + rows_ahead) * n2 * bytes);
      load_rows(words, source + i * n2 * bytes);
      const L loaded = L::template from_words<6>(words);
      const Mask below = below_modulus(loaded);
      fine &= below;
      if (below != 0xff) [[unlikely]] {
        bad.store(i * n2 + group * lanes + static_cast<size_t>(std::countr_one(below)), std::memory_order_relaxed);
        return S::from(L::zero());
      }
      S element = S::from(loaded);
      if (shifted && !inverse) {
        element.multiply_by(powers[i]);
        element = element.reduce();
      }
      return element;
    };
    const unsigned m = ColumnTransform<P>::template transform<1>(x, log_n1, t, load);
    if (fine != 0xff) [[unlikely]] return;

    const size_t column = group * lanes;
    Steps<P> steps(starts.empty() ? start : lanes_of<P>(&starts[column]), lanes_of<P>(&ratios[column]));
    step_and_transpose<P>(
        x, log_n1, m, [log_n1](size_t k) { return reverse_bits(k, log_n1); },
        [&](size_t g, size_t r) -> const S& { return steps.next(g, r); },
        [&](size_t g, const Word (&words)[P::limbs][lanes]) {
          Stored<P>* target = middle.data() + g * n2 + column;
          for (size_t c = 0; c < lanes; ++c) {
            prefetch_piece_to_write(target + n2 + c);
#pragma GCC unroll 4
            for (size_t j = 0; j < P::limbs; ++j) target[c].word[j] = words[j][c];
          }
        });
  });
  if (bad.load() != n) {
    throw MalformedInput("values: element " + std::to_string(bad.load()) + " is not below the field's modulus");
  }
  run.progress.step();

  run.team.run(n1 / lanes, [&](size_t group, unsigned worker) {
    run.progress.check();
    S* x = buffers.data() + (worker << log_n2);
    const Stored<P>* source = middle.data() + group * n2;
    [[maybe_unused]] const unsigned m = ColumnTransform<P>::template transform<stored<P>>(
        x, log_n2, t, [&](size_t j) { return S::from(L::template from_words<stored<P>>(source[j].word)); });
    for (size_t k = 0; k < n2; ++k) {
      S element = x[reverse_bits(k, log_n2)];
      element.verify(m);
      if (shifted && inverse) {
        element.carry_factor();
        element.multiply_by(powers[k]);
      }
      Word words[P::limbs];
      element.to_canonical_words(words);
      F* const target = out + k * n1 + group * lanes;
      prefetch_piece_to_write(target + rows_ahead * n1);
      store_rows(target, words);
    }
  });
  run.progress.step();
}

}  // namespace proofgrid

namespace proofgrid::inline PROOFGRID_LAYER {

// The transform of ntt.hpp, eight elements at a time where there are enough.
template <class P>
void ntt_in_lanes(const std::byte* values, Fp<P>* out, unsigned log_n, bool inverse, const Fp<P>& shift, Run& run) {
  if constexpr (P::two_adicity >= ifma::smallest_log_n) {
    if (log_n >= ifma::smallest_log_n) return ifma::ntt<P>(values, out, log_n, inverse, shift, run);
  }
  ntt(values, out, log_n, inverse, shift, run);
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
