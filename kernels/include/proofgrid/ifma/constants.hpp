// A field's constants in radix 2^52, computed by the compiler from params.hpp. R = 2^(52 * limbs).
#pragma once

#include <cstddef>
#include <cstdint>

#include "proofgrid/layer.hpp"

namespace proofgrid::inline PROOFGRID_LAYER::ifma {

using std::size_t;
using std::uint64_t;

inline constexpr unsigned limb_bits = 52;
inline constexpr uint64_t limb_mask = (uint64_t{1} << limb_bits) - 1;

// The bits of a number given as `words` 64-bit words, from bit `low` on; 52 of them.
template <size_t words>
constexpr uint64_t limb_at(const uint64_t (&x)[words], size_t low) {
  const size_t word = low / 64, shift = low % 64;
  if (word >= words) return 0;
  uint64_t bits = x[word] >> shift;
  if (shift > 64 - limb_bits && word + 1 < words) bits |= x[word + 1] << (64 - shift);
  return bits & limb_mask;
}

template <class P>
struct Constants {
  // At least five spare bits: sums and differences of a few elements need no reduction.
  static constexpr size_t limbs = (P::bits + 5 + limb_bits - 1) / limb_bits;
  struct Number {
    uint64_t limb[limbs];
  };

  static constexpr Number from_words(const uint64_t (&words)[P::limbs]) {
    Number r{};
    for (size_t i = 0; i < limbs; ++i) r.limb[i] = limb_at(words, limb_bits * i);
    return r;
  }
  static constexpr Number modulus = from_words(P::modulus);
  static constexpr uint64_t minus_inverse = P::minus_inverse & limb_mask;  // -1/p mod 2^52

  // factor * p + add, shifted right by `shift` limbs; the result fits.
  static constexpr Number multiple(uint64_t factor, uint64_t add = 0, size_t shift = 0) {
    uint64_t full[limbs + 1] = {};
    __extension__ unsigned __int128 carry = add;
    for (size_t i = 0; i < limbs; ++i) {
      carry += static_cast<unsigned __int128>(factor) * modulus.limb[i];
      full[i] = static_cast<uint64_t>(carry) & limb_mask;
      carry >>= limb_bits;
    }
    full[limbs] = static_cast<uint64_t>(carry);
    Number r{};
    for (size_t i = 0; i < limbs; ++i) r.limb[i] = i + shift <= limbs ? full[i + shift] : 0;
    return r;
  }

  // factor * p^2 as columns of 52 bits.
  struct Columns {
    uint64_t column[2 * limbs];
  };
  static constexpr Columns square_multiple(uint64_t factor) {
    Columns r{};
    const Number a = multiple(factor);
    for (size_t i = 0; i < limbs; ++i) {
      __extension__ unsigned __int128 carry = 0;
      for (size_t j = 0; j < limbs; ++j) {
        carry += static_cast<unsigned __int128>(a.limb[i]) * modulus.limb[j] + r.column[i + j];
        r.column[i + j] = static_cast<uint64_t>(carry) & limb_mask;
        carry >>= limb_bits;
      }
      r.column[i + limbs] = static_cast<uint64_t>(carry);
    }
    return r;
  }

  // With k = -1/p mod 2^52: (k p + 1) / 2^52. A value with low limb t loses it when t times this number is added one limb
  // higher, for t + t k p = t (k p + 1) - ... vanishes below 2^52 (Orup, ARITH 1995: quotients without a multiplication).
  static constexpr Number fold = multiple(minus_inverse, 1, 1);

  // The largest m such that m p < 2^(52 limbs), at most 2^16 - 1.
  static constexpr uint64_t headroom = [] {
    uint64_t m = 0;
    for (uint64_t bit = uint64_t{1} << 15; bit != 0; bit >>= 1) {
      __extension__ unsigned __int128 carry = 0;
      for (size_t i = 0; i < limbs; ++i) {
        carry += static_cast<unsigned __int128>(m | bit) * modulus.limb[i];
        carry >>= limb_bits;
      }
      if (carry == 0) m |= bit;
    }
    return m;
  }();

  // 2^exponent mod p.
  static constexpr Number power_of_two(unsigned exponent) {
    Number r{};
    r.limb[0] = 1;
    reduce(r);
    for (unsigned i = 0; i < exponent; ++i) {
      uint64_t carry = 0;
      for (size_t j = 0; j < limbs; ++j) {
        const uint64_t doubled = 2 * r.limb[j] + carry;
        r.limb[j] = doubled & limb_mask;
        carry = doubled >> limb_bits;
      }
      reduce(r);
    }
    return r;
  }

  // The value of Montgomery words (params.hpp, R = 2^64^words) in this form, R = 2^(52 limbs).
  static constexpr Number from_mont(const uint64_t (&words)[P::limbs]) {
    Number r = from_words(words);
    for (unsigned i = 64 * P::limbs; i < limb_bits * limbs; ++i) {
      uint64_t carry = 0;
      for (size_t j = 0; j < limbs; ++j) {
        const uint64_t doubled = 2 * r.limb[j] + carry;
        r.limb[j] = doubled & limb_mask;
        carry = doubled >> limb_bits;
      }
      reduce(r);
    }
    return r;
  }

 private:
  // One conditional subtraction.
  static constexpr void reduce(Number& x) {
    Number d{};
    uint64_t borrow = 0;
    for (size_t i = 0; i < limbs; ++i) {
      const uint64_t t = x.limb[i] - modulus.limb[i] - borrow;
      d.limb[i] = t & limb_mask;
      borrow = t >> 63;
    }
    if (!borrow) x = d;
  }
};

}  // namespace proofgrid
