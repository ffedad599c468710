// fulfil_request: a proof of the request's statement, verified here; its prover is paid, what is left goes back. Anyone may
// send it. After a demand the prover is paid in full, for the requester chose this way and posted a bond for it.
//
//   accounts  [writable] config
//             [writable] prover: the one assigned
//             [writable] request
//             [] key: the request's
//             [writable] vault
//             [writable] refund_to: the request's
//             [] token program
//             [] upload, if the data ends with the arguments: it holds the inputs
//   data      fulfil_request_arguments, then n_public inputs of 32 bytes, big-endian
#include "../leaf.h"
#include "../payment.h"
#include "../upload.h"

static u64 require_statement(const request_account *request, const key_account *key, const u8 *inputs) {
  u8 digest[32] __attribute__((aligned(8)));
  TRY(digest_inputs(inputs, key->n_public, digest));
  REQUIRE(equal32(request->key, key->digest) && equal32(request->inputs, digest), ERROR_WRONG_STATEMENT);
  return 0;
}

// What the prover gets now: the price, its late part, or the price and the bond of a demand.
static u64 payment_due(const request_account *request, u64 *pay) {
  i64 now_s;
  TRY(unix_time(&now_s));
  if (request->state == DEMANDED) {
    REQUIRE(now_s <= request->answer_until_s, ERROR_TOO_LATE);
    *pay = request->price;
    return 0;
  }
  REQUIRE(request->state == ASSIGNED, ERROR_REQUEST_NOT_ASSIGNED);
  REQUIRE(now_s <= request->expire_s, ERROR_TOO_LATE);
  *pay = now_s <= request->pay_until_s ? request->price : share_of(request->price, request->late_bps);
  return 0;
}

static u64 process_fulfil_request(const instruction *ix) {
  TRY(require_shape(ix, FULFIL_REQUEST));
  const fulfil_request_arguments *arguments = (const fulfil_request_arguments *)ix->data;
  account *config = ix->accounts[FULFIL_REQUEST_CONFIG], *prover = ix->accounts[FULFIL_REQUEST_PROVER];
  const account *key_at = ix->accounts[FULFIL_REQUEST_KEY];
  const key_account *key = (const key_account *)key_at->data;
  request_account *request = (request_account *)ix->accounts[FULFIL_REQUEST_REQUEST]->data;
  prover_account *pool = (prover_account *)prover->data;
  slice inputs;
  u64 pay;
  TRY(payment_due(request, &pay));
  REQUIRE(equal32(request->prover, prover->key), ERROR_NOT_ASSIGNED_PROVER);
  TRY(read_tail(ix, sizeof *arguments, FULFIL_REQUEST_UPLOAD, &inputs));
  REQUIRE(inputs.size == (u64)key->n_public * SCALAR_SIZE, ERROR_WRONG_INPUT_COUNT);
  TRY(require_statement(request, key, inputs.bytes));
  TRY(verify_proof(key_at->data + sizeof *key, key->n_public, arguments->proof, inputs.bytes));

  TRY(settle_request((config_account *)config->data, pool, request, pay));
  return send_refund(config, ix->accounts[FULFIL_REQUEST_VAULT], request, ix->accounts[FULFIL_REQUEST_REFUND_TO]);
}
