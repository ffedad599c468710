// Many multiples of one point, eight at a time: a table of the base's multiples for each window of signed digits, then
// one addition per window and scalar (accumulators.hpp), for a whole batch of scalars together. Zero scalars are free.
// With window c, n scalars of b bits take (b / c) n + (b / c + 1) 2^(c-1) additions; memory: the table of 16 MB at most
// and 1 MB (G1) to 3 MB (G2) a thread.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "proofgrid/batch_add.hpp"
#include "proofgrid/digits.hpp"
#include "proofgrid/ifma/accumulators.hpp"
#include "proofgrid/run.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

namespace fixed_base_detail {

inline constexpr size_t batch = 2048;  // sums that share an inversion

// 5 (BN254, G1) to 16 MB (BLS12-381, G2) of table, 256 to 768 KB of it for a window. Wider ones leave the second-level
// cache, and waiting for rows then costs more than the additions saved: at 2^18 scalars 13 was the fastest or as fast.
inline constexpr unsigned largest_window = 13;

inline unsigned choose_window(size_t n, unsigned bits) {
  const auto cost = [&](unsigned c) { return (window_count(bits, c) - 1) * n + (window_count(bits, c) << (c - 1)); };
  unsigned best = 3;
  for (unsigned c = 4; c <= largest_window; ++c) {
    if (cost(c) < cost(best)) best = c;
  }
  return best;
}

// Memory for `count` words that starts at a cache line.
class AlignedWords {
 public:
  explicit AlignedWords(size_t count) : words_(static_cast<uint64_t*>(::operator new(8 * count, alignment))) {}
  ~AlignedWords() { ::operator delete(words_, alignment); }
  AlignedWords(const AlignedWords&) = delete;
  AlignedWords& operator=(const AlignedWords&) = delete;
  uint64_t* get() const { return words_; }

 private:
  static constexpr std::align_val_t alignment{64};
  uint64_t* words_;
};

// The digits of eight scalars: choices[w * stride] for window w. Scalars lie below 2^bits.
template <size_t width>
PROOFGRID_INLINE void recode(const Word (&scalars)[width], unsigned bits, unsigned window, Choice* choices,
                             size_t stride) {
  const unsigned count = window_count(bits, window);
  const Word low = all((uint64_t{1} << window) - 1), half = all(uint64_t{1} << (window - 1));
  const Word whole = all(uint64_t{1} << window), one = all(1);
  Word carry = _mm512_setzero_si512();
  for (unsigned w = 0; w < count; ++w) {
    const unsigned limb = w * window / 64, shift = w * window % 64;
    Word raw = carry;
    if (limb < width) {
      Word digit = _mm512_srli_epi64(scalars[limb], shift);
      if (shift + window > 64 && limb + 1 < width) {
        digit = _mm512_or_si512(digit, _mm512_slli_epi64(scalars[limb + 1], 64 - shift));
      }
      raw = _mm512_add_epi64(raw, _mm512_and_si512(digit, low));
    }
    // The last digit absorbs the carry: see window_count.
    const Mask negative = w + 1 < count ? _mm512_cmpge_epu64_mask(raw, half) : Mask{0};
    carry = _mm512_maskz_mov_epi64(negative, one);
    Choice& choice = choices[w * stride];
    const Word place = _mm512_mask_sub_epi64(raw, negative, whole, raw);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(choice.place), _mm512_cvtepi64_epi32(place));
    choice.negative = negative;
  }
}

// rows(w)[d] = d * 2^(window * w) * base for 0 <= d <= 2^(window-1), as PackedPoint has them.
template <class F>
class Table {
 public:
  using Coordinate = LanesOf<F>;
  using Packed = PackedPoint<Coordinate>;
  const unsigned window, windows;

  // Each multiple is low + high for two short lists of a window's, made one point at a time: 2^(window/2 + 1) of them.
  Table(const Affine<F>& base, unsigned bits, unsigned c, Run& run)
      : window(c), windows(window_count(bits, c)), low_bits_(c / 2), length_((size_t{1} << (c - c / 2)) + 1),
        row_count_((size_t{1} << (c - 1)) + 1), words_(windows * row_count_ * Packed::row_words),
        irregular_(windows, 0) {
    std::vector<Affine<F>> starts(2 * windows);  // of the low and the high list of each window
    Xyzz<F> power = Xyzz<F>::from(base);
    for (unsigned bit = 0; bit < windows * c; ++bit) {
      if (bit % c == 0) starts[2 * (bit / c)] = power.to_affine();
      if (bit % c == low_bits_) starts[2 * (bit / c) + 1] = power.to_affine();
      power = power.dbl();
    }
    AlignedWords lists(2 * windows * length_ * Packed::row_words);
    run.team.run(windows, [&](size_t w, unsigned) {
      run.progress.check();
      for (size_t list = 2 * w; list < 2 * w + 2; ++list) {
        write_list(starts[list], lists.get() + list * length_ * Packed::row_words);
      }
    });
    const size_t parts = (row_count_ + batch - 1) / batch;
    run.team.run(windows * parts, [&](size_t task, unsigned) {
      run.progress.check();
      const size_t w = task / parts, begin = task % parts * batch;
      const uint64_t* low = lists.get() + 2 * w * length_ * Packed::row_words;
      write_rows(w, begin, std::min(batch, row_count_ - begin), low, low + length_ * Packed::row_words);
    });
  }

  TableRows rows(unsigned w) const { return {row(w, 0), !irregular_[w]}; }

 private:
  uint64_t* row(size_t w, size_t d) const { return words_.get() + (w * row_count_ + d) * Packed::row_words; }

  // 0, 1, 2, ... times the point, packed.
  void write_list(const Affine<F>& start, uint64_t* target) const {
    std::vector<Affine<F>> points(length_, Affine<F>::infinity());
    points[1] = start;
    BatchAdder<F> adder(length_);
    for (size_t done = 1; done < length_ - 1; done *= 2) {
      const std::vector<Affine<F>> top(done, points[done]);
      adder.add(ArrayPairs<F>{top.data(), points.data() + 1, points.data() + done + 1}, done);
    }
    for (size_t i = 0; i < length_; i += lanes) {
      const uint64_t* sources[lanes];
      uint64_t* targets[lanes];
      const size_t count = std::min(lanes, length_ - i);
      for (size_t k = 0; k < lanes; ++k) {
        sources[k] = reinterpret_cast<const uint64_t*>(&points[i + std::min(k, count - 1)]);
        targets[k] = target + (i + std::min(k, count - 1)) * Packed::row_words;
      }
      const unsigned wanted = (1u << count) - 1;
      const Coordinate x = Coordinate::enter_mont(Packed::template gather<0>(sources));
      const Coordinate y = Coordinate::enter_mont(Packed::template gather<1>(sources));
      Packed::template scatter<0>(targets, x.template canonical<Coordinate::product>(), wanted);
      Packed::template scatter<1>(targets, y.template canonical<Coordinate::product>(), wanted);
    }
  }

  void write_rows(size_t w, size_t begin, size_t count, const uint64_t* low, const uint64_t* high) {
    Accumulators<Coordinate> sums(count);
    const size_t vectors = sums.vectors(count);
    std::vector<Choice> choices[2] = {std::vector<Choice>(vectors), std::vector<Choice>(vectors)};
    for (size_t i = 0; i < vectors * lanes; ++i) {
      const size_t d = i < count ? begin + i : 0;
      choices[0][i / lanes].place[i % lanes] = static_cast<std::uint32_t>(d & ((size_t{1} << low_bits_) - 1));
      choices[1][i / lanes].place[i % lanes] = static_cast<std::uint32_t>(d >> low_bits_);
    }
    sums.start({low, false}, choices[0].data(), count);
    sums.add({high, false}, choices[1].data());
    for (size_t v = 0; v * lanes < count; ++v) {
      const size_t first = v * lanes, here = std::min(lanes, count - first);
      uint64_t* targets[lanes];
      for (size_t k = 0; k < lanes; ++k) targets[k] = row(w, begin + first + std::min(k, here - 1));
      const unsigned wanted = (1u << here) - 1;
      const Mask infinite = sums.infinite(v);
      const Coordinate zero = Coordinate::zero();
      const Coordinate x = sums.x(v).template canonical<4>(), y = sums.y(v).template canonical<4>();
      Packed::template scatter<0>(targets, Coordinate::blend(infinite, x, zero), wanted);
      Packed::template scatter<1>(targets, Coordinate::blend(infinite, y, zero), wanted);
      if (infinite & wanted & ~(begin + first == 0 ? 1u : 0u)) std::atomic_ref(irregular_[w]).store(1);
    }
  }

  unsigned low_bits_;
  size_t length_, row_count_;
  AlignedWords words_;
  std::vector<std::uint8_t> irregular_;  // windows with infinity among their multiples, the zeroth apart
};

// The multiples for the scalars in one range: a batch at a time, without the zeros.
template <class G>
class Multiples {
 public:
  using F = typename G::Coordinate;
  using Coordinate = LanesOf<F>;
  using S = typename G::Scalar;
  using Packed = PackedPoint<Coordinate>;

  Multiples(const Table<F>& table, const std::byte* scalars, uint64_t* out, bool mont)
      : table_(table), scalars_(scalars), out_(out), mont_(mont), sums_(batch), places_(batch),
        choices_(table.windows * stride) {}

  void run(size_t begin, size_t end) {
    for (size_t i = begin; i < end;) {
      size_t count = 0;
      for (; i < end && count < batch; ++i) {
        uint64_t scalar[S::limbs];
        std::memcpy(scalar, scalars_ + i * S::bytes, sizeof scalar);
        if (!S::is_canonical(scalar)) [[unlikely]] {
          throw MalformedInput("scalars: element " + std::to_string(i) + " is not below the group's order");
        }
        if (limbs::is_zero<S::limbs>(scalar)) {
          std::memset(out_ + i * Affine<F>::words, 0, Affine<F>::bytes);
        } else {
          places_[count++] = i;
        }
      }
      if (count) multiply(count);
    }
  }

 private:
  static constexpr size_t stride = Accumulators<Coordinate>::vectors(batch);

  void multiply(size_t count) {
    const size_t vectors = sums_.vectors(count);
    for (size_t v = 0; v < vectors; ++v) {
      const uint64_t* rows[lanes];
      for (size_t k = 0; k < lanes; ++k) {
        const size_t i = v * lanes + k;
        rows[k] = i < count ? reinterpret_cast<const uint64_t*>(scalars_ + places_[i] * S::bytes) : zero_scalar;
      }
      Word words[S::limbs];
      gather_words<S::limbs>(words, rows, 0);
      recode(words, S::Params::bits, table_.window, choices_.data() + v, stride);
    }
    sums_.start(table_.rows(0), choices_.data(), count);
    for (unsigned w = 1; w < table_.windows; ++w) sums_.add(table_.rows(w), choices_.data() + w * stride);
    for (size_t v = 0; v * lanes < count; ++v) write(v, std::min(lanes, count - v * lanes));
  }

  void write(size_t v, size_t count) {
    uint64_t* targets[lanes];
    for (size_t k = 0; k < lanes; ++k) {
      targets[k] = out_ + places_[v * lanes + std::min(k, count - 1)] * Affine<F>::words;
    }
    const unsigned wanted = (1u << count) - 1;
    const auto form = [&](const Coordinate& x) {
      const Coordinate product = mont_ ? Coordinate::leave_mont(x) : Coordinate::leave_canonical(x);
      const Coordinate reduced = product.template canonical<Coordinate::product>();
      return Coordinate::blend(sums_.infinite(v), reduced, Coordinate::zero());
    };
    Packed::template scatter<0>(targets, form(sums_.x(v)), wanted);
    Packed::template scatter<1>(targets, form(sums_.y(v)), wanted);
  }

  static constexpr uint64_t zero_scalar[S::limbs] = {};
  const Table<F>& table_;
  const std::byte* scalars_;
  uint64_t* out_;
  bool mont_;
  Accumulators<Coordinate> sums_;
  std::vector<size_t> places_;
  std::vector<Choice> choices_;
};

}  // namespace fixed_base_detail

// The contract of proofgrid::scale (proofgrid/fixed_base.hpp), with the window from the cost model where it is 0.
template <class G>
void scale(const uint64_t* base, const std::byte* scalars, size_t n, bool result_mont, uint64_t* out, Run& run,
           unsigned window = 0) {
  using namespace fixed_base_detail;
  using F = typename G::Coordinate;
  using S = typename G::Scalar;
  if (!Affine<F>::is_canonical(base)) throw MalformedInput("base: a coordinate is not below the modulus");
  if (n == 0) return;
  const unsigned bits = S::Params::bits;
  const unsigned c = window ? window : choose_window(n, bits);
  const size_t range = std::clamp<size_t>(n / (size_t{4} * run.team.size()), 256, 4 * batch);
  const size_t tasks = (n + range - 1) / range;
  run.progress.expect(tasks);
  const Table<F> table(Affine<F>::from_canonical(base), bits, c, run);
  std::vector<std::unique_ptr<Multiples<G>>> workers(run.team.size());
  run.team.run(tasks, [&](size_t task, unsigned worker) {
    run.progress.check();
    auto& multiples = workers[worker];
    if (!multiples) multiples = std::make_unique<Multiples<G>>(table, scalars, out, result_mont);
    multiples->run(task * range, std::min(n, (task + 1) * range));
    run.progress.step();
  });
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
