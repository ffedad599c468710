// Multiples of fixed bases: beside P also 2^d P, 2^(2 d) P, ... in one MSM's buckets.
//
// The windows of c bits at w and at w + d / c add 2^(c w) and 2^(d + c w) times their points; with 2^d P at hand the second
// window's points go into the first one's buckets. So `multiples` of each base leave that many times fewer rows of buckets to sum,
// which allows wider windows: fewer additions for each point, too.
//
// Source: Brickell, Gordon, McCurley, Wilson, EUROCRYPT 1992, for one base.
#pragma once

#include "proofgrid/digits.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

// Multiples are spaced for windows of this width; others must divide the distance.
inline constexpr unsigned multiples_window = 16;
inline constexpr unsigned most_multiples = 16;

// d, for scalars of `bits` bits: from one multiple of a base to the next. All of them together reach beyond `bits`.
constexpr unsigned multiples_distance(unsigned bits, unsigned multiples) {
  return multiples_window * ((window_count(bits, multiples_window) + multiples - 1) / multiples);
}

// How the digits of scalars of `bits` bits fall into rows of buckets: digit w into row w % rows, with multiple w / rows.
struct WindowRows {
  unsigned window, rows;

  // With one multiple any window; with more only those that divide the distance.
  static constexpr bool fits(unsigned bits, unsigned multiples, unsigned window) {
    return multiples == 1 || multiples_distance(bits, multiples) % window == 0;
  }
  static constexpr WindowRows of(unsigned bits, unsigned multiples, unsigned window) {
    return {window, multiples == 1 ? window_count(bits, window) : multiples_distance(bits, multiples) / window};
  }
};

}  // namespace proofgrid
