// A subgroup of order r with every discrete logarithm known: point i is i times the generator, by the plain oracle.
#pragma once

#include <vector>

#include "fields.hpp"
#include "proofgrid/fixed_base.hpp"
#include "proofgrid/msm.hpp"
#include "proofgrid/points.hpp"
#include "toy_params.hpp"

namespace toy {

using proofgrid::Affine;
using proofgrid::Run;
using proofgrid::Xyzz;

template <class G>
struct Table {
  using Curve = typename G::Curve;
  using Point = Affine<typename G::Coordinate>;
  static constexpr uint64_t order = Curve::Fr::modulus[0];

  static const uint64_t* canonical(uint64_t i) {
    if constexpr (Point::words == 2) {
      return Multiples<Curve>::g1[i];
    } else {
      return Multiples<Curve>::g2[i];
    }
  }
  static Point point(uint64_t i) { return Point::from_canonical(canonical(i)); }
};

template <class P>
const std::byte* bytes(const P* values) {
  return reinterpret_cast<const std::byte*>(values);
}

// Every pair of points through every addition there is; equal, opposite and infinite pairs among them.
template <class G>
void every_pair_of_points() {
  using T = Table<G>;
  using Point = typename T::Point;
  const char* name = T::Curve::name;
  Run run(1, nullptr);
  std::vector<uint64_t> left, right, sums(T::order * T::order * Point::words);
  for (uint64_t i = 0; i < T::order; ++i) {
    // Another representative of the same point: scaled by ZZ = z^2, ZZZ = z^3 with z = 3.
    const auto three = G::Coordinate::one().dbl() + G::Coordinate::one(), nine = three.square();
    const Point a = T::point(i);
    Xyzz<typename G::Coordinate> scaled = Xyzz<typename G::Coordinate>::from(a);
    if (i != 0) scaled = {a.x * nine, a.y * nine * three, nine, nine * three};
    expect(scaled.dbl().to_affine() == T::point(2 * i % T::order), name, "2 P", {i});
    expect((-scaled).to_affine() == T::point((T::order - i) % T::order), name, "-P", {i});
    for (uint64_t j = 0; j < T::order; ++j) {
      const Point b = T::point(j), sum = T::point((i + j) % T::order);
      const auto projective = Xyzz<typename G::Coordinate>::from(b);
      expect((scaled + projective).to_affine() == sum, name, "P + Q, both Xyzz", {i, j});
      expect((projective + scaled).to_affine() == sum, name, "Q + P, both Xyzz", {i, j});
      expect((scaled + b).to_affine() == sum, name, "P + Q, mixed", {i, j});
      expect((scaled == projective) == (i == j), name, "P = Q", {i, j});
      left.insert(left.end(), T::canonical(i), T::canonical(i) + Point::words);
      right.insert(right.end(), T::canonical(j), T::canonical(j) + Point::words);
    }
  }
  proofgrid::add_points<G>(bytes(left.data()), bytes(right.data()), T::order * T::order, sums.data(), run);
  for (uint64_t k = 0; k < T::order * T::order; ++k) {
    const uint64_t i = k / T::order, j = k % T::order;
    expect(Point::from_canonical(&sums[k * Point::words]) == T::point((i + j) % T::order), name, "batch P + Q", {i, j});
  }
}

// s P for every scalar and every base (or every `stride`-th).
template <class G>
void every_multiple(uint64_t stride) {
  using T = Table<G>;
  using Point = typename T::Point;
  Run run(1, nullptr);
  std::vector<uint64_t> scalars(T::order), out(T::order * Point::words);
  for (uint64_t s = 0; s < T::order; ++s) scalars[s] = s;
  for (uint64_t i = 0; i < T::order; i += stride) {
    proofgrid::scale<G>(T::canonical(i), bytes(scalars.data()), T::order, false, out.data(), run);
    for (uint64_t s = 0; s < T::order; ++s) {
      const Point expected = T::point(i * s % T::order);
      expect(Point::from_canonical(&out[s * Point::words]) == expected, T::Curve::name, "scale", {i, s});
      expect(proofgrid::multiply(T::point(i), &s, 1).to_affine() == expected, T::Curve::name, "multiply", {i, s});
    }
  }
}

template <class G>
void expect_msm(const std::vector<uint64_t>& logs, const std::vector<uint64_t>& scalars, unsigned window) {
  using T = Table<G>;
  using Point = typename T::Point;
  Run run(1, nullptr);
  std::vector<uint64_t> bases;
  uint64_t sum = 0;
  for (size_t i = 0; i < logs.size(); ++i) {
    bases.insert(bases.end(), T::canonical(logs[i]), T::canonical(logs[i]) + Point::words);
    sum += logs[i] * scalars[i];
  }
  uint64_t total[Point::words];
  const proofgrid::MsmJob job{1, proofgrid::MsmJob::Form::canonical, bytes(bases.data()), bytes(scalars.data()),
                              logs.size(), window, total};
  proofgrid::run_plans<proofgrid::MsmPlan<G>, proofgrid::MsmPlan<G>>(&job, 1, run);
  expect(Point::from_canonical(total) == T::point(sum % T::order), T::Curve::name, "msm (window, length, first log and scalar)",
         {window, logs.size(), logs[0], scalars[0]});
}

// Two terms: every point and scalar with every other (or every `stride`-th).
template <class G>
void every_msm_of_two(unsigned window, uint64_t stride) {
  const uint64_t r = Table<G>::order;
  for (uint64_t i = 0; i < r; i += stride) {
    for (uint64_t j = 0; j < r; j += stride) {
      for (uint64_t s = 0; s < r; s += stride) {
        for (uint64_t t = 0; t < r; t += stride) expect_msm<G>({i, j}, {s, t}, window);
      }
    }
  }
}

// Many terms of few points: buckets full of equal and opposite ones. Every scalar, every window.
template <class G>
void crowded_msms() {
  const uint64_t r = Table<G>::order;
  uint64_t state = 5;
  for (unsigned window = 0; window <= 16; ++window) {
    if (window == 1) continue;
    for (size_t n : {1, 2, 3, 7, 64, 1000}) {
      std::vector<uint64_t> logs, scalars;
      for (size_t i = 0; i < n; ++i) logs.push_back(draw(state) % r), scalars.push_back(draw(state) % r);
      expect_msm<G>(logs, scalars, window);
    }
    std::vector<uint64_t> logs, scalars;
    for (uint64_t s = 0; s < r; ++s) {
      expect_msm<G>({1}, {s}, window);
      logs.insert(logs.end(), {1, r - 1, 2, 0});
      scalars.insert(scalars.end(), 4, s);
    }
    expect_msm<G>(logs, scalars, window);
  }
}

// The endomorphism's answer against r P = infinity, for every point of the curve over the coordinate field (or those
// with every `stride`-th x).
template <class G>
void every_point_of_the_curve(uint64_t stride = 1) {
  using T = Table<G>;
  using F = typename G::Coordinate;
  using Point = typename T::Point;
  const uint64_t q = T::Curve::Fq::modulus[0], size = Point::words == 2 ? q : q * q;
  const auto coordinate = [&](uint64_t i) {
    uint64_t canonical[2] = {i % q, i / q};
    return F::from_canonical(canonical);
  };
  const auto index = [&](const F& x) {
    uint64_t canonical[2] = {};
    x.to_canonical(canonical);
    return canonical[0] + q * canonical[1];
  };
  std::vector<std::vector<uint32_t>> roots(size);
  for (uint64_t y = 0; y < size; ++y) roots[index(coordinate(y).square())].push_back(static_cast<uint32_t>(y));
  uint64_t inside = 1;  // infinity
  for (uint64_t i = 0; i < size; i += stride) {
    const F x = coordinate(i);
    for (uint32_t root : roots[index(x.square() * x + G::b())]) {
      const Point p{x, coordinate(root)};
      const uint64_t r = T::order;
      const bool truth = proofgrid::multiply(p, &r, 1).is_infinity();
      expect(proofgrid::in_subgroup<typename T::Curve>(p) == truth, T::Curve::name, "in_subgroup(x, y)", {i, root});
      inside += truth;
    }
  }
  expect(stride > 1 || inside == T::order, T::Curve::name, "number of points in the subgroup", {inside});
}

// check_points accepts every multiple of the generator, infinity among them.
template <class G>
void every_point_of_the_subgroup() {
  using T = Table<G>;
  Run run(1, nullptr);
  for (uint64_t i = 0; i < T::order; ++i) {
    std::uint8_t ok = 0;
    proofgrid::check_points<G>(bytes(T::canonical(i)), 1, &ok, run);
    expect(ok == 1, T::Curve::name, "check_points(i G)", {i});
  }
}

// check_points on every pair of coordinates, on the curve or not, canonical or not: true for r pairs exactly.
template <class G>
void every_pair_of_coordinates() {
  using T = Table<G>;
  const uint64_t q = T::Curve::Fq::modulus[0];
  Run run(1, nullptr);
  std::vector<uint64_t> points;
  for (uint64_t x = 0; x < 2 * q; ++x) {
    for (uint64_t y = 0; y < 2 * q; ++y) points.insert(points.end(), {x, y});
  }
  std::vector<std::uint8_t> ok(points.size() / 2);
  proofgrid::check_points<G>(bytes(points.data()), ok.size(), ok.data(), run);
  std::vector<std::uint8_t> expected(ok.size());
  for (uint64_t i = 0; i < T::order; ++i) expected[T::canonical(i)[0] * 2 * q + T::canonical(i)[1]] = 1;
  for (size_t i = 0; i < ok.size(); ++i) {
    expect(ok[i] == expected[i], T::Curve::name, "check_points(x, y)", {points[2 * i], points[2 * i + 1]});
  }
}

}  // namespace toy
