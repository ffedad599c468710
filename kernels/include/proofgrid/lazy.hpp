// What a transform computes with between its first and its last stage: elements whose bound is looser than field.hpp's,
// and factors known in advance. ntt.hpp is written over the operations of Lazy<F>, in terms of three bounds:
//
//   stored   what lies in the array between stages
//   narrow   what reduce() makes of it
//   wide     a product
//
//   narrow +- narrow and narrow +- wide are stored; (narrow + narrow) +- (narrow + narrow) too.
//
// In general all three are "fully reduced" and a factor is an element. In the layers with mulx, fields of four limbs have
// factors with quotients: ShoupLazy where five times the modulus fit in four limbs, else ExactLazy. Elements have no form of their own here: products are with the factor
// itself, so that canonical values stay canonical and Montgomery forms stay Montgomery forms.
#pragma once

#include "proofgrid/field.hpp"
#if defined(PROOFGRID_LAYER_ADX)
#include "proofgrid/lazy_adx.hpp"
#endif

namespace proofgrid::inline PROOFGRID_LAYER {

// For functions whose words go through general registers: g++ would gather them in vector registers to store them.
#if defined(__GNUC__) && !defined(__clang__)
#define PROOFGRID_SCALAR [[gnu::optimize("no-tree-slp-vectorize")]]
#else
#define PROOFGRID_SCALAR
#endif

template <class F>
struct ReducedLazy {
  using Twiddle = F;
  F value;

  static Twiddle twiddle(const F& factor) { return factor; }
  // Of a stored value: narrow, and wide.
  PROOFGRID_INLINE static ReducedLazy reduced(const F& x) { return {x}; }
  PROOFGRID_INLINE static ReducedLazy product(const F& x, const Twiddle& t) { return {x * t}; }
  PROOFGRID_INLINE void store(F& x) const { x = value; }
  PROOFGRID_INLINE void store_reduced(F& x) const { x = value; }

  PROOFGRID_INLINE ReducedLazy reduce() const { return *this; }
  PROOFGRID_INLINE friend ReducedLazy operator*(const ReducedLazy& a, const Twiddle& t) { return {a.value * t}; }
  // narrow + narrow, narrow + wide.
  PROOFGRID_INLINE static ReducedLazy sum(const ReducedLazy& a, const ReducedLazy& b) { return {a.value + b.value}; }
  // narrow - wide.
  PROOFGRID_INLINE static ReducedLazy difference(const ReducedLazy& a, const ReducedLazy& b) {
    return {a.value - b.value};
  }
  // The same for sums of two narrow values, and for one.
  PROOFGRID_INLINE static ReducedLazy difference_of_sums(const ReducedLazy& a, const ReducedLazy& b) {
    return {a.value - b.value};
  }
};

#if defined(PROOFGRID_LAYER_ADX)
// Moduli whose transforms go by factors and their quotients: four words, between 2^253 and 2^255.
template <class P>
inline constexpr bool has_factors = P::limbs == 4 && P::modulus[P::limbs - 1] >> 61 != 0;
template <class F>
using FactorLazy = std::conditional_t<adx::lazy<typename F::Params>, adx::ShoupLazy<F>, adx::ExactLazy<F>>;
template <class F>
using Lazy = std::conditional_t<has_factors<typename F::Params>, FactorLazy<F>, ReducedLazy<F>>;
#else
template <class F>
using Lazy = ReducedLazy<F>;
#endif

template <class F>
using Twiddle = typename Lazy<F>::Twiddle;

}  // namespace proofgrid
