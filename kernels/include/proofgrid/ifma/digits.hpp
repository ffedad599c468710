// The signed digits of eight scalars at a time, and the points of each bucket by a counting sort.
//
// Digit w of s is the plain digit w of s + H less 2^(window - 1), where H is the sum of 2^(window v + window - 1) over
// all v but the last; the last digit is the plain one (digits.hpp, DigitReader): no carry from window to window.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "proofgrid/digits.hpp"
#include "proofgrid/ifma/buckets.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// Scalars of four words at any alignment, below 2^bits; what is not below it gets wrong digits in their range.
class LaneDigits {
 public:
  static constexpr size_t words = 4;

  LaneDigits(unsigned bits, unsigned window) : window_(window), last_(window_count(bits, window) - 1) {
    for (unsigned w = 0; w < last_; ++w) {
      const unsigned bit = w * window + window - 1;
      offset_[bit / 64] |= uint64_t{1} << (bit % 64);
    }
  }

  // digits[i + w * stride] = digit first + w * step of scalar places[i], w in [0, windows), i in [0, n); stride >= n + 7. There
  // are no digits behind the last: these are zero.
  void read(const std::byte* scalars, const std::uint32_t* places, size_t n, unsigned first, unsigned step,
            unsigned windows, Digit* digits, size_t stride) const {
    while (windows > 0 && first + (windows - 1) * step > last_) std::fill_n(digits + --windows * stride, n, Digit{0});
    for (size_t i = 0; i < n; i += lanes) {
      RecordRows rows;
      if (i + lanes <= n) {
#pragma GCC unroll 8
        for (size_t lane = 0; lane < lanes; ++lane) rows[lane] = scalars + size_t{places[i + lane]} * (8 * words);
      } else {
        for (size_t lane = 0; lane < lanes; ++lane) {
          rows[lane] = scalars + size_t{places[std::min(i + lane, n - 1)]} * (8 * words);
        }
      }
      Word s[words + 1];
      points_detail::gather_words<4>(s, rows, 0);
      add_offset(s);
      s[words] = _mm512_setzero_si512();
      for (unsigned w = 0; w < windows; ++w) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(digits + i + w * stride), digit(s, first + w * step));
      }
    }
  }

 private:
  PROOFGRID_INLINE void add_offset(Word* s) const {
    Mask carry = 0;
#pragma GCC unroll 4
    for (size_t j = 0; j < words; ++j) {
      const Word h = all(offset_[j]), sum = _mm512_add_epi64(s[j], h);
      const Mask over = _mm512_cmplt_epu64_mask(sum, h);
      s[j] = _mm512_mask_add_epi64(sum, carry, sum, all(1));
      carry = over | static_cast<Mask>(carry & _mm512_testn_epi64_mask(s[j], s[j]));
    }
  }
  PROOFGRID_INLINE __m128i digit(const Word* s, unsigned w) const {
    const unsigned bit = w * window_, word = bit / 64, shift = bit % 64;
    const Word half = all(uint64_t{1} << (window_ - 1));
    // A shift by 64 gives zero.
    const Word bits = _mm512_or_si512(_mm512_srl_epi64(s[word], _mm_cvtsi32_si128(static_cast<int>(shift))),
                                      _mm512_sll_epi64(s[word + 1], _mm_cvtsi32_si128(static_cast<int>(64 - shift))));
    const Word plain = _mm512_and_si512(bits, all((uint64_t{1} << window_) - 1));
    // 2^15 itself is left to the first digits, where it is negative: the last is smaller, see digits.hpp.
    return _mm512_cvtepi64_epi16(w == last_ ? _mm512_min_epu64(plain, half) : _mm512_sub_epi64(plain, half));
  }

  unsigned window_, last_;
  uint64_t offset_[words] = {};
};

// Entries in the order of their buckets: bucket w * buckets + |digit| - 1 for row w, zero digits left out.
class BucketSort {
 public:
  // digits[i + (w * multiples + k) * stride] belongs to row w and the record places[i] + k * distance.
  void sort(const Digit* digits, size_t stride, const std::uint32_t* places, size_t n, unsigned windows,
            unsigned multiples, size_t distance, size_t buckets) {
    next_.assign(windows * (buckets + 1), 0);
    for (unsigned w = 0; w < windows * multiples; ++w) {
      std::uint32_t* const count = next_.data() + w / multiples * (buckets + 1);
      for (size_t i = 0; i < n; ++i) ++count[magnitude(digits[i + w * stride])];
    }
    begins_.resize(windows * buckets + 1);
    std::uint32_t total = 0;
    for (unsigned w = 0; w < windows; ++w) {
      std::uint32_t* const count = next_.data() + w * (buckets + 1);
      for (size_t b = 0; b < buckets; ++b) {
        begins_[w * buckets + b] = total;
        total += std::exchange(count[b + 1], total);
      }
    }
    begins_[windows * buckets] = total;
    for (unsigned w = 0; w < windows; ++w) {  // zeros behind everything
      total += std::exchange(next_[w * (buckets + 1)], total);
    }
    if (entries_.size() < total + list_limit) entries_.resize(total + list_limit);
    std::fill_n(entries_.begin() + total, list_limit, 0);
    for (unsigned w = 0; w < windows * multiples; ++w) {
      std::uint32_t* const next = next_.data() + w / multiples * (buckets + 1);
      const auto records = static_cast<std::uint32_t>(w % multiples * distance);
      for (size_t i = 0; i < n; i += block) {
        place(digits + i + w * stride, places + i, records, std::min(block, n - i), next);
      }
    }
  }

  const Entry* entries() const { return entries_.data(); }
  const std::uint32_t* begins() const { return begins_.data(); }

 private:
  static constexpr size_t block = 64;

  // First what to store and where, so that the stores, which miss the cache, follow one another closely.
  PROOFGRID_INLINE void place(const Digit* digits, const std::uint32_t* places, std::uint32_t records, size_t n,
                              std::uint32_t* next) {
    alignas(64) std::uint32_t bucket[block], entry[block];
    for (size_t i = 0; i < n; ++i) {
      const int digit = digits[i];
      bucket[i] = static_cast<std::uint32_t>(magnitude(digit));
      entry[i] = (places[i] + records) << 1 | static_cast<std::uint32_t>(digit < 0);
    }
    Entry* const entries = entries_.data();
    for (size_t i = 0; i < n; ++i) entries[next[bucket[i]]++] = entry[i];
  }
  PROOFGRID_INLINE static size_t magnitude(int digit) { return static_cast<size_t>(digit < 0 ? -digit : digit); }

  std::vector<std::uint32_t> next_, begins_;
  std::vector<Entry, HugePages<Entry>> entries_;
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
