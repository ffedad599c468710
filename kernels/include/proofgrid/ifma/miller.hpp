// The Miller loop of pairing.hpp for eight pairs at a time: the same steps and the same lines, one pair in each lane.
//
// Many vectors of eight pairs share one accumulator, which so holds the product over them in each lane: its squaring is paid
// once for all (Granger, Smart, eprint 2006/172). Cost of a vector in vpmadd52, for bn254: 65 doublings at 6,300 and 24
// additions at 7,000, together 577,000 or 72,000 for a pair; a squaring of the accumulator is 4,000.
#pragma once

#include <immintrin.h>

#include <vector>

#include "proofgrid/ifma/gather.hpp"
#include "proofgrid/ifma/tower.hpp"
#include "proofgrid/points.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// A constant in all lanes, magnitude 1.
template <class P>
Lanes2<P> broadcast(const Fp2<P>& x) {
  uint64_t c0[P::limbs], c1[P::limbs];
  x.c0.store_mont(c0), x.c1.store_mont(c1);
  return {Lanes<P>::broadcast(Constants<P>::from_mont(c0)), Lanes<P>::broadcast(Constants<P>::from_mont(c1))};
}
template <class P>
Lanes<P> broadcast(const Fp<P>& x) {
  uint64_t words[P::limbs];
  x.store_mont(words);
  return Lanes<P>::broadcast(Constants<P>::from_mont(words));
}

// The endomorphism psi of points.hpp, of which Q_1 and Q_2 of pairing.hpp are the first two powers. 2 products.
template <class C>
LanesPoint<Lanes2<typename C::Fq>> psi(const LanesPoint<Lanes2<typename C::Fq>>& q) {
  using F = Fp2<typename C::Fq>;
  static const Affine<F> factors = proofgrid::points_detail::psi<C>(Affine<F>{F::one(), F::one()});
  return {multiply<typename C::Fq>(q.x.template conjugate<3>(), broadcast(factors.x)),
          multiply<typename C::Fq>(q.y.template conjugate<3>(), broadcast(factors.y))};
}

// a y_P + b x_P w + c w^3 (type D) or c + b x_P w^2 + a y_P w^3 (type M), y_P and x_P times small factors.
template <class P>
struct LanesLine {
  Lanes2<P> a, b, c;
};

// T = (X/Z, Y/Z), magnitude 3. A step that meets infinity, T = Q or T = -Q leaves Z = 0, and Z then stays 0. With Q of order
// r that does not happen: T runs through multiples k Q with 1 < k < r - 1.
template <class C>
class Walker {
  using P = typename C::Fq;
  using F = Lanes2<P>;

 public:
  explicit Walker(const LanesPoint<F>& q) : x_(q.x), y_(q.y), z_(F::one()) {}

  void negate() { y_ = combine<0, -1>(y_, y_); }

  // T <- 2T and the tangent at T, a and b for -2 y_P and 3 x_P: 5 products, 4 squares, a sum of two; without the line a
  // square less.
  template <bool line>
  LanesLine<P> step_double() {
    const F yy = square(y_), e = mul_by_b2(square(z_));  // E = b2 Z^2, so F = 9 E and e of TwistWalker is 3 E
    const F yz = multiply<P>(y_, z_), xy = multiply<P>(x_, y_);
    LanesLine<P> tangent;
    if constexpr (line) tangent = {yz, square(x_), combine<3, -1>(e, yy)};
    x_ = multiply<P>(combine<2>(xy), combine<1, -9>(yy, e));
    const Factor<P> sum = combine<1, 9>(yy, e), nine = combine<9>(e), minus_twelve = combine<0, -12>(e, e);
    y_ = dot<P, 2>({&sum, &nine}, {&sum, &minus_twelve});
    z_ = multiply<P>(combine<8>(yy), yz);
    return tangent;
  }

  // T <- T + Q and the chord, a and b for y_P and -x_P: 7 products, 2 squares, two sums of two; without the line one less.
  template <bool line>
  LanesLine<P> step_add(const LanesPoint<F>& q) {
    const Factor<P> z = z_, qx = q.x, qy = q.y;
    const Factor<P> o = combine<1, -1>(y_, multiply(qy, z)), l = combine<1, -1>(x_, multiply(qx, z));
    LanesLine<P> chord;
    if constexpr (line) {
      const Factor<P> minus_qy = combine<0, -1>(q.y, q.y);
      chord = {l.value(), o.value(), dot<P, 2>({&o, &l}, {&qx, &minus_qy})};
    }
    const Factor<P> d = square(l.value());
    const Factor<P> e = multiply(l, d);
    const F f = multiply<P>(z, square(o.value())), g = multiply<P>(x_, d);
    const F h = combine<1, -2>(combine<1, 1>(e.value(), f), g);
    const Factor<P> rest = combine<1, -1>(g, h), minus_y = combine<0, -1>(y_, y_);
    x_ = multiply<P>(l, h);
    y_ = dot<P, 2>({&rest, &e}, {&o, &minus_y});
    z_ = multiply(z, e);
    return chord;
  }

  // The lanes where T is the given point. 2 products.
  Mask equals(const LanesPoint<F>& q) const {
    const F x = combine<1, -1>(x_, multiply<P>(q.x, z_)), y = combine<1, -1>(y_, multiply<P>(q.y, z_));
    return x.template is_zero<2>() & y.template is_zero<2>() & static_cast<Mask>(~z_.template is_zero<3>());
  }

 private:
  static F mul_by_b2(const F& x) {
    if constexpr (C::twist_d) {
      using Base = Fp<P>;
      static const Fp2<P> b2{Base::constant_mont(C::b2_c0_mont), Base::constant_mont(C::b2_c1_mont)};
      return multiply<P>(x, broadcast(b2));
    } else {  // b2 = b * xi with a small b
      return combine<small::integer<P>(C::b_mont)>(mul_by_xi<C>(x));
    }
  }

  F x_, y_, z_;
};

template <class F>
LanesPoint<F> negated(const LanesPoint<F>& q) {
  return {q.x, combine<0, -1>(q.y, q.y)};
}

// The lanes whose point of the curve is in the subgroup of order r, by the walk of the Miller loop without its lines: it ends
// at m Q, and with psi's eigenvalue q on the subgroup
//   bn     6z + 2 + q - q^2 + q^3 = 0 mod r (Vercauteren, eprint 2008/096), so T = (6z + 2) Q + psi(Q) - psi^2(Q) = -psi^3(Q)
//   bls12  z - q = 0 mod r, so T = z Q = psi(Q)
// and outside of it nowhere, for the norm of the endomorphism on the left has with the order of the twist no more than r
// in common (Dai, Lin, Zhao, Zhou, eprint 2022/348; tests/kernels/test_groups.py has the numbers). 27,000 vpmadd52 a point.
template <class C>
Mask in_subgroup(const LanesPoint<Lanes2<typename C::Fq>>& q) {
  Walker<C> walker(q);
  for (size_t i = C::ate_naf_length - 1; i-- > 0;) {
    walker.template step_double<false>();
    const signed char digit = C::ate_naf[i];
    if (digit != 0) walker.template step_add<false>(digit > 0 ? q : negated(q));
  }
  if constexpr (C::seed_negative) walker.negate();
  const auto q1 = psi<C>(q);
  if constexpr (!C::is_bn) {
    return walker.equals(q1);
  } else {
    const auto q2 = psi<C>(q1);
    walker.template step_add<false>(q1);
    walker.template step_add<false>(negated(q2));
    return walker.equals(negated(psi<C>(q2)));
  }
}

// The product of f_{loop}(P_i, Q_i) over all pairs of each lane, not yet exponentiated. Points have magnitude 1. A pair with
// P = (0, 0) counts as one: its lines are c w^3 or c, whose final power is one as long as c is not 0.
template <class C>
class LanesMillerLoop {
  using P = typename C::Fq;
  using Base = Lanes<P>;
  using F = Lanes2<P>;

 public:
  void add(const LanesPoint<Base>& p, const LanesPoint<F>& q) {
    pairs_.push_back({p.y, combine<0, -1>(p.x, p.x), combine<0, -2>(p.y, p.y), combine<3, 0>(p.x, p.x), q, Walker<C>(q)});
  }

  const Lanes12<C>& run() {
    for (size_t i = C::ate_naf_length - 1; i-- > 0;) {
      f_ = f_.square();
      for (Pairs& pair : pairs_) {
        multiply_by(pair.walker.template step_double<true>(), pair.minus_twice_y, pair.thrice_x);
      }
      const signed char digit = C::ate_naf[i];
      if (digit == 0) continue;
      for (Pairs& pair : pairs_) add_chord(pair, digit > 0 ? pair.q : negated(pair.q));
    }
    if constexpr (C::seed_negative) {
      f_.conjugate();
      for (Pairs& pair : pairs_) pair.walker.negate();
    }
    if constexpr (C::is_bn) {
      static_assert(C::twist_d, "bn curves with a type M twist are not provided for");
      for (Pairs& pair : pairs_) {
        const LanesPoint<F> q1 = psi<C>(pair.q);
        add_chord(pair, q1);
        add_chord(pair, negated(psi<C>(q1)));
      }
    }
    return f_;
  }

 private:
  struct Pairs {
    Base y, minus_x, minus_twice_y, thrice_x;
    LanesPoint<F> q;
    Walker<C> walker;
  };

  void add_chord(Pairs& pair, const LanesPoint<F>& q) {
    multiply_by(pair.walker.template step_add<true>(q), pair.y, pair.minus_x);
  }

  void multiply_by(const LanesLine<P>& line, const Base& y, const Base& x) {
    if constexpr (C::twist_d) {
      f_.template multiply_by<1, 3>(line.a * y, line.b * x, line.c);
    } else {
      f_.template multiply_by<2, 3>(line.c, line.b * x, line.a * y);
    }
  }

  Lanes12<C> f_ = Lanes12<C>::one();
  std::vector<Pairs> pairs_;
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
