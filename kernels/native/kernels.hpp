// What a layer offers: tables of functions over raw memory, one per field, group and curve. The bindings choose a layer
// once and call through its tables; nothing below this seam knows Python.
//
// std::byte pointers may have any alignment, uint64_t pointers are aligned. Lengths are in elements, points or records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "proofgrid/msm_job.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::native {

using std::byte;
using std::size_t;
using std::uint64_t;

struct FieldKernels {
  const char* name;
  size_t limbs;
  unsigned two_adicity;

  using Unary = void (*)(const byte* a, uint64_t* out, size_t n, Run&);
  using Binary = void (*)(const byte* a, const byte* b, uint64_t* out, size_t n, Run&);
  Binary add, sub, mul;
  Unary neg, square, inv, to_mont, from_mont;
  void (*ntt)(const byte* values, uint64_t* out, unsigned log_n, bool inverse, const uint64_t* shift, Run&);
};

struct GroupKernels {
  const char* name;
  size_t point_words, scalar_words;

  // Names curve, group, layout and version of the layer's own form of fixed bases. Layers that give the same name read
  // each other's. prepare() checks each coordinate and writes prepared_bytes(n, multiples) bytes to `out`, which is aligned
  // to 64; of each base 1 to most_multiples multiples (multiples.hpp). Of bytes that prepare() did not write, an MSM may
  // make any sum, but it ends and stays inside them.
  const char* prepared_form;
  unsigned most_multiples;
  size_t (*prepared_bytes)(size_t n, unsigned multiples);
  void (*prepare)(const byte* bases_mont, size_t n, unsigned multiples, byte* out, Run&);
  void (*scale)(const uint64_t* base, const byte* scalars, size_t n, bool result_mont, uint64_t* out, Run&);
  void (*scale_each)(const byte* bases, const byte* scalars, size_t n, uint64_t* out, Run&);
  void (*add_points)(const byte* a, const byte* b, size_t n, uint64_t* out, Run&);
  void (*check_points)(const byte* points, size_t n, std::uint8_t* ok, Run&);
};

struct CurveKernels {
  const char* name;
  FieldKernels base, scalar;
  GroupKernels g1, g2;
  // All the jobs' tasks in one pool. Jobs may share scalars, or parts of them: these are checked and classed once.
  void (*msm_many)(const MsmJob* jobs, size_t count, Run&);
  // Prod e(g1[i], g2[i]) over n pairs of canonical points; out: 12 coordinates.
  void (*pairing_product)(const byte* g1, const byte* g2, size_t n, uint64_t* out, Run&);
  // The lines of n points of G2, lines_bytes for each, aligned to 64, in the layer's own form, and what check_points says of
  // each; and the same product with g2[i] given by its lines. Of bytes that prepare_lines() did not write, it may be any.
  size_t lines_bytes;
  void (*prepare_lines)(const byte* g2, size_t n, byte* out, std::uint8_t* ok, Run&);
  void (*pairing_of_lines)(const byte* g1, const byte* const* lines, size_t n, uint64_t* out, Run&);
  void (*quotient)(const byte* coefficients, size_t count, const byte* witness, size_t signals, unsigned log_n,
                   uint64_t* out, Run&);
};

struct Layer {
  const char* name;
  bool (*runs_here)();
  CurveKernels bn254, bls12_381;
};

// The layers compiled into this module, the fastest first.
const std::vector<const Layer*>& layers();

}  // namespace proofgrid::native
