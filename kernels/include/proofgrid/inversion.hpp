// 1 / x mod p for an odd modulus p, by division steps (Bernstein, Yang, eprint 2019/266), variable time.
//
// From f = p, g = x, delta = 1/2 a division step halves g exactly:
//
//   delta > 0 and g odd   (delta, f, g) -> (1 - delta, g, (g - f) / 2)
//   otherwise             (delta, f, g) -> (1 + delta, f, (g + (g mod 2) f) / 2)
//
// and gcd(f, g) stays, so that g ends at 0 and f at +-1. Which steps are taken depends on the low bits of f and g
// alone: 62 steps are chosen on one word each and come out as a matrix m / 2^62, which is then applied to the long
// integers. It is applied modulo p to the cofactors d, e as well, where d x = scale * f and e x = scale * g (mod p)
// hold throughout; so scale / x = +-d at the end.
//
// Long integers are signed, in words of 62 bits of which the top one carries the sign:
//
//   f, g   -p <= f, g <= p   |m|'s rows sum to at most 2^62
//   d, e   -2p < d, e < p
//
// Cost: about 2.2 batches for each 64 bits of the modulus. Measured on one machine: 65 mul at 4 limbs, 52 at 6.
#pragma once

#include <bit>

#include "proofgrid/limbs.hpp"

namespace proofgrid::inline PROOFGRID_LAYER::inversion {

using std::int64_t;
using std::size_t;
using std::uint64_t;
__extension__ typedef __int128 int128_t;

inline constexpr unsigned batch = 62;  // steps at once, and bits of a word
inline constexpr uint64_t word_mask = (uint64_t{1} << batch) - 1;

// Words for a modulus of `limbs` 64-bit words and two bits more.
constexpr size_t word_count(size_t limbs) { return (64 * limbs + 2 + batch - 1) / batch; }

// A 64-bit word's worth of a little-endian integer from bit `offset` on, cut to 62 bits.
template <size_t limbs>
constexpr uint64_t word_at(const uint64_t* integer, size_t offset) {
  const size_t limb = offset / 64, shift = offset % 64;
  if (limb >= limbs) return 0;
  uint64_t word = integer[limb] >> shift;
  if (shift > 64 - batch && limb + 1 < limbs) word |= integer[limb + 1] << (64 - shift);
  return word & word_mask;
}

template <size_t limbs>
struct Signed {
  static constexpr size_t words = word_count(limbs);
  int64_t word[words];

  static constexpr Signed from(const uint64_t* integer) {
    Signed x{};
    for (size_t i = 0; i < words; ++i) x.word[i] = static_cast<int64_t>(word_at<limbs>(integer, i * batch));
    return x;
  }
  // For 0 <= this < 2^(64 limbs) with words of 0 to 62 bits.
  void store(uint64_t* integer) const {
    for (size_t i = 0; i < limbs; ++i) {
      const size_t first = 64 * i / batch, shift = 64 * i % batch;
      static_assert(64 * limbs / batch * 2 < batch, "two words meet in a limb");
      const uint64_t low = static_cast<uint64_t>(word[first]), high = static_cast<uint64_t>(word[first + 1]);
      integer[i] = low >> shift | high << (batch - shift);
    }
  }
  bool is_zero() const {
    int64_t any = 0;
    for (size_t i = 0; i < words; ++i) any |= word[i];
    return any == 0;
  }
  bool is_negative() const { return word[words - 1] < 0; }
};

// What 62 steps do, times 2^62: f' = (u f + v g) / 2^62, g' = (q f + r g) / 2^62.
struct Matrix {
  int64_t u, v, q, r;
};

// 62 steps on the low words of f (odd) and g; theta = delta - 1/2. Runs of steps that swap nothing are taken together:
// with delta = 1/2 + theta < 0, -theta steps go by before delta is positive again, and they add to g the multiple of f
// that clears as many low bits.
inline Matrix choose_steps(int64_t& theta, uint64_t f, uint64_t g) {
  uint64_t u = 1, v = 0, q = 0, r = 1;
  unsigned left = batch;
  for (;;) {
    const unsigned zeros = static_cast<unsigned>(std::countr_zero(g | (~uint64_t{0} << left)));
    g >>= zeros, u <<= zeros, v <<= zeros;
    theta += zeros, left -= zeros;
    if (left == 0) break;
    if (theta >= 0) {  // delta > 0 and g odd
      theta = -theta - 1;
      const uint64_t old_f = f, old_u = u, old_v = v;
      f = g, u = q, v = r;
      g = -old_f, q = -old_u, r = -old_v;
    }
    const unsigned bits = -theta < static_cast<int64_t>(left) ? static_cast<unsigned>(-theta) : left;
    const uint64_t mask = ~uint64_t{0} >> (64 - bits) & 63;  // f (2 - f^2) = 1 / f mod 64
    const uint64_t multiple = g * f * (f * f - 2) & mask;
    g += f * multiple, q += u * multiple, r += v * multiple;
  }
  return {static_cast<int64_t>(u), static_cast<int64_t>(v), static_cast<int64_t>(q), static_cast<int64_t>(r)};
}

// (f, g) <- m (f, g) / 2^62, which is exact.
template <size_t limbs>
PROOFGRID_INLINE void apply(const Matrix& m, Signed<limbs>& f, Signed<limbs>& g) {
  constexpr size_t words = Signed<limbs>::words;
  int128_t to_f = static_cast<int128_t>(m.u) * f.word[0] + static_cast<int128_t>(m.v) * g.word[0];
  int128_t to_g = static_cast<int128_t>(m.q) * f.word[0] + static_cast<int128_t>(m.r) * g.word[0];
  to_f >>= batch, to_g >>= batch;
#pragma GCC unroll 8
  for (size_t i = 1; i < words; ++i) {
    to_f += static_cast<int128_t>(m.u) * f.word[i] + static_cast<int128_t>(m.v) * g.word[i];
    to_g += static_cast<int128_t>(m.q) * f.word[i] + static_cast<int128_t>(m.r) * g.word[i];
    f.word[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(to_f) & word_mask);
    g.word[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(to_g) & word_mask);
    to_f >>= batch, to_g >>= batch;
  }
  f.word[words - 1] = static_cast<int64_t>(to_f);
  g.word[words - 1] = static_cast<int64_t>(to_g);
}

// (d, e) <- m (d, e) / 2^62 modulo p: the multiple of p that makes the division exact is added first. A negative d or e
// counts as d + p or e + p, which keeps -2p < d, e < p.
template <class P>
PROOFGRID_INLINE void apply_modulo(const Matrix& m, Signed<P::limbs>& d, Signed<P::limbs>& e) {
  constexpr size_t words = Signed<P::limbs>::words;
  static constexpr Signed<P::limbs> modulus = Signed<P::limbs>::from(P::modulus);
  constexpr uint64_t inverse = -P::minus_inverse;  // 1 / p mod 2^64
  const int64_t d_sign = d.word[words - 1] >> 63, e_sign = e.word[words - 1] >> 63;
  int64_t p_to_d = (m.u & d_sign) + (m.v & e_sign), p_to_e = (m.q & d_sign) + (m.r & e_sign);
  int128_t to_d = static_cast<int128_t>(m.u) * d.word[0] + static_cast<int128_t>(m.v) * e.word[0];
  int128_t to_e = static_cast<int128_t>(m.q) * d.word[0] + static_cast<int128_t>(m.r) * e.word[0];
  const auto excess = [](int128_t low, int64_t p_to_it) {
    return static_cast<int64_t>((inverse * static_cast<uint64_t>(low) + static_cast<uint64_t>(p_to_it)) & word_mask);
  };
  p_to_d -= excess(to_d, p_to_d), p_to_e -= excess(to_e, p_to_e);
  to_d += static_cast<int128_t>(modulus.word[0]) * p_to_d, to_e += static_cast<int128_t>(modulus.word[0]) * p_to_e;
  to_d >>= batch, to_e >>= batch;
#pragma GCC unroll 8
  for (size_t i = 1; i < words; ++i) {
    to_d += static_cast<int128_t>(m.u) * d.word[i] + static_cast<int128_t>(m.v) * e.word[i] +
            static_cast<int128_t>(modulus.word[i]) * p_to_d;
    to_e += static_cast<int128_t>(m.q) * d.word[i] + static_cast<int128_t>(m.r) * e.word[i] +
            static_cast<int128_t>(modulus.word[i]) * p_to_e;
    d.word[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(to_d) & word_mask);
    e.word[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(to_e) & word_mask);
    to_d >>= batch, to_e >>= batch;
  }
  d.word[words - 1] = static_cast<int64_t>(to_d);
  e.word[words - 1] = static_cast<int64_t>(to_e);
}

// x <- sign * x + multiple of p in [0, p) for -2p < x < p.
template <class P>
void normalise(Signed<P::limbs>& x, bool negate) {
  constexpr size_t words = Signed<P::limbs>::words;
  static constexpr Signed<P::limbs> modulus = Signed<P::limbs>::from(P::modulus);
  const auto change = [&x](int64_t sign, int64_t p_times) {
    int64_t carry = 0;
    for (size_t i = 0; i < words; ++i) {
      carry += sign * x.word[i] + p_times * modulus.word[i];
      x.word[i] = i + 1 < words ? static_cast<int64_t>(static_cast<uint64_t>(carry) & word_mask) : carry;
      carry >>= batch;
    }
  };
  if (x.is_negative()) change(1, 1);  // above -p
  if (negate) change(-1, 0);
  if (x.is_negative()) change(1, 1);
}

// r = scale / x mod p for 0 <= x, scale < p; 0 for x = 0. r may be x or scale.
template <class P>
[[gnu::noinline]] void invert(uint64_t* r, const uint64_t* x, const uint64_t* scale) {
  using Integer = Signed<P::limbs>;
  Integer f = Integer::from(P::modulus), g = Integer::from(x);
  Integer d{}, e = Integer::from(scale);
  for (int64_t theta = 0; !g.is_zero();) {
    const Matrix m = choose_steps(theta, static_cast<uint64_t>(f.word[0]), static_cast<uint64_t>(g.word[0]));
    apply(m, f, g);
    apply_modulo<P>(m, d, e);
  }
  normalise<P>(d, f.is_negative());
  d.store(r);
}

}  // namespace proofgrid::inversion
