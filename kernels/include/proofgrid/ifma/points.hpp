// Points in lanes, and packed in memory as the layer's MSM reads them.
//
// A record is a point's x and y in 64-bit words, canonical, in this layer's form (R = 2^(52 limbs)); infinity has none.
// A record of BN254's G1 is one cache line, of its G2 two, of BLS12-381's G1 one and a half, of its G2 three.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "proofgrid/ifma/field.hpp"
#include "proofgrid/ifma/fp2.hpp"
#include "proofgrid/ifma/transpose.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

using RecordRows = const std::byte* [lanes];  // where the eight records lie

// Memory in cache lines, for arrays of records.
struct alignas(64) Line {
  std::byte bytes[64];
};

template <class F>
struct PointLanes {
  F x, y;
};

namespace points_detail {

// out[j] = word first + j of each row.
template <size_t count>
PROOFGRID_INLINE void gather_words(Word* out, const RecordRows& rows, size_t first) {
  static_assert(count == 4 || count == 8);
  if constexpr (count == 8) {
    Word r[8];
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; ++i) r[i] = _mm512_loadu_si512(rows[i] + 8 * first);
    transpose_8x8(r);
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; ++i) out[i] = r[i];
  } else {
    Word pair[4];  // rows i and i + 4
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
      const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[i] + 8 * first));
      const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[i + 4] + 8 * first));
      pair[i] = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    }
    const Word a = _mm512_unpacklo_epi64(pair[0], pair[1]), b = _mm512_unpackhi_epi64(pair[0], pair[1]);
    const Word c = _mm512_unpacklo_epi64(pair[2], pair[3]), d = _mm512_unpackhi_epi64(pair[2], pair[3]);
    // a: (0,0) (1,0) (0,2) (1,2) (4,0) (5,0) (4,2) (5,2) as (row, word); c: the same of rows 2 3 6 7
    const Word low = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0), high = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
    out[0] = _mm512_permutex2var_epi64(a, low, c);
    out[1] = _mm512_permutex2var_epi64(b, low, d);
    out[2] = _mm512_permutex2var_epi64(a, high, c);
    out[3] = _mm512_permutex2var_epi64(b, high, d);
  }
}

// One coordinate: `count` words from word `first` on. No read leaves the record of `all_words`.
template <size_t first, size_t count, size_t all_words>
PROOFGRID_INLINE void gather_coordinate(Word (&out)[count], const RecordRows& rows) {
  if constexpr (count == 6) {
    constexpr size_t start = first + 8 <= all_words ? first : all_words - 8;
    Word eight[8];
    gather_words<8>(eight, rows, start);
#pragma GCC unroll 6
    for (size_t i = 0; i < count; ++i) out[i] = eight[first - start + i];
  } else {
#pragma GCC unroll 2
    for (size_t i = 0; i + 8 <= count; i += 8) gather_words<8>(out + i, rows, first + i);
    if constexpr (count % 8 == 4) gather_words<4>(out + count - 4, rows, first + count - 4);
  }
}

}  // namespace points_detail

template <class F>
struct Records {
  static constexpr size_t words = 2 * F::words, bytes = 8 * words;

  PROOFGRID_INLINE static F x(const RecordRows& rows) {
    Word w[F::words];
    points_detail::gather_coordinate<0, F::words, words>(w, rows);
    return F::from_words(w);
  }
  PROOFGRID_INLINE static F y(const RecordRows& rows) {
    Word w[F::words];
    points_detail::gather_coordinate<F::words, F::words, words>(w, rows);
    return F::from_words(w);
  }
  PROOFGRID_INLINE static PointLanes<F> point(const RecordRows& rows) {
    if constexpr (words == 8) {
      Word both[8], w[4];
      points_detail::gather_words<8>(both, rows, 0);
      PointLanes<F> p;
      for (size_t i = 0; i < 4; ++i) w[i] = both[i];
      p.x = F::from_words(w);
      for (size_t i = 0; i < 4; ++i) w[i] = both[4 + i];
      p.y = F::from_words(w);
      return p;
    } else {
      return {x(rows), y(rows)};
    }
  }

  // To the second-level cache: a batch's records are more than the first holds.
  PROOFGRID_INLINE static void prefetch(const std::byte* record) {
    for (size_t offset = 0; offset < bytes; offset += 64) _mm_prefetch(record + offset, _MM_HINT_T1);
    if constexpr (bytes % 64 != 0) _mm_prefetch(record + bytes - 1, _MM_HINT_T1);
  }

  // The lanes in the mask, of canonical points, to their rows.
  static void store(std::byte* const (&rows)[lanes], Mask mask, const PointLanes<F>& p) {
    Word half[F::words], all_words[(words + 7) / 8 * 8];
    p.x.to_words(half);
    for (size_t i = 0; i < F::words; ++i) all_words[i] = half[i];
    p.y.to_words(half);
    for (size_t i = 0; i < F::words; ++i) all_words[F::words + i] = half[i];
    for (size_t i = words; i < sizeof all_words / sizeof(Word); ++i) all_words[i] = _mm512_setzero_si512();
    for (size_t first = 0; first < words; first += 8) {
      Word r[8];
      for (size_t i = 0; i < 8; ++i) r[i] = all_words[first + i];
      transpose_8x8(r);
      const Mask part = first + 8 <= words ? 0xff : 0x0f;
      for (size_t i = 0; i < lanes; ++i) {
        if (mask >> i & 1) _mm512_mask_storeu_epi64(rows[i] + 8 * first, part, r[i]);
      }
    }
  }
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
