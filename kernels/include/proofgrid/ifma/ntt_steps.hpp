// What stands between the two halves of a transform of n = n1 n2 places: the factors w^(j k), and 8 x 8 transposes.
#pragma once

#include <immintrin.h>

#include <utility>
#include <vector>

#include "proofgrid/ifma/transpose.hpp"
#include "proofgrid/ifma/twiddles.hpp"

namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// first * ratio^i for i < count. Not inlined: the scalar product's assembly wants more registers than a function with
// vectors on its stack has left.
template <class F>
[[gnu::noinline]] std::vector<F> geometric_series(F first, const F& ratio, size_t count) {
  std::vector<F> r(count);
  for (F& x : r) x = first, first *= ratio;
  return r;
}

}  // namespace proofgrid

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// The same Montgomery number of Fp in all lanes, in the lanes' form.
template <class P>
inline Lanes<P> all_lanes(const Fp<P>& x) {
  Word words[P::limbs];
  for (size_t j = 0; j < P::limbs; ++j) words[j] = all(x.data()[j]);
  return Lanes<P>::enter_mont(Lanes<P>::from_words(words)).template canonical<Lanes<P>::product>();
}

// Eight neighbours of a series, in the lanes' form.
template <class P>
inline Lanes<P> lanes_of(const Fp<P>* eight) {
  Word words[P::limbs];
  load_rows(words, eight);
  return Lanes<P>::enter_mont(Lanes<P>::from_words(words)).template canonical<Lanes<P>::product>();
}

// The factors first ratio^k of eight columns (first and ratio differ by column, Montgomery form), eight k at a time.
// 19 products to begin, then 61 vpmadd52 a factor.
template <class P>
class Steps {
 public:
  using L = Lanes<P>;
  using S = Sums<P>;

  Steps(const L& first, const L& ratio) {
    // Each power in as few steps as can be, for a product takes less time than the next one waits for it.
    L power[lanes + 1];
    power[1] = ratio;
    for (size_t r = 2; r <= lanes; ++r) power[r] = canonical(power[r / 2] * power[r - r / 2]);
    factor_[0] = S::from(first);
    for (size_t r = 1; r < lanes; ++r) factor_[r] = S::from(canonical(first * power[r]));
    multiples(power[lanes], std::make_index_sequence<S::limbs>());
  }

  // Of k = 8 g + r, of magnitude 6, carried to be a factor; to be asked for in the order of k.
  PROOFGRID_INLINE const S& next(size_t g, size_t r) {
    if (g != 0) {
      factor_[r].multiply_by(eighth_);
      factor_[r].carry_factor();
    }
    return factor_[r];
  }
  // All of them, k < count.
  void fill(S* factors, size_t count) {
    for (size_t k = 0; k < count; ++k) factors[k] = next(k / lanes, k % lanes);
  }

 private:
  template <size_t... i>
  PROOFGRID_INLINE void multiples(const L& x, std::index_sequence<i...>) {
    (multiple<i>(x), ...);
  }
  template <size_t i>
  PROOFGRID_INLINE void multiple(const L& x) {
    static constexpr auto power = S::C::power_of_two(limb_bits * static_cast<unsigned>(i + 1));
    const L product = canonical(x * L::broadcast(power));
    for (size_t j = 0; j < S::limbs; ++j) eighth_.limb[i][j] = product.limb[j];
  }
  static L canonical(const L& x) { return x.template canonical<L::product>(); }
  S factor_[lanes];
  typename S::LaneConstants eighth_;
};

// Eight elements as they lie between two passes: word j of all eight, then word j + 1.
template <class P>
struct Stored {
  Word word[P::limbs];
};

// A product as words: below 2^(64 words), of magnitude `stored<P>`.
template <class P>
inline constexpr unsigned stored = P::bits + 2 <= 64 * P::limbs ? 3 : 2;  // 3p < 2^256 in BN254, 2p in BLS12-381

// x[c] times step[c], as words. x has magnitude m, which the headroom holds; a step of magnitude 1 leaves m as it is, else x is
// reduced first: either way the product has magnitude 3.
template <class P, unsigned step_magnitude, size_t count>
PROOFGRID_INLINE void step_words(const Sums<P>* const (&x)[count], const Sums<P> (&step)[count],
                                 Word (*words)[P::limbs]) {
  using S = Sums<P>;
  static_assert(S::reduced * step_magnitude <= S::C::headroom);
  Word wide[count][2 * S::limbs];
#pragma GCC unroll 4
  for (size_t c = 0; c < count; ++c) {
    S factor = *x[c];
    if constexpr (step_magnitude > 1) factor = factor.reduce().verify(S::reduced);
    factor.carry_factor();
    Columns<P>::clear(wide[c]);
    Columns<P>::multiply_add(wide[c], factor.limb, step[c].limb);
  }
  Columns<P>::reduce(wide);
#pragma GCC unroll 4
  for (size_t c = 0; c < count; ++c) {
    S product;
#pragma GCC unroll 8
    for (size_t j = 0; j < S::limbs; ++j) product.limb[j] = wide[c][S::limbs + j];
    product.verify(Lanes<P>::product);
    if constexpr (stored<P> < Lanes<P>::product) product = product.reduce();
    product.verify(stored<P>);
    product.carry_factor();
    product.to_words(words[c]);
  }
}

// x[at(k)] times factor(g, r) for every k = 8 g + r < 2^log_size, x being of magnitude m and the factors of step_magnitude;
// store(g, words) is given word w of column t at words[w][t], whose lanes are the places k = 8 g .. 8 g + 7.
template <class P, unsigned step_magnitude, class At, class Factor, class Store>
PROOFGRID_INLINE void step_and_transpose(const Sums<P>* x, unsigned log_size, [[maybe_unused]] unsigned m, const At& at,
                                         const Factor& factor, const Store& store) {
  constexpr size_t together = 2;  // so that one's additions run while another waits for its low limb
  for (size_t g = 0; g < size_t{1} << (log_size - 3); ++g) {
    Word words[P::limbs][lanes];
    for (size_t r = 0; r < lanes; r += together) {
      const Sums<P>* const pair[together] = {&x[at(8 * g + r)].verify(m), &x[at(8 * g + r + 1)].verify(m)};
      const Sums<P> steps[together] = {factor(g, r), factor(g, r + 1)};
      Word row[together][P::limbs];
      step_words<P, step_magnitude>(pair, steps, row);
#pragma GCC unroll 4
      for (size_t w = 0; w < P::limbs; ++w) words[w][r] = row[0][w], words[w][r + 1] = row[1][w];
    }
#pragma GCC unroll 4
    for (size_t w = 0; w < P::limbs; ++w) transpose_8x8(words[w]);
    store(g, words);
  }
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
