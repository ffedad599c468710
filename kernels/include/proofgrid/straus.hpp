// Sums of few terms: Straus' method (Amer. Math. Monthly 70, 1964) with non-adjacent forms of width 5, so that all terms
// share their doublings. Complete, as the additions of curve.hpp are.
//
// Cost for n scalars of b bits: 9 b mul for the doublings, and for each term 10 b / 6 for additions of odd multiples up
// to 15 and 170 for their table. For a short scalar b is its own length.
#pragma once

#include <vector>

#include "proofgrid/batch_add.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

namespace straus_detail {

inline constexpr unsigned width = 5;
inline constexpr size_t table_size = size_t{1} << (width - 2);  // 1, 3, 5, ... 15 times the base

// s = sum digit_i * 2^i with digits that are zero or odd and at most 15 in magnitude, one of `width` neighbours not zero.
// Returns the number of digits: at most one more than the scalar has bits.
template <size_t N>
size_t recode_wide(const uint64_t* scalar, signed char (&digits)[64 * N + 1]) {
  uint64_t rest[N + 1] = {};
  std::memcpy(rest, scalar, 8 * N);
  size_t length = 0;
  for (size_t i = 0; i <= 64 * N; ++i) {
    digits[i] = 0;
    const size_t limb = i / 64, shift = i % 64;
    if ((rest[limb] >> shift & 1) == 0) continue;
    uint64_t low = rest[limb] >> shift;
    if (shift > 64 - width && limb < N) low |= rest[limb + 1] << (64 - shift);
    low &= (1u << width) - 1;
    const bool negative = low >> (width - 1);
    digits[i] = static_cast<signed char>(negative ? static_cast<int>(low) - (1 << width) : static_cast<int>(low));
    // Clears the digit's bits; a negative digit leaves a carry above them.
    for (size_t bit = i; bit < i + width && bit < 64 * (N + 1); ++bit) rest[bit / 64] &= ~(uint64_t{1} << bit % 64);
    for (size_t bit = i + width; negative; ++bit) {
      rest[bit / 64] ^= uint64_t{1} << bit % 64;
      if (rest[bit / 64] >> bit % 64 & 1) break;
    }
    length = i + 1;
  }
  return length;
}

// 1, 3, ..., 15 times each base, affine: one inversion for all.
template <class F>
std::vector<Affine<F>> odd_multiples(const std::vector<Affine<F>>& bases) {
  std::vector<Xyzz<F>> multiples;
  for (const Affine<F>& base : bases) {
    const Xyzz<F> twice = Xyzz<F>::from(base).dbl();
    multiples.push_back(Xyzz<F>::from(base));
    for (size_t i = 1; i < table_size; ++i) multiples.push_back(multiples.back() + twice);
  }
  const size_t n = multiples.size();
  std::vector<F> inverses(n), scratch(n);
  for (size_t i = 0; i < n; ++i) inverses[i] = multiples[i].zzz;
  batch_inverse(inverses.data(), scratch.data(), n);
  std::vector<Affine<F>> affine(n);
  for (size_t i = 0; i < n; ++i) {
    const F z_inverse = inverses[i] * multiples[i].zz;
    affine[i] = multiples[i].is_infinity() ? Affine<F>::infinity()
                                           : Affine<F>{multiples[i].x * z_inverse.square(), multiples[i].y * inverses[i]};
  }
  return affine;
}

}  // namespace straus_detail

// sum of scalars[i] * bases[i]; scalars of N limbs, one after the other.
template <size_t N, class F>
Xyzz<F> sum_of_few(const std::vector<Affine<F>>& bases, const std::vector<uint64_t>& scalars) {
  using namespace straus_detail;
  struct Digits {
    signed char digit[64 * N + 1];
  };
  const std::vector<Affine<F>> table = odd_multiples(bases);
  std::vector<Digits> recoded(bases.size());
  size_t length = 0;
  for (size_t i = 0; i < bases.size(); ++i) {
    length = std::max(length, recode_wide<N>(&scalars[i * N], recoded[i].digit));
  }
  Xyzz<F> sum = Xyzz<F>::infinity();
  for (size_t place = length; place-- > 0;) {
    sum = sum.dbl();
    for (size_t i = 0; i < bases.size(); ++i) {
      const int digit = recoded[i].digit[place];
      if (digit > 0) sum += table[i * table_size + static_cast<size_t>(digit) / 2];
      if (digit < 0) sum += -table[i * table_size + static_cast<size_t>(-digit) / 2];
    }
  }
  return sum;
}

}  // namespace proofgrid
