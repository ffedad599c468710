// Eight points of canonical words, set one at a time, to lanes; and points in lanes to canonical words.
#pragma once

#include <immintrin.h>

#include <cstring>
#include <string>

#include "proofgrid/curve.hpp"
#include "proofgrid/ifma/points.hpp"
#include "proofgrid/run.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

// Eight affine points of one group, here of magnitude 3 at most.
template <class Coordinate>
using LanesPoint = PointLanes<Coordinate>;

// Point is Affine over the single elements that Coordinate has eight of.
template <class Point, class Coordinate>
class Gather {
  static constexpr size_t coordinate_words = Coordinate::words;

 public:
  // Point i of an array; false where a coordinate is not below the modulus, and then the point is (0, 0).
  bool load_if_canonical(size_t lane, const std::byte* points, size_t i) {
    uint64_t words[Point::words];
    std::memcpy(words, points + i * Point::bytes, sizeof words);
    const bool canonical = Point::is_canonical(words);
    if (!canonical) std::memset(words, 0, sizeof words);
    set_words(lane, words);
    return canonical;
  }
  void load(size_t lane, const std::byte* points, const char* what, size_t i) {
    if (!load_if_canonical(lane, points, i)) refuse_coordinate(what, i);
  }
  void set(size_t lane, const Point& point) {
    uint64_t words[Point::words];
    point.to_canonical(words);
    set_words(lane, words);
  }
  void clear(size_t lane) {
    const uint64_t words[Point::words] = {};
    set_words(lane, words);
  }
  bool is_zero(size_t lane) const {
    uint64_t any = 0;
    for (const auto& rows : rows_) {
      for (size_t i = 0; i < coordinate_words; ++i) any |= rows[lane * coordinate_words + i];
    }
    return any == 0;
  }

  // Magnitude 3. 2 multiplications.
  LanesPoint<Coordinate> points() const {
    Word x[coordinate_words], y[coordinate_words];
    load_rows(x, rows_[0]), load_rows(y, rows_[1]);
    return {Coordinate::enter_canonical(Coordinate::from_words(x)), Coordinate::enter_canonical(Coordinate::from_words(y))};
  }

  // Takes eight points of magnitude 3, to be read by words().
  void put(const LanesPoint<Coordinate>& points) {
    Word x[coordinate_words], y[coordinate_words];
    Coordinate::leave_canonical(points.x).template canonical<3>().to_words(x);
    Coordinate::leave_canonical(points.y).template canonical<3>().to_words(y);
    store_rows(rows_[0], x), store_rows(rows_[1], y);
  }
  void words(size_t lane, uint64_t* target) const {
    for (size_t i = 0; i < 2; ++i) {
      std::memcpy(target + i * coordinate_words, rows_[i] + lane * coordinate_words, 8 * coordinate_words);
    }
  }

 private:
  void set_words(size_t lane, const uint64_t (&words)[Point::words]) {
    for (size_t i = 0; i < 2; ++i) {
      std::memcpy(rows_[i] + lane * coordinate_words, words + i * coordinate_words, 8 * coordinate_words);
    }
  }

  uint64_t rows_[2][lanes * coordinate_words];
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
