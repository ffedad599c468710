// claim_leaf: after its window, a leaf of a committed batch pays its prover out of the request's escrow, once. Anyone may
// send it.
//
//   accounts  [writable] config
//             [writable] prover: the request's
//             [writable] request: the leaf's; its statement, prover and price are the leaf's
//             [] permission: of the request's key, at its canonical address
//             [writable] batch: committed after the assignment and before the request expired
//             [writable] vault
//             [writable] refund_to: the request's
//             [] token program
//   data      claim_leaf_arguments, then the path
#include "../leaf.h"
#include "../payment.h"

static u64 process_claim_leaf(const instruction *ix) {
  TRY(require_shape(ix, CLAIM_LEAF));
  const claim_leaf_arguments *arguments = (const claim_leaf_arguments *)ix->data;
  account *config = ix->accounts[CLAIM_LEAF_CONFIG], *prover = ix->accounts[CLAIM_LEAF_PROVER];
  account *request_at = ix->accounts[CLAIM_LEAF_REQUEST], *batch_at = ix->accounts[CLAIM_LEAF_BATCH];
  const account *permission = ix->accounts[CLAIM_LEAF_PERMISSION];
  request_account *request = (request_account *)request_at->data;
  const batch_account *batch = (const batch_account *)batch_at->data;
  prover_account *pool = (prover_account *)prover->data;
  REQUIRE(request->state == ASSIGNED, ERROR_REQUEST_NOT_ASSIGNED);
  REQUIRE(!request->direct_only, ERROR_DIRECT_ONLY);
  REQUIRE(equal32(request->prover, prover->key), ERROR_NOT_ASSIGNED_PROVER);
  derivation rules = {{{SEED_PERMISSION, sizeof SEED_PERMISSION - 1}, {request->key, 32}}, 2, request->permission_bump};
  TRY(require_address(ix, permission, &rules, ERROR_WRONG_PERMISSION_ADDRESS));
  TRY(require_permitted(ix, permission, DENY_BATCHES));
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(now_s > batch->challenge_until_s, ERROR_CHALLENGE_WINDOW_OPEN);
  REQUIRE(batch->unix_time_s >= request->assigned_s && batch->unix_time_s <= request->expire_s, ERROR_TOO_LATE);
  leaf shown = {request_at->key, request->key,   request->inputs, arguments->proof_digest, request->prover,
                request->price};
  slice path = {ix->data + sizeof *arguments, ix->data_size - sizeof *arguments};
  TRY(require_in_batch(batch, &shown, arguments->leaf, path));
  REQUIRE(leaf_state(batch_at, arguments->leaf) == LEAF_UNPAID, ERROR_LEAF_SETTLED);

  u64 late = batch->unix_time_s > request->pay_until_s;
  set_leaf_state(batch_at, arguments->leaf, LEAF_PAID);
  TRY(settle_request((config_account *)config->data, pool, request,
                     late ? share_of(request->price, request->late_bps) : request->price));
  return send_refund(config, ix->accounts[CLAIM_LEAF_VAULT], request, ix->accounts[CLAIM_LEAF_REFUND_TO]);
}
