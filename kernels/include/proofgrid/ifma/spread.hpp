// One element of Fp12 spread over the lanes: lane k holds the coefficient of w^k, 0 <= k < 6. The two lanes that are left hold
// any element of Fp2 within the same bounds.
//
// Coefficient k of a product is the sum of f[i] g[k - i], times xi where the index wraps. So lane k of each factor of the sum
// is a permutation of f's or g's lanes, and a product in Fp12 is one sum of six terms (tower.hpp's dot) where a single
// element takes 54 multiplications in Fp. It computes what final_exponentiation.hpp asks of Fp12.
//
// Cost in vpmadd52 for bn254: a product 1,078, a square 816, a cyclotomic square 478. Magnitude 3 unless stated.
#pragma once

#include <immintrin.h>

#include "proofgrid/ifma/tower.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// What each lane takes: lane i of the first operand for i < 8, lane i - 8 of the second from 8 on.
struct alignas(64) LaneIndex {
  uint64_t from[lanes];
  PROOFGRID_INLINE Word word() const { return _mm512_load_si512(from); }
};

template <class P>
PROOFGRID_INLINE Lanes<P> permute(const Lanes<P>& a, const LaneIndex& index, const Lanes<P>& b) {
  Lanes<P> r;
#pragma GCC unroll 8
  for (size_t i = 0; i < Lanes<P>::limbs; ++i) {
    r.limb[i] = _mm512_permutex2var_epi64(a.limb[i], index.word(), b.limb[i]);
  }
  return r.bound(a.magnitude() > b.magnitude() ? a.magnitude() : b.magnitude());
}
template <class P>
PROOFGRID_INLINE Lanes2<P> permute(const Lanes2<P>& a, const LaneIndex& index, const Lanes2<P>& b) {
  return {permute(a.c0, index, b.c0), permute(a.c1, index, b.c1)};
}
template <class P>
PROOFGRID_INLINE Factor<P> permute(const Factor<P>& a, const LaneIndex& index, const Factor<P>& b) {
  Factor<P> r;
  r.c0 = permute(a.c0, index, b.c0), r.c1 = permute(a.c1, index, b.c1), r.sum = permute(a.sum, index, b.sum);
  return r;
}
template <class P>
PROOFGRID_INLINE Factor<P> permute(const Factor<P>& a, const LaneIndex& index) {
  return permute(a, index, a);
}

namespace spread_detail {

// Lane i in all lanes.
constexpr LaneIndex everywhere(uint64_t i) { return {{i, i, i, i, i, i, i, i}}; }

// Lane k takes coefficient k - i, of the second operand (xi times the first) where that is negative.
constexpr LaneIndex shifted(uint64_t i) {
  LaneIndex r{};
  for (uint64_t k = 0; k < 6; ++k) r.from[k] = k >= i ? k - i : 8 + k + 6 - i;
  return r;
}

inline constexpr Mask odd_lanes = 0b101010, even_lanes = 0b010101;

}  // namespace spread_detail

template <class C>
class Spread12 {
  using P = typename C::Fq;
  using F = Lanes2<P>;

 public:
  F f;

  static Spread12 one() { return {F::blend(1, F::zero(), F::one())}; }

  static Spread12 spread(const Fp12<C>& x) {
    uint64_t rows[2][lanes * P::limbs] = {};
    for (size_t k = 0; k < 6; ++k) {
      const auto& half = k % 2 == 0 ? x.c0 : x.c1;
      const Fp2<P>& coefficient = k / 2 == 0 ? half.c0 : k / 2 == 1 ? half.c1 : half.c2;
      coefficient.c0.store_mont(rows[0] + k * P::limbs), coefficient.c1.store_mont(rows[1] + k * P::limbs);
    }
    Word c0[P::limbs], c1[P::limbs];
    load_rows(c0, rows[0]), load_rows(c1, rows[1]);
    return {F::enter_mont({Lanes<P>::from_words(c0), Lanes<P>::from_words(c1)})};
  }

  Fp12<C> gathered() const {
    using Base = Fp<P>;
    uint64_t rows[2][lanes * P::limbs];
    const F left = F::leave_mont(f).template canonical<3>();
    Word c0[P::limbs], c1[P::limbs];
    left.c0.to_words(c0), left.c1.to_words(c1);
    store_rows(rows[0], c0), store_rows(rows[1], c1);
    const auto at = [&](size_t k) {
      return Fp2<P>{Base::load_mont(rows[0] + k * P::limbs), Base::load_mont(rows[1] + k * P::limbs)};
    };
    return {{at(0), at(2), at(4)}, {at(1), at(3), at(5)}};
  }

  // A sum of six terms: magnitudes 6 * 3 * 2.
  Spread12 operator*(const Spread12& other) const {
    static constexpr LaneIndex all[6] = {spread_detail::everywhere(0), spread_detail::everywhere(1),
                                         spread_detail::everywhere(2), spread_detail::everywhere(3),
                                         spread_detail::everywhere(4), spread_detail::everywhere(5)};
    static constexpr LaneIndex shifted[6] = {spread_detail::shifted(0), spread_detail::shifted(1),
                                             spread_detail::shifted(2), spread_detail::shifted(3),
                                             spread_detail::shifted(4), spread_detail::shifted(5)};
    const Factor<P> left = f, right = combine<1>(other.f), xi_right = mul_by_xi<C>(other.f);
    Factor<P> x[6], y[6];
#pragma GCC unroll 6
    for (size_t i = 0; i < 6; ++i) x[i] = permute(left, all[i]), y[i] = permute(right, shifted[i], xi_right);
    return {dot<P, 6>({&x[0], &x[1], &x[2], &x[3], &x[4], &x[5]}, {&y[0], &y[1], &y[2], &y[3], &y[4], &y[5]})};
  }

  // f[i] f[j] with i < j comes twice: four terms, of which lanes 1, 3 and 5 need but three. Magnitudes 9 + 3 * 6.
  Spread12 square() const {
    static constexpr LaneIndex x_from[4] = {
        {{0, 0, 1, 0, 2, 0, 0, 0}}, {{3, 0, 4, 0, 5, 0, 0, 0}}, {{1, 2, 0, 1, 0, 1, 0, 0}}, {{2, 3, 3, 4, 1, 2, 0, 0}}};
    // once | twice, xi | 0, and twice: plain | xi
    static constexpr LaneIndex y_from[4] = {{{0, 9, 1, 11, 2, 13, 8, 8}},
                                            {{3, 8, 4, 8, 5, 8, 8, 8}},
                                            {{13, 13, 2, 2, 4, 4, 8, 8}},
                                            {{12, 12, 13, 13, 3, 3, 8, 8}}};
    const F xi = mul_by_xi<C>(f);
    const Factor<P> once = f, twice = combine<2>(f), xi_once = xi, xi_twice = combine<2>(xi), none = F::zero();
    const Factor<P> x[4] = {permute(once, x_from[0]), permute(once, x_from[1]), permute(once, x_from[2]),
                            permute(once, x_from[3])};
    const Factor<P> y[4] = {permute(once, y_from[0], twice), permute(xi_once, y_from[1], none),
                            permute(twice, y_from[2], xi_twice), permute(twice, y_from[3], xi_twice)};
    return {dot<P, 4>({&x[0], &x[1], &x[2], &x[3]}, {&y[0], &y[1], &y[2], &y[3]})};
  }

  // tower.hpp's, in Fp4 = Fp2[w^3]: with (a, b) = (f[i], f[i + 3]) for i = 0, 1, 2 the lanes 0, 2, 4 become
  // 3 (a^2 + xi b^2) - 2 f and the lanes 3, 5, 1 become 6 a b + 2 f, the last with xi b. Two terms.
  Spread12 cyclotomic_square() const {
    using namespace spread_detail;
    static constexpr LaneIndex a_from{{0, 2, 1, 0, 2, 1, 0, 0}}, a_times{{0, 13, 1, 3, 2, 4, 0, 0}};  // f | xi f
    static constexpr LaneIndex b_from{{3, 0, 4, 0, 5, 0, 0, 0}}, b_times{{3, 8, 4, 8, 5, 8, 8, 8}};   // xi f | 0
    const Factor<P> once = f, xi_once = mul_by_xi<C>(f), none = F::zero();
    const Factor<P> x[2] = {permute(once, a_from), permute(once, b_from)};
    const Factor<P> y[2] = {permute(once, a_times, xi_once), permute(xi_once, b_times, none)};
    const F products = dot<P, 2>({&x[0], &x[1]}, {&y[0], &y[1]});
    const F doubled = F::blend(odd_lanes, products, products + products);
    const F signed_f = F::blend(even_lanes, f, f.template negate<3>());
    return {combine<3, 2>(doubled, signed_f)};
  }

  // x -> x^(q^6).
  Spread12 conjugate() const { return {combine<1>(F::blend(spread_detail::odd_lanes, f, f.template negate<3>()))}; }

  // x -> x^q. A product.
  Spread12 frobenius() const {
    static const Spread12 factors = spread({{Tower<C>::frobenius(0), Tower<C>::frobenius(2), Tower<C>::frobenius(4)},
                                            {Tower<C>::frobenius(1), Tower<C>::frobenius(3), Tower<C>::frobenius(5)}});
    return {multiply<P>(f.template conjugate<3>(), factors.f)};
  }

  // As a single element. Inverse of zero is zero.
  Spread12 inverse() const { return spread(gathered().inverse()); }

  void to_canonical(uint64_t* canonical) const { gathered().to_canonical(canonical); }
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
