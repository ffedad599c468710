// collect_earnings: what a prover earned goes to the payout account that its owner named; anyone may ask.
//
//   accounts  [] config
//             [writable] prover
//             [writable] vault
//             [writable] payout: the one the prover names
//             [] token program
//   data      collect_earnings_arguments
#include "../token.h"

static u64 process_collect_earnings(const instruction *ix) {
  TRY(require_shape(ix, COLLECT_EARNINGS));
  account *payout = ix->accounts[COLLECT_EARNINGS_PAYOUT];
  prover_account *prover = (prover_account *)ix->accounts[COLLECT_EARNINGS_PROVER]->data;
  REQUIRE(equal32(prover->payout, payout->key), ERROR_WRONG_TOKEN_ACCOUNT);
  u64 amount = prover->earned;
  REQUIRE(amount > 0, ERROR_NOTHING_TO_COLLECT);
  prover->earned = 0;
  return pay_out(ix->accounts[COLLECT_EARNINGS_CONFIG], ix->accounts[COLLECT_EARNINGS_VAULT], payout, amount);
}
