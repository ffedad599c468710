// Residues modulo p in the limbs of quad.hpp, with bounds that are counted while compiling.
#pragma once

#include "proofgrid/quad.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {
namespace quad {

// 100 times 2^256 / p, rounded down; and R / p the same.
template <class P>
inline constexpr unsigned stored_bound =
    static_cast<unsigned>(100 * 0x1p64 / (static_cast<double>(P::modulus[3]) + 2048));
template <class P>
inline constexpr unsigned radix_bound = 16 * stored_bound<P>;

}  // namespace quad
}  // namespace proofgrid

PROOFGRID_QUAD_BEGIN

namespace proofgrid::inline PROOFGRID_LAYER {
namespace quad {

// Values below bound / 100 times p, in limbs that are not negative but for the last. Bounds are counted while compiling:
// a factor above R / 3, and what would be stored above 2^256, does not compile.
template <class P, unsigned bound, bool is_normal = false>
struct Residue {
  Quad value;
};

template <class P, unsigned m, bool a_normal, unsigned n, bool b_normal>
PROOFGRID_INLINE auto operator+(const Residue<P, m, a_normal>& a, const Residue<P, n, b_normal>& b) {
  Residue<P, m + n> r;
#pragma GCC unroll 5
  for (int i = 0; i < 5; ++i) r.value.limb[i] = _mm256_add_epi64(a.value.limb[i], b.value.limb[i]);
  return r;
}

// a - b plus the least multiple of p that is above b; b's limbs are below 2^56 - 16, so b is no difference itself.
template <class P, unsigned m, bool a_normal, unsigned n, bool b_normal>
PROOFGRID_INLINE auto operator-(const Residue<P, m, a_normal>& a, const Residue<P, n, b_normal>& b) {
  constexpr unsigned k = (n + 99) / 100;
  Residue<P, m + 100 * k> r;
#pragma GCC unroll 5
  for (int i = 0; i < 5; ++i) {
    const Words raised = _mm256_add_epi64(a.value.limb[i], all(multiples<P>.spread[k][i]));
    r.value.limb[i] = _mm256_sub_epi64(raised, b.value.limb[i]);
  }
  return r;
}

inline constexpr unsigned product_bound = 134;

PROOFGRID_INLINE Quad product_start() {
  return {{all(start(2, 0)), all(start(4, 2)), all(start(6, 4)), all(start(8, 6)), all(start(10, 8))}};
}

template <class P, unsigned bound, bool is_normal>
PROOFGRID_INLINE Operand factor_operand(const Residue<P, bound, is_normal>& a) {
  static_assert(bound <= radix_bound<P> / 3);
  return operand(is_normal ? a.value : normal(a.value));
}

template <class P>
struct Pair {
  Residue<P, product_bound> first, second;
};

// a w and b u modulo p: for a, b < R / 3, (*) of quad.hpp is below 1.34 p. 94 fused multiplications each. The two are
// computed beside each other, since within one the carries of q leave the multipliers waiting.
template <class P, unsigned m, bool a_normal, unsigned n, bool b_normal>
PROOFGRID_INLINE Pair<P> multiply(const Residue<P, m, a_normal>& a, const Factors& w, const Residue<P, n, b_normal>& b,
                                  const Factors& u) {
  const Operand x = factor_operand(a), y = factor_operand(b);
  const Columns x_columns = quotient_columns(x, w.v), y_columns = quotient_columns(y, u.v);
  const Operand x_q = quotient(x_columns);
  Quad r = product_start(), s = r;
  add_low_columns(r.limb, x, w.w.limb);
  const Operand y_q = quotient(y_columns);
  add_minus_multiple<P>(r, x_q);
  add_low_columns(s.limb, y, u.w.limb);
  add_minus_multiple<P>(s, y_q);
  return {{nearly_normal(r)}, {nearly_normal(s)}};
}

template <class P, unsigned bound, bool is_normal>
PROOFGRID_INLINE Residue<P, product_bound> operator*(const Residue<P, bound, is_normal>& a, const Factors& f) {
  const Operand x = factor_operand(a), q = quotient(quotient_columns(x, f.v));
  Quad r = product_start();
  add_low_columns(r.limb, x, f.w.limb);
  add_minus_multiple<P>(r, q);
  return {nearly_normal(r)};
}

// Subtracts k p, modulo R, where the top limb says that the value is above it. The top limb is taken with the carry of the
// one below, which is short by less than 3 and may be negative then: a value below k p + 2^210 may stay. Limbs below 2^58.
template <class P, unsigned k>
PROOFGRID_INLINE void subtract_where_above(Quad& a) {
  const Words top = _mm256_add_epi64(a.limb[4], _mm256_srli_epi64(a.limb[3], 52));
  // Modulo B and below B / 2: bit 51 is the sign.
  const Words above = _mm256_cmpgt_epi64(_mm256_slli_epi64(top, 12), all(multiples<P>.of[k][4] << 12));
#pragma GCC unroll 5
  for (int i = 0; i < 5; ++i) {
    a.limb[i] = _mm256_add_epi64(a.limb[i], _mm256_and_si256(above, all(multiples<P>.minus[k][i])));
  }
}

// The same residues below most / 100 times p, of values below R / 2.
template <unsigned most, class P, unsigned bound, bool is_normal>
PROOFGRID_INLINE auto lowered(const Residue<P, bound, is_normal>& a) {
  if constexpr (bound <= most) {
    return a;
  } else {
    static_assert(bound <= radix_bound<P> / 2);
    constexpr unsigned k = (bound + 198) / 200;  // the bound becomes k p or bound - k p, and 2^210 < p / 100 more
    Residue<P, 100 * k + 1> r{a.value};
    subtract_where_above<P, k>(r.value);
    return lowered<most>(r);
  }
}

}  // namespace quad
}  // namespace proofgrid

PROOFGRID_QUAD_END
