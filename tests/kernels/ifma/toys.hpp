// The ifma layer over fields small enough to try every pair, against machine integers.
#pragma once

#include "check.hpp"
#include "proofgrid/ifma/inverse.hpp"
#include "proofgrid/ifma/transpose.hpp"

PROOFGRID_IFMA_BEGIN
namespace toy {

using namespace proofgrid;
using ifma::Word;

// P with so many bits that its elements take two limbs of 52 bits, the upper one empty until a product fills it.
template <class P>
struct TwoLimbs : P {
  static constexpr const char* name = "a toy of two limbs";
  static constexpr unsigned bits = 60;
};

template <class P>
ifma::Lanes<P> lanes_of(const uint64_t (&values)[8], unsigned magnitude) {
  ifma::Lanes<P> x = ifma::Lanes<P>::zero();
  x.limb[0] = _mm512_loadu_si512(values);
  return x.bound(magnitude);
}
template <class P>
void values_of(const ifma::Lanes<P>& x, uint64_t (&values)[8]) {
  Word words[1];
  x.to_words(words);
  _mm512_storeu_si512(values, words[0]);
}

template <class P>
struct Case {
  uint64_t a[8], b[8];

  template <unsigned m, class Integer>
  void check(const char* law, const ifma::Lanes<P>& x, const Integer& integer) const {
    uint64_t result[8];
    values_of(x.template canonical<m>(), result);
    for (size_t i = 0; i < 8; ++i) {
      expect(result[i] == integer(a[i], b[i]) % P::modulus[0], P::name, law, {a[i], b[i], result[i]});
    }
  }
};

// R mod p for R = 2^(52 limbs), and 1 / x by trying.
template <class P>
uint64_t radix() {
  uint64_t r = 1;
  for (size_t i = 0; i < ifma::limb_bits * ifma::Constants<P>::limbs; ++i) r = 2 * r % P::modulus[0];
  return r;
}
template <class P>
uint64_t reciprocal(uint64_t x) {
  uint64_t y = 1;
  while (x * y % P::modulus[0] != 1) ++y;
  return y;
}

// Every pair of numbers below 3 p, which stand for the elements that products are.
template <class P>
void every_pair_of_lanes() {
  using L = ifma::Lanes<P>;
  const uint64_t p = P::modulus[0], count = 9 * p * p, r = radix<P>(), r_inverse = reciprocal<P>(r);
  for (uint64_t first = 0; first < count; first += 8) {
    Case<P> c;
    for (size_t i = 0; i < 8; ++i) {
      const uint64_t pair = (first + i) % count;
      c.a[i] = pair % (3 * p), c.b[i] = pair / (3 * p);
    }
    const L x = lanes_of<P>(c.a, 3), y = lanes_of<P>(c.b, 3);
    c.template check<3>("canonical", x, [](uint64_t a, uint64_t) { return a; });
    c.template check<6>("a + b", x + y, [](uint64_t a, uint64_t b) { return a + b; });
    c.template check<6>("a - b", L::template subtract<3>(x, y), [&](uint64_t a, uint64_t b) { return a + 3 * p - b; });
    c.template check<3>("a b", x * y, [&](uint64_t a, uint64_t b) { return a * b % p * r_inverse; });
    c.template check<3>("a b + a a", L::sum_of_products(x, y, x, x),
                        [&](uint64_t a, uint64_t b) { return a * (a + b) % p * r_inverse; });
  }
}

// One element in every lane by itself among other values, zeros among them.
template <class P>
void every_lane() {
  using L = ifma::Lanes<P>;
  const uint64_t p = P::modulus[0], r = radix<P>(), r_inverse = reciprocal<P>(r);
  for (uint64_t value = 0; value < 3 * p; ++value) {
    Case<P> c;
    for (size_t i = 0; i < 8; ++i) c.a[i] = value * (2 * i + 1) % (3 * p), c.b[i] = i % 3 == 0 ? 0 : i;
    const L x = lanes_of<P>(c.a, 3), y = lanes_of<P>(c.b, 3);
    c.template check<4>("-a", x.template negate<3>(), [&](uint64_t a, uint64_t) { return 3 * p - a; });
    c.template check<3>("a^2", x.square(), [&](uint64_t a, uint64_t) { return a * a % p * r_inverse; });
    const auto invert = [&](uint64_t a) { return a % p == 0 ? 0 : r * r % p * reciprocal<P>(a % p); };
    c.template check<3>("1/a", ifma::inverse(x), [&](uint64_t a, uint64_t) { return invert(a); });
    c.template check<3>("1/b", ifma::inverse(y), [&](uint64_t, uint64_t b) { return invert(b); });
    for (size_t i = 0; i < 8; ++i) {
      expect((x.template is_zero<3>() >> i & 1) == (c.a[i] % p == 0), P::name, "a = 0", {c.a[i]});
    }
  }
}

// Every pair of elements of Fp2, coordinates lifted by multiples of p in turn.
template <class P>
void every_pair_of_lanes2() {
  using L2 = ifma::Lanes2<P>;
  const uint64_t p = P::modulus[0], count = p * p * p * p, r_inverse = reciprocal<P>(radix<P>());
  for (uint64_t first = 0; first < count; first += 8) {
    uint64_t part[4][8];
    for (size_t i = 0; i < 8; ++i) {
      uint64_t rest = (first + i) % count;
      for (size_t k = 0; k < 4; ++k, rest /= p) part[k][i] = rest % p + p * ((first / 8 + i + k) % 3);
    }
    const L2 x{lanes_of<P>(part[0], 3), lanes_of<P>(part[1], 3)}, y{lanes_of<P>(part[2], 3), lanes_of<P>(part[3], 3)};
    const L2 results[] = {x * y, x.square(), L2::sum_of_products(x, y, y, y)};
    for (size_t k = 0; k < 3; ++k) {
      uint64_t c0[8], c1[8];
      values_of(results[k].c0.template canonical<3>(), c0);
      values_of(results[k].c1.template canonical<3>(), c1);
      for (size_t i = 0; i < 8; ++i) {
        const uint64_t a = part[0][i], b = part[1][i], c = part[2][i], d = part[3][i];
        const auto real = [&](uint64_t s, uint64_t t, uint64_t u, uint64_t v) { return s * u + 9 * p * p - t * v; };
        const auto imaginary = [](uint64_t s, uint64_t t, uint64_t u, uint64_t v) { return s * v + t * u; };
        uint64_t e0 = k == 1 ? real(a, b, a, b) : real(a, b, c, d);
        uint64_t e1 = k == 1 ? imaginary(a, b, a, b) : imaginary(a, b, c, d);
        if (k == 2) e0 += real(c, d, c, d), e1 += imaginary(c, d, c, d);
        expect(c0[i] == e0 % p * r_inverse % p && c1[i] == e1 % p * r_inverse % p, P::name,
               k == 0 ? "x y" : k == 1 ? "x^2" : "x y + y y", {a, b, c, d});
      }
    }
  }
}

// Rows of `count` words at every alignment, there and back.
template <size_t count>
void rows_and_words() {
  for (size_t offset = 0; offset < 8; ++offset) {
    uint64_t source[8 * count + 1], target[8 * count + 3];
    for (size_t i = 0; i <= 8 * count; ++i) source[i] = 0x0101010101010101 * (i + 1);
    std::memset(target, 0xee, sizeof target);
    Word words[count];
    ifma::load_rows<count>(words, reinterpret_cast<const char*>(source) + offset);
    for (size_t j = 0; j < count; ++j) {
      uint64_t lane[8];
      _mm512_storeu_si512(lane, words[j]);
      for (size_t i = 0; i < 8; ++i) {
        uint64_t expected;
        std::memcpy(&expected, reinterpret_cast<const char*>(source) + offset + 8 * (i * count + j), 8);
        expect(lane[i] == expected, "load_rows", "word j of row i in lane i", {count, offset, i, j});
      }
    }
    char* const inside = reinterpret_cast<char*>(target + 1) + offset;
    ifma::store_rows<count>(inside, words);
    expect(std::memcmp(inside, reinterpret_cast<const char*>(source) + offset, 64 * count) == 0, "store_rows",
           "store_rows(load_rows(x)) = x", {count, offset});
    uint64_t around[2];
    std::memcpy(around, inside - 8, 8), std::memcpy(around + 1, inside + 64 * count, 8);
    expect(around[0] == 0xeeeeeeeeeeeeeeee && around[1] == around[0], "store_rows", "nothing beside the rows", {count});
  }
}

inline void transposes() {
  Word matrix[8];
  for (uint64_t i = 0; i < 8; ++i) {
    uint64_t row[8];
    for (uint64_t j = 0; j < 8; ++j) row[j] = 8 * i + j;
    matrix[i] = _mm512_loadu_si512(row);
  }
  ifma::transpose_8x8(matrix);
  for (uint64_t i = 0; i < 8; ++i) {
    uint64_t row[8];
    _mm512_storeu_si512(row, matrix[i]);
    for (uint64_t j = 0; j < 8; ++j) expect(row[j] == 8 * j + i, "transpose_8x8", "rows and columns", {i, j});
  }
}

}  // namespace toy
PROOFGRID_IFMA_END
