// Whole arrays of points: addition, and the test that a point is one (canonical, on the curve, in the subgroup).
#pragma once

#include <string>
#include <vector>

#include "proofgrid/batch_add.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

// out[i] = a[i] + b[i]; canonical affine points at any alignment. 6.3 mul each beside the change of form.
template <class G>
void add_points(const std::byte* a, const std::byte* b, size_t n, uint64_t* out, Run& run) {
  using F = typename G::Coordinate;
  using Point = Affine<F>;
  constexpr size_t block = 1024;
  const auto load = [](const std::byte* points, const char* what, size_t i) {
    uint64_t words[Point::words];
    std::memcpy(words, points + i * Point::bytes, sizeof words);
    if (!Point::is_canonical(words)) refuse_coordinate(what, i);
    return Point::from_canonical(words);
  };
  run.team.run((n + block - 1) / block, [&](size_t task, unsigned) {
    const size_t begin = task * block, count = std::min(block, n - begin);
    std::vector<Point> left(count), right(count);
    for (size_t i = 0; i < count; ++i) left[i] = load(a, "a", begin + i), right[i] = load(b, "b", begin + i);
    BatchAdder<F> adder(count);
    adder.add(ArrayPairs<F>{left.data(), right.data(), left.data()}, count);
    for (size_t i = 0; i < count; ++i) left[i].to_canonical(out + (begin + i) * Point::words);
  });
}

namespace points_detail {

// |seed| * p and its signed form, by double-and-add over 64 bits.
template <class C, class F>
Xyzz<F> multiply_by_seed(const Affine<F>& p) {
  const uint64_t seed[1] = {C::seed_abs};
  const Xyzz<F> product = multiply(p, seed, 1);
  return C::seed_negative ? -product : product;
}

// psi = untwist, Frobenius, twist: (x, y) -> (conj(x) * g^2, conj(y) * g^3), g = xi^((q-1)/6) on a D-twist and its inverse
// on an M-twist.
template <class C>
Affine<Fp2<typename C::Fq>> psi(const Affine<Fp2<typename C::Fq>>& p) {
  using Base = Fp<typename C::Fq>;
  using F = Fp2<typename C::Fq>;
  const auto power = [](int i) {
    const F g{Base::constant_mont(C::frobenius_c0_mont[i]), Base::constant_mont(C::frobenius_c1_mont[i])};
    return C::twist_d ? g : g.inverse();
  };
  static const F gx = power(2), gy = power(3);
  return {p.x.conjugate() * gx, p.y.conjugate() * gy};
}

// -seed^2 p.
template <class C, class F>
Xyzz<F> times_minus_seed_squared(const Affine<F>& p) {
  return -multiply_by_seed<C>(multiply_by_seed<C>(p).to_affine());
}

// The cube root of unity for which (x, y) -> (beta x, y) is multiplication by -seed^2 in G1 of a BLS12 curve. The norm of
// xi^((q-1)/3) is a primitive one; the right one of the two is that of the generator.
template <class C>
Fp<typename C::Fq> beta() {
  using F = Fp<typename C::Fq>;
  static const F root = [] {
    const F c0 = F::constant_mont(C::frobenius_c0_mont[2]), c1 = F::constant_mont(C::frobenius_c1_mont[2]);
    const F candidate = c0.square() + c1.square();
    const Affine<F> g{F::constant_mont(C::g1_x_mont), F::constant_mont(C::g1_y_mont)};
    const bool fits = times_minus_seed_squared<C>(g) == Xyzz<F>::from({g.x * candidate, g.y});
    return fits ? candidate : candidate.square();
  }();
  return root;
}

}  // namespace points_detail

// Is a point of the curve in the subgroup of order r?
//
// G1 of BN curves is the whole curve. Elsewhere an endomorphism f of the subgroup is multiplication by a known m, and
// f(P) = m P decides (Scott, eprint 2021/1130; Bowe, eprint 2019/814):
//   BLS12 G1  phi(x, y) = (beta x, y) and m = -u^2. phi^2 + phi + 1 = 0, so f(P) = m P gives (u^4 - u^2 + 1) P = r P = 0.
//   BLS12 G2  psi and m = u. psi^2 - t psi + q = 0 with t = u + 1, so (q - u) P = h1 r P = 0, and gcd(h1, h2) = 1.
//   BN G2     psi, and (u + 1) P + psi(u P) + psi^2(u P) = psi^3(2 u P): one multiplication by u instead of two by m = 6 u^2
//             (El Housni, Guillevic, Piellard, eprint 2022/352). With psi^2 - t psi + q = 0 the two sides' difference is
//             (a + b psi) P, so n P = 0 for n = a^2 + a b t + b^2 q, a multiple of r; and gcd(n, h2 r) = r, which
//             test_groups.py asserts for each curve of the family.
template <class C>
bool in_subgroup(const Affine<Fp<typename C::Fq>>& p) {
  if constexpr (C::is_bn) {
    return true;
  } else {
    using namespace points_detail;
    return times_minus_seed_squared<C>(p) == Xyzz<Fp<typename C::Fq>>::from({p.x * beta<C>(), p.y});
  }
}

template <class C>
bool in_subgroup(const Affine<Fp2<typename C::Fq>>& p) {
  using namespace points_detail;
  using F = Fp2<typename C::Fq>;
  const Xyzz<F> product = multiply_by_seed<C>(p);
  if constexpr (C::is_bn) {
    const Affine<F> multiple = product.to_affine(), first = psi<C>(multiple), second = psi<C>(first);
    return Xyzz<F>::from(multiple) + p + first + second == Xyzz<F>::from(psi<C>(second)).dbl();
  } else {
    return product == Xyzz<F>::from(psi<C>(p));
  }
}

// ok[i] = 1 if point i has canonical coordinates, lies on the curve and in the subgroup, or is infinity; else 0.
template <class G>
void check_points(const std::byte* points, size_t n, std::uint8_t* ok, Run& run) {
  using F = typename G::Coordinate;
  using Point = Affine<F>;
  run.progress.expect(1);
  run.team.split(n, 16, [&](size_t begin, size_t end, unsigned) {
    run.progress.check();
    for (size_t i = begin; i < end; ++i) {
      uint64_t words[Point::words];
      std::memcpy(words, points + i * Point::bytes, sizeof words);
      ok[i] = 0;
      if (!Point::is_canonical(words)) continue;
      const Point p = Point::from_canonical(words);
      ok[i] = p.is_infinity() ||
              (p.y.square() == p.x.square() * p.x + G::b() && in_subgroup<typename G::Curve>(p));
    }
  });
  run.progress.step();
}

}  // namespace proofgrid
