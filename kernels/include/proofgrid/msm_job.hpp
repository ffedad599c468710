// One multi-scalar multiplication of several that are asked for at once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace proofgrid {

// sum of scalars[i] * bases[i] over group 1 or 2 of one curve, of all terms or of those that are `chosen`. `out` receives one
// affine canonical point, infinity as zeros.
struct MsmJob {
  enum class Form { canonical, mont, prepared };

  unsigned group;
  Form form;
  const std::byte* bases;  // prepared: written by the same layer's prepare() for n points, at a multiple of 64 bytes
  const std::byte* scalars;
  std::size_t n;
  unsigned window;  // 2..16, or 0 for the cost model's choice
  std::uint64_t* out;
  const std::byte* chosen = nullptr;  // bit i % 8 of byte i / 8 for term i; without them all terms count
  unsigned multiples = 1;             // of each prepared base, as prepare() was asked for them (multiples.hpp)

  bool counts(std::size_t i) const { return !chosen || (chosen[i / 8] >> (i % 8) & std::byte{1}) != std::byte{0}; }
};

}  // namespace proofgrid
