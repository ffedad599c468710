// Groth16 over BN254 (Groth, eprint 2016/260): keys and the verifier's equation.
#pragma once
#include "bn254.h"

static u64 key_encoding_size(u64 n_public) { return KEY_FIXED_SIZE + G1_SIZE * (n_public + 1); }

// The number of public inputs of an encoding of this size; MAX_PUBLIC_INPUTS + 1 if no key has that size.
static u64 n_public_of(u64 encoding_size) {
  if (encoding_size < key_encoding_size(0)) return MAX_PUBLIC_INPUTS + 1;
  u64 n = (encoding_size - key_encoding_size(0)) / G1_SIZE;
  return n <= MAX_PUBLIC_INPUTS && key_encoding_size(n) == encoding_size ? n : MAX_PUBLIC_INPUTS + 1;
}

static u64 hash_key(const u8 *encoding, u64 n_public, u8 *digest) {
  static const u8 head[] = KEY_DIGEST_HEAD;
  u8 count[4] = {n_public >> 24, n_public >> 16, n_public >> 8, n_public};
  slice parts[3] = {{head, sizeof head}, {count, sizeof count}, {encoding, key_encoding_size(n_public)}};
  REQUIRE(sol_sha256(parts, 3, digest) == 0, ERROR_SYSCALL_FAILED);
  return 0;
}

// Every point is one of its group, none of alpha, beta, gamma, delta is infinity (that would empty the equation), and gamma
// and delta are neither equal nor opposite (a key without a contribution: A = alpha, B = beta, C = -IC would always pass).
// About 60,000 CU and 400 for each input.
static u64 check_key(const u8 *encoding, u64 n_public) {
  u8 pairs[3 * (G1_SIZE + G2_SIZE)] __attribute__((aligned(8))) = {0};
  u8 sum[2 * G1_SIZE] __attribute__((aligned(8))) = {0}, ignored[G1_SIZE];
  const u8 *g2 = encoding + G1_SIZE, *ic = encoding + KEY_FIXED_SIZE;
  REQUIRE(are_coordinates(encoding, key_encoding_size(n_public)), ERROR_MALFORMED_KEY);
  REQUIRE(!is_zero(encoding, G1_SIZE), ERROR_MALFORMED_KEY);
  for (u64 i = 0; i < 3; i++) {
    REQUIRE(!is_zero(g2 + i * G2_SIZE, G2_SIZE), ERROR_MALFORMED_KEY);
    copy_words(pairs + i * (G1_SIZE + G2_SIZE) + G1_SIZE, g2 + i * G2_SIZE, G2_SIZE);
  }
  REQUIRE(pairing_is_one(pairs, 3) == 1, ERROR_MALFORMED_KEY);
  REQUIRE(!equal32(g2 + G2_SIZE, g2 + 2 * G2_SIZE) || !equal32(g2 + G2_SIZE + 32, g2 + 2 * G2_SIZE + 32),
          ERROR_FORGEABLE_KEY);  // by x alone
  for (u64 i = 0; i <= n_public + 1; i++) {
    copy_words(sum, i > n_public ? encoding : ic + i * G1_SIZE, G1_SIZE);
    REQUIRE(add_g1(sum, ignored) == 0, ERROR_MALFORMED_KEY);
  }
  return 0;
}

// e(-A, B) e(alpha, beta) e(IC, gamma) e(C, delta) = 1 with IC = ic[0] + sum of input[i] ic[i + 1].
//
// `encoding` passed check_key; `proof` is A, B, C as Proof.encode() (A is negated here, so that the bytes are those a
// leaf's digest speaks of); `inputs` are 32 bytes each, big-endian. 78,000 CU and 4,300 for each input after the first.
static u64 verify_proof(const u8 *encoding, u64 n_public, const u8 *proof, const u8 *inputs) {
  u8 pairs[4 * (G1_SIZE + G2_SIZE)] __attribute__((aligned(8)));
  u8 term[G1_SIZE + SCALAR_SIZE] __attribute__((aligned(8))), sum[2 * G1_SIZE] __attribute__((aligned(8)));
  const u8 *ic = encoding + KEY_FIXED_SIZE, *gamma = encoding + G1_SIZE + G2_SIZE;
  u8 *pair = pairs;

  for (u64 i = 0; i < n_public; i++) REQUIRE(is_scalar(inputs + i * SCALAR_SIZE), ERROR_INPUT_OUT_OF_RANGE);
  REQUIRE(are_coordinates(proof, PROOF_SIZE), ERROR_MALFORMED_PROOF);
  REQUIRE(!is_zero(proof, G1_SIZE) && !is_zero(proof + G1_SIZE, G2_SIZE), ERROR_INVALID_PROOF);

  negate_g1(proof, pair);
  copy_words(pair + G1_SIZE, proof + G1_SIZE, G2_SIZE);
  pair += G1_SIZE + G2_SIZE;
  copy_words(pair, encoding, G1_SIZE + G2_SIZE);  // alpha, beta
  pair += G1_SIZE + G2_SIZE;

  copy_words(sum, ic, G1_SIZE);
  for (u64 i = 0; i < n_public; i++) {
    copy_words(term, ic + (i + 1) * G1_SIZE, G1_SIZE);
    copy_words(term + G1_SIZE, inputs + i * SCALAR_SIZE, SCALAR_SIZE);
    REQUIRE(scale_g1(term, sum + G1_SIZE) == 0, ERROR_SYSCALL_FAILED);
    REQUIRE(add_g1(sum, sum) == 0, ERROR_SYSCALL_FAILED);
  }
  copy_words(pair, sum, G1_SIZE);
  copy_words(pair + G1_SIZE, gamma, G2_SIZE);
  pair += G1_SIZE + G2_SIZE;
  copy_words(pair, proof + G1_SIZE + G2_SIZE, G1_SIZE);
  copy_words(pair + G1_SIZE, gamma + G2_SIZE, G2_SIZE);  // delta

  int outcome = pairing_is_one(pairs, 4);
  REQUIRE(outcome >= 0, ERROR_MALFORMED_PROOF);
  REQUIRE(outcome == 1, ERROR_INVALID_PROOF);
  return 0;
}
