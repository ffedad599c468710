// Amounts of tokens and shares: 64 bits, never wrapped.
#pragma once
#include "layout.h"

static u64 add_amount(u64 *total, u64 amount) {
  REQUIRE(amount <= ~*total, ERROR_OVERFLOW);
  *total += amount;
  return 0;
}

static u64 take_amount(u64 *total, u64 amount) {
  REQUIRE(amount <= *total, ERROR_OVERFLOW);
  *total -= amount;
  return 0;
}

// *result = a * b / divisor, rounded down; divisor > 0. At most 1,500 CU.
static u64 multiply_divide(u64 a, u64 b, u64 divisor, u64 *result) {
  const u64 half = 0xffffffffull;
  u64 low = (a & half) * (b & half), cross = (a >> 32) * (b & half) + (low >> 32);
  u64 other = (a & half) * (b >> 32) + (cross & half);
  u64 high = (a >> 32) * (b >> 32) + (cross >> 32) + (other >> 32);
  low = (other << 32) | (low & half);
  REQUIRE(high < divisor, ERROR_OVERFLOW);
  if (high == 0) {
    *result = low / divisor;
    return 0;
  }
  for (u64 i = 0; i < 64; i++) {  // long division, bit by bit; `high` is the remainder and stays below the divisor
    u64 carry = high >> 63;
    high = (high << 1) | (low >> 63);
    low <<= 1;
    if (carry || high >= divisor) {
      high -= divisor;
      low |= 1;
    }
  }
  *result = low;
  return 0;
}

// `bps` / 10,000 of an amount, rounded down; bps <= 10,000.
static u64 share_of(u64 amount, u64 bps) {
  return amount / BASIS_POINTS * bps + amount % BASIS_POINTS * bps / BASIS_POINTS;
}
