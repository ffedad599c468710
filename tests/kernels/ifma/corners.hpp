// A calculator over the ifma layer: rows of operands come on standard input, one result a line goes to standard output.
// test_ifma_field.py chooses the operands and knows what the results must be.
#pragma once

#include <cstdio>
#include <cstring>
#include <utility>

#include "proofgrid/ifma/inverse.hpp"
#include "proofgrid/ifma/transpose.hpp"

PROOFGRID_IFMA_BEGIN
namespace corners {

using namespace proofgrid;
using ifma::Word;

// An element as limbs of 52 bits, coordinate by coordinate.
template <class L>
struct Shape;
template <class P>
struct Shape<ifma::Lanes<P>> {
  static constexpr size_t coordinates = 1;
  static ifma::Lanes<P>& coordinate(ifma::Lanes<P>& x, size_t) { return x; }
};
template <class P>
struct Shape<ifma::Lanes2<P>> {
  static constexpr size_t coordinates = 2;
  static ifma::Lanes<P>& coordinate(ifma::Lanes2<P>& x, size_t i) { return i == 0 ? x.c0 : x.c1; }
};

// Eight operands, lane by lane. False at the end of the input.
template <class L>
bool read(L& x, uint64_t magnitude) {
  using S = Shape<L>;
  constexpr size_t limbs = ifma::Constants<typename L::Params>::limbs;
  alignas(64) uint64_t values[S::coordinates][limbs][ifma::lanes];
  for (size_t lane = 0; lane < ifma::lanes; ++lane) {
    for (auto& coordinate : values) {
      for (auto& limb : coordinate) {
        if (std::fread(&limb[lane], sizeof limb[lane], 1, stdin) != 1) return false;
      }
    }
  }
  for (size_t c = 0; c < S::coordinates; ++c) {
    for (size_t i = 0; i < limbs; ++i) S::coordinate(x, c).limb[i] = _mm512_load_si512(values[c][i]);
  }
  x.bound(magnitude);
  return true;
}

// The eight values, below p, a lane a line: the name and one hexadecimal number a coordinate.
template <class L>
void print_canonical(const char* name, const L& x) {
  Word words[L::words];
  x.to_words(words);
  alignas(64) uint64_t rows[ifma::lanes][L::words];
  ifma::store_rows<L::words>(rows, words);
  for (const auto& row : rows) {
    std::fputs(name, stdout);
    for (size_t c = 0; c < Shape<L>::coordinates; ++c) {
      std::putchar(' ');
      for (size_t j = L::Params::limbs; j-- > 0;) {
        std::printf("%016llx", static_cast<unsigned long long>(row[c * L::Params::limbs + j]));
      }
    }
    std::putchar('\n');
  }
}
template <unsigned m, class L>
[[gnu::noinline]] void print(const char* name, const L& x) {
  print_canonical(name, x.template canonical<m>());
}

// What reads no magnitude from its template's arguments is compiled once.
template <class L>
[[gnu::noinline]] L product(const L& x, const L& y) {
  return x * y;
}
template <class L>
[[gnu::noinline]] void two_factors(const L& x, const L& y) {
  print<L::product>("multiply", product(x, y));
  if constexpr (Shape<L>::coordinates == 2) print<L::product>("multiply_by_c0", x * y.c0);
}
template <class L>
[[gnu::noinline]] void one_factor(const L& x) {
  print<L::product>("enter_mont", L::enter_mont(x));
  print<L::product>("enter_canonical", L::enter_canonical(x));
  print<L::product>("leave_mont", L::leave_mont(x));
  print<L::product>("leave_canonical", L::leave_canonical(x));
}
template <class L>
[[gnu::noinline]] L square(const L& x) {
  return x.square();
}
template <class L>
[[gnu::noinline]] L sum_of_products(const L& x, const L& y, const L& z, const L& t) {
  return L::sum_of_products(x, y, z, t);
}

// Every operation that the magnitudes a of x and b of y allow.
template <unsigned a, unsigned b, class L>
void operations(const L& x, const L& y) {
  constexpr uint64_t values = L::C::headroom, factors = L::headroom;
  print<a>("canonical", x);
  if constexpr (a + b <= values) {
    print<a + b>("add", x + y);
    print<a + b>("subtract", L::template subtract<b>(x, y));
    print<a + b>("blend", L::blend(0x55, x, y));
  }
  if constexpr (a + 1 <= values) print<a + 1>("negate", x.template negate<a>());
  if constexpr (a * b <= factors) two_factors(x, y);
  if constexpr (a * a <= factors) print<L::product>("square", square(x));
  if constexpr (2 * a * b <= factors) print<L::product>("sum_of_products", sum_of_products(x, y, y, x));
  if constexpr (a * b + 1 <= factors) print<L::product>("sum_of_two", sum_of_products(x, y, L::one(), L::one()));
  one_factor(x);
  if constexpr (Shape<L>::coordinates == 1 || a * a <= factors) print<L::product>("inverse", ifma::inverse<a>(x));
  if constexpr (Shape<L>::coordinates == 2 && a + 1 <= values) print<a + 1>("conjugate", x.template conjugate<a>());
  const ifma::Mask zeros = x.template is_zero<a>();
  for (size_t lane = 0; lane < ifma::lanes; ++lane) std::printf("is_zero %x\n", zeros >> lane & 1);
}

template <class L, unsigned a, unsigned b>
bool row_of() {
  L x, y;
  if (!read(x, a) || !read(y, b)) return false;
  operations<a, b>(x, y);
  return true;
}

// The magnitudes stand in the same order in test_ifma_field.py.
template <class L>
void calculate() {
  constexpr unsigned headroom = L::headroom;
  constexpr unsigned root = [] {
    unsigned r = 1;
    while ((r + 1) * (r + 1) <= headroom) ++r;
    return r;
  }();
  while (row_of<L, 1, 1>() && row_of<L, 3, 3>() && row_of<L, 3, 5>() && row_of<L, root, root>() &&
         row_of<L, headroom, 1>() && row_of<L, 1, headroom>()) {
  }
}

}  // namespace corners
PROOFGRID_IFMA_END
