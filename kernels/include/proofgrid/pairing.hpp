// Products of optimal ate pairings (Vercauteren, eprint 2008/096), one squaring per step and one final exponentiation
// for all pairs: prod e(P_i, Q_i), P_i in G1, Q_i in G2, both in the subgroup of order r, which the caller has checked.
//
//   bn     e(P, Q) = (f_{6z+2,Q}(P) * l_{(6z+2)Q, Q_1}(P) * l_{(6z+2)Q + Q_1, -Q_2}(P))^((q^12 - 1) / r),
//          Q_1 and Q_2 being Q under the q-th and q^2-th power
//   bls12  e(P, Q) = f_{z,Q}(P)^(3 (q^12 - 1) / r)
//
// The loop runs over the non-adjacent form of |6z + 2| or |z|; f_{-n} = conj(f_n) up to what the final exponentiation
// kills, and so are factors from proper subfields: lines are scaled freely.
// Line formulas: Costello, Lange, Naehrig, eprint 2009/615, in the form of Aranha et al., eprint 2010/526, section 4.
#pragma once

#include <string>
#include <vector>

#include "proofgrid/curve.hpp"
#include "proofgrid/final_exponentiation.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

namespace pairing_detail {

// Point i of canonical words; `what` names the array in the refusal.
template <class Point>
Point load(const std::byte* points, const char* what, size_t i) {
  uint64_t words[Point::words];
  std::memcpy(words, points + i * Point::bytes, sizeof words);
  if (!Point::is_canonical(words)) {
    throw MalformedInput(std::string(what) + ": point " + std::to_string(i) +
                         " has a coordinate that is not below the modulus");
  }
  return Point::from_canonical(words);
}

}  // namespace pairing_detail

// a * y_P + b * x_P * w + c * w^3 (type D) or its multiple c + b * x_P * w^2 + a * y_P * w^3 (type M).
template <class C>
struct Line {
  typename Tower<C>::Fq2 a, b, c;
};

// A point of the twist y^2 = x^3 + b2 in homogeneous coordinates (X/Z, Y/Z), walking through the Miller loop.
template <class C>
class TwistWalker {
  using Fq = typename Tower<C>::Fq;
  using Fq2 = typename Tower<C>::Fq2;

 public:
  explicit TwistWalker(const Affine<Fq2>& q) : x_(q.x), y_(q.y), z_(Fq2::one()) {}

  void negate() { y_ = -y_; }

  // T <- 2T, the tangent at T: 3 m + 6 s, and 1 m by 3 b2 for type D. The result is scaled by 4 to avoid halving.
  Line<C> step_double() {
    const Fq2 b = y_.square(), c = z_.square(), e = mul_by_3_b2(c), f = small::times<3>(e);
    const Fq2 h = (y_ + z_).square() - b - c;  // 2 Y Z
    const Line<C> tangent{-h, small::times<3>(x_.square()), e - b};
    x_ = (x_ * y_ * (b - f)).dbl();
    y_ = (b + f).square() - small::times<12>(e.square());
    z_ = (b * h).dbl().dbl();
    return tangent;
  }

  // T <- T + Q for an affine Q not equal to T, -T or infinity, the chord: 11 m + 2 s.
  Line<C> step_add(const Affine<Fq2>& q) {
    const Fq2 o = y_ - q.y * z_, l = x_ - q.x * z_;
    const Fq2 d = l.square(), e = l * d, f = z_ * o.square(), g = x_ * d;
    const Fq2 h = e + f - g.dbl();
    const Line<C> chord{l, -o, o * q.x - l * q.y};
    x_ = l * h;
    y_ = (g - h) * o - e * y_;
    z_ = z_ * e;
    return chord;
  }

 private:
  static Fq2 mul_by_3_b2(const Fq2& c) {
    if constexpr (C::twist_d) {
      const Fq2 b2{Fq::constant_mont(C::b2_c0_mont), Fq::constant_mont(C::b2_c1_mont)};
      return small::times<3>(b2) * c;
    } else {  // b2 = b * xi with a small b
      return small::times<3 * small::integer<typename C::Fq>(C::b_mont)>(Tower<C>::mul_by_xi(c));
    }
  }

  Fq2 x_, y_, z_;
};

// f_{loop}(P_i, Q_i) multiplied over i, not yet exponentiated. One Fp12 squaring per step for all pairs together; per
// pair and step 13 m for the line's product, 4 mul of Fp to put P in, and the walker's step.
template <class C>
class MillerLoop {
  using Fq = typename Tower<C>::Fq;
  using Fq2 = typename Tower<C>::Fq2;
  using Fq12 = Fp12<C>;

 public:
  // Adds a pair of affine points, neither at infinity.
  void add_pair(const Affine<Fq>& p, const Affine<Fq2>& q) { pairs_.push_back({p, q, TwistWalker<C>(q)}); }

  Fq12 run() {
    if (pairs_.empty()) return Fq12::one();
    for (size_t i = C::ate_naf_length - 1; i-- > 0;) {
      f_ = f_.square();
      for (Pair& pair : pairs_) multiply_by(pair.walker.step_double(), pair);
      const signed char digit = C::ate_naf[i];
      if (digit == 0) continue;
      for (Pair& pair : pairs_) multiply_by(pair.walker.step_add(digit > 0 ? pair.q : -pair.q), pair);
    }
    if (C::seed_negative) negate();
    if constexpr (C::is_bn) add_frobenius_images();
    return f_;
  }

 private:
  struct Pair {
    Affine<Fq> p;
    Affine<Fq2> q;
    TwistWalker<C> walker;
  };

  void multiply_by(const Line<C>& line, const Pair& pair) {
    const Fq2 a = line.a * pair.p.y, b = line.b * pair.p.x;
    if constexpr (C::twist_d) {
      f_ = f_.mul_line_d(a, b, line.c);
    } else {
      f_ = f_.mul_line_m(a, b, line.c);
    }
  }

  void negate() {
    f_ = f_.conjugate();
    for (Pair& pair : pairs_) pair.walker.negate();
  }

  // Q_1 = q-th power of Q on the curve, pulled back to the twist: (conj(x) g^2, conj(y) g^3), g^i = xi^(i (q - 1) / 6)
  // for type D, its inverse for type M; no bn curve of ours is of type M. Q_2 is the same once more.
  void add_frobenius_images() {
    static_assert(!C::is_bn || C::twist_d, "bn curves with a type M twist are not provided for");
    const Fq2 gx = Tower<C>::frobenius(2), gy = Tower<C>::frobenius(3);
    for (Pair& pair : pairs_) {
      const Affine<Fq2> q1{pair.q.x.conjugate() * gx, pair.q.y.conjugate() * gy};
      const Affine<Fq2> q2{q1.x.conjugate() * gx, q1.y.conjugate() * gy};
      multiply_by(pair.walker.step_add(q1), pair);
      multiply_by(pair.walker.step_add(-q2), pair);
    }
  }

  Fq12 f_ = Fq12::one();
  std::vector<Pair> pairs_;
};

// prod e(g1[i], g2[i]) of n pairs, at any alignment: canonical affine points, infinity all zeros (its pair counts as
// one); out: 12 * limbs in tower order. Points must be on their curves and in the subgroups of order r. Throws
// MalformedInput for a coordinate >= q. On one thread.
template <class C>
void pairing_product(const std::byte* g1, const std::byte* g2, size_t n, uint64_t* out, Run& run) {
  using P = Affine<typename Tower<C>::Fq>;
  using Q = Affine<typename Tower<C>::Fq2>;
  MillerLoop<C> loop;
  for (size_t i = 0; i < n; ++i) {
    const P p = pairing_detail::load<P>(g1, "g1", i);
    const Q q = pairing_detail::load<Q>(g2, "g2", i);
    if (!p.is_infinity() && !q.is_infinity()) loop.add_pair(p, q);
  }
  run.progress.check();
  FinalExponentiation<C>::apply(loop.run()).to_canonical(out);
}

}  // namespace proofgrid
