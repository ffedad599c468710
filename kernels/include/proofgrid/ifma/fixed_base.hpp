// Many multiples of one point, eight at a time: a table of the base's multiples for each window of signed digits, then
// one addition per window and scalar (fixed_base_table.hpp), for a batch of scalars together. Zero scalars are free.
// With window c, n scalars of b bits take (b / c) n + (b / c + 1) 2^(c-1) additions; memory: the table of 16 MB at most
// and 1 MB a thread.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "proofgrid/ifma/fixed_base_table.hpp"
#include "proofgrid/run.hpp"

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

namespace fixed_base_detail {

// 5 (BN254, G1) to 16 MB (BLS12-381, G2) of table, 256 to 768 KB of it for a window. Wider ones leave the second-level
// cache, and waiting for rows then costs more than the additions saved: at 2^18 scalars 13 was the fastest or as fast.
inline constexpr unsigned largest_window = 13;

inline unsigned choose_window(size_t n, unsigned bits) {
  const auto cost = [&](unsigned c) { return (window_count(bits, c) - 1) * n + (window_count(bits, c) << (c - 1)); };
  unsigned best = 3;
  for (unsigned c = 4; c <= largest_window; ++c) {
    if (cost(c) < cost(best)) best = c;
  }
  return best;
}

// The multiples for the scalars in one range: a batch at a time, without the zeros.
template <class G>
class Scaler {
 public:
  using F = LanesOf<typename G::Coordinate>;
  using Point = Affine<typename G::Coordinate>;
  using S = typename G::Scalar;

  Scaler(const Table<G>& table, const std::byte* scalars, uint64_t* out, bool mont)
      : table_(table), scalars_(scalars), out_(reinterpret_cast<std::byte*>(out)), mont_(mont),
        reader_(S::Params::bits, table.window), sums_(batch), digits_(table.windows * batch) {}

  void run(size_t begin, size_t end) {
    while (begin < end) {
      size_t count = 0, i = begin;
      for (; i < end && count < batch; ++i) {
        uint64_t scalar[S::limbs];
        std::memcpy(scalar, scalars_ + i * S::bytes, sizeof scalar);
        if (!S::is_canonical(scalar)) [[unlikely]] {
          throw MalformedInput("scalars: element " + std::to_string(i) + " is not below the group's order");
        }
        if (limbs::is_zero<S::limbs>(scalar)) {
          std::memset(out_ + i * Point::bytes, 0, Point::bytes);
        } else {
          places_[count++] = static_cast<std::uint32_t>(i - begin);
        }
      }
      if (count) multiply(scalars_ + begin * S::bytes, out_ + begin * Point::bytes, count);
      begin = i;
    }
  }

 private:
  static_assert(S::limbs == LaneDigits::words && batch == DigitSums<F>::padded(batch));

  void multiply(const std::byte* scalars, std::byte* out, size_t count) {
    reader_.read(scalars, places_, count, 0, 1, table_.windows, digits_.data(), batch);
    for (unsigned w = 0; w < table_.windows; ++w) {
      std::fill(&digits_[w * batch] + count, &digits_[w * batch] + sums_.padded(count), Digit{0});
    }
    sums_.sum([&](unsigned w) { return table_.multiples(w); }, table_.windows, digits_.data(), batch, count);
    const auto leave = [&](const F& c) { return mont_ ? F::leave_mont(c) : F::leave_canonical(c); };
    for (size_t first = 0; first < count; first += lanes) {
      const size_t here = std::min(lanes, count - first);
      std::byte* rows[lanes] = {};
      for (size_t k = 0; k < here; ++k) rows[k] = out + places_[first + k] * Point::bytes;
      sums_.template store<F::product>(first / lanes, here, rows, leave);
    }
  }

  const Table<G>& table_;
  const std::byte* scalars_;
  std::byte* out_;
  bool mont_;
  LaneDigits reader_;
  DigitSums<F> sums_;
  std::uint32_t places_[batch];  // of the scalars that are not zero, after the batch's first one
  std::vector<Digit> digits_;
};

}  // namespace fixed_base_detail

// The contract of proofgrid::scale (proofgrid/fixed_base.hpp).
template <class G>
void scale(const uint64_t* base, const std::byte* scalars, size_t n, bool result_mont, uint64_t* out, Run& run) {
  using namespace fixed_base_detail;
  using Point = Affine<typename G::Coordinate>;
  if (!Point::is_canonical(base)) refuse_coordinate("base:");
  if (n == 0) return;
  const unsigned bits = G::Scalar::Params::bits;
  const size_t range = std::clamp<size_t>(n / (size_t{4} * run.team.size()), 256, 4 * batch);
  const size_t tasks = (n + range - 1) / range;
  run.progress.expect(tasks);
  const Table<G> table(Point::from_canonical(base), bits, choose_window(n, bits), run);
  std::vector<std::unique_ptr<Scaler<G>>> workers(run.team.size());
  run.team.run(tasks, [&](size_t task, unsigned worker) {
    run.progress.check();
    auto& scaler = workers[worker];
    if (!scaler) scaler = std::make_unique<Scaler<G>>(table, scalars, out, result_mont);
    scaler->run(task * range, std::min(n, (task + 1) * range));
    run.progress.step();
  });
}

}  // namespace proofgrid
PROOFGRID_IFMA_END
