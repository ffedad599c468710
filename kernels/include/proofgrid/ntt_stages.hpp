// The stages of ntt.hpp on one thread: two at a time, on quarters of a block; and whole blocks that fit a cache.
#pragma once

#include <variant>

#include "proofgrid/lazy.hpp"
#if defined(PROOFGRID_LAYER_ADX)
#include "proofgrid/ntt_quad.hpp"
#endif

namespace proofgrid::inline PROOFGRID_LAYER {

namespace ntt_detail {

inline constexpr unsigned block_log = 12;  // 4096 elements, 128 KB: a block that one thread finishes in its cache
inline constexpr unsigned inner_log = 9;   // 512 elements, 16 KB: the same for the first-level cache
inline constexpr size_t grain = 1024;

// Does the layer have passes over four columns at a time (ntt_quad.hpp)? They want the sums of a thread rounded as its
// Rounding has it.
#if defined(PROOFGRID_LAYER_ADX)
template <class F>
inline constexpr bool in_quads = has_factors<typename F::Params>;
template <class F>
using Rounding = std::conditional_t<in_quads<F>, quad::TowardsZero, std::monostate>;
#else
template <class F>
using Rounding = std::monostate;
#endif

// Two Cooley-Tukey stages on quarters x, x + q, x + 2q, x + 3q of block k; the last ones leave reduced values.
template <bool last, class F>
PROOFGRID_SCALAR inline void forward4(F* x, size_t q, size_t begin, size_t end, const Twiddle<F>* t, size_t k) {
#if defined(PROOFGRID_LAYER_ADX)
  if constexpr (in_quads<F>) {
    const size_t whole = (end - begin) & ~size_t{3};
    if (whole) quad::forward_columns<last>(x, q, begin, begin + whole, t, k);
    begin += whole;
  }
#endif
  using L = Lazy<F>;
  const Twiddle<F>&outer = t[k], &left = t[2 * k], &right = t[2 * k + 1];
  const auto store = [](const L& value, F& place) { last ? value.store_reduced(place) : value.store(place); };
  for (size_t j = begin; j < end; ++j) {
    const L a = L::reduced(x[j]), b = L::reduced(x[j + q]);
    const F &x2 = x[j + 2 * q], &x3 = x[j + 3 * q];
    const L c = k ? L::product(x2, outer) : L::reduced(x2), d = k ? L::product(x3, outer) : L::reduced(x3);
    const L ac = L::sum(a, c).reduce(), a_c = L::difference(a, c).reduce();
    const L bd = k ? L::sum(b, d) * left : L::sum(b, d).reduce(), b_d = L::difference(b, d) * right;
    store(L::sum(ac, bd), x[j]), store(L::difference(ac, bd), x[j + q]);
    store(L::sum(a_c, b_d), x[j + 2 * q]), store(L::difference(a_c, b_d), x[j + 3 * q]);
  }
}

// Two Gentleman-Sande stages, the transpose of forward4.
template <bool last, class F>
PROOFGRID_SCALAR inline void backward4(F* x, size_t q, size_t begin, size_t end, const Twiddle<F>* t, size_t k) {
#if defined(PROOFGRID_LAYER_ADX)
  if constexpr (in_quads<F>) {
    const size_t whole = (end - begin) & ~size_t{3};
    if (whole) quad::backward_columns<last>(x, q, begin, begin + whole, t, k);
    begin += whole;
  }
#endif
  using L = Lazy<F>;
  const Twiddle<F>&outer = t[k], &left = t[2 * k], &right = t[2 * k + 1];
  const auto store = [](const L& value, F& place) { last ? value.store_reduced(place) : value.store(place); };
  for (size_t j = begin; j < end; ++j) {
    const L a = L::reduced(x[j]), b = L::reduced(x[j + q]);
    const L c = L::reduced(x[j + 2 * q]), d = L::reduced(x[j + 3 * q]);
    const L ab = L::sum(a, b), cd = L::sum(c, d), a_b = L::difference(a, b), c_d = L::difference(c, d) * right;
    const L odd = k ? (a_b * left).reduce() : a_b.reduce();
    const L outer_even = L::difference_of_sums(ab, cd), outer_odd = L::difference(odd, c_d);
    store(L::sum(ab, cd), x[j]), store(L::sum(odd, c_d), x[j + q]);
    store(k ? outer_even * outer : outer_even, x[j + 2 * q]), store(k ? outer_odd * outer : outer_odd, x[j + 3 * q]);
  }
}

// One stage on halves x, x + half of a block, which is all the transform if `last`.
template <bool last, class F>
inline void forward2(F* x, size_t half, const Twiddle<F>& t) {
  using L = Lazy<F>;
#if defined(PROOFGRID_LAYER_ADX)
  if constexpr (in_quads<F> && !last) {
    if (half % 4 == 0) return quad::forward_halves(x, half, t);
  }
#endif
  for (size_t j = 0; j < half; ++j) {
    const L a = L::reduced(x[j]), b = L::product(x[j + half], t), sum = L::sum(a, b), difference = L::difference(a, b);
    last ? sum.store_reduced(x[j]) : sum.store(x[j]);
    last ? difference.store_reduced(x[j + half]) : difference.store(x[j + half]);
  }
}

template <bool last, class F>
inline void backward2(F* x, size_t half, const Twiddle<F>& t) {
  using L = Lazy<F>;
#if defined(PROOFGRID_LAYER_ADX)
  if constexpr (in_quads<F>) {
    if (half % 4 == 0) return quad::backward_halves<last>(x, half, t);
  }
#endif
  for (size_t j = 0; j < half; ++j) {
    const L a = L::reduced(x[j]), b = L::reduced(x[j + half]), sum = L::sum(a, b), product = L::difference(a, b) * t;
    last ? sum.store_reduced(x[j]) : sum.store(x[j]);
    last ? product.store_reduced(x[j + half]) : product.store(x[j + half]);
  }
}

// The last two stages of a transform, or the first two backwards: blocks [k, end) of four elements, the first at x.
template <class F>
void forward_last(F* x, const Twiddle<F>* t, size_t k, size_t end) {
#if defined(PROOFGRID_LAYER_ADX)
  if constexpr (in_quads<F>) {
    if ((end - k) % 4 == 0) return quad::forward_blocks<true>(x, t, k, end);
  }
#endif
  for (; k < end; ++k, x += 4) forward4<true>(x, 1, 0, 1, t, k);
}

template <bool last, class F>
void backward_first(F* x, const Twiddle<F>* t, size_t k, size_t end) {
#if defined(PROOFGRID_LAYER_ADX)
  if constexpr (in_quads<F>) {
    if ((end - k) % 4 == 0) return quad::backward_blocks<last>(x, t, k, end);
  }
#endif
  for (; k < end; ++k, x += 4) backward4<last>(x, 1, 0, 1, t, k);
}

// Block k of length 2^log_length, all its stages, the last of the transform among them, on one thread. An odd stage is
// the first that a block in the first-level cache begins with.
template <class F>
void forward_block(F* x, unsigned log_length, const Twiddle<F>* t, size_t k) {
  if (log_length == 0) return;
  if (log_length == 1) return forward2<true>(x, 1, t[k]);
  if (log_length > inner_log) {
    const size_t quarter = size_t{1} << (log_length - 2);
    forward4<false>(x, quarter, 0, quarter, t, k);
    for (size_t i = 0; i < 4; ++i) forward_block(x + i * quarter, log_length - 2, t, 4 * k + i);
    return;
  }
  unsigned rest = log_length;
  if (rest % 2) forward2<false>(x, size_t{1} << --rest, t[k]);
  for (; rest > 2; rest -= 2) {
    const size_t length = size_t{1} << rest, blocks = size_t{1} << (log_length - rest);
    for (size_t b = 0; b < blocks; ++b) forward4<false>(x + b * length, length / 4, 0, length / 4, t, k * blocks + b);
  }
  const size_t blocks = size_t{1} << (log_length - 2);
  forward_last(x, t, k * blocks, (k + 1) * blocks);
}

// The same backwards: the first stages of the transform, and its last if `last`.
template <bool last, class F>
void backward_block(F* x, unsigned log_length, const Twiddle<F>* t, size_t k) {
  if (log_length == 1) return backward2<last>(x, 1, t[k]);
  if (log_length == 2) return backward_first<last>(x, t, k, k + 1);
  if (log_length > inner_log) {
    const size_t quarter = size_t{1} << (log_length - 2);
    for (size_t i = 0; i < 4; ++i) backward_block<false>(x + i * quarter, log_length - 2, t, 4 * k + i);
    return backward4<last>(x, quarter, 0, quarter, t, k);
  }
  const size_t pairs = size_t{1} << (log_length - 2);
  backward_first<false>(x, t, k * pairs, (k + 1) * pairs);
  unsigned done = 2;
  for (; done + 2 < log_length; done += 2) {
    const size_t quarter = size_t{1} << done, blocks = size_t{1} << (log_length - done - 2);
    for (size_t b = 0; b < blocks; ++b) backward4<false>(x + 4 * b * quarter, quarter, 0, quarter, t, k * blocks + b);
  }
  const size_t rest = size_t{1} << done;
  log_length - done == 2 ? backward4<last>(x, rest, 0, rest, t, k) : backward2<last>(x, rest, t[k]);
}

}  // namespace ntt_detail

}  // namespace proofgrid
