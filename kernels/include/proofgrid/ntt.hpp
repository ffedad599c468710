// Number-theoretic transforms over the 2^k-th roots of unity of a prime field.
//
// One table serves every size and both directions: twiddles in bit-reversed order, T[i] = w_{4m}^(...) such that stage s
// of any transform reads T[0 .. 2^s), one twiddle per block (as in Seiler, eprint 2018/039). Two kernels stand on it:
//
//   natural_to_reversed   Cooley-Tukey butterflies (x + t y, x - t y), from one block to many
//   reversed_to_natural   Gentleman-Sande butterflies (x + y, (x - y) t), from many blocks to one
//
// Both compute the forward transform; they differ in which side is bit-reversed. The inverse is the forward transform
// of the values read backwards (i -> -i mod n), divided by n. Two stages are done at once; stages whose blocks exceed
// the cache are spread over the threads, smaller blocks are finished one by one. Cost: n / 2 * log2 n mul.
#pragma once

#include <atomic>
#include <bit>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proofgrid/ntt_stages.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

inline size_t reverse_bits(size_t i, unsigned bits) {
  uint64_t x = __builtin_bswap64(i);
  x = (x >> 4 & 0x0f0f0f0f0f0f0f0f) | (x & 0x0f0f0f0f0f0f0f0f) << 4;
  x = (x >> 2 & 0x3333333333333333) | (x & 0x3333333333333333) << 2;
  x = (x >> 1 & 0x5555555555555555) | (x & 0x5555555555555555) << 1;
  return x >> 1 >> (63 - bits);  // bits may be 0
}

// A primitive 2^log_order-th root of unity; the convention of curves.py: each is the square of the next.
template <class F>
F root_of_unity(unsigned log_order) {
  F root = F::constant_mont(F::Params::root_of_unity_mont);
  for (unsigned i = F::Params::two_adicity; i > log_order; --i) root = root.square();
  return root;
}

// T[i] for i < 2^log_size, where T[2^j] = w of order 2^(j+2) and T is multiplicative over the bits of i; so T[i] is the
// primitive 2^(log_size+1)-th root to the power bit-reversed i. Requires log_size < two_adicity.
template <class F>
std::shared_ptr<const std::vector<Twiddle<F>>> twiddles(unsigned log_size, Team& team) {
  static constexpr unsigned cached_log_size = 20;  // 32 to 75 MB; larger tables live as long as their caller
  static std::mutex mutex;
  static std::shared_ptr<const std::vector<Twiddle<F>>> cache;
  {
    std::lock_guard lock(mutex);
    if (cache && cache->size() >> log_size) return cache;
  }
  auto table = std::make_shared<std::vector<Twiddle<F>>>(size_t{1} << log_size);
  const unsigned low_bits = std::min(log_size, 10u);
  std::vector<F> low(size_t{1} << low_bits), roots(log_size);
  low[0] = F::one();
  for (unsigned j = 0; j < log_size; ++j) roots[j] = root_of_unity<F>(j + 2);
  for (size_t i = 1; i < low.size(); ++i) {
    const size_t top = std::bit_floor(i);
    low[i] = low[i - top] * roots[static_cast<size_t>(std::countr_zero(top))];
  }
  team.run(size_t{1} << (log_size - low_bits), [&](size_t block, unsigned) {
    F high = F::one();
    for (unsigned j = low_bits; j < log_size; ++j) {
      if (block >> (j - low_bits) & 1) high *= roots[j];
    }
    Twiddle<F>* const t = table->data() + (block << low_bits);
    for (size_t i = 0; i < low.size(); ++i) t[i] = Lazy<F>::twiddle(low[i] * high);
  });
  std::lock_guard lock(mutex);
  if (log_size <= cached_log_size && (!cache || cache->size() < table->size())) cache = table;
  return table;
}

namespace ntt_detail {

// How many of the outermost stages are spread over the threads; even, so that they pair up. Some stages stay for the
// blocks: at least 7, or all.
inline unsigned spread_stages(unsigned log_n, unsigned threads) {
  const unsigned wanted = threads > 1 ? static_cast<unsigned>(std::bit_width(threads)) : 0;
  const unsigned stages = std::max(log_n > block_log ? log_n - block_log : 0, std::min(wanted, log_n > 8 ? log_n - 8 : 0));
  return std::min(stages + stages % 2, log_n - log_n % 2);
}

// Runs kernel(block's start, quarter, begin, end, block) over one spread pair of stages with 2^stage blocks.
template <class F, class Kernel>
void spread_pass(F* x, unsigned log_n, unsigned stage, Run& run, const Kernel& kernel) {
  const size_t quarter = size_t{1} << (log_n - stage - 2);
  run.progress.check();
  run.team.split(size_t{1} << (log_n - 2), grain, [&](size_t begin, size_t end, unsigned) {
    [[maybe_unused]] const Rounding<F> rounding;
    while (begin < end) {
      const size_t k = begin / quarter, j = begin % quarter, stop = std::min(quarter, j + (end - begin));
      kernel(x + 4 * k * quarter, quarter, j, stop, k);
      begin += stop - j;
    }
  });
}

}  // namespace ntt_detail

// In place; x[i] natural in, value at w^i at place bit-reversed i out. `t` has at least 2^(log_n-1) twiddles.
template <class F>
void natural_to_reversed(F* x, unsigned log_n, const Twiddle<F>* t, Run& run) {
  using namespace ntt_detail;
  if (log_n == 0) return;
  const unsigned spread = spread_stages(log_n, run.team.size());
  for (unsigned stage = 0; stage < spread; stage += 2) {
    spread_pass(x, log_n, stage, run, [t](F* block, size_t quarter, size_t begin, size_t end, size_t k) {
      forward4<false>(block, quarter, begin, end, t, k);
    });
  }
  const unsigned rest = log_n - spread;  // never 0: see spread_stages
  run.team.split(size_t{1} << spread, std::max<size_t>(1, grain >> rest), [&](size_t begin, size_t end, unsigned) {
    [[maybe_unused]] const Rounding<F> rounding;
    for (size_t k = begin; k < end; ++k) {
      run.progress.check();
      forward_block(x + (k << rest), rest, t, k);
    }
  });
}

// In place; x at bit-reversed places in, value at w^i at place i out.
template <class F>
void reversed_to_natural(F* x, unsigned log_n, const Twiddle<F>* t, Run& run) {
  using namespace ntt_detail;
  if (log_n == 0) return;
  const unsigned spread = spread_stages(log_n, run.team.size()), rest = log_n - spread;
  run.team.split(size_t{1} << spread, std::max<size_t>(1, grain >> rest), [&](size_t begin, size_t end, unsigned) {
    [[maybe_unused]] const Rounding<F> rounding;
    for (size_t k = begin; k < end; ++k) {
      run.progress.check();
      spread == 0 ? backward_block<true>(x, rest, t, k) : backward_block<false>(x + (k << rest), rest, t, k);
    }
  });
  for (unsigned stage = spread; stage >= 2; stage -= 2) {
    spread_pass(x, log_n, stage - 2, run, [t, stage](F* block, size_t quarter, size_t begin, size_t end, size_t k) {
      stage == 2 ? backward4<true>(block, quarter, begin, end, t, k)
                 : backward4<false>(block, quarter, begin, end, t, k);
    });
  }
}

namespace ntt_detail {

// out[bit-reversed i] = in(i), tile by tile: 2^tile neighbours are read and 2^tile neighbours written per tile.
template <class F, class In>
void reversed_copy(F* out, unsigned log_n, const In& in, Run& run) {
  constexpr unsigned tile = 4;
  if (log_n < 2 * tile) {
    for (size_t i = 0; i < size_t{1} << log_n; ++i) out[reverse_bits(i, log_n)] = in(i);
    return;
  }
  const unsigned middle = log_n - 2 * tile;
  run.team.split(size_t{1} << middle, 16, [&](size_t begin, size_t end, unsigned) {
    for (size_t m = begin; m < end; ++m) {
      const size_t reversed_middle = reverse_bits(m, middle) << tile;
      for (size_t high = 0; high < size_t{1} << tile; ++high) {
        for (size_t low = 0; low < size_t{1} << tile; ++low) {
          out[reverse_bits(low, tile) << (log_n - tile) | reversed_middle | reverse_bits(high, tile)] =
              in(high << (log_n - tile) | m << tile | low);
        }
      }
    }
  });
}

// x[i] *= scale * ratio^i.
template <class F>
void scale_by_powers(F* x, size_t n, const F& scale, const F& ratio, Run& run) {
  const bool constant = ratio == F::one();
  run.team.split(n, grain, [&](size_t begin, size_t end, unsigned) {
    const uint64_t exponent = begin;
    F factor = scale * ratio.pow(&exponent, 1);
    for (size_t i = begin; i < end; ++i) {
      x[i] *= factor;
      if (!constant) factor *= ratio;
    }
  });
}

// x[bit-reversed i] *= ratio^i. Powers of bit-reversed exponents are products over the place's bits.
template <class F>
void scale_by_reversed_powers(F* x, unsigned log_n, const F& ratio, Run& run) {
  std::vector<F> of_bit(log_n);
  F power = ratio;
  for (unsigned bit = log_n; bit-- > 0; power = power.square()) of_bit[bit] = power;
  const unsigned low_bits = std::min(log_n, block_log);
  std::vector<F> low(size_t{1} << low_bits, F::one());
  for (unsigned bit = 0; bit < low_bits; ++bit) {
    for (size_t i = 0; i < size_t{1} << bit; ++i) low[(size_t{1} << bit) + i] = low[i] * of_bit[bit];
  }
  run.team.run(size_t{1} << (log_n - low_bits), [&](size_t block, unsigned) {
    F high = F::one();
    for (unsigned bit = low_bits; bit < log_n; ++bit) {
      if (block >> (bit - low_bits) & 1) high *= of_bit[bit];
    }
    for (size_t i = 0; i < low.size(); ++i) x[(block << low_bits) + i] *= high * low[i];
  });
}

}  // namespace ntt_detail

// The transform over shift * <w>, w of order 2^log_n, natural order in and out; `values` at any alignment, canonical,
// `out` aligned, over `values` or apart from them; values that are refused stay as they were. Multiplying canonical data by Montgomery factors leaves it canonical, so no form changes.
// Forward: coefficients to values at shift * w^i; inverse: back. Requires log_n <= two_adicity and shift != 0.
template <class F>
void ntt(const std::byte* values, F* out, unsigned log_n, bool inverse, const F& shift, Run& run) {
  const size_t n = size_t{1} << log_n;
  const auto table = twiddles<F>(log_n ? log_n - 1 : 0, run.team);
  run.progress.expect(2);
  std::vector<std::byte> copy;  // of values that `out` lies over, for the copy in reverse order reads them all over
  const auto* const target = reinterpret_cast<const std::byte*>(out);
  if (std::less<>{}(values, target + n * F::bytes) && std::less<>{}(target, values + n * F::bytes)) {
    copy.assign(values, values + n * F::bytes);
    values = copy.data();
  }
  std::atomic<size_t> bad{n};
  ntt_detail::reversed_copy(
      out, log_n,
      [&](size_t i) {
        const F x = F::load_mont(values + (inverse ? (n - i) & (n - 1) : i) * F::bytes);
        if (!F::is_canonical(x.data())) [[unlikely]] bad.store(i, std::memory_order_relaxed);
        return x;
      },
      run);
  if (bad.load() != n) {
    const size_t i = bad.load();
    if (!copy.empty()) std::memcpy(out, copy.data(), copy.size());
    throw MalformedInput("values: element " + std::to_string(inverse ? (n - i) & (n - 1) : i) +
                         " is not below the field's modulus");
  }
  if (!inverse && !(shift == F::one())) ntt_detail::scale_by_reversed_powers(out, log_n, shift, run);
  run.progress.step();
  reversed_to_natural(out, log_n, table->data(), run);
  if (inverse) ntt_detail::scale_by_powers(out, n, F::from_small(n).inverse(), shift.inverse(), run);
  run.progress.step();
}

}  // namespace proofgrid
