// Bases as the scalar layers' MSM reads them, and their prepared form on a disk: "mont64 v1".
//
//   n affine points, coordinates in Montgomery form (R = 2^(64 limbs)), 64-bit little-endian limbs
//   to the next multiple of 64 bytes: zeros
//   one bit a point in 64-bit words, bit i % 64 of word i / 64: set where point i is infinity
//   to the next multiple of 64 bytes: zeros
//
// Keys are full of infinity (a wire that a matrix never reads), so these terms are dropped before any digit is made.
// The bytes may change under the reader when the file is damaged. Nothing in them is an address or a length, and no
// operation of field.hpp loops on a value, so damage can spoil a sum and nothing else.
#pragma once

#include <string>
#include <vector>

#include "proofgrid/curve.hpp"
#include "proofgrid/msm_job.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

template <class G>
struct PreparedLayout {
  using Point = Affine<typename G::Coordinate>;

  static constexpr size_t padded(size_t bytes) { return (bytes + 63) / 64 * 64; }
  static constexpr size_t mask_offset(size_t n) { return padded(n * Point::bytes); }
  static constexpr size_t mask_words(size_t n) { return (n + 63) / 64; }
  static constexpr size_t bytes(size_t n, unsigned = 1) { return mask_offset(n) + padded(8 * mask_words(n)); }

  // Names curve, group, layout and version: two layers of one name read each other's bases.
  static const char* form() {
    static const std::string name = std::string(G::Curve::name) + "." + G::name + " mont64 v1";
    return name.c_str();
  }
};

namespace prepared_detail {

// Calls visit(i, words) for each point of 64 that share a word of the mask, and returns that word.
template <class Point, class Visit>
uint64_t scan_block(const std::byte* bases, size_t begin, size_t end, const Visit& visit) {
  uint64_t infinite = 0;
  for (size_t i = begin; i < end; ++i) {
    uint64_t words[Point::words], any = 0;
    std::memcpy(words, bases + i * Point::bytes, sizeof words);
    for (const uint64_t word : words) any |= word;
    if (any == 0) infinite |= uint64_t{1} << (i - begin);
    if (!Point::is_canonical(words)) refuse_coordinate("bases", i);
    visit(i, words);
  }
  return infinite;
}

// The mask of n bases, each checked once and shown to visit(i, words); threaded. Refuses a bad base.
template <class Point, class Visit>
void scan(const std::byte* bases, size_t n, uint64_t* mask, Run& run, const Visit& visit) {
  run.team.split((n + 63) / 64, 64, [&](size_t begin, size_t end, unsigned) {
    run.progress.check();
    for (size_t word = begin; word < end; ++word) {
      mask[word] = scan_block<Point>(bases, 64 * word, std::min(n, 64 * word + 64), visit);
    }
  });
}

}  // namespace prepared_detail

// Writes PreparedLayout<G>::bytes(n) bytes to `out` (at a multiple of 64) for n bases in Montgomery form at any alignment; these
// layers keep no multiples.
// Throws MalformedInput for a coordinate >= q. Cost: a copy.
template <class G>
void prepare(const std::byte* bases_mont, size_t n, unsigned, std::byte* out, Run& run) {
  using Layout = PreparedLayout<G>;
  using Point = typename Layout::Point;
  run.progress.expect(1);
  run.progress.check();
  const size_t points_end = n * Point::bytes, mask_end = Layout::mask_offset(n) + 8 * Layout::mask_words(n);
  std::memset(out + points_end, 0, Layout::mask_offset(n) - points_end);
  std::memset(out + mask_end, 0, Layout::bytes(n) - mask_end);
  auto* const mask = reinterpret_cast<uint64_t*>(out + Layout::mask_offset(n));
  prepared_detail::scan<Point>(bases_mont, n, mask, run, [&](size_t i, const uint64_t* words) {
    std::memcpy(out + i * Point::bytes, words, Point::bytes);
  });
  run.progress.step();
}

// A job's bases, whatever form they came in: Montgomery form, with a mask of the infinite ones.
template <class G>
class CheckedBases {
 public:
  using Point = Affine<typename G::Coordinate>;

  // Checks and converts what is not prepared: threaded, before any task.
  CheckedBases(const MsmJob& job, Run& run) : points_(job.bases) {
    if (job.form == MsmJob::Form::prepared) {
      mask_ = reinterpret_cast<const uint64_t*>(job.bases + PreparedLayout<G>::mask_offset(job.n));
      return;
    }
    own_mask_.resize(PreparedLayout<G>::mask_words(job.n));
    mask_ = own_mask_.data();
    const bool convert = job.form == MsmJob::Form::canonical;
    if (convert) {
      converted_.resize(job.n);
      points_ = reinterpret_cast<const std::byte*>(converted_.data());
    }
    prepared_detail::scan<Point>(job.bases, job.n, own_mask_.data(), run, [&](size_t i, const uint64_t* words) {
      if (convert) converted_[i] = Point::from_canonical(words);
    });
  }
  CheckedBases(const CheckedBases&) = delete;
  CheckedBases& operator=(const CheckedBases&) = delete;

  const std::byte* points() const { return points_; }
  bool is_infinity(size_t i) const { return mask_[i / 64] >> (i % 64) & 1; }

 private:
  const std::byte* points_;
  const uint64_t* mask_;
  std::vector<uint64_t> own_mask_;
  std::vector<Point> converted_;
};

}  // namespace proofgrid
