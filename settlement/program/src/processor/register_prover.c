// register_prover: a pool of stake under a cold owner, with a hot signer for its work.
//
//   accounts  [signer, writable] owner: cold; pays
//             [] config
//             [writable] prover: made here, at the canonical address of ("prover", owner)
//             [] payout: a token account of the network's mint; earnings go there
//             [] system program
//   data      register_prover_arguments
#include "../stake.h"
#include "../token.h"

static u64 process_register_prover(const instruction *ix) {
  TRY(require_shape(ix, REGISTER_PROVER));
  const register_prover_arguments *arguments = (const register_prover_arguments *)ix->data;
  account *owner = ix->accounts[REGISTER_PROVER_OWNER], *prover = ix->accounts[REGISTER_PROVER_PROVER];
  const account *payout = ix->accounts[REGISTER_PROVER_PAYOUT];
  const config_account *config = (const config_account *)ix->accounts[REGISTER_PROVER_CONFIG]->data;
  REQUIRE(!equal32(arguments->signer, owner->key), ERROR_COLD_KEY_IS_HOT);
  REQUIRE(arguments->pool_bps <= BASIS_POINTS, ERROR_PARAMETER_OUT_OF_RANGE);
  REQUIRE(is_token_account(payout, config->mint) && !equal32(payout->key, config->vault), ERROR_WRONG_TOKEN_ACCOUNT);

  derivation from = {{{SEED_PROVER, sizeof SEED_PROVER - 1}, {owner->key, 32}}, 2, 0};
  TRY(require_canonical_address(ix, prover, &from, ERROR_WRONG_PROVER_ADDRESS));
  REQUIRE(equal32(prover->owner, SYSTEM_PROGRAM), ERROR_PROVER_ALREADY_REGISTERED);
  TRY(create_account(ix, owner, prover, &from, sizeof(prover_account)));
  prover_account *head = (prover_account *)prover->data;
  head->discriminator = PROVER_ACCOUNT_DISCRIMINATOR;
  copy_words(head->owner, owner->key, 32);
  copy_words(head->signer, arguments->signer, 32);
  copy_words(head->payout, payout->key, 32);
  head->pool_bps = arguments->pool_bps;
  head->bump = from.bump;
  return 0;
}
