// What a build with PROOFGRID_VERIFY checks of every value of the ifma layer. Slow; aborts with the field's name.
#pragma once

#include <immintrin.h>

#include <cstdio>
#include <cstdlib>

#include "proofgrid/ifma/constants.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma::verify {

[[noreturn]] inline void broken(const char* field, const char* what) {
  std::fprintf(stderr, "proofgrid VERIFY: %s: %s\n", field, what);
  std::abort();
}

inline void require(bool holds, const char* field, const char* what) {
  if (!holds) broken(field, what);
}

// Carried limbs, below m p in every lane.
template <class P>
void carried_below(const __m512i (&limb)[Constants<P>::limbs], uint64_t m) {
  using C = Constants<P>;
  require(m != 0 && m <= C::headroom, P::name, "a magnitude beyond the headroom");
  alignas(64) uint64_t values[C::limbs][8];
  for (size_t i = 0; i < C::limbs; ++i) _mm512_store_si512(values[i], limb[i]);
  const typename C::Number most = C::multiple(m);
  for (size_t lane = 0; lane < 8; ++lane) {
    uint64_t borrow = 0;
    for (size_t i = 0; i < C::limbs; ++i) {
      require(values[i][lane] <= limb_mask, P::name, "a limb that is not carried");
      borrow = (values[i][lane] - most.limb[i] - borrow) >> 63;
    }
    require(borrow != 0, P::name, "a value that is not below its magnitude");
  }
}

// Values below 2^(64 words).
template <class P>
void fits_words(const __m512i (&limb)[Constants<P>::limbs]) {
  using C = Constants<P>;
  alignas(64) uint64_t values[C::limbs][8];
  for (size_t i = 0; i < C::limbs; ++i) _mm512_store_si512(values[i], limb[i]);
  for (size_t i = 0; i < C::limbs; ++i) {
    const size_t low = limb_bits * i;
    if (low + limb_bits <= 64 * P::limbs) continue;
    const unsigned bits = low < 64 * P::limbs ? static_cast<unsigned>(64 * P::limbs - low) : 0;
    for (size_t lane = 0; lane < 8; ++lane) {
      require(values[i][lane] >> bits == 0, P::name, "a value too large for its words");
    }
  }
}

// Signed columns below 2^62 of values from 0 to headroom p^2.
template <class P>
void reducible(const __m512i (&wide)[2 * Constants<P>::limbs]) {
  using C = Constants<P>;
  constexpr size_t columns = 2 * C::limbs;
  alignas(64) int64_t values[columns][8];
  for (size_t i = 0; i < columns; ++i) _mm512_store_si512(values[i], wide[i]);
  const typename C::Columns most = C::square_multiple(C::headroom);
  for (size_t lane = 0; lane < 8; ++lane) {
    int64_t carry = 0, difference = 0;  // of the value, and of the value less headroom p^2
    for (size_t i = 0; i < columns; ++i) {
      const int64_t column = values[i][lane];
      require(column < (int64_t{1} << 62) && column > -(int64_t{1} << 62), P::name, "a column beyond 62 bits");
      difference += column - static_cast<int64_t>(most.column[i]);
      difference >>= limb_bits;
      carry = (carry + column) >> limb_bits;
    }
    require(carry >= 0, P::name, "a negative value before its reduction");
    require(difference < 0, P::name, "a value beyond the headroom before its reduction");
  }
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
