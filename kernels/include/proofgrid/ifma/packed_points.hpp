// Points in memory, one a row, and eight of them to lanes and back.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "proofgrid/ifma/fp2.hpp"
#include "proofgrid/ifma/transpose.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

inline constexpr size_t line_words = 8;  // a cache line

// words[j] = word j of eight rows of `width` words, wherever they lie. 8 loads and 12 (width 4) or 24 shuffles.
template <size_t width>
PROOFGRID_INLINE void gather_words(Word* words, const uint64_t* const (&rows)[lanes], size_t offset) {
  static_assert(width == 4 || (width > 4 && width <= 8));
  if constexpr (width == 4) {
    Word pair[4];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
      const auto* low = reinterpret_cast<const __m256i*>(rows[2 * i] + offset);
      const auto* high = reinterpret_cast<const __m256i*>(rows[2 * i + 1] + offset);
      pair[i] = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(low)), _mm256_loadu_si256(high), 1);
    }
    const Word low = _mm512_set_epi64(13, 12, 9, 8, 5, 4, 1, 0), high = _mm512_set_epi64(15, 14, 11, 10, 7, 6, 3, 2);
    const Word even = _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0), odd = _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1);
    const Word low0 = _mm512_permutex2var_epi64(pair[0], low, pair[1]);
    const Word low1 = _mm512_permutex2var_epi64(pair[2], low, pair[3]);
    const Word high0 = _mm512_permutex2var_epi64(pair[0], high, pair[1]);
    const Word high1 = _mm512_permutex2var_epi64(pair[2], high, pair[3]);
    words[0] = _mm512_permutex2var_epi64(low0, even, low1);
    words[1] = _mm512_permutex2var_epi64(low0, odd, low1);
    words[2] = _mm512_permutex2var_epi64(high0, even, high1);
    words[3] = _mm512_permutex2var_epi64(high0, odd, high1);
  } else {
    Word r[lanes];
#pragma GCC unroll 8
    for (size_t i = 0; i < lanes; ++i) r[i] = _mm512_maskz_loadu_epi64((1u << width) - 1, rows[i] + offset);
    transpose_8x8(r);
#pragma GCC unroll 8
    for (size_t j = 0; j < width; ++j) words[j] = r[j];
  }
}

// The reverse, for the rows whose bit is set in `which`.
template <size_t width>
PROOFGRID_INLINE void scatter_words(uint64_t* const (&rows)[lanes], size_t offset, const Word* words, unsigned which) {
  Word r[lanes];
#pragma GCC unroll 8
  for (size_t j = 0; j < lanes; ++j) r[j] = j < width ? words[j] : _mm512_setzero_si512();
  transpose_8x8(r);
#pragma GCC unroll 8
  for (size_t i = 0; i < lanes; ++i) {
    if (which >> i & 1) _mm512_mask_storeu_epi64(rows[i] + offset, (1u << width) - 1, r[i]);
  }
}

// How a point lies in a table: canonical words of x and y in the layer's form, infinity all zeros, each row from the
// start of a cache line on.
template <class Coordinate>
struct PackedPoint {
  static constexpr size_t coordinate_words = Coordinate::words, point_words = 2 * coordinate_words;
  static constexpr size_t row_words = (point_words + line_words - 1) / line_words * line_words;
  static constexpr size_t base_words = Coordinate::Params::limbs;  // of one element of the base field

  // Coordinate 0 (x) or 1 (y) of eight points; magnitude 1.
  template <unsigned which>
  PROOFGRID_INLINE static Coordinate gather(const uint64_t* const (&rows)[lanes]) {
    Word words[coordinate_words];
#pragma GCC unroll 2
    for (size_t i = 0; i < coordinate_words; i += base_words) {
      gather_words<base_words>(words + i, rows, which * coordinate_words + i);
    }
    return Coordinate::from_words(words);
  }

  // Writes a canonical coordinate.
  template <unsigned which>
  PROOFGRID_INLINE static void scatter(uint64_t* const (&rows)[lanes], const Coordinate& x, unsigned wanted) {
    Word words[coordinate_words];
    x.to_words(words);
#pragma GCC unroll 2
    for (size_t i = 0; i < coordinate_words; i += base_words) {
      scatter_words<base_words>(rows, which * coordinate_words + i, words + i, wanted);
    }
  }

  PROOFGRID_INLINE static void prefetch(const uint64_t* row) {
#pragma GCC unroll 3
    for (size_t i = 0; i < row_words; i += line_words) __builtin_prefetch(row + i);
  }
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
