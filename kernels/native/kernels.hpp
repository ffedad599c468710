// What a layer offers: tables of functions over raw memory, one per field, group and curve. The bindings choose a layer
// once and call through its tables; nothing below this seam knows Python.
//
// std::byte pointers may have any alignment, uint64_t pointers are aligned. Lengths are in elements, points or records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

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

  void (*msm)(const byte* bases, const byte* scalars, size_t n, bool bases_mont, unsigned window, uint64_t* out, Run&);
  void (*scale)(const uint64_t* base, const byte* scalars, size_t n, uint64_t* out, Run&);
  void (*add_points)(const byte* a, const byte* b, size_t n, uint64_t* out, Run&);
  void (*check_points)(const byte* points, size_t n, std::uint8_t* ok, Run&);
};

struct CurveKernels {
  const char* name;
  FieldKernels base, scalar;
  GroupKernels g1, g2;
  // Prod e(g1[i], g2[i]) over n pairs of canonical points; out: 12 coordinates.
  void (*pairing_product)(const byte* g1, const byte* g2, size_t n, uint64_t* out, Run&);
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
