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
  //
  // Multiplications that wait for each other cost their latency, so the chain of inverses runs ahead of the formulas by
  // a block, and the formulas run one step for the whole block at a time.
  template <class Pairs>
  void add(const Pairs& pairs, size_t n) {
    F product = F::one();
    for (size_t i = 0; i < n; ++i) {
      products_[i] = product;
      const F x1 = pairs.left_x(i), x2 = pairs.right_x(i);
      const F denominator = x2 - x1;
      if (any_zero(denominator, x1, x2)) [[unlikely]] {
        const Step step(pairs.left(i), pairs.right(i));
        if (step.sum == Sum::by_slope) product *= step.denominator;
      } else {
        product *= denominator;
      }
    }
    F inverse = product.inverse();
    for (size_t end = n; end > 0;) {
      const size_t begin = (end - 1) / block * block;
      finish(pairs, begin, end, inverse);
      end = begin;
    }
  }

 private:
  static constexpr size_t block = 16;

  // One branch, since none of them is zero nearly always.
  PROOFGRID_INLINE static bool any_zero(const F& a, const F& b, const F& c) {
    const bool zero_a = a.is_zero(), zero_b = b.is_zero(), zero_c = c.is_zero();
    return zero_a | zero_b | zero_c;
  }

  enum class Sum { by_slope, first, second, infinity };

  // How a + b is found: which case, and for by_slope the slope of the chord or the tangent as a fraction.
  struct Step {
    Affine<F> a, b;
    F denominator, numerator;
    Sum sum;

    Step() = default;
    PROOFGRID_INLINE Step(const Affine<F>& left, const Affine<F>& right)
        : a(left), b(right), denominator(b.x - a.x), numerator(b.y - a.y), sum(Sum::by_slope) {
      if (any_zero(denominator, a.x, b.x)) [[unlikely]] classify();
    }

   private:
    [[gnu::noinline]] void classify() {
      if (b.is_infinity()) {
        sum = Sum::first;
      } else if (a.is_infinity()) {
        sum = Sum::second;
      } else if (denominator.is_zero()) {
        denominator = a.y.dbl();
        if (!numerator.is_zero() || denominator.is_zero()) sum = Sum::infinity;
        const F xx = a.x.square();
        numerator = xx.dbl() + xx;
      }
    }
  };

  // The second pass over pairs [begin, end), last first; `inverse` is 1 / (the product of the denominators before end).
  template <class Pairs>
  void finish(const Pairs& pairs, size_t begin, size_t end, F& inverse) {
    Step steps[block];
    F slopes[block], xs[block];
    const size_t count = end - begin;
    for (size_t i = count; i-- > 0;) {
      const Step step(pairs.left(begin + i), pairs.right(begin + i));
      steps[i] = step;
      slopes[i] = F::zero();
      if (step.sum != Sum::by_slope) [[unlikely]] continue;
      slopes[i] = inverse * products_[begin + i];
      inverse *= step.denominator;
    }
    for (size_t i = 0; i < count; ++i) slopes[i] *= steps[i].numerator;
    for (size_t i = 0; i < count; ++i) xs[i] = slopes[i].square() - steps[i].a.x - steps[i].b.x;
    for (size_t i = 0; i < count; ++i) {
      const auto& [a, b, denominator, numerator, sum] = steps[i];
      Affine<F> result{xs[i], slopes[i] * (a.x - xs[i]) - a.y};
      if (sum != Sum::by_slope) [[unlikely]] {
        result = sum == Sum::first ? a : sum == Sum::second ? b : Affine<F>::infinity();
      }
      pairs.write(begin + i, result);
    }
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
  const F& left_x(size_t i) const { return first[i].x; }
  const F& right_x(size_t i) const { return second[i].x; }
  const Affine<F>& left(size_t i) const { return first[i]; }
  const Affine<F>& right(size_t i) const { return second[i]; }
  void write(size_t i, const Affine<F>& p) const { out[i] = p; }
};

}  // namespace proofgrid
