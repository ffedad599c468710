// demand_reveal: a requester without a proof posts a bond; from here on only fulfil_request pays the prover, who has until
// the request expires, and at least the reveal window, and gets the bond for it, or is slashed.
//
//   accounts  [signer] requester
//             [] config
//             [writable] request
//             [writable] source: the requester's tokens
//             [writable] vault
//             [] token program
//   data      demand_reveal_arguments
#include "../payment.h"

static u64 process_demand_reveal(const instruction *ix) {
  TRY(require_shape(ix, DEMAND_REVEAL));
  account *requester = ix->accounts[DEMAND_REVEAL_REQUESTER], *config = ix->accounts[DEMAND_REVEAL_CONFIG];
  request_account *request = (request_account *)ix->accounts[DEMAND_REVEAL_REQUEST]->data;
  const parameters *rules = parameters_of(config);
  REQUIRE(equal32(request->requester, requester->key), ERROR_WRONG_REQUESTER);
  REQUIRE(request->state == ASSIGNED, ERROR_REQUEST_NOT_ASSIGNED);
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(now_s <= request->settle_until_s, ERROR_TOO_LATE);

  i64 answer_until_s = now_s + rules->reveal_window_s;
  request->answer_until_s = answer_until_s > request->expire_s ? answer_until_s : request->expire_s;
  request->state = DEMANDED;
  request->demand_bond = rules->demand_bond;
  return pay_in(config, ix->accounts[DEMAND_REVEAL_VAULT], ix->accounts[DEMAND_REVEAL_SOURCE], requester,
                rules->demand_bond);
}
