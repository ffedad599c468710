// The few operations of an affine addition that a field's general ones do with more: differences brought back to one
// magnitude, and factors, whose limbs need not be carried to the end.
#pragma once

#include <immintrin.h>

#include "proofgrid/ifma/field.hpp"
#include "proofgrid/ifma/fp2.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

namespace points_detail {

// a b and a^2 with limbs that are not carried, below 2^57: for a sum that is carried later. (Those of Lanes2 are
// carried.)
template <class P>
PROOFGRID_INLINE Lanes<P> reduce_open(Word (&wide)[1][2 * Lanes<P>::limbs]) {
  Lanes<P>::Wide::reduce(wide);
  Lanes<P> r;
#pragma GCC unroll 8
  for (size_t i = 0; i < Lanes<P>::limbs; ++i) r.limb[i] = wide[0][Lanes<P>::limbs + i];
  return r;
}
template <class P>
PROOFGRID_INLINE Lanes<P> open_product(const Lanes<P>& a, const Lanes<P>& b) {
  Word wide[1][2 * Lanes<P>::limbs];
  Lanes<P>::multiply_wide(wide[0], a, b);
  return reduce_open<P>(wide);
}
template <class P>
PROOFGRID_INLINE Lanes<P> open_square(const Lanes<P>& a) {
  Word wide[1][2 * Lanes<P>::limbs];
  Lanes<P>::square_wide(wide[0], a);
  return reduce_open<P>(wide);
}
template <class P>
PROOFGRID_INLINE Lanes2<P> open_product(const Lanes2<P>& a, const Lanes2<P>& b) {
  return a * b;
}
template <class P>
PROOFGRID_INLINE Lanes2<P> open_square(const Lanes2<P>& a) {
  return a.square();
}

// Carries that leave a limb's own upper bits where they are: vpmadd52 ignores them, so this is enough for a factor.
template <class P>
PROOFGRID_INLINE void carry_factor(Lanes<P>& x) {
#if defined(PROOFGRID_VERIFY)
  x.carry();
#else
#pragma GCC unroll 8
  for (size_t i = 0; i + 1 < Lanes<P>::limbs; ++i) {
    x.limb[i + 1] = _mm512_add_epi64(x.limb[i + 1], _mm512_srai_epi64(x.limb[i], limb_bits));
  }
#endif
}

// `limbs` uncarried, a value of magnitude below k + 5 (k = 4, 8): less k p where it is about k p or more, and so on
// down to 4 p; then carried, of magnitude 5. Only the top limb is compared: carries into it are below 2^6, and p's own
// top limb has 17 bits or more.
template <unsigned k, class P>
PROOFGRID_INLINE Lanes<P> lower(Lanes<P> x) {
  using C = Constants<P>;
  static constexpr auto multiple = C::multiple(k);
  constexpr size_t top = Lanes<P>::limbs - 1;
  const Mask above = _mm512_cmpge_epi64_mask(x.limb[top], all(multiple.limb[top] + 64));
#pragma GCC unroll 8
  for (size_t i = 0; i <= top; ++i) {
    x.limb[i] = _mm512_mask_sub_epi64(x.limb[i], above, x.limb[i], all(multiple.limb[i]));
  }
  if constexpr (k > 4) {
    return lower<k / 2>(x);
  } else {
    x.carry();
    return x.bound(5);
  }
}

// a - b - c, an open product less values of magnitudes up to mb and mc (0: there is no c); of magnitude 5.
template <unsigned mb, unsigned mc, class P>
PROOFGRID_INLINE Lanes<P> lowered_difference(const Lanes<P>& a, const Lanes<P>& b, const Lanes<P>& c) {
  static constexpr auto offset = Constants<P>::multiple(mb + mc);
  b.require(mb);
  if constexpr (mc != 0) c.require(mc);
  Lanes<P> r;
#pragma GCC unroll 8
  for (size_t i = 0; i < Lanes<P>::limbs; ++i) {
    r.limb[i] = _mm512_add_epi64(a.limb[i], _mm512_sub_epi64(all(offset.limb[i]), b.limb[i]));
    if constexpr (mc != 0) r.limb[i] = _mm512_sub_epi64(r.limb[i], c.limb[i]);
  }
  static_assert(mb + mc + Lanes<P>::product <= 13);
  return lower<(mb + mc + Lanes<P>::product > 9 ? 8 : 4)>(r);
}
template <unsigned mb, unsigned mc, class P>
PROOFGRID_INLINE Lanes2<P> lowered_difference(const Lanes2<P>& a, const Lanes2<P>& b, const Lanes2<P>& c) {
  return {lowered_difference<mb, mc>(a.c0, b.c0, c.c0), lowered_difference<mb, mc>(a.c1, b.c1, c.c1)};
}

// a b, a - b and, in the lanes of the mask, -a - b, for factors: values that will be multiplied and nothing else.
// Magnitudes are 3, ma + mb and 2 ma + mb. Karatsuba adds its factors' coordinates, so that those of Lanes2 are carried
// as ever.
template <class P>
PROOFGRID_INLINE Lanes<P> factor_product(const Lanes<P>& a, const Lanes<P>& b) {
  Lanes<P> r = open_product(a, b);
  carry_factor(r);
  return r.bound(Lanes<P>::product);
}
template <class P>
PROOFGRID_INLINE Lanes2<P> factor_product(const Lanes2<P>& a, const Lanes2<P>& b) {
  return a * b;
}

template <unsigned ma, unsigned mb, class P>
PROOFGRID_INLINE Lanes<P> factor_difference(const Lanes<P>& a, const Lanes<P>& b) {
  static constexpr auto offset = Constants<P>::multiple(mb);
  a.require(ma), b.require(mb);
  Lanes<P> r;
#pragma GCC unroll 8
  for (size_t i = 0; i < Lanes<P>::limbs; ++i) {
    r.limb[i] = _mm512_sub_epi64(_mm512_add_epi64(a.limb[i], all(offset.limb[i])), b.limb[i]);
  }
  carry_factor(r);
  return r.bound(ma + mb);
}
template <unsigned ma, unsigned mb, class P>
PROOFGRID_INLINE Lanes2<P> factor_difference(const Lanes2<P>& a, const Lanes2<P>& b) {
  return Lanes2<P>::template subtract<mb>(a, b);
}

template <bool factor, unsigned ma, unsigned mb, class P>
PROOFGRID_INLINE Lanes<P> signed_difference(Mask negative, const Lanes<P>& a, const Lanes<P>& b) {
  static constexpr auto offset = Constants<P>::multiple(ma + mb);
  a.require(ma), b.require(mb);
  Lanes<P> r;
#pragma GCC unroll 8
  for (size_t i = 0; i < Lanes<P>::limbs; ++i) {
    const Word rest = _mm512_sub_epi64(all(offset.limb[i]), b.limb[i]);
    r.limb[i] = _mm512_mask_sub_epi64(_mm512_add_epi64(rest, a.limb[i]), negative, rest, a.limb[i]);
  }
  if constexpr (factor) {
    carry_factor(r);
  } else {
    r.carry();
  }
  return r.bound(2 * ma + mb);
}
// a - b for values of magnitudes up to 5, a factor of magnitude 10; in Fp2 of 5.
template <class P>
PROOFGRID_INLINE Lanes<P> plain_difference(const Lanes<P>& a, const Lanes<P>& b) {
  return Lanes<P>::template subtract<5>(a, b);
}
template <class P>
PROOFGRID_INLINE Lanes2<P> plain_difference(const Lanes2<P>& a, const Lanes2<P>& b) {
  return {lower<8>(plain_difference(a.c0, b.c0)), lower<8>(plain_difference(a.c1, b.c1))};
}

// The denominator of a slope as a sum keeps it, from x2 and x1 of magnitudes m and mb: x2 - x1, in Fp2 its conjugate; a factor,
// carried. And its norm, which is what is inverted: itself, or in Fp2 c0^2 + c1^2 (111 vpmadd52), for 1 / d = conj(d) / norm(d).
template <unsigned m, unsigned mb, class P>
PROOFGRID_INLINE Lanes<P> chord(const Lanes<P>& x2, const Lanes<P>& x1) {
  return Lanes<P>::template subtract<mb>(x2, x1);
}
template <unsigned m, unsigned mb, class P>
PROOFGRID_INLINE Lanes2<P> chord(const Lanes2<P>& x2, const Lanes2<P>& x1) {
  using F = Lanes<P>;
  if constexpr (m == 1) {
    return {F::template subtract<mb>(x2.c0, x1.c0), F::template subtract<m>(x1.c1, x2.c1)};
  } else {
    return {lower<8>(F::template subtract<mb>(x2.c0, x1.c0)), lower<8>(F::template subtract<m>(x1.c1, x2.c1))};
  }
}
template <class P>
PROOFGRID_INLINE Lanes<P> norm(const Lanes<P>& d) {
  return d;
}
template <class P>
PROOFGRID_INLINE Lanes<P> norm(const Lanes2<P>& d) {
  return Lanes<P>::norm(d.c0, d.c1);
}

// a / d from a chord d and 1 / norm(d). In Fp2 252 + 202 vpmadd52.
template <class P>
PROOFGRID_INLINE Lanes<P> quotient(const Lanes<P>& a, const Lanes<P>&, const Lanes<P>& inverse_norm) {
  return factor_product(a, inverse_norm);
}
template <class P>
PROOFGRID_INLINE Lanes2<P> quotient(const Lanes2<P>& a, const Lanes2<P>& d, const Lanes<P>& inverse_norm) {
  return (a * d) * inverse_norm;
}

// s - x1 - x2 from an open square s and chord<m, mb>(x2, x1), m = 1; of magnitude 5, for x1 of mb = 5.
template <unsigned m, unsigned mb, int sign, class P>
PROOFGRID_INLINE Lanes<P> third_coordinate(const Lanes<P>& s, const Lanes<P>& x1, const Lanes<P>& d) {
  static constexpr auto offset = Constants<P>::multiple(sign > 0 ? 2 * mb + m : mb);
  Lanes<P> r;
#pragma GCC unroll 8
  for (size_t i = 0; i < Lanes<P>::limbs; ++i) {
    const Word rest = _mm512_sub_epi64(_mm512_add_epi64(s.limb[i], all(offset.limb[i])),
                                       _mm512_add_epi64(x1.limb[i], x1.limb[i]));
    r.limb[i] = sign > 0 ? _mm512_sub_epi64(rest, d.limb[i]) : _mm512_add_epi64(rest, d.limb[i]);
  }
  static_assert(mb + m + Lanes<P>::product == 9);
  return lower<4>(r);
}
template <unsigned m, unsigned mb, class P>
PROOFGRID_INLINE Lanes<P> third_x(const Lanes<P>& s, const Lanes<P>& x1, const Lanes<P>& d) {
  return third_coordinate<m, mb, 1>(s, x1, d);
}
template <unsigned m, unsigned mb, class P>
PROOFGRID_INLINE Lanes2<P> third_x(const Lanes2<P>& s, const Lanes2<P>& x1, const Lanes2<P>& d) {
  return {third_coordinate<m, mb, 1>(s.c0, x1.c0, d.c0), third_coordinate<m, mb, -1>(s.c1, x1.c1, d.c1)};
}

template <bool, unsigned ma, unsigned mb, class P>
PROOFGRID_INLINE Lanes2<P> signed_difference(Mask negative, const Lanes2<P>& a, const Lanes2<P>& b) {
  return {signed_difference<false, ma, mb>(negative, a.c0, b.c0),
          signed_difference<false, ma, mb>(negative, a.c1, b.c1)};
}

}  // namespace points_detail

}  // namespace proofgrid
PROOFGRID_IFMA_END
