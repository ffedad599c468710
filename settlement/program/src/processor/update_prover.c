// update_prover: the cold owner names a hot signer and a payout account anew; the old signer has no say from here on.
//
//   accounts  [signer] owner
//             [] config
//             [writable] prover
//             [] payout
//   data      update_prover_arguments
#include "../stake.h"
#include "../token.h"

static u64 process_update_prover(const instruction *ix) {
  TRY(require_shape(ix, UPDATE_PROVER));
  const update_prover_arguments *arguments = (const update_prover_arguments *)ix->data;
  const account *owner = ix->accounts[UPDATE_PROVER_OWNER], *payout = ix->accounts[UPDATE_PROVER_PAYOUT];
  const config_account *config = (const config_account *)ix->accounts[UPDATE_PROVER_CONFIG]->data;
  prover_account *head = (prover_account *)ix->accounts[UPDATE_PROVER_PROVER]->data;
  REQUIRE(equal32(head->owner, owner->key), ERROR_NOT_OWNER);
  REQUIRE(!equal32(arguments->signer, owner->key), ERROR_COLD_KEY_IS_HOT);
  REQUIRE(is_token_account(payout, config->mint) && !equal32(payout->key, config->vault), ERROR_WRONG_TOKEN_ACCOUNT);
  copy_words(head->signer, arguments->signer, 32);
  copy_words(head->payout, payout->key, 32);
  return 0;
}
