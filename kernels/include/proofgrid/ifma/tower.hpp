// Fp12 in eight lanes, by one operation: a sum of products in Fp2 that is reduced once.
//
//   Lanes12 = f[0] + f[1] w + ... + f[5] w^5 over Fp2, w^6 = xi        (tower.hpp's tower, written out in powers of w)
//
// Each coefficient of a product is a sum of products f[i] g[j], those with i + j >= 6 times xi, which goes into one factor
// beforehand. Karatsuba inside Fp2 (eprint 2006/471): three products without reduction for each term, two reductions for
// each sum (lazy reduction, Aranha et al., eprint 2010/526, section 3).
//
// Cost in vpmadd52, for N limbs (N = 5, N = 8): a term 6 N^2 (150, 384), a sum 4 N^2 + 2 (102, 258), settle 4 N - 1.
// Magnitudes: a sum has 3 and may add terms of m_a m_b up to headroom / 2 together (BN254: 42); settle gives 2.
#pragma once

#include <immintrin.h>

#include "proofgrid/ifma/fp2.hpp"
#include "proofgrid/ifma/transpose.hpp"
#include "proofgrid/tower.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// What settle needs.
template <class P>
struct QuotientEstimate {
  using C = Constants<P>;
  static constexpr size_t limbs = C::limbs;
  // floor(2^(bits + 51) / p), below 2^52: the quotient of x by p is its top limb times this, shifted right by 52 + shift.
  static constexpr unsigned shift = P::bits + 51 - limb_bits * limbs;
  static constexpr uint64_t reciprocal = [] {
    typename C::Number remainder{};
    remainder.limb[0] = 1;
    uint64_t quotient = 0;
    for (unsigned i = 0; i < P::bits + 51; ++i) {
      typename C::Number difference{};
      uint64_t carry = 0, borrow = 0;
      for (size_t j = 0; j < limbs; ++j) {
        const uint64_t doubled = 2 * remainder.limb[j] + carry;
        remainder.limb[j] = doubled & limb_mask;
        carry = doubled >> limb_bits;
        const uint64_t t = remainder.limb[j] - C::modulus.limb[j] - borrow;
        difference.limb[j] = t & limb_mask;
        borrow = t >> 63;
      }
      quotient = 2 * quotient + (borrow ? 0 : 1);
      if (!borrow) remainder = difference;
    }
    return quotient;
  }();
  static_assert(reciprocal >> limb_bits == 0);
};

// Limbs that are signed and not carried (below 2^57 in absolute value) of a value from 0 to headroom p, to magnitude 2.
// The quotient is estimated from the top limb, less 64 for what the limbs below may borrow: it is never too large, and too
// small by one at most, for 2^(52 (limbs - 1)) is far below p.
template <class P>
PROOFGRID_INLINE Lanes<P> settle(Word (&x)[Lanes<P>::limbs]) {
  using T = QuotientEstimate<P>;
  constexpr size_t limbs = T::limbs;
  const Word top = _mm512_max_epi64(_mm512_sub_epi64(x[limbs - 1], all(64)), _mm512_setzero_si512());
  const Word quotient =
      _mm512_srli_epi64(_mm512_madd52hi_epu64(_mm512_setzero_si512(), top, all(T::reciprocal)), T::shift);
  Word multiple[limbs];
#pragma GCC unroll 8
  for (size_t i = 0; i < limbs; ++i) multiple[i] = _mm512_setzero_si512();
#pragma GCC unroll 8
  for (size_t i = 0; i < limbs; ++i) {
    const Word p = all(T::C::modulus.limb[i]);
    multiple[i] = _mm512_madd52lo_epu64(multiple[i], quotient, p);
    if (i + 1 < limbs) multiple[i + 1] = _mm512_madd52hi_epu64(multiple[i + 1], quotient, p);
  }
  Lanes<P> r;
#pragma GCC unroll 8
  for (size_t i = 0; i < limbs; ++i) r.limb[i] = _mm512_sub_epi64(x[i], multiple[i]);
  r.carry();
  return r.bound(2);
}

// k x in each 64-bit word, by shifts and additions.
template <unsigned k>
PROOFGRID_INLINE Word times(Word x) {
  if constexpr (k == 0) {
    return _mm512_setzero_si512();
  } else if constexpr (k == 1) {
    return x;
  } else if constexpr (k % 2 == 0) {
    return _mm512_slli_epi64(times<k / 2>(x), 1);
  } else {
    return _mm512_add_epi64(times<k - 1>(x), x);
  }
}

// k a + l b, settled; where l is negative b has magnitude at most m. k m_a + l m_b, or k m_a - l m, is at most headroom.
template <unsigned k, int l, unsigned m = 3, class P>
PROOFGRID_INLINE Lanes<P> combine(const Lanes<P>& a, const Lanes<P>& b) {
  constexpr unsigned factor = l < 0 ? -l : l;
  static constexpr auto offset = Constants<P>::multiple(l < 0 ? factor * m : 0);
  b.require(l < 0 ? m : Constants<P>::headroom);
#if defined(PROOFGRID_VERIFY)
  verify::require(k * a.magnitude() + factor * (l < 0 ? m : b.magnitude()) <= Constants<P>::headroom, P::name,
                  "a combination beyond the headroom");
#endif
  Word x[Lanes<P>::limbs];
#pragma GCC unroll 8
  for (size_t i = 0; i < Lanes<P>::limbs; ++i) {
    const Word ka = times<k>(a.limb[i]), lb = times<factor>(b.limb[i]);
    x[i] = l < 0 ? _mm512_sub_epi64(_mm512_add_epi64(ka, all(offset.limb[i])), lb) : _mm512_add_epi64(ka, lb);
  }
  return settle<P>(x);
}
template <unsigned k, int l, unsigned m = 3, class P>
PROOFGRID_INLINE Lanes2<P> combine(const Lanes2<P>& a, const Lanes2<P>& b) {
  return {combine<k, l, m>(a.c0, b.c0), combine<k, l, m>(a.c1, b.c1)};
}
template <unsigned k, class P>
PROOFGRID_INLINE Lanes2<P> combine(const Lanes2<P>& a) {
  return combine<k, 0>(a, a);
}

// xi a, settled, for a of magnitude at most 3.
template <class C>
PROOFGRID_INLINE Lanes2<typename C::Fq> mul_by_xi(const Lanes2<typename C::Fq>& a) {
  constexpr unsigned real = Tower<C>::xi_real;
  return {combine<real, -1>(a.c0, a.c1), combine<real, 1>(a.c1, a.c0)};
}

// An element of Fp2 beside the sum of its coordinates, as Karatsuba's method reads it.
template <class P>
struct Factor {
  Lanes<P> c0, c1, sum;

  Factor() = default;
  PROOFGRID_INLINE Factor(const Lanes2<P>& x) : c0(x.c0), c1(x.c1), sum(x.c0 + x.c1) {}
  PROOFGRID_INLINE Lanes2<P> value() const { return {c0, c1}; }
};

// x[0] y[0] + ... + x[n - 1] y[n - 1]. Not inlined: the callers' code would outgrow the instruction cache.
template <class P, size_t n>
[[gnu::noinline]] Lanes2<P> dot(const Factor<P>* const (&x)[n], const Factor<P>* const (&y)[n]) {
  constexpr size_t columns = 2 * Lanes<P>::limbs;
  static constexpr auto offset = Constants<P>::square_multiple(Lanes2<P>::headroom);  // so that no difference is negative
#if defined(PROOFGRID_VERIFY)
  uint64_t magnitudes = 0;
  for (size_t i = 0; i < n; ++i) magnitudes += x[i]->value().magnitude() * y[i]->value().magnitude();
  verify::require(magnitudes <= Lanes2<P>::headroom, P::name, "a sum of products beyond half of the headroom");
#endif
  Word low[columns], high[columns], wide[2][columns];
  Lanes<P>::Wide::clear(low), Lanes<P>::Wide::clear(high);
#pragma GCC unroll 8
  for (size_t i = 0; i < n; ++i) Lanes<P>::multiply_add_wide(high, x[i]->c1, y[i]->c1);
#pragma GCC unroll 8
  for (size_t i = 0; i < n; ++i) Lanes<P>::multiply_add_wide(low, x[i]->c0, y[i]->c0);
#pragma GCC unroll 16
  for (size_t i = 0; i < columns; ++i) {
    wide[0][i] = _mm512_sub_epi64(_mm512_add_epi64(low[i], all(offset.column[i])), high[i]);
    wide[1][i] = _mm512_sub_epi64(_mm512_setzero_si512(), _mm512_add_epi64(low[i], high[i]));
  }
#pragma GCC unroll 8
  for (size_t i = 0; i < n; ++i) Lanes<P>::multiply_add_wide(wide[1], x[i]->sum, y[i]->sum);
  Lanes<P> r[2];
  Lanes<P>::reduce_wide(r, wide);
  return {r[0], r[1]};
}

template <class P>
PROOFGRID_INLINE Lanes2<P> multiply(const Factor<P>& a, const Factor<P>& b) {
  return dot<P, 1>({&a}, {&b});
}

template <class P>
[[gnu::noinline]] Lanes2<P> square(const Lanes2<P>& a) {
  return a.square();
}

// Coefficients have magnitude 3 (a product's) unless an operation says otherwise.
template <class C>
struct Lanes12 {
  using P = typename C::Fq;
  Factor<P> f[6];

  static Lanes12 one() {
    Lanes12 r;
    r.f[0] = Lanes2<P>{Lanes<P>::one(), Lanes<P>::zero()};
    for (size_t i = 1; i < 6; ++i) r.f[i] = Lanes2<P>{Lanes<P>::zero(), Lanes<P>::zero()};
    return r;
  }

  // 21 terms, 6 sums.
  Lanes12 square() const {
    Factor<P> twice[6];
    for (size_t i = 1; i < 6; ++i) twice[i] = combine<2>(f[i].value());
    const Factor<P> xi_3 = mul_by_xi<C>(f[3].value()), xi_4 = mul_by_xi<C>(f[4].value());
    const Factor<P> xi_5 = mul_by_xi<C>(f[5].value());
    const Factor<P> twice_xi_4 = combine<2>(xi_4.value()), twice_xi_5 = combine<2>(xi_5.value());
    Lanes12 r;
    r.f[0] = dot<P, 4>({&f[0], &f[3], &f[1], &f[2]}, {&f[0], &xi_3, &twice_xi_5, &twice_xi_4});
    r.f[1] = dot<P, 3>({&f[0], &f[2], &f[3]}, {&twice[1], &twice_xi_5, &twice_xi_4});
    r.f[2] = dot<P, 4>({&f[0], &f[1], &f[3], &f[4]}, {&twice[2], &f[1], &twice_xi_5, &xi_4});
    r.f[3] = dot<P, 3>({&f[0], &f[1], &f[4]}, {&twice[3], &twice[2], &twice_xi_5});
    r.f[4] = dot<P, 4>({&f[0], &f[1], &f[2], &f[5]}, {&twice[4], &twice[3], &f[2], &xi_5});
    r.f[5] = dot<P, 3>({&f[0], &f[1], &f[2]}, {&twice[5], &twice[4], &twice[3]});
    return r;
  }

  // By a + b w^i + c w^j, 0 < i < j < 6: 18 terms, 6 sums.
  template <size_t i, size_t j>
  void multiply_by(const Factor<P>& a, const Factor<P>& b, const Factor<P>& c) {
    const Factor<P> xi_b = mul_by_xi<C>(b.value()), xi_c = mul_by_xi<C>(c.value());
    Lanes2<P> r[6];
    for (size_t k = 0; k < 6; ++k) {
      r[k] = dot<P, 3>({&f[k], &f[(k + 6 - i) % 6], &f[(k + 6 - j) % 6]}, {&a, k < i ? &xi_b : &b, k < j ? &xi_c : &c});
    }
    for (size_t k = 0; k < 6; ++k) f[k] = r[k];
  }

  // x -> x^(q^6).
  void conjugate() {
    for (size_t i = 1; i < 6; i += 2) {
      const Lanes2<P> zero{Lanes<P>::zero(), Lanes<P>::zero()};
      f[i] = combine<0, -1>(zero, f[i].value());
    }
  }

  // The product of the eight lanes: 7 multiplications of single elements.
  Fp12<C> product() const {
    using F = Fp<P>;
    uint64_t rows[12][lanes * P::limbs];
    for (size_t i = 0; i < 12; ++i) {
      const Lanes<P>& coordinate = i % 2 == 0 ? f[i / 2].c0 : f[i / 2].c1;
      Word words[P::limbs];
      Lanes<P>::leave_mont(coordinate).template canonical<3>().to_words(words);
      store_rows(rows[i], words);
    }
    Fp12<C> r = Fp12<C>::one();
    for (size_t lane = 0; lane < lanes; ++lane) {
      const auto coefficient = [&](size_t i) {
        return Fp2<P>{F::load_mont(rows[2 * i] + lane * P::limbs), F::load_mont(rows[2 * i + 1] + lane * P::limbs)};
      };
      r = r * Fp12<C>{{coefficient(0), coefficient(2), coefficient(4)}, {coefficient(1), coefficient(3), coefficient(5)}};
    }
    return r;
  }
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
