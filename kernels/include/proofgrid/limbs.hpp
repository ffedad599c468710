// Multi-word integers as little-endian arrays of 64-bit limbs. The lengths are compile-time constants: loops unroll.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "proofgrid/layer.hpp"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace proofgrid::inline PROOFGRID_LAYER::limbs {

using std::size_t;
using std::uint64_t;
__extension__ typedef unsigned __int128 uint128_t;

// a + b + carry; carry is 0 or 1 before and after. (g++ finds adc and sbb on x86-64 only through the intrinsics.)
constexpr uint64_t add_carry(uint64_t a, uint64_t b, uint64_t& carry) {
#if defined(__x86_64__)
  if (!std::is_constant_evaluated()) {
    unsigned long long r;
    carry = _addcarry_u64(static_cast<unsigned char>(carry), a, b, &r);
    return r;
  }
#endif
  const uint128_t sum = static_cast<uint128_t>(a) + b + carry;
  carry = static_cast<uint64_t>(sum >> 64);
  return static_cast<uint64_t>(sum);
}

// a - b - borrow; borrow is 0 or 1 before and after.
constexpr uint64_t sub_borrow(uint64_t a, uint64_t b, uint64_t& borrow) {
#if defined(__x86_64__)
  if (!std::is_constant_evaluated()) {
    unsigned long long r;
    borrow = _subborrow_u64(static_cast<unsigned char>(borrow), a, b, &r);
    return r;
  }
#endif
  const uint128_t difference = static_cast<uint128_t>(a) - b - borrow;
  borrow = static_cast<uint64_t>(difference >> 64) & 1;
  return static_cast<uint64_t>(difference);
}

// a * b + c + carry, which never overflows 128 bits; the high word becomes the new carry.
constexpr uint64_t mul_add(uint64_t a, uint64_t b, uint64_t c, uint64_t& carry) {
  const uint128_t sum = static_cast<uint128_t>(a) * b + c + carry;
  carry = static_cast<uint64_t>(sum >> 64);
  return static_cast<uint64_t>(sum);
}

// r = a + b, returns the carry.
template <size_t N>
constexpr uint64_t add(uint64_t* r, const uint64_t* a, const uint64_t* b) {
  uint64_t carry = 0;
#pragma GCC unroll 8
  for (size_t i = 0; i < N; ++i) r[i] = add_carry(a[i], b[i], carry);
  return carry;
}

// r = a - b, returns the borrow.
template <size_t N>
constexpr uint64_t sub(uint64_t* r, const uint64_t* a, const uint64_t* b) {
  uint64_t borrow = 0;
#pragma GCC unroll 8
  for (size_t i = 0; i < N; ++i) r[i] = sub_borrow(a[i], b[i], borrow);
  return borrow;
}

template <size_t N>
constexpr bool less(const uint64_t* a, const uint64_t* b) {
  uint64_t borrow = 0;
#pragma GCC unroll 8
  for (size_t i = 0; i < N; ++i) sub_borrow(a[i], b[i], borrow);
  return borrow != 0;
}

template <size_t N>
constexpr bool equal(const uint64_t* a, const uint64_t* b) {
  uint64_t difference = 0;
#pragma GCC unroll 8
  for (size_t i = 0; i < N; ++i) difference |= a[i] ^ b[i];
  return difference == 0;
}

template <size_t N>
constexpr bool is_zero(const uint64_t* a) {
  uint64_t any = 0;
#pragma GCC unroll 8
  for (size_t i = 0; i < N; ++i) any |= a[i];
  return any == 0;
}

}  // namespace proofgrid::limbs
