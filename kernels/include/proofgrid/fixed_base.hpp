// Many multiples of one point: a table of the base's multiples per window of signed digits, then one affine addition per
// window for a whole block of scalars at a time (batch_add.hpp). Cost for n scalars of b bits with window c:
// (b / c + 1) * (n + 2^(c-1)) * 6.3 mul of the coordinate field.
#pragma once

#include <string>
#include <vector>

#include "proofgrid/batch_add.hpp"
#include "proofgrid/digits.hpp"
#include "proofgrid/run.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

namespace fixed_base_detail {

inline constexpr size_t block = 1024;
inline constexpr unsigned largest_window = 10;  // the table stays in a second-level cache

inline unsigned choose_window(size_t n, unsigned bits) {
  unsigned best = 2;
  for (unsigned c = 3; c <= largest_window; ++c) {
    const auto cost = [&](unsigned w) { return window_count(bits, w) * (n + (size_t{1} << (w - 1))); };
    if (cost(c) < cost(best)) best = c;
  }
  return best;
}

// rows[w][d] = d * 2^(window * w) * base for 0 <= d <= 2^(window-1).
template <class F>
struct Table {
  unsigned window, windows;
  size_t row;
  std::vector<Affine<F>> points;

  Table(const Affine<F>& base, unsigned bits, unsigned c)
      : window(c), windows(window_count(bits, c)), row((size_t{1} << (c - 1)) + 1), points(windows * row) {
    Xyzz<F> power = Xyzz<F>::from(base);
    for (unsigned w = 0; w < windows; ++w) {
      points[w * row] = Affine<F>::infinity();
      points[w * row + 1] = power.to_affine();
      for (unsigned i = 0; i < c; ++i) power = power.dbl();
    }
    BatchAdder<F> adder(block);
    for (unsigned w = 0; w < windows; ++w) {
      Affine<F>* multiples = points.data() + w * row;
      for (size_t done = 1; done < row - 1; done *= 2) {
        const std::vector<Affine<F>> top(done, multiples[done]);
        for (size_t i = 0; i < done; i += block) {
          adder.add(ArrayPairs<F>{top.data(), multiples + 1 + i, multiples + done + 1 + i}, std::min(block, done - i));
        }
      }
    }
  }
};

// sums[i] += the table's multiple for digit i, with its sign.
template <class F>
struct TablePairs {
  const Affine<F>* multiples;
  const Digit* digits;
  Affine<F>* sums;

  size_t place(size_t i) const { return static_cast<size_t>(digits[i] < 0 ? -digits[i] : digits[i]); }
  const F& left_x(size_t i) const { return sums[i].x; }
  const F& right_x(size_t i) const { return multiples[place(i)].x; }
  const Affine<F>& left(size_t i) const { return sums[i]; }
  Affine<F> right(size_t i) const { return digits[i] < 0 ? -multiples[place(i)] : multiples[place(i)]; }
  void write(size_t i, const Affine<F>& p) const { sums[i] = p; }
};

}  // namespace fixed_base_detail

// out[i] = scalars[i] * base, affine, canonical or in Montgomery form. The base is canonical and aligned, the scalars at any
// alignment. Throws MalformedInput for a scalar >= r or a coordinate >= q.
template <class G>
void scale(const uint64_t* base, const std::byte* scalars, size_t n, bool result_mont, uint64_t* out, Run& run) {
  using namespace fixed_base_detail;
  using F = typename G::Coordinate;
  using S = typename G::Scalar;
  if (!Affine<F>::is_canonical(base)) refuse_coordinate("base:");
  if (n == 0) return;
  const Table<F> table(Affine<F>::from_canonical(base), S::Params::bits, choose_window(n, S::Params::bits));
  const DigitReader<S::limbs> reader(S::Params::bits, table.window);
  const size_t blocks = (n + block - 1) / block;
  run.progress.expect(blocks);
  run.team.run(blocks, [&](size_t task, unsigned) {
    run.progress.check();
    const size_t begin = task * block, count = std::min(block, n - begin);
    std::vector<Digit> digits(table.windows * block);
    std::vector<Affine<F>> sums(count, Affine<F>::infinity());
    BatchAdder<F> adder(count);
    for (size_t i = 0; i < count; ++i) {
      uint64_t scalar[S::limbs];
      std::memcpy(scalar, scalars + (begin + i) * S::bytes, sizeof scalar);
      if (!S::is_canonical(scalar)) {
        throw MalformedInput("scalars: element " + std::to_string(begin + i) + " is not below the group's order");
      }
      for (unsigned w = 0; w < table.windows; ++w) digits[w * block + i] = reader.digit(scalar, w);
    }
    for (unsigned w = 0; w < table.windows; ++w) {
      adder.add(TablePairs<F>{table.points.data() + w * table.row, digits.data() + w * block, sums.data()}, count);
    }
    for (size_t i = 0; i < count; ++i) {
      uint64_t* const target = out + (begin + i) * Affine<F>::words;
      result_mont ? sums[i].store_mont(target) : sums[i].to_canonical(target);
    }
    run.progress.step();
  });
}

}  // namespace proofgrid
