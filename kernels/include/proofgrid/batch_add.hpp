// Affine additions many at a time: one inversion for a whole batch (Montgomery's trick, Math. Comp. 48, 1987), so that
// an addition costs 5 mul and 1 square, where the best formula without inversion costs 10. Complete: see Xyzz.
#pragma once

#include <memory>

#include "proofgrid/curve.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

// values[i] = 1 / values[i], zero stays zero; 3 mul each and one inversion. `scratch` has room for n elements.
template <class F>
void batch_inverse(F* values, F* scratch, size_t n) {
  F product = F::one();
  for (size_t i = 0; i < n; ++i) {
    scratch[i] = product;
    if (!values[i].is_zero()) product *= values[i];
  }
  F inverse = product.inverse();
  for (size_t i = n; i-- > 0;) {
    if (values[i].is_zero()) continue;
    const F value = values[i];
    values[i] = inverse * scratch[i];
    inverse *= value;
  }
}

template <class F>
class BatchAdder {
 public:
  explicit BatchAdder(size_t capacity) : products_(new F[capacity]), capacity_(capacity) {}

  size_t capacity() const { return capacity_; }

  // write(i, left(i) + right(i)) for i in [0, n), n <= capacity(). left and right give Affine points, left_x and
  // right_x their x alone (for the first pass, which needs no more). write(i) may overwrite what left(i) or right(i)
  // read, but nothing that another i reads.
  template <class Pairs>
  void add(const Pairs& pairs, size_t n) {
    F product = F::one();
    for (size_t i = 0; i < n; ++i) {
      products_[i] = product;
      pairs.prefetch(i);
      const F x1 = pairs.left_x(i), x2 = pairs.right_x(i);
      F denominator = x2 - x1;
      if (denominator.is_zero() | x1.is_zero() | x2.is_zero()) [[unlikely]] {
        if (classify(pairs.left(i), pairs.right(i), denominator) != Case::chord_or_tangent) continue;
      }
      product *= denominator;
    }
    F inverse = product.inverse();
    for (size_t i = n; i-- > 0;) {
      const Affine<F> a = pairs.left(i), b = pairs.right(i);
      F denominator = b.x - a.x, numerator = b.y - a.y;
      if (denominator.is_zero() | a.x.is_zero() | b.x.is_zero()) [[unlikely]] {
        const Case which = classify(a, b, denominator);
        if (which != Case::chord_or_tangent) {
          pairs.write(i, which == Case::first ? a : which == Case::second ? b : Affine<F>::infinity());
          continue;
        }
        if (a.x == b.x) {
          const F xx = a.x.square();
          numerator = xx.dbl() + xx;
        }
      }
      const F slope = inverse * products_[i] * numerator;
      inverse *= denominator;
      const F x3 = slope.square() - a.x - b.x;
      pairs.write(i, Affine<F>{x3, slope * (a.x - x3) - a.y});
    }
  }

 private:
  enum class Case { chord_or_tangent, first, second, infinity };

  // What a + b is; for a tangent, sets the denominator to 2 y.
  [[gnu::noinline]] static Case classify(const Affine<F>& a, const Affine<F>& b, F& denominator) {
    if (b.is_infinity()) return Case::first;
    if (a.is_infinity()) return Case::second;
    if (!denominator.is_zero()) return Case::chord_or_tangent;
    denominator = a.y.dbl();
    return a.y == b.y && !denominator.is_zero() ? Case::chord_or_tangent : Case::infinity;
  }

  std::unique_ptr<F[]> products_;
  size_t capacity_;
};

// left[i] + right[i] -> out[i] over plain arrays, any of which may be the same.
template <class F>
struct ArrayPairs {
  const Affine<F>* first;
  const Affine<F>* second;
  Affine<F>* out;
  void prefetch(size_t) const {}
  const F& left_x(size_t i) const { return first[i].x; }
  const F& right_x(size_t i) const { return second[i].x; }
  const Affine<F>& left(size_t i) const { return first[i]; }
  const Affine<F>& right(size_t i) const { return second[i]; }
  void write(size_t i, const Affine<F>& p) const { out[i] = p; }
};

}  // namespace proofgrid
