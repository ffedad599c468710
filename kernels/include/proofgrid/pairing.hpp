// Products of optimal ate pairings (Vercauteren, eprint 2008/096), one squaring per step and one final exponentiation
// for all pairs: prod e(P_i, Q_i), P_i in G1, Q_i in G2, both in the subgroup of order r, which the caller has checked.
//
//   bn     e(P, Q) = (f_{6z+2,Q}(P) * l_{(6z+2)Q, Q_1}(P) * l_{(6z+2)Q + Q_1, -Q_2}(P))^((q^12 - 1) / r),
//          Q_1 and Q_2 being Q under the q-th and q^2-th power
//   bls12  e(P, Q) = f_{z,Q}(P)^(3 (q^12 - 1) / r)
//
// The loop has two halves. Q alone decides the lines, so a Q that comes again (a key's) is walked through once and its
// lines are kept; P is put into them as they are multiplied together.
//
// The loop runs over the non-adjacent form of |6z + 2| or |z|; f_{-n} = conj(f_n) up to what the final exponentiation
// kills, and so are factors from proper subfields: lines are scaled freely.
// Line formulas: Costello, Lange, Naehrig, eprint 2009/615, in the form of Aranha et al., eprint 2010/526, section 4.
#pragma once

#include <string>
#include <vector>

#include "proofgrid/curve.hpp"
#include "proofgrid/final_exponentiation.hpp"
#include "proofgrid/points.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

namespace pairing_detail {

// Point i of canonical words; `what` names the array in the refusal.
template <class Point>
Point load(const std::byte* points, const char* what, size_t i) {
  uint64_t words[Point::words];
  std::memcpy(words, points + i * Point::bytes, sizeof words);
  if (!Point::is_canonical(words)) refuse_coordinate(what, i);
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

  // Is T the point q? A step that meets infinity, T = Q or T = -Q leaves Z = 0 for good, and then it is not. 2 m.
  bool equals(const Affine<Fq2>& q) const { return !z_.is_zero() && x_ == q.x * z_ && y_ == q.y * z_; }

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

// What a loop over Q multiplies by, in its order: a tangent for each digit but the highest, a chord for each of these that is
// not zero, and on bn curves the chords to Q_1 and -Q_2.
template <class C>
inline constexpr size_t line_count = [] {
  size_t count = C::ate_naf_length - 1 + (C::is_bn ? 2 : 0);
  for (size_t i = 0; i + 1 < C::ate_naf_length; ++i) count += C::ate_naf[i] != 0;
  return count;
}();

// Q_1 = q-th power of Q on the curve, pulled back to the twist, is psi(Q) of points.hpp, and Q_2 is psi(Q_1).
//
// Calls take(line) for each line of a Q that is not infinity. Is Q, a point of the curve, in the subgroup of order r? The walk
// ends at m Q, and with psi's eigenvalue q on the subgroup
//   bn     6z + 2 + q - q^2 + q^3 = 0 mod r (Vercauteren, eprint 2008/096), so T = (6z + 2) Q + psi(Q) - psi^2(Q) = -psi^3(Q)
//   bls12  z - q = 0 mod r, so T = z Q = psi(Q)
// and outside of it nowhere, for the norm of the endomorphism on the left has with the order of the twist no more than r
// in common (Dai, Lin, Zhao, Zhou, eprint 2022/348; tests/kernels/test_groups.py has the numbers).
template <class C, class Take>
bool walk_lines(const Affine<typename Tower<C>::Fq2>& q, const Take& take) {
  using points_detail::psi;
  static_assert(!C::is_bn || C::twist_d, "bn curves with a type M twist are not provided for");
  TwistWalker<C> walker(q);
  const auto minus_q = -q, q1 = psi<C>(q);
  for (size_t i = C::ate_naf_length - 1; i-- > 0;) {
    take(walker.step_double());
    if (C::ate_naf[i] != 0) take(walker.step_add(C::ate_naf[i] > 0 ? q : minus_q));
  }
  if (C::seed_negative) walker.negate();
  if constexpr (!C::is_bn) {
    return walker.equals(q1);
  } else {
    const auto q2 = psi<C>(q1);
    take(walker.step_add(q1));
    take(walker.step_add(-q2));
    return walker.equals(-psi<C>(q2));
  }
}

// What the lines of a point take: a multiple of 64, and room to read two elements, zeros, beyond the last.
template <class C>
inline constexpr size_t lines_bytes = (line_count<C> * sizeof(Line<C>) + 2 * C::Fq::limbs * 8 + 63) / 64 * 64;

// Lines of n points of G2, canonical, at any alignment, to `out`, aligned: lines_bytes<C> each. A point at infinity has lines
// that leave every product as it is. ok[i] is what check_points would say; where it is 0 the lines are zero, and so is a product with them.
// 11 m + 2 s for a chord, 3 m + 6 s for a tangent.
template <class C>
void prepare_lines(const std::byte* g2, size_t n, std::byte* out, std::uint8_t* ok, Run& run) {
  using Fq2 = typename Tower<C>::Fq2;
  using Q = Affine<Fq2>;
  run.team.run(n, [&](size_t i, unsigned) {
    Line<C>* const first = reinterpret_cast<Line<C>*>(out + i * lines_bytes<C>);
    Line<C>* next = first;
    const auto fill = [&](const Fq2& c) { std::fill_n(first, line_count<C>, Line<C>{Fq2::zero(), Fq2::zero(), c}); };
    uint64_t words[Q::words];
    std::memcpy(words, g2 + i * Q::bytes, sizeof words);
    ok[i] = 0;
    std::memset(out + i * lines_bytes<C>, 0, lines_bytes<C>);
    if (!Q::is_canonical(words)) return;
    const Q q = Q::from_canonical(words);
    ok[i] = q.is_infinity() || (q.y.square() == q.x.square() * q.x + G2<C>::b() &&
                                walk_lines<C>(q, [&](const Line<C>& line) { *next++ = line; }));
    if (!ok[i]) fill(Fq2::zero());
    if (q.is_infinity()) fill(Fq2::one());
  });
}

// f_{loop}(P_i, Q_i) multiplied over i, not yet exponentiated. One Fp12 squaring per step for all pairs together; per
// pair and line 13 m for its product and 4 mul of Fp to put P in. A pair with P = infinity counts as one.
template <class C>
class MillerLoop {
  using Fq = typename Tower<C>::Fq;
  using Fq12 = Fp12<C>;

 public:
  // `lines` are line_count<C>, and outlive the loop.
  void add_pair(const Affine<Fq>& p, const Line<C>* lines) {
    if (!p.is_infinity()) pairs_.push_back({p, lines});
  }

  Fq12 run() {
    if (pairs_.empty()) return Fq12::one();
    for (size_t i = C::ate_naf_length - 1; i-- > 0;) {
      f_ = f_.square();
      multiply_by_next();
      if (C::ate_naf[i] != 0) multiply_by_next();
    }
    if (C::seed_negative) f_ = f_.conjugate();
    if constexpr (C::is_bn) multiply_by_next(), multiply_by_next();
    return f_;
  }

 private:
  struct Pair {
    Affine<Fq> p;
    const Line<C>* next;
  };

  void multiply_by_next() {
    for (Pair& pair : pairs_) {
      const Line<C>& line = *pair.next++;
      if constexpr (C::twist_d) {
        f_ = f_.mul_line_d(line.a * pair.p.y, line.b * pair.p.x, line.c);
      } else {
        f_ = f_.mul_line_m(line.a * pair.p.y, line.b * pair.p.x, line.c);
      }
    }
  }

  Fq12 f_ = Fq12::one();
  std::vector<Pair> pairs_;
};

// The Miller loops of the pairs [begin, end), both points canonical, in one accumulator. Loop is MillerLoop<C> or does as it.
template <class C, class Loop>
auto miller_loops(const std::byte* g1, const std::byte* g2, size_t begin, size_t end) {
  using P = Affine<typename Tower<C>::Fq>;
  using Q = Affine<typename Tower<C>::Fq2>;
  std::vector<uint64_t> lines((end - begin) * lines_bytes<C> / 8);
  Loop loop;
  for (size_t i = begin; i < end; ++i) {
    const P p = pairing_detail::load<P>(g1, "g1", i);
    const Q q = pairing_detail::load<Q>(g2, "g2", i);
    if (p.is_infinity() || q.is_infinity()) continue;
    Line<C>* const first = reinterpret_cast<Line<C>*>(&lines[(i - begin) * lines_bytes<C> / 8]);
    Line<C>* next = first;
    walk_lines<C>(q, [&](const Line<C>& line) { *next++ = line; });
    loop.add_pair(p, first);
  }
  return loop.run();
}

// prod e(g1[i], g2[i]) of n pairs, g2[i] given by its lines: see pairing_product. lines[i] are lines_bytes<C>.
template <class C, class Loop = MillerLoop<C>>
void pairing_of_lines(const std::byte* g1, const std::byte* const* lines, size_t n, uint64_t* out, Run& run) {
  using P = Affine<typename Tower<C>::Fq>;
  Loop loop;
  for (size_t i = 0; i < n; ++i) {
    loop.add_pair(pairing_detail::load<P>(g1, "g1", i), reinterpret_cast<const Line<C>*>(lines[i]));
  }
  run.progress.check();
  const auto product = loop.run();
  final_exponentiation<C>(product).to_canonical(out);
}

// prod e(g1[i], g2[i]) of n pairs, at any alignment: canonical affine points, infinity all zeros (its pair counts as
// one); out: 12 * limbs in tower order. Points must be on their curves and in the subgroups of order r. Throws
// MalformedInput for a coordinate >= q. A few pairs to an accumulator, for their lines shall stay in the cache.
template <class C>
void pairing_product(const std::byte* g1, const std::byte* g2, size_t n, uint64_t* out, Run& run) {
  constexpr size_t pairs_of_group = 16;
  std::vector<Fp12<C>> products((n + pairs_of_group - 1) / pairs_of_group, Fp12<C>::one());
  run.team.run(products.size(), [&](size_t group, unsigned) {
    run.progress.check();
    const size_t begin = group * pairs_of_group;
    products[group] = miller_loops<C, MillerLoop<C>>(g1, g2, begin, std::min(begin + pairs_of_group, n));
  });
  Fp12<C> product = Fp12<C>::one();
  for (const Fp12<C>& factor : products) product = product * factor;
  final_exponentiation<C>(product).to_canonical(out);
}

}  // namespace proofgrid
