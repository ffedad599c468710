// Scalars as signed digits of `window` bits: s = sum digit_w * 2^(window * w), -2^(window-1) <= digit_w <= 2^(window-1).
#pragma once

#include <algorithm>

#include "proofgrid/limbs.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

using Digit = std::int16_t;
inline constexpr unsigned max_window = 16;  // a digit's magnitude is at most 2^15, and 2^15 itself comes only negative

// Number of digits of a scalar of `bits` bits. The last digit absorbs the carry and is never negative.
constexpr unsigned window_count(unsigned bits, unsigned window) { return bits / window + 1; }

// The `window` bits of `scalar` from bit `offset` on; bits beyond its N limbs are zero.
template <size_t N>
inline uint64_t bits_at(const uint64_t* scalar, unsigned offset, unsigned window) {
  const unsigned limb = offset / 64, shift = offset % 64;
  if (limb >= N) return 0;
  uint64_t bits = scalar[limb] >> shift;
  if (shift + window > 64 && limb + 1 < N) bits |= scalar[limb + 1] << (64 - shift);
  return bits & ((uint64_t{1} << window) - 1);
}

// The digits one at a time and in any order, without a carry: with H the sum of 2^(window w + window - 1) over all w but the
// last, digit w of s is the plain digit w of s + H less 2^(window - 1), and the last is the plain one: never more than
// 2^(window - 1), see window_count.
template <size_t N>
class DigitReader {
 public:
  DigitReader(unsigned bits, unsigned window) : window_(window), last_(window_count(bits, window) - 1) {
    for (unsigned w = 0; w < last_; ++w) {
      const unsigned bit = w * window + window - 1;
      offset_[bit / 64] |= uint64_t{1} << (bit % 64);
    }
  }

  // Digit w of a scalar below 2^bits; of any other words it is wrong but keeps its range.
  Digit digit(const uint64_t* scalar, unsigned w) const {
    uint64_t sum[N];
    limbs::add<N>(sum, scalar, offset_);
    const auto plain = static_cast<std::int32_t>(bits_at<N>(sum, w * window_, window_));
    const std::int32_t half = 1 << (window_ - 1);
    return static_cast<Digit>(w == last_ ? std::min(plain, half) : plain - half);
  }

 private:
  unsigned window_, last_;
  uint64_t offset_[N] = {};
};

}  // namespace proofgrid
