// Four elements at a time in the lanes of AVX2, multiplied by the floating-point unit, which on the CPUs of the adx layer
// multiplies eight pairs of 53 bits a cycle where mulx multiplies one of 64 (Emmart, Zheng, Weems: Faster modular
// exponentiation using double precision floating point arithmetic on the GPU, ARITH 2018). For moduli p of four words.
//
// An element is five limbs of 52 bits, radix B = 2^52, R = B^5 = 2^260; a register holds one limb of four elements.
// For integers 0 <= a, b < B, with every sum rounded towards zero (TowardsZero below):
//
//   H = fma(a, b, 2^104)                lies in [2^104, 2^105), where doubles are the multiples of B: H = 2^104 + high B,
//                                       high = floor(a b / B), and the bits of H are the bits of 2^104 plus high
//   L = fma(a, b, (2^104 + 2^52) - H)   = 2^52 + low, low = a b mod B, exactly: the bits of 2^52 plus low
//
// (2^104 + 2^52) - H = (1 - high) B is a double, since |1 - high| < B. The bits are added as integers, and what the
// powers of two contribute is subtracted once for a column.
//
// Multiplication is by a factor w < p known in advance with its quotient v = floor(w R / p) (Shoup; Harvey, J. Symb. Comp.
// 60, 2014):
//
//   q = floor(S / B^5) for S = the columns of a v from B^4 on;     a w - q p, computed modulo R
//
// With a < R: w R / p - v < 1 costs a / R; the columns left out hold 4 low and 3 high halves at B^3, 3 and 2 at B^2, and
// fewer below, less than 8 B^4 in all, 8 / B of a unit of q; the floor costs less than 1. So
// q <= a w / p < q + 1 + a / R + 2^-49 and
//
//   0 <= product < (1 + a / R + 2^-49) p                                                                             (*)
//
// Every column is a sum of at most 20 halves below B and of a carry: below 2^57.
#pragma once

#include <immintrin.h>

#include "proofgrid/layer.hpp"
#include "proofgrid/limbs.hpp"

#define PROOFGRID_QUAD_TARGET "avx,avx2,fma"
#if defined(__clang__)
#define PROOFGRID_QUAD_BEGIN \
  PROOFGRID_PRAGMA(clang attribute push(__attribute__((target(PROOFGRID_QUAD_TARGET))), apply_to = function))
#define PROOFGRID_QUAD_END PROOFGRID_PRAGMA(clang attribute pop)
#else
#define PROOFGRID_QUAD_BEGIN \
  PROOFGRID_PRAGMA(GCC push_options) PROOFGRID_PRAGMA(GCC target(PROOFGRID_QUAD_TARGET))
#define PROOFGRID_QUAD_END PROOFGRID_PRAGMA(GCC pop_options)
#endif

namespace proofgrid::inline PROOFGRID_LAYER {
namespace quad {

using std::int64_t;
using std::size_t;
using std::uint64_t;

inline constexpr uint64_t limb_mask = (uint64_t{1} << 52) - 1;

// Rounds towards zero as long as it lives. What computes with Quads is not inlined where it is made.
class TowardsZero {
 public:
  TowardsZero() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x6000); }
  ~TowardsZero() { _mm_setcsr(saved_); }
  TowardsZero(const TowardsZero&) = delete;
  TowardsZero& operator=(const TowardsZero&) = delete;

 private:
  unsigned saved_;
};

// x < 2^256 as five limbs.
constexpr void split(uint64_t* limb, const uint64_t* x) {
  limb[0] = x[0] & limb_mask;
  limb[1] = (x[0] >> 52 | x[1] << 12) & limb_mask;
  limb[2] = (x[1] >> 40 | x[2] << 24) & limb_mask;
  limb[3] = (x[2] >> 28 | x[3] << 36) & limb_mask;
  limb[4] = x[3] >> 16;
}

// The first multiples of p in five limbs; R - p as doubles.
template <class P>
struct Multiples {
  static_assert(P::limbs == 4);
  static constexpr unsigned count = 33;
  uint64_t of[count][5];      // k p
  uint64_t minus[count][5];   // R - k p
  uint64_t spread[count][5];  // k p with every limb but the last from 2^56 - 16 to 2^57, to subtract lesser limbs from
  double minus_one[5];

  static constexpr Multiples make() {
    Multiples m{};
    uint64_t p[5] = {};
    split(p, P::modulus);
    for (unsigned k = 0; k < count; ++k) {
      uint64_t carry = 0, borrow = 0;
      for (size_t i = 0; i < 5; ++i) {
        const uint64_t product = k * p[i] + carry;  // below 2^58
        m.of[k][i] = product & limb_mask, carry = product >> 52;
        const uint64_t difference = 0 - m.of[k][i] - borrow;
        m.minus[k][i] = difference & limb_mask, borrow = difference >> 63;
        m.spread[k][i] = m.of[k][i] + (i < 4 ? uint64_t{1} << 56 : 0) - (i > 0 ? uint64_t{1} << 4 : 0);
      }
    }
    for (size_t i = 0; i < 5; ++i) m.minus_one[i] = static_cast<double>(m.minus[1][i]);
    return m;
  }
};

template <class P>
inline constexpr Multiples<P> multiples = Multiples<P>::make();

}  // namespace quad
}  // namespace proofgrid

PROOFGRID_QUAD_BEGIN

namespace proofgrid::inline PROOFGRID_LAYER {
namespace quad {

using Words = __m256i;
using Doubles = __m256d;

PROOFGRID_INLINE Words all(uint64_t x) { return _mm256_set1_epi64x(static_cast<long long>(x)); }
PROOFGRID_INLINE Words bits(Doubles x) { return _mm256_castpd_si256(x); }
PROOFGRID_INLINE Words low_limb(Words x) { return _mm256_and_si256(x, all(limb_mask)); }

inline constexpr uint64_t bits_52 = uint64_t{1023 + 52} << 52, bits_104 = uint64_t{1023 + 104} << 52;

// Limbs as doubles, each an integer below B.
struct Operand {
  Doubles limb[5];
};

// A factor and its quotient, in every lane or lane by lane.
struct Factors {
  Operand w, v;
};

// Limbs as integers; of what bound, each function says.
struct Quad {
  Words limb[5];
};

// The same value modulo R with limbs below B; from limbs that are not negative as 64-bit words go, but for the last.
PROOFGRID_INLINE Quad normal(Quad a) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    a.limb[i + 1] = _mm256_add_epi64(a.limb[i + 1], _mm256_srli_epi64(a.limb[i], 52));
    a.limb[i] = low_limb(a.limb[i]);
  }
  a.limb[4] = low_limb(a.limb[4]);
  return a;
}

// Of limbs below B.
PROOFGRID_INLINE Operand operand(const Quad& a) {
  Operand r;
#pragma GCC unroll 5
  for (int i = 0; i < 5; ++i) {
    const Words x = _mm256_or_si256(a.limb[i], all(bits_52));
    r.limb[i] = _mm256_sub_pd(_mm256_castsi256_pd(x), _mm256_set1_pd(0x1p52));
  }
  return r;
}

PROOFGRID_INLINE Doubles high(Doubles a, Doubles b) { return _mm256_fmadd_pd(a, b, _mm256_set1_pd(0x1p104)); }
PROOFGRID_INLINE Doubles low(Doubles a, Doubles b, Doubles h) {
  return _mm256_fmadd_pd(a, b, _mm256_sub_pd(_mm256_set1_pd(0x1p104 + 0x1p52), h));
}

// columns[0..4] += the columns 0 to 4 of a b.
PROOFGRID_INLINE void add_low_columns(Words* columns, const Operand& a, const Doubles* b) {
#pragma GCC unroll 5
  for (int i = 0; i < 5; ++i) {
#pragma GCC unroll 5
    for (int j = 0; j < 5 - i; ++j) {
      const Doubles h = high(a.limb[i], b[j]);
      columns[i + j] = _mm256_add_epi64(columns[i + j], bits(low(a.limb[i], b[j], h)));
      if (i + j < 4) columns[i + j + 1] = _mm256_add_epi64(columns[i + j + 1], bits(h));
    }
  }
}

// What `lows` low halves and `highs` high halves have added beside themselves, taken away beforehand.
constexpr uint64_t start(uint64_t lows, uint64_t highs) { return 0 - lows * bits_52 - highs * bits_104; }

// S of the top, from a v: the columns of B^4 to B^9.
struct Columns {
  Words of[6];
};

PROOFGRID_INLINE Columns quotient_columns(const Operand& a, const Operand& v) {
  Columns c{{all(start(5, 4)), all(start(4, 5)), all(start(3, 4)),  //
             all(start(2, 3)), all(start(1, 2)), all(start(0, 1))}};
#pragma GCC unroll 5
  for (int i = 0; i < 5; ++i) {
#pragma GCC unroll 5
    for (int j = i < 4 ? 3 - i : 0; j < 5; ++j) {
      const Doubles h = high(a.limb[i], v.limb[j]);
      const int column = i + j - 4;
      c.of[column + 1] = _mm256_add_epi64(c.of[column + 1], bits(h));
      if (column >= 0) c.of[column] = _mm256_add_epi64(c.of[column], bits(low(a.limb[i], v.limb[j], h)));
    }
  }
  return c;
}

PROOFGRID_INLINE Operand quotient(const Columns& c) {
  Quad q;
  Words carry = _mm256_srli_epi64(c.of[0], 52);
#pragma GCC unroll 5
  for (int i = 0; i < 5; ++i) {
    const Words column = _mm256_add_epi64(c.of[i + 1], carry);
    q.limb[i] = low_limb(column);
    carry = _mm256_srli_epi64(column, 52);
  }
  return operand(q);
}

// Carries one limb far: limbs below 2^57 become limbs below B + 2^5, the value modulo R the same.
PROOFGRID_INLINE Quad nearly_normal(const Quad& a) {
  Quad r{{low_limb(a.limb[0])}};
#pragma GCC unroll 4
  for (int i = 1; i < 5; ++i) r.limb[i] = _mm256_add_epi64(low_limb(a.limb[i]), _mm256_srli_epi64(a.limb[i - 1], 52));
  return r;
}

// r += q (R - p), of limbs of q below B.
template <class P>
PROOFGRID_INLINE void add_minus_multiple(Quad& r, const Operand& q) {
  Doubles minus_p[5];
#pragma GCC unroll 5
  for (int i = 0; i < 5; ++i) minus_p[i] = _mm256_set1_pd(multiples<P>.minus_one[i]);
  add_low_columns(r.limb, q, minus_p);
}

PROOFGRID_INLINE void transpose(Words& a, Words& b, Words& c, Words& d) {
  const Words ab0 = _mm256_unpacklo_epi64(a, b), ab1 = _mm256_unpackhi_epi64(a, b);
  const Words cd0 = _mm256_unpacklo_epi64(c, d), cd1 = _mm256_unpackhi_epi64(c, d);
  a = _mm256_permute2x128_si256(ab0, cd0, 0x20), b = _mm256_permute2x128_si256(ab1, cd1, 0x20);
  c = _mm256_permute2x128_si256(ab0, cd0, 0x31), d = _mm256_permute2x128_si256(ab1, cd1, 0x31);
}

PROOFGRID_INLINE Words load_words(const void* source) {
  return _mm256_loadu_si256(static_cast<const __m256i_u*>(source));
}

// Four numbers of four words each that lie `stride` bytes apart.
PROOFGRID_INLINE Quad load(const void* source, size_t stride) {
  const auto* bytes = static_cast<const char*>(source);
  Words a = load_words(bytes), b = load_words(bytes + stride), c = load_words(bytes + 2 * stride);
  Words d = load_words(bytes + 3 * stride);
  transpose(a, b, c, d);
  return {{low_limb(a), low_limb(_mm256_or_si256(_mm256_srli_epi64(a, 52), _mm256_slli_epi64(b, 12))),
           low_limb(_mm256_or_si256(_mm256_srli_epi64(b, 40), _mm256_slli_epi64(c, 24))),
           low_limb(_mm256_or_si256(_mm256_srli_epi64(c, 28), _mm256_slli_epi64(d, 36))), _mm256_srli_epi64(d, 16)}};
}

// Of values below 2^256 with limbs below B.
PROOFGRID_INLINE void store(void* target, size_t stride, const Quad& x) {
  Words a = _mm256_or_si256(x.limb[0], _mm256_slli_epi64(x.limb[1], 52));
  Words b = _mm256_or_si256(_mm256_srli_epi64(x.limb[1], 12), _mm256_slli_epi64(x.limb[2], 40));
  Words c = _mm256_or_si256(_mm256_srli_epi64(x.limb[2], 24), _mm256_slli_epi64(x.limb[3], 28));
  Words d = _mm256_or_si256(_mm256_srli_epi64(x.limb[3], 36), _mm256_slli_epi64(x.limb[4], 16));
  transpose(a, b, c, d);
  auto* bytes = static_cast<char*>(target);
  _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(bytes), a);
  _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(bytes + stride), b);
  _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(bytes + 2 * stride), c);
  _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(bytes + 3 * stride), d);
}

// The doubles of a number's limbs, in every lane.
PROOFGRID_INLINE Operand broadcast(const uint64_t (&limb)[5]) {
  Operand r;
#pragma GCC unroll 5
  for (int i = 0; i < 5; ++i) r.limb[i] = _mm256_set1_pd(static_cast<double>(static_cast<int64_t>(limb[i])));
  return r;
}

}  // namespace quad
}  // namespace proofgrid

PROOFGRID_QUAD_END
