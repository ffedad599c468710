// Many points, each by a scalar of its own.
#pragma once

#include <string>
#include <vector>

#include "proofgrid/batch_add.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

namespace scale_detail {

// Scalar i, canonical; throws MalformedInput where it is not below r.
template <class Scalar>
void load_scalar(const std::byte* scalars, size_t i, uint64_t (&words)[Scalar::limbs]) {
  std::memcpy(words, scalars + i * Scalar::bytes, sizeof words);
  if (!Scalar::is_canonical(words)) {
    throw MalformedInput("scalars: element " + std::to_string(i) + " is not below the field's modulus");
  }
}

}  // namespace scale_detail

// out[i] = scalars[i] * bases[i], canonical, at any alignment; bases on the curve. By double-and-add from the highest bit on:
// about 9 mul for each bit and 10 for each one.
template <class G>
void scale_each(const std::byte* bases, const std::byte* scalars, size_t n, uint64_t* out, Run& run) {
  using Point = Affine<typename G::Coordinate>;
  using Scalar = typename G::Scalar;
  run.progress.expect(1);
  run.team.split(n, 4, [&](size_t begin, size_t end, unsigned) {
    run.progress.check();
    for (size_t i = begin; i < end; ++i) {
      uint64_t words[Point::words], scalar[Scalar::limbs];
      std::memcpy(words, bases + i * Point::bytes, sizeof words);
      if (!Point::is_canonical(words)) refuse_coordinate("bases", i);
      scale_detail::load_scalar<Scalar>(scalars, i, scalar);
      multiply(Point::from_canonical(words), scalar, Scalar::limbs).to_affine().to_canonical(out + i * Point::words);
    }
  });
  run.progress.step();
}

}  // namespace proofgrid
