// Rows of words in memory to lanes and back.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "proofgrid/ifma/field.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// An 8 x 8 matrix of words in place: word j of row i becomes word i of row j. 24 shuffles.
PROOFGRID_INLINE void transpose_8x8(Word (&r)[8]) {
  const Word a0 = _mm512_unpacklo_epi64(r[0], r[1]), a1 = _mm512_unpackhi_epi64(r[0], r[1]);
  const Word a2 = _mm512_unpacklo_epi64(r[2], r[3]), a3 = _mm512_unpackhi_epi64(r[2], r[3]);
  const Word a4 = _mm512_unpacklo_epi64(r[4], r[5]), a5 = _mm512_unpackhi_epi64(r[4], r[5]);
  const Word a6 = _mm512_unpacklo_epi64(r[6], r[7]), a7 = _mm512_unpackhi_epi64(r[6], r[7]);
  // a0: (0,0) (1,0) (0,2) (1,2) (0,4) (1,4) (0,6) (1,6) as (row, word)
  const Word b0 = _mm512_shuffle_i64x2(a0, a2, 0x88), b1 = _mm512_shuffle_i64x2(a0, a2, 0xdd);
  const Word b2 = _mm512_shuffle_i64x2(a1, a3, 0x88), b3 = _mm512_shuffle_i64x2(a1, a3, 0xdd);
  const Word b4 = _mm512_shuffle_i64x2(a4, a6, 0x88), b5 = _mm512_shuffle_i64x2(a4, a6, 0xdd);
  const Word b6 = _mm512_shuffle_i64x2(a5, a7, 0x88), b7 = _mm512_shuffle_i64x2(a5, a7, 0xdd);
  // b0: words 0 and 4 of rows 0..3 in 128-bit blocks: (r01, w0) (r01, w4) (r23, w0) (r23, w4)
  r[0] = _mm512_shuffle_i64x2(b0, b4, 0x88);
  r[1] = _mm512_shuffle_i64x2(b2, b6, 0x88);
  r[2] = _mm512_shuffle_i64x2(b1, b5, 0x88);
  r[3] = _mm512_shuffle_i64x2(b3, b7, 0x88);
  r[4] = _mm512_shuffle_i64x2(b0, b4, 0xdd);
  r[5] = _mm512_shuffle_i64x2(b2, b6, 0xdd);
  r[6] = _mm512_shuffle_i64x2(b1, b5, 0xdd);
  r[7] = _mm512_shuffle_i64x2(b3, b7, 0xdd);
}

// The same for words of 32 bits.
PROOFGRID_INLINE void transpose_8x8(__m256i (&r)[8]) {
  __m256i a[8], b[8];
#pragma GCC unroll 4
  for (size_t i = 0; i < 8; i += 2) {
    a[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]), a[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma GCC unroll 2
  for (size_t i = 0; i < 8; i += 4) {
    b[i] = _mm256_unpacklo_epi64(a[i], a[i + 2]), b[i + 1] = _mm256_unpackhi_epi64(a[i], a[i + 2]);
    b[i + 2] = _mm256_unpacklo_epi64(a[i + 1], a[i + 3]), b[i + 3] = _mm256_unpackhi_epi64(a[i + 1], a[i + 3]);
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    r[i] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x20), r[i + 4] = _mm256_permute2x128_si256(b[i], b[i + 4], 0x31);
  }
}

// words[j] = word j of eight rows of `count` words each, which follow one another from `source` (any alignment).
template <size_t count>
PROOFGRID_INLINE void load_rows(Word (&words)[count], const void* source) {
  const auto* base = static_cast<const std::byte*>(source);
  if constexpr (count == 4) {
    const Word a = _mm512_loadu_si512(base), b = _mm512_loadu_si512(base + 64);         // rows 0 1, rows 2 3
    const Word c = _mm512_loadu_si512(base + 128), d = _mm512_loadu_si512(base + 192);  // rows 4 5, rows 6 7
    const Word low = _mm512_set_epi64(13, 12, 9, 8, 5, 4, 1, 0), high = _mm512_set_epi64(15, 14, 11, 10, 7, 6, 3, 2);
    const Word ab01 = _mm512_permutex2var_epi64(a, low, b), cd01 = _mm512_permutex2var_epi64(c, low, d);
    const Word ab23 = _mm512_permutex2var_epi64(a, high, b), cd23 = _mm512_permutex2var_epi64(c, high, d);
    const Word even = _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0), odd = _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1);
    words[0] = _mm512_permutex2var_epi64(ab01, even, cd01);
    words[1] = _mm512_permutex2var_epi64(ab01, odd, cd01);
    words[2] = _mm512_permutex2var_epi64(ab23, even, cd23);
    words[3] = _mm512_permutex2var_epi64(ab23, odd, cd23);
  } else {
    const Word index = _mm512_set_epi64(7 * count, 6 * count, 5 * count, 4 * count, 3 * count, 2 * count, count, 0);
#pragma GCC unroll 8
    for (size_t j = 0; j < count; ++j) words[j] = _mm512_i64gather_epi64(index, base + 8 * j, 8);
  }
}

// The reverse of load_rows.
template <size_t count>
PROOFGRID_INLINE void store_rows(void* target, const Word (&words)[count]) {
  auto* base = static_cast<std::byte*>(target);
  if constexpr (count == 4) {
    const Word a01 = _mm512_unpacklo_epi64(words[0], words[1]), b01 = _mm512_unpackhi_epi64(words[0], words[1]);
    const Word a23 = _mm512_unpacklo_epi64(words[2], words[3]), b23 = _mm512_unpackhi_epi64(words[2], words[3]);
    // a01: rows 0 2 4 6, words 0 1; b01: rows 1 3 5 7
    const Word even = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0), odd = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    const Word r02 = _mm512_permutex2var_epi64(a01, even, a23), r46 = _mm512_permutex2var_epi64(a01, odd, a23);
    const Word r13 = _mm512_permutex2var_epi64(b01, even, b23), r57 = _mm512_permutex2var_epi64(b01, odd, b23);
    _mm512_storeu_si512(base, _mm512_shuffle_i64x2(r02, r13, 0x44));
    _mm512_storeu_si512(base + 64, _mm512_shuffle_i64x2(r02, r13, 0xee));
    _mm512_storeu_si512(base + 128, _mm512_shuffle_i64x2(r46, r57, 0x44));
    _mm512_storeu_si512(base + 192, _mm512_shuffle_i64x2(r46, r57, 0xee));
  } else {
    const Word index = _mm512_set_epi64(7 * count, 6 * count, 5 * count, 4 * count, 3 * count, 2 * count, count, 0);
#pragma GCC unroll 8
    for (size_t j = 0; j < count; ++j) _mm512_i64scatter_epi64(base + 8 * j, index, words[j], 8);
  }
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
