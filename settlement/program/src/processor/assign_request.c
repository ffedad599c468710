// assign_request: the key that the requester named and a prover agree on a price; the prover's stake is locked for it.
//
//   accounts  [signer] assigner: the one the request names
//             [signer] signer: the prover's hot key
//             [] config
//             [writable] prover
//             [writable] request
//   data      assign_request_arguments
#include "../payment.h"

static u64 process_assign_request(const instruction *ix) {
  TRY(require_shape(ix, ASSIGN_REQUEST));
  u64 price = ((const assign_request_arguments *)ix->data)->price;
  const account *config = ix->accounts[ASSIGN_REQUEST_CONFIG], *prover = ix->accounts[ASSIGN_REQUEST_PROVER];
  request_account *request = (request_account *)ix->accounts[ASSIGN_REQUEST_REQUEST]->data;
  prover_account *pool = (prover_account *)prover->data;
  const parameters *rules = parameters_of(config);
  REQUIRE(!((const config_account *)config->data)->paused, ERROR_PAUSED);
  REQUIRE(request->state == OPEN, ERROR_REQUEST_NOT_OPEN);
  REQUIRE(equal32(request->assigner, ix->accounts[ASSIGN_REQUEST_ASSIGNER]->key), ERROR_NOT_ASSIGNER);
  REQUIRE(equal32(pool->signer, ix->accounts[ASSIGN_REQUEST_SIGNER]->key), ERROR_NOT_SIGNER);
  REQUIRE(price > 0, ERROR_AMOUNT_TOO_SMALL);
  REQUIRE(price <= request->cap, ERROR_PRICE_OVER_CAP);
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(now_s < request->pay_until_s, ERROR_TOO_LATE);

  u64 bond = share_of(price, rules->job_bond_bps);
  if (bond < rules->job_bond) bond = rules->job_bond;
  TRY(lock_stake(rules, pool, bond));
  copy_words(request->prover, prover->key, 32);
  request->state = ASSIGNED;
  request->price = price;
  request->bond = bond;
  request->assigned_s = now_s;
  request->settle_until_s = request->expire_s;
  if (!request->direct_only) request->settle_until_s += (i64)rules->challenge_window_s + rules->claim_window_s;
  return 0;
}
