// Transforms of 2^k places with eight columns side by side, in a buffer that stays in the core's cache.
//
// Cooley-Tukey butterflies (x + t y, x - t y), from natural to bit-reversed order with one twiddle per block (Seiler,
// eprint 2018/039), two stages at a time in registers; blocks of 64 places (20 KB) are finished one by one. The magnitude of x
// grows by 6 a stage and y's does not matter; x is reduced where it would pass the headroom.
#pragma once

#include <immintrin.h>

#include "proofgrid/ifma/twiddles.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

template <class P>
class ColumnTransform {
 public:
  using S = Sums<P>;
  static constexpr unsigned stages_growth = 2 * S::product;  // of the magnitude, in two stages

  // The transform of load(i), i < 2^log_size, carried and of magnitude m, into x at bit-reversed places.
  // Returns its magnitude. 61 vpmadd52 a butterfly, less those by one in the first two stages.
  // Each four places that are done are handed over, while they are in the nearest cache: done(x + i) for every i.
  template <unsigned m, class Load, class Done>
  static unsigned transform(S* x, unsigned log_size, const Constant<P>* t, const Load& load, const Done& done) {
    const size_t size = size_t{1} << log_size;
    if (log_size % 2) {
      for (size_t i = 0; i < size / 2; ++i) {
        const S a = load(i), b = load(i + size / 2);
        a.verify(m), b.verify(m);
        x[i] = a + b, x[i + size / 2] = S::template subtract<m>(a, b);
      }
      return finish(x, log_size, 1, 2 * m, t, done);
    }
    const size_t q = size / 4;
    for (size_t i = 0; i < q; ++i) {
      const S a = load(i), b = load(i + q), c = load(i + 2 * q), d = load(i + 3 * q);
      a.verify(m), b.verify(m), c.verify(m), d.verify(m);
      S ac = a + c, bd = b + d, a_c = S::template subtract<m>(a, c), b_d = S::template subtract<m>(b, d);
      b_d.carry_factor();
      b_d.multiply_by(t[1]);
      x[i] = ac + bd, x[i + q] = S::template subtract<2 * m>(ac, bd);
      x[i + 2 * q] = a_c + b_d, x[i + 3 * q] = S::template subtract<S::product>(a_c, b_d);
    }
    return finish(x, log_size, 2, 4 * m > 2 * m + S::product ? 4 * m : 2 * m + S::product, t, done);
  }
  template <unsigned m, class Load>
  static unsigned transform(S* x, unsigned log_size, const Constant<P>* t, const Load& load) {
    return transform<m>(x, log_size, t, load, [](const S*) {});
  }

  // The transform over the odd roots, from bit-reversed places with magnitude m to natural ones; d is odd_twiddles.
  // Returns its magnitude. 61 vpmadd52 a butterfly.
  static unsigned transform_odd(S* x, unsigned log_size, unsigned m, const Constant<P>* d) {
    if (log_size % 2) {
      for (size_t i = 0; i < size_t{1} << log_size; i += 2) pair(x[i], x[i + 1], m, d[1]);
      m = S::reduced + S::product;
    }
    for (unsigned log_q = log_size % 2; log_q < log_size; log_q += 2, m = grown(m)) {
      const size_t q = size_t{1} << log_q;
      for (S* y = x; y < x + (size_t{1} << log_size); y += 4 * q) joining_pass(y, q, m, d);
    }
    return m;
  }

 private:
  static constexpr unsigned block_log = 6;

  // The stages after the first one or two, whose results have magnitude m.
  template <class Done>
  static unsigned finish(S* x, unsigned log_size, unsigned stages, unsigned m, const Constant<P>* t, const Done& done) {
    for (size_t k = 0; k < size_t{1} << stages; ++k) {
      block(x + (k << (log_size - stages)), log_size - stages, m, t, k, done);
    }
    for (; stages < log_size; stages += 2) m = grown(m);
    return m;
  }
  // After the two stages another product must still fit.
  static constexpr bool must_reduce(unsigned m) { return m + stages_growth + S::product > S::C::headroom; }
  static constexpr unsigned grown(unsigned m) { return (must_reduce(m) ? S::reduced : m) + stages_growth; }

  // All stages of block k, an even number.
  template <class Done>
  static void block(S* x, unsigned log_length, unsigned m, const Constant<P>* t, size_t k, const Done& done) {
    if (log_length > block_log) {
      pass(x, log_length, m, t, k);
      for (size_t b = 0; b < 4; ++b) block(x + (b << (log_length - 2)), log_length - 2, grown(m), t, 4 * k + b, done);
      return;
    }
    size_t blocks = 1;
    for (; log_length > 2; log_length -= 2, blocks *= 4, m = grown(m)) {
      for (size_t b = 0; b < blocks; ++b) pass(x + (b << log_length), log_length, m, t, k * blocks + b);
    }
    for (size_t b = 0; b < blocks; ++b, x += 4) {
      pass(x, log_length, m, t, k * blocks + b);
      for (size_t i = 0; i < 4; ++i) done(x + i);
    }
  }

  // Two stages of block k.
  static void pass(S* x, unsigned log_length, unsigned m, const Constant<P>* t, size_t k) {
    const size_t q = size_t{1} << (log_length - 2);
    const auto run = [&]<bool reduce, bool first>() {
      for (S* y = x; y < x + q; ++y) {
        // Else compilers keep 75 broadcast limbs on the stack, which costs more than it saves where q is small.
        asm volatile("" : "+r"(t));
        butterflies<reduce, first>(y[0], y[q], y[2 * q], y[3 * q], m, t[k], t[2 * k], t[2 * k + 1]);
      }
    };
    if (must_reduce(m)) {
      k ? run.template operator()<true, false>() : run.template operator()<true, true>();
    } else {
      k ? run.template operator()<false, false>() : run.template operator()<false, true>();
    }
  }

  // One stage on two values; x may have any magnitude m.
  PROOFGRID_INLINE static void pair(S& x, S& y, [[maybe_unused]] unsigned m, const Constant<P>& w) {
    S b = y;
    b.verify(m), b.carry_factor();
    b.multiply_by(w);
    const S a = x.reduce();
    x = a + b, y = S::template subtract<S::product>(a, b);
  }

  // Two stages that join `q` places each; d[h + j] belongs to place j of a half of h.
  static void joining_pass(S* x, size_t q, unsigned m, const Constant<P>* d) {
    const auto run = [&]<bool reduce>() {
      for (size_t j = 0; j < q; ++j) {
        S* y = x + j;
        butterflies<reduce, false>(y[0], y[2 * q], y[q], y[3 * q], m, d[q + j], d[2 * q + j], d[3 * q + j]);
      }
    };
    must_reduce(m) ? run.template operator()<true>() : run.template operator()<false>();
  }

  // Two stages on four values: first the pairs x0 x2 and x1 x3 by `outer`, then x0 x1 by `left` and x2 x3 by `right`.
  // In the first block `outer` and `left` are one: a reduction (10 vpmadd52) takes the place of a product, carried, or limbs
  // would double from pass to pass. 4 products, in the first block 1; 15 additions each.
  template <bool reduce, bool first>
  PROOFGRID_INLINE static void butterflies(S& x0, S& x1, S& x2, S& x3, [[maybe_unused]] unsigned m,
                                           const Constant<P>& outer, const Constant<P>& left, const Constant<P>& right) {
    S c = x2, d = x3;
    c.verify(m), d.verify(m);
    if constexpr (first) {
      c = S::from(c.reduce().lanes(S::reduced)), d = S::from(d.reduce().lanes(S::reduced));
    } else {
      c.carry_factor(), d.carry_factor();
      S::multiply({&c, &d}, {&outer, &outer});
    }
    const S b = x1;
    S bd = b + d, b_d = S::template subtract<S::product>(b, d);
    bd.verify(m + S::product), b_d.verify(m + S::product);
    if constexpr (first) {
      bd = S::from(bd.reduce().lanes(S::reduced));
    } else {
      bd.carry_factor();
      bd.multiply_by(left);
    }
    b_d.carry_factor();
    b_d.multiply_by(right);
    S a = x0;
    if constexpr (reduce) a = a.reduce();
    const S ac = a + c, a_c = S::template subtract<S::product>(a, c);
    x0 = ac + bd, x1 = S::template subtract<S::product>(ac, bd);
    x2 = a_c + b_d, x3 = S::template subtract<S::product>(a_c, b_d);
    x0.verify(grown(m)), x1.verify(grown(m)), x2.verify(grown(m)), x3.verify(grown(m));
  }
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
