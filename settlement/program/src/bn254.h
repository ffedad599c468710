// Big-endian field elements and the alt_bn128 syscalls.
//
// The syscalls check that points are on their curve and G2 points in the subgroup. They do not check scalars against r, and
// they take the two top bits of a point's last coordinate (y, or y.c1) for flags: bit 255 is ignored, bit 254 makes any bytes
// the point at infinity. So every point from outside passes are_coordinates first, and every scalar is_scalar.
#pragma once
#include "layout.h"
#include "memory.h"
#include "syscalls.h"

static const u64 R_WORDS[4] = BN254_R_WORDS;
static const u64 Q_WORDS[4] = BN254_Q_WORDS;

static inline u64 load_be(const u8 *bytes) { return __builtin_bswap64(*(const word *)bytes); }

// Big-endian 32 bytes < bound.
static int is_below(const u8 *bytes, const u64 *bound) {
  for (u64 i = 0; i < 4; i++) {
    u64 limb = load_be(bytes + 8 * i);
    if (limb != bound[i]) return limb < bound[i];
  }
  return 0;
}

static int is_scalar(const u8 *bytes) { return is_below(bytes, R_WORDS); }

// Every 32 bytes of these are below q.
static int are_coordinates(const u8 *points, u64 size) {
  for (u64 at = 0; at < size; at += 32) {
    if (!is_below(points + at, Q_WORDS)) return 0;
  }
  return 1;
}

// (x, y) -> (x, -y) for y < q; infinity stays infinity.
static void negate_g1(const u8 *point, u8 *result) {
  copy_words(result, point, G1_SIZE);
  if (is_zero(point + 32, 32)) return;
  u64 borrow = 0;
  for (u64 i = 4; i-- > 0;) {
    u64 y = load_be(point + 32 + 8 * i), difference = Q_WORDS[i] - y;
    u64 next = (Q_WORDS[i] < y) | (difference < borrow);
    ((word *)result)[4 + i] = __builtin_bswap64(difference - borrow);
    borrow = next;
  }
}

// The product of `count` pairings is one: 1; it is not: 0; not points of the groups: -1.
static int pairing_is_one(const u8 *pairs, u64 count) {
  u8 result[32] __attribute__((aligned(8)));
  if (sol_alt_bn128_group_op(BN128_PAIRING, pairs, count * (G1_SIZE + G2_SIZE), result) != 0) return -1;
  return is_zero(result, 24) && load_be(result + 24) == 1;
}

static u64 add_g1(const u8 *two_points, u8 *sum) {
  return sol_alt_bn128_group_op(BN128_ADD, two_points, 2 * G1_SIZE, sum);
}

static u64 scale_g1(const u8 *point_and_scalar, u8 *product) {
  return sol_alt_bn128_group_op(BN128_MUL, point_and_scalar, G1_SIZE + SCALAR_SIZE, product);
}
