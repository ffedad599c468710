// What stands between the two halves of a transform of n = n1 n2 places: the factors w^(j k), and 8 x 8 transposes.
#pragma once

#include <immintrin.h>

#include "proofgrid/ifma/transpose.hpp"
#include "proofgrid/ifma/twiddles.hpp"

namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// powers[l] = first * ratio^l. Not inlined: the scalar product's assembly wants more registers than a function with
// vectors on its stack has left.
template <class P>
[[gnu::noinline]] void geometric(Fp<P> (&powers)[lanes], const Fp<P>& first, const Fp<P>& ratio) {
  powers[0] = first;
  for (size_t l = 1; l < lanes; ++l) powers[l] = powers[l - 1] * ratio;
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

// first * ratio^l in lane l.
template <class P>
inline Lanes<P> lane_powers(const Fp<P>& first, const Fp<P>& ratio) {
  Fp<P> powers[lanes];
  geometric(powers, first, ratio);
  Word words[P::limbs];
  load_rows(words, powers);
  return Lanes<P>::enter_mont(Lanes<P>::from_words(words)).template canonical<Lanes<P>::product>();
}

// The factors first ratio^k of eight columns (first and ratio differ by column, Montgomery form), eight k at a time.
// About 25 products to begin, then 61 vpmadd52 a factor.
template <class P>
class Steps {
 public:
  using L = Lanes<P>;
  using S = Sums<P>;

  Steps(const L& first, const L& ratio) {
    factor[0] = first;
    for (size_t r = 1; r < lanes; ++r) factor[r] = canonical(factor[r - 1] * ratio);
    L eighth = canonical(ratio * ratio);
    eighth = canonical(eighth * eighth);
    eighth = canonical(eighth * eighth);
    for (size_t i = 0; i < S::limbs; ++i) {
      const L multiple = canonical(eighth * L::broadcast(S::C::power_of_two(limb_bits * static_cast<unsigned>(i + 1))));
      for (size_t j = 0; j < S::limbs; ++j) eighth_.limb[i][j] = multiple.limb[j];
    }
  }

  // Of k = 8 g + r, canonical; to be asked for in the order of k.
  PROOFGRID_INLINE const L& next(size_t g, size_t r) {
    if (r == 0 && g != 0) advance();
    return factor[r];
  }
  // All of them, k < count.
  void fill(L* factors, size_t count) {
    for (size_t k = 0; k < count; ++k) factors[k] = next(k / lanes, k % lanes);
  }

 private:
  PROOFGRID_INLINE void advance() {
    for (size_t r = 0; r < lanes; ++r) {
      S x = S::from(factor[r]);
      S::multiply({&x}, eighth_);
      factor[r] = x.canonical();
    }
  }
  static L canonical(const L& x) { return x.template canonical<L::product>(); }
  L factor[lanes];
  typename S::LaneConstants eighth_;
};

// A product as words: below 2^(64 words), of magnitude `stored<P>`.
template <class P>
inline constexpr unsigned stored = P::bits + 2 <= 64 * P::limbs ? 3 : 2;  // 3p < 2^256 in BN254, 2p in BLS12-381

template <class P>
PROOFGRID_INLINE void to_stored_words(const Lanes<P>& product, Word (&words)[P::limbs]) {
  if constexpr (stored<P> == Lanes<P>::product) {
    product.to_words(words);
  } else {
    Sums<P>::from(product).reduce().lanes(Sums<P>::reduced).to_words(words);
  }
}

// x[at(k)] times factor(g, r) for every k = 8 g + r < 2^log_size, x being of magnitude m and the factors canonical;
// store(g, words) is given word w of column t at words[w][t], whose lanes are the places k = 8 g .. 8 g + 7.
template <class P, class At, class Factor, class Store>
PROOFGRID_INLINE void step_and_transpose(const Sums<P>* x, unsigned log_size, [[maybe_unused]] unsigned m, const At& at,
                                         const Factor& factor, const Store& store) {
  for (size_t g = 0; g < size_t{1} << (log_size - 3); ++g) {
    Word words[P::limbs][lanes];
    for (size_t r = 0; r < lanes; ++r) {
      Word row[P::limbs];
      to_stored_words<P>(x[at(8 * g + r)].lanes(m) * factor(g, r), row);
#pragma GCC unroll 4
      for (size_t w = 0; w < P::limbs; ++w) words[w][r] = row[w];
    }
#pragma GCC unroll 4
    for (size_t w = 0; w < P::limbs; ++w) transpose_8x8(words[w]);
    store(g, words);
  }
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
