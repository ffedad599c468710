// Leaves and their way to a batch's root (RFC 6962, section 2.1): SHA-256, leaves and nodes hashed in separate domains; a
// node without a right neighbour goes up unchanged.
#pragma once
#include "groth16.h"
#include "input.h"

typedef struct {
  const u8 *request, *key, *inputs, *proof, *prover;  // 32 bytes each; key, inputs and proof are digests
  u64 price;
} leaf;

static u64 hash_leaf(const leaf *of, u8 *hash) {
  static const u8 head[] = LEAF_HEAD, domain = 0;
  u64 price = __builtin_bswap64(of->price);
  slice parts[8] = {{&domain, 1},     {head, sizeof head}, {of->request, 32}, {of->key, 32},
                    {of->inputs, 32}, {of->proof, 32},     {of->prover, 32},  {&price, 8}};
  REQUIRE(sol_sha256(parts, 8, hash) == 0, ERROR_SYSCALL_FAILED);
  return 0;
}

static u64 digest_inputs(const u8 *inputs, u64 n, u8 *digest) {
  static const u8 head[] = INPUTS_DIGEST_HEAD;
  u8 count[4] = {n >> 24, n >> 16, n >> 8, n};
  slice parts[3] = {{head, sizeof head}, {count, sizeof count}, {inputs, n * SCALAR_SIZE}};
  REQUIRE(sol_sha256(parts, 3, digest) == 0, ERROR_SYSCALL_FAILED);
  return 0;
}

static u64 digest_proof(const u8 *proof, u8 *digest) {
  static const u8 head[] = PROOF_DIGEST_HEAD;
  slice parts[2] = {{head, sizeof head}, {proof, PROOF_SIZE}};
  REQUIRE(sol_sha256(parts, 2, digest) == 0, ERROR_SYSCALL_FAILED);
  return 0;
}

static u64 hash_node(const u8 *left, const u8 *right, u8 *hash) {
  static const u8 domain = 1;
  slice parts[3] = {{&domain, 1}, {left, 32}, {right, 32}};
  REQUIRE(sol_sha256(parts, 3, hash) == 0, ERROR_SYSCALL_FAILED);
  return 0;
}

// The leaf is number `index` of the batch; `path` holds the siblings, the lowest first, and nothing else.
static u64 require_in_batch(const batch_account *batch, const leaf *shown, u64 index, slice path) {
  u8 node[32] __attribute__((aligned(8)));
  const u8 *sibling = path.bytes, *end = sibling + path.size;
  REQUIRE(index < batch->leaf_count, ERROR_NO_SUCH_LEAF);
  TRY(hash_leaf(shown, node));
  for (u64 last = batch->leaf_count - 1; last > 0; last /= 2, index /= 2) {
    if (!(index & 1) && index == last) continue;
    REQUIRE(end - sibling >= 32, ERROR_WRONG_PATH);
    TRY(index & 1 ? hash_node(sibling, node, node) : hash_node(node, sibling, node));
    sibling += 32;
  }
  REQUIRE(sibling == end && equal32(node, batch->root), ERROR_WRONG_PATH);
  return 0;
}

// Two bits for each leaf, behind the batch's record. index < leaf_count.
static u64 leaf_state(const account *batch, u64 index) {
  return batch->data[sizeof(batch_account) + index / 4] >> (index % 4 * 2) & 3;
}

static void set_leaf_state(account *batch, u64 index, u64 state) {
  u8 *four = batch->data + sizeof(batch_account) + index / 4;
  *four = (u8)((*four & ~(3 << (index % 4 * 2))) | state << (index % 4 * 2));
}

// A leaf that is shown with its proof and its inputs: the data opens with challenge_leaf_arguments or answer_leaf_arguments,
// which are one layout; `tail` holds the inputs and the path. *is_true says whether the proof holds under the key. An
// accident of the verifier is neither: it is passed on.
static u64 judge_leaf(const instruction *ix, const slice *tail, const account *key_at, const account *batch, int *is_true) {
  const challenge_leaf_arguments *shown = (const challenge_leaf_arguments *)ix->data;
  const key_account *key = (const key_account *)key_at->data;
  const u8 *inputs = tail->bytes;
  u64 inputs_size = (u64)shown->n_inputs * SCALAR_SIZE;
  u8 inputs_digest[32] __attribute__((aligned(8))), proof_digest[32] __attribute__((aligned(8)));
  REQUIRE(tail->size >= inputs_size, ERROR_WRONG_INPUT_COUNT);
  TRY(digest_inputs(inputs, shown->n_inputs, inputs_digest));
  TRY(digest_proof(shown->proof, proof_digest));
  leaf as_committed = {shown->request, key->digest, inputs_digest, proof_digest, shown->prover, shown->price};
  slice path = {inputs + inputs_size, tail->size - inputs_size};
  TRY(require_in_batch((const batch_account *)batch->data, &as_committed, shown->leaf, path));

  *is_true = 0;
  if (shown->n_inputs != key->n_public) return 0;
  u64 refusal = verify_proof(key_at->data + sizeof *key, key->n_public, shown->proof, inputs);
  if (refusal == ERROR_INPUT_OUT_OF_RANGE || refusal == ERROR_MALFORMED_PROOF || refusal == ERROR_INVALID_PROOF) return 0;
  *is_true = refusal == 0;
  return refusal;
}
