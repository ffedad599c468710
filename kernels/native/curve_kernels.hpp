// Fills the tables of kernels.hpp for one curve from the header templates. Included by one translation unit per curve,
// which is compiled once per layer.
#pragma once

#include "kernels.hpp"
#include "proofgrid/elements.hpp"
#include "proofgrid/fixed_base.hpp"
#include "proofgrid/msm.hpp"
#include "proofgrid/ntt.hpp"
#include "proofgrid/pairing.hpp"
#include "proofgrid/points.hpp"
#include "proofgrid/quotient.hpp"
#include "proofgrid/scale_each.hpp"
#if defined(PROOFGRID_LAYER_IFMA)
#include "proofgrid/ifma/check_points.hpp"
#include "proofgrid/ifma/elements.hpp"
#include "proofgrid/ifma/fixed_base.hpp"
#include "proofgrid/ifma/quotient.hpp"
#include "proofgrid/ifma/msm.hpp"
#include "proofgrid/ifma/ntt.hpp"
#include "proofgrid/ifma/pairing.hpp"
#include "proofgrid/ifma/scale_each.hpp"
#endif

namespace proofgrid::inline PROOFGRID_LAYER {

// The layer's way with many points at once.
namespace batched {
#if defined(PROOFGRID_LAYER_IFMA)
using ifma::check_points, ifma::msm_many, ifma::pairing_of_lines, ifma::pairing_product, ifma::prepare, ifma::PreparedLayout, ifma::scale,
    ifma::scale_each, proofgrid::lines_bytes, proofgrid::prepare_lines;
#else
using proofgrid::check_points, proofgrid::msm_many, proofgrid::pairing_product, proofgrid::prepare,
    proofgrid::PreparedLayout, proofgrid::scale, proofgrid::scale_each, proofgrid::lines_bytes,
    proofgrid::pairing_of_lines, proofgrid::prepare_lines;
#endif
}  // namespace batched

// Elements are arrays of words with no padding, so an output array of words is an array of elements.
template <class F>
F* elements(uint64_t* words) {
  static_assert(sizeof(F) == F::bytes && std::is_trivially_copyable_v<F> && alignof(F) == alignof(uint64_t));
  return reinterpret_cast<F*>(words);
}

template <class P>
native::FieldKernels field_kernels() {
  using F = Fp<P>;
  using native::byte;
  return {
      .name = P::name,
      .limbs = P::limbs,
      .two_adicity = P::two_adicity,
#if defined(PROOFGRID_LAYER_IFMA)
      .add = ifma::add_elements<P>,
      .sub = ifma::subtract_elements<P>,
      .mul = ifma::mul_elements<P>,
      .neg = ifma::negate_elements<P>,
      .square = ifma::square_elements<P>,
      .inv = ifma::inverse_elements<P>,
      .to_mont = ifma::to_mont<P>,
      .from_mont = ifma::from_mont<P>,
#else
      .add =
          [](const byte* a, const byte* b, uint64_t* out, size_t n, Run& run) {
            for_each_pair(a, b, elements<F>(out), n, run, [](const F& x, const F& y) { return x + y; });
          },
      .sub =
          [](const byte* a, const byte* b, uint64_t* out, size_t n, Run& run) {
            for_each_pair(a, b, elements<F>(out), n, run, [](const F& x, const F& y) { return x - y; });
          },
      .mul = [](const byte* a, const byte* b, uint64_t* out, size_t n,
                Run& run) { mul_elements(a, b, elements<F>(out), n, run); },
      .neg =
          [](const byte* a, uint64_t* out, size_t n, Run& run) {
            for_each_element(a, elements<F>(out), n, run, [](const F& x) { return -x; });
          },
      .square =
          [](const byte* a, uint64_t* out, size_t n, Run& run) {
            for_each_element(a, elements<F>(out), n, run, [](const F& x) { return F::from_canonical(x.data()) * x; });
          },
      .inv = [](const byte* a, uint64_t* out, size_t n, Run& run) { inverse_elements(a, elements<F>(out), n, run); },
      .to_mont = [](const byte* a, uint64_t* out, size_t n, Run& run) { to_mont(a, elements<F>(out), n, run); },
      .from_mont = [](const byte* a, uint64_t* out, size_t n, Run& run) { from_mont(a, elements<F>(out), n, run); },
#endif
      .ntt =
          [](const byte* values, uint64_t* out, unsigned log_n, bool inverse, const uint64_t* shift, Run& run) {
#if defined(PROOFGRID_LAYER_IFMA)
            ntt_in_lanes<P>(values, elements<F>(out), log_n, inverse, F::from_canonical(shift), run);
#else
            ntt(values, elements<F>(out), log_n, inverse, F::from_canonical(shift), run);
#endif
          },
  };
}

template <class G>
native::GroupKernels group_kernels() {
  using native::byte;
  using Point = Affine<typename G::Coordinate>;
  return {
      .name = G::name,
      .point_words = Point::words,
      .scalar_words = G::Scalar::limbs,
      .prepared_form = batched::PreparedLayout<G>::form(),
#if defined(PROOFGRID_LAYER_IFMA)
      .most_multiples = most_multiples,
#else
      .most_multiples = 1,
#endif
      .prepared_bytes = [](size_t n, unsigned multiples) { return batched::PreparedLayout<G>::bytes(n, multiples); },
      .prepare = [](const byte* bases_mont, size_t n, unsigned multiples, byte* out,
                    Run& run) { batched::prepare<G>(bases_mont, n, multiples, out, run); },
      .scale = [](const uint64_t* base, const byte* scalars, size_t n, bool result_mont, uint64_t* out,
                  Run& run) { batched::scale<G>(base, scalars, n, result_mont, out, run); },
      .scale_each = [](const byte* bases, const byte* scalars, size_t n, uint64_t* out,
                       Run& run) { batched::scale_each<G>(bases, scalars, n, out, run); },
      .add_points = [](const byte* a, const byte* b, size_t n, uint64_t* out,
                       Run& run) { add_points<G>(a, b, n, out, run); },
      .check_points = [](const byte* points, size_t n, std::uint8_t* ok,
                         Run& run) { batched::check_points<G>(points, n, ok, run); },
  };
}

template <class C>
native::CurveKernels curve_kernels() {
  using native::byte;
  return {
      .name = C::name,
      .base = field_kernels<typename C::Fq>(),
      .scalar = field_kernels<typename C::Fr>(),
      .g1 = group_kernels<G1<C>>(),
      .g2 = group_kernels<G2<C>>(),
      .msm_many = [](const MsmJob* jobs, size_t count, Run& run) { batched::msm_many<C>(jobs, count, run); },
      .pairing_product = [](const byte* g1, const byte* g2, size_t n, uint64_t* out,
                            Run& run) { batched::pairing_product<C>(g1, g2, n, out, run); },
      .lines_bytes = batched::lines_bytes<C>,
      .prepare_lines = [](const byte* g2, size_t n, byte* out, std::uint8_t* ok,
                          Run& run) { batched::prepare_lines<C>(g2, n, out, ok, run); },
      .pairing_of_lines = [](const byte* g1, const byte* const* lines, size_t n, uint64_t* out,
                             Run& run) { batched::pairing_of_lines<C>(g1, lines, n, out, run); },
      .quotient =
          [](const byte* coefficients, size_t count, const byte* witness, size_t signals, unsigned log_n, uint64_t* out,
             Run& run) {
            using F = Fp<typename C::Fr>;
#if defined(PROOFGRID_LAYER_IFMA)
            quotient_in_lanes<typename C::Fr>(coefficients, count, witness, signals, log_n, elements<F>(out), run);
#else
            quotient(coefficients, count, witness, signals, log_n, elements<F>(out), run);
#endif
          },
  };
}

// Defined by the curve's translation unit, once per layer.
native::CurveKernels bn254_kernels();
native::CurveKernels bls12_381_kernels();

}  // namespace proofgrid
