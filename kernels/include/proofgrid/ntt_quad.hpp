// The passes of ntt.hpp over four columns at a time, in the arithmetic of quad.hpp. Between passes the array holds any
// numbers below 2^256; the bounds of what is computed from them are counted by the types.
//
// Cost of a butterfly: 24 fused multiplications of lanes and about 100 instructions.
#pragma once

#include "proofgrid/lazy.hpp"
#include "proofgrid/quad_residues.hpp"

PROOFGRID_QUAD_BEGIN

namespace proofgrid::inline PROOFGRID_LAYER {
namespace quad {

// One factor in every lane.
PROOFGRID_INLINE Factors same_factor(const adx::Factor& t) {
  uint64_t w[5], v[5];
  split(w, t.factor), split(v, t.quotient);
  uint64_t carry = t.rest;  // v = 16 floor(w 2^256 / p) + rest
#pragma GCC unroll 5
  for (int i = 0; i < 5; ++i) {
    const uint64_t shifted = v[i] << 4 | carry;
    v[i] = shifted & limb_mask, carry = shifted >> 52;
  }
  return {broadcast(w), broadcast(v)};
}

// t[0], t[step], t[2 step], t[3 step], one in each lane.
PROOFGRID_INLINE Factors four_factors(const adx::Factor* t, size_t step) {
  const Quad w = load(t->factor, step * sizeof *t);
  Quad v = load(t->quotient, step * sizeof *t);
#pragma GCC unroll 5
  for (int i = 0; i < 5; ++i) v.limb[i] = _mm256_slli_epi64(v.limb[i], 4);
  const auto rest = [&](size_t i) { return static_cast<long long>(t[i * step].rest); };
  v.limb[0] = _mm256_or_si256(v.limb[0], _mm256_set_epi64x(rest(3), rest(2), rest(1), rest(0)));
  return {operand(w), operand(normal(v))};
}

template <class F>
PROOFGRID_INLINE auto read(const F* x, size_t stride) {
  using P = typename F::Params;
  return Residue<P, stored_bound<P> + 1, true>{load(x, stride * sizeof(F))};
}

// Four elements `stride` apart; the last pass leaves them fully reduced.
template <bool last, class F, class P, unsigned bound, bool is_normal>
PROOFGRID_INLINE void write(F* x, size_t stride, const Residue<P, bound, is_normal>& value) {
  store(x, stride * sizeof(F), normal(lowered<last ? 201 : stored_bound<P>>(value).value));
  if (last) {
    for (size_t i = 0; i < 4; ++i) x[i * stride] = adx::fully_reduced<F>(x[i * stride].data());
  }
}

template <bool last, class F>
PROOFGRID_INLINE void forward4(F* x, size_t q, size_t stride, const Factors& outer, const Factors& left,
                               const Factors& right) {
  const auto a = read(x, stride), b = read(x + q, stride);
  const auto [c, d] = multiply(read(x + 2 * q, stride), outer, read(x + 3 * q, stride), outer);
  const auto [bd, b_d] = multiply(b + d, left, b - d, right);
  const auto ac = a + c;
  write<last>(x, stride, ac + bd), write<last>(x + q, stride, ac - bd);
  const auto a_c = a - c;
  write<last>(x + 2 * q, stride, a_c + b_d), write<last>(x + 3 * q, stride, a_c - b_d);
}

template <bool last, class F>
PROOFGRID_INLINE void backward4(F* x, size_t q, size_t stride, const Factors& outer, const Factors& left,
                                const Factors& right) {
  const auto a = read(x, stride), b = read(x + q, stride);
  const auto c = read(x + 2 * q, stride), d = read(x + 3 * q, stride);
  const auto [a_b, c_d] = multiply(a - b, left, c - d, right);
  const auto ab = a + b, cd = c + d;
  write<last>(x, stride, ab + cd), write<last>(x + q, stride, a_b + c_d);
  const auto [even, odd] = multiply(ab - cd, outer, a_b - c_d, outer);
  write<last>(x + 2 * q, stride, even), write<last>(x + 3 * q, stride, odd);
}

// The same for block 0, whose outer and left factors are 1.
template <bool last, class F>
PROOFGRID_INLINE void first_forward4(F* x, size_t q, size_t stride, const Factors& right) {
  const auto a = read(x, stride), b = read(x + q, stride);
  const auto c = read(x + 2 * q, stride), d = read(x + 3 * q, stride);
  const auto b_d = (b - d) * right;
  const auto ac = a + c, bd = b + d;
  write<last>(x, stride, ac + bd), write<last>(x + q, stride, ac - bd);
  const auto a_c = a - c;
  write<last>(x + 2 * q, stride, a_c + b_d), write<last>(x + 3 * q, stride, a_c - b_d);
}

template <bool last, class F>
PROOFGRID_INLINE void first_backward4(F* x, size_t q, size_t stride, const Factors& right) {
  const auto a = read(x, stride), b = read(x + q, stride);
  const auto c = read(x + 2 * q, stride), d = read(x + 3 * q, stride);
  const auto c_d = (c - d) * right;
  const auto ab = a + b, cd = c + d;
  write<last>(x, stride, ab + cd), write<last>(x + 2 * q, stride, ab - cd);
  const auto a_b = a - b;
  write<last>(x + q, stride, a_b + c_d), write<last>(x + 3 * q, stride, a_b - c_d);
}

// Columns [begin, end) of block k, four times a whole number of them.
template <bool last, class F>
[[gnu::noinline]] void forward_columns_of_first(F* x, size_t q, size_t begin, size_t end, const Factors& right) {
  for (size_t j = begin; j < end; j += 4) first_forward4<last>(x + j, q, 1, right);
}

template <bool last, class F>
[[gnu::noinline]] void forward_columns(F* x, size_t q, size_t begin, size_t end, const adx::Factor* t, size_t k) {
  const Factors outer = same_factor(t[k]), left = same_factor(t[2 * k]), right = same_factor(t[2 * k + 1]);
  if (k == 0) return forward_columns_of_first<last>(x, q, begin, end, right);
  for (size_t j = begin; j < end; j += 4) forward4<last>(x + j, q, 1, outer, left, right);
}

template <bool last, class F>
[[gnu::noinline]] void backward_columns_of_first(F* x, size_t q, size_t begin, size_t end, const Factors& right) {
  for (size_t j = begin; j < end; j += 4) first_backward4<last>(x + j, q, 1, right);
}

template <bool last, class F>
[[gnu::noinline]] void backward_columns(F* x, size_t q, size_t begin, size_t end, const adx::Factor* t, size_t k) {
  const Factors outer = same_factor(t[k]), left = same_factor(t[2 * k]), right = same_factor(t[2 * k + 1]);
  if (k == 0) return backward_columns_of_first<last>(x, q, begin, end, right);
  for (size_t j = begin; j < end; j += 4) backward4<last>(x + j, q, 1, outer, left, right);
}

// The blocks of four elements [k, end), four times a whole number of them, the first at x.
template <bool last, class F>
[[gnu::noinline]] void forward_blocks(F* x, const adx::Factor* t, size_t k, size_t end) {
  for (; k < end; k += 4, x += 16) {
    forward4<last>(x, 1, 4, four_factors(t + k, 1), four_factors(t + 2 * k, 2), four_factors(t + 2 * k + 1, 2));
  }
}

template <bool last, class F>
[[gnu::noinline]] void backward_blocks(F* x, const adx::Factor* t, size_t k, size_t end) {
  for (; k < end; k += 4, x += 16) {
    backward4<last>(x, 1, 4, four_factors(t + k, 1), four_factors(t + 2 * k, 2), four_factors(t + 2 * k + 1, 2));
  }
}

// One stage of a block: its halves lie at x and x + half; columns [0, half), four times a whole number of them.
template <class F>
[[gnu::noinline]] void forward_halves(F* x, size_t half, const adx::Factor& t) {
  const Factors factor = same_factor(t);
  for (size_t j = 0; j < half; j += 4) {
    const auto a = read(x + j, 1);
    const auto b = read(x + j + half, 1) * factor;
    write<false>(x + j, 1, a + b), write<false>(x + j + half, 1, a - b);
  }
}

template <bool last, class F>
[[gnu::noinline]] void backward_halves(F* x, size_t half, const adx::Factor& t) {
  const Factors factor = same_factor(t);
  for (size_t j = 0; j < half; j += 4) {
    const auto a = read(x + j, 1), b = read(x + j + half, 1);
    write<last>(x + j, 1, a + b), write<last>(x + j + half, 1, (a - b) * factor);
  }
}

}  // namespace quad
}  // namespace proofgrid

PROOFGRID_QUAD_END
