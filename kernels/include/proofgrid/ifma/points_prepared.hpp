// Bases as this layer's MSM reads them, and their prepared form on a disk: "mont52 v1 w16".
//
//   n records (points.hpp), then those of their multiples (../multiples.hpp), n for each
//   to the next multiple of 64 bytes: zeros
//   one bit a point in 64-bit words, bit i % 64 of word i / 64: set where point i is infinity
//   to the next multiple of 64 bytes: zeros
//
// As in the scalar layers' prepared.hpp, damaged bytes can spoil a sum and nothing else.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "proofgrid/curve.hpp"
#include "proofgrid/ifma/huge_pages.hpp"
#include "proofgrid/ifma/points.hpp"
#include "proofgrid/ifma/points_multiples.hpp"
#include "proofgrid/msm_job.hpp"
#include "proofgrid/multiples.hpp"
#include "proofgrid/run.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

template <class G>
struct PreparedLayout {
  using F = LanesOf<typename G::Coordinate>;

  static constexpr size_t padded(size_t bytes) { return (bytes + 63) / 64 * 64; }
  static constexpr size_t mask_offset(size_t n, unsigned multiples) { return padded(multiples * n * Records<F>::bytes); }
  static constexpr size_t mask_words(size_t n) { return (n + 63) / 64; }
  static constexpr size_t bytes(size_t n, unsigned multiples) {
    return mask_offset(n, multiples) + padded(8 * mask_words(n));
  }

  // Names curve, group, layout and version.
  static const char* form() {
    // The windows that multiples are spaced for are part of it: other multiples would be taken for these.
    static const std::string name =
        std::string(G::Curve::name) + "." + G::name + " mont52 v1 w" + std::to_string(multiples_window);
    return name.c_str();
  }
};

namespace points_detail {

// The lanes whose words are not below p.
template <class P, size_t count>
PROOFGRID_INLINE Mask not_canonical(const Word (&words)[count]) {
  Mask bad = 0;
#pragma GCC unroll 2
  for (size_t first = 0; first < count; first += P::limbs) {
    Mask below = 0;  // of the words so far, lowest first
#pragma GCC unroll 8
    for (size_t i = 0; i < P::limbs; ++i) {
      const Word p = all(P::modulus[i]), w = words[first + i];
      below = _mm512_cmplt_epu64_mask(w, p) | (below & _mm512_cmpeq_epi64_mask(w, p));
    }
    bad |= static_cast<Mask>(~below);
  }
  return bad;
}

}  // namespace points_detail

// Records of n bases at any alignment, canonical or in Montgomery form (R = 2^(64 limbs)), and the mask of the infinite
// ones. Throws MalformedInput for a coordinate >= q. Two multiplications for eight points; threaded.
template <class G>
void write_records(const std::byte* bases, size_t n, bool mont, std::byte* records, uint64_t* infinite, Run& run) {
  using F = LanesOf<typename G::Coordinate>;
  using P = typename F::Params;
  constexpr size_t bytes = Records<F>::bytes;
  run.team.split((n + 63) / 64, 64, [&](size_t begin, size_t end, unsigned) {
    run.progress.check();
    for (size_t i = 64 * begin; i < std::min(n, 64 * end); i += lanes) {
      const size_t count = std::min(lanes, n - i);
      RecordRows rows;
      std::byte* targets[lanes];
      for (size_t lane = 0; lane < lanes; ++lane) {
        rows[lane] = bases + (i + std::min(lane, count - 1)) * bytes;
        targets[lane] = records + (i + lane) * bytes;
      }
      Word x[F::words], y[F::words];
      points_detail::gather_coordinate<0, F::words, Records<F>::words>(x, rows);
      points_detail::gather_coordinate<F::words, F::words, Records<F>::words>(y, rows);
      const Mask bad = points_detail::not_canonical<P>(x) | points_detail::not_canonical<P>(y);
      if (bad) [[unlikely]] {
        refuse_coordinate("bases", i + std::min(static_cast<size_t>(__builtin_ctz(bad)), count - 1));
      }
      const F fx = F::from_words(x), fy = F::from_words(y);
      const Mask mask = static_cast<Mask>((1u << count) - 1);
      const Mask none = fx.is_all_zero() & fy.is_all_zero() & mask;
      constexpr unsigned m = F::product;
      const auto enter = [&](const F& c) {
        return (mont ? F::enter_mont(c) : F::enter_canonical(c)).template canonical<m>();
      };
      Records<F>::store(targets, mask, {enter(fx), enter(fy)});
      if (i % 64 == 0) infinite[i / 64] = 0;
      infinite[i / 64] |= uint64_t{none} << (i % 64);
    }
  });
}

// Writes PreparedLayout<G>::bytes(n, multiples) bytes to `out` (at a multiple of 64) for n bases in Montgomery form. Two
// multiplications for eight points, and write_multiples().
template <class G>
void prepare(const std::byte* bases_mont, size_t n, unsigned multiples, std::byte* out, Run& run) {
  using Layout = PreparedLayout<G>;
  run.progress.expect(multiples);
  run.progress.check();
  const size_t records_end = multiples * n * Records<typename Layout::F>::bytes;
  const size_t mask_offset = Layout::mask_offset(n, multiples), mask_end = mask_offset + 8 * Layout::mask_words(n);
  std::memset(out + records_end, 0, mask_offset - records_end);
  std::memset(out + mask_end, 0, Layout::bytes(n, multiples) - mask_end);
  write_records<G>(bases_mont, n, true, out, reinterpret_cast<uint64_t*>(out + mask_offset), run);
  run.progress.step();
  const unsigned distance = multiples_distance(G::Scalar::Params::bits, multiples);
  for (unsigned k = 1; k < multiples; ++k) {
    std::byte* const from = out + (k - 1) * n * Records<typename Layout::F>::bytes;
    write_multiples<typename Layout::F>(from, n, distance, from + n * Records<typename Layout::F>::bytes, run);
    run.progress.step();
  }
}

// A job's bases, whatever form they came in.
template <class G>
class JobRecords {
 public:
  // Converts what is not prepared: threaded, before any task.
  JobRecords(const MsmJob& job, Run& run) : data_(job.bases) {
    using Layout = PreparedLayout<G>;
    if (job.form == MsmJob::Form::prepared) {
      infinite_ = reinterpret_cast<const uint64_t*>(job.bases + Layout::mask_offset(job.n, job.multiples));
      return;
    }
    own_.resize(Layout::bytes(job.n, 1) / sizeof(Line));
    auto* const own = reinterpret_cast<std::byte*>(own_.data());
    auto* const mask = reinterpret_cast<uint64_t*>(own + Layout::mask_offset(job.n, 1));
    write_records<G>(job.bases, job.n, job.form == MsmJob::Form::mont, own, mask, run);
    data_ = own, infinite_ = mask;
  }
  JobRecords(const JobRecords&) = delete;
  JobRecords& operator=(const JobRecords&) = delete;

  const std::byte* data() const { return data_; }
  bool is_infinity(size_t i) const { return infinite_[i / 64] >> (i % 64) & 1; }

 private:
  const std::byte* data_;
  const uint64_t* infinite_;
  std::vector<Line, HugePages<Line>> own_;
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
