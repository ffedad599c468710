// slash_missed: a prover that neither fulfilled nor claimed in time, or did not answer a demand, loses its bond; the
// requester gets the escrow, the demand's bond, and what of the prover's bond is not burned. Anyone may send it.
//
//   accounts  [writable] config
//             [writable] prover: the one assigned
//             [writable] request
//             [writable] vault
//             [writable] refund_to: the request's
//             [] token program
//   data      slash_missed_arguments
#include "../payment.h"

static u64 process_slash_missed(const instruction *ix) {
  TRY(require_shape(ix, SLASH_MISSED));
  account *config = ix->accounts[SLASH_MISSED_CONFIG], *prover = ix->accounts[SLASH_MISSED_PROVER];
  request_account *request = (request_account *)ix->accounts[SLASH_MISSED_REQUEST]->data;
  prover_account *pool = (prover_account *)prover->data;
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(request->state == ASSIGNED || request->state == DEMANDED, ERROR_REQUEST_NOT_ASSIGNED);
  REQUIRE(now_s > (request->state == DEMANDED ? request->answer_until_s : request->settle_until_s), ERROR_NOT_YET_MISSED);
  REQUIRE(equal32(request->prover, prover->key), ERROR_NOT_ASSIGNED_PROVER);

  request->refund = request->cap;
  TRY(add_amount(&request->refund, request->demand_bond));
  TRY(slash((config_account *)config->data, pool, request->bond, &request->refund));
  pool->missed += 1;
  request->state = MISSED;
  request->bond = request->demand_bond = 0;
  return send_refund(config, ix->accounts[SLASH_MISSED_VAULT], request, ix->accounts[SLASH_MISSED_REFUND_TO]);
}
