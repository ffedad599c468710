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
  template <unsigned m, class Load>
  static unsigned transform(S* x, unsigned log_size, const Constant<P>* t, const Load& load) {
    const size_t size = size_t{1} << log_size;
    if (log_size % 2) {
      for (size_t i = 0; i < size / 2; ++i) {
        const S a = load(i), b = load(i + size / 2);
        x[i] = a + b, x[i + size / 2] = S::template subtract<m>(a, b);
      }
      return finish(x, log_size, 1, 2 * m, t);
    }
    const size_t q = size / 4;
    for (size_t i = 0; i < q; ++i) {
      const S a = load(i), b = load(i + q), c = load(i + 2 * q), d = load(i + 3 * q);
      S ac = a + c, bd = b + d, a_c = S::template subtract<m>(a, c), b_d = S::template subtract<m>(b, d);
      b_d.carry();
      S::multiply({&b_d}, t[1]);
      x[i] = ac + bd, x[i + q] = S::template subtract<2 * m>(ac, bd);
      x[i + 2 * q] = a_c + b_d, x[i + 3 * q] = S::template subtract<S::product>(a_c, b_d);
    }
    return finish(x, log_size, 2, 4 * m > 2 * m + S::product ? 4 * m : 2 * m + S::product, t);
  }

 private:
  static constexpr unsigned block_log = 6;

  // The stages after the first `done`, whose results have magnitude m.
  static unsigned finish(S* x, unsigned log_size, unsigned done, unsigned m, const Constant<P>* t) {
    for (size_t k = 0; k < size_t{1} << done; ++k) {
      block(x + (k << (log_size - done)), log_size - done, m, t, k);
    }
    for (; done < log_size; done += 2) m = grown(m);
    return m;
  }
  // After the two stages another product must still fit.
  static constexpr bool must_reduce(unsigned m) { return m + stages_growth + S::product > S::C::headroom; }
  static constexpr unsigned grown(unsigned m) { return (must_reduce(m) ? S::reduced : m) + stages_growth; }

  // All stages of block k, an even number.
  static void block(S* x, unsigned log_length, unsigned m, const Constant<P>* t, size_t k) {
    if (log_length == 0) return;
    if (log_length > block_log) {
      pass(x, log_length, m, t, k);
      for (size_t b = 0; b < 4; ++b) block(x + (b << (log_length - 2)), log_length - 2, grown(m), t, 4 * k + b);
      return;
    }
    for (size_t blocks = 1; log_length; log_length -= 2, blocks *= 4, m = grown(m)) {
      for (size_t b = 0; b < blocks; ++b) pass(x + (b << log_length), log_length, m, t, k * blocks + b);
    }
  }

  // Two stages of block k.
  static void pass(S* x, unsigned log_length, unsigned m, const Constant<P>* t, size_t k) {
    const size_t q = size_t{1} << (log_length - 2);
    if (must_reduce(m)) {
      for (size_t j = 0; j < q; ++j) butterflies<true>(x + j, q, m, t, k);
    } else {
      for (size_t j = 0; j < q; ++j) butterflies<false>(x + j, q, m, t, k);
    }
  }

  // 4 products, 15 additions each.
  template <bool reduce>
  PROOFGRID_INLINE static void butterflies(S* x, size_t q, [[maybe_unused]] unsigned m, const Constant<P>* t, size_t k) {
    S c = x[2 * q], d = x[3 * q];
    c.verify(m), d.verify(m);
    c.carry(), d.carry();
    S::multiply({&c, &d}, t[k]);
    const S b = x[q];
    S bd = b + d, b_d = S::template subtract<S::product>(b, d);
    bd.verify(m + S::product), b_d.verify(m + S::product);
    bd.carry(), b_d.carry();
    S::multiply({&bd}, t[2 * k]);
    S::multiply({&b_d}, t[2 * k + 1]);
    S a = x[0];
    if constexpr (reduce) a = a.reduce();
    const S ac = a + c, a_c = S::template subtract<S::product>(a, c);
    x[0] = ac + bd, x[q] = S::template subtract<S::product>(ac, bd);
    x[2 * q] = a_c + b_d, x[3 * q] = S::template subtract<S::product>(a_c, b_d);
    x[0].verify(grown(m)), x[q].verify(grown(m)), x[2 * q].verify(grown(m)), x[3 * q].verify(grown(m));
  }
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
