// deposit_stake: anyone's tokens join a prover's pool; the depositor's position gets shares at the pool's price.
//
//   accounts  [signer, writable] staker: pays for a new position
//             [writable] config
//             [writable] prover
//             [writable] position: at the canonical address of ("position", prover, staker); made by the first deposit
//             [writable] source: the staker's tokens
//             [writable] vault
//             [] system program, token program
//   data      deposit_stake_arguments
#include "../stake.h"
#include "../token.h"

static u64 open_position(const instruction *ix, account *staker, const account *prover, account *position) {
  derivation from = {{{SEED_POSITION, sizeof SEED_POSITION - 1}, {prover->key, 32}, {staker->key, 32}}, 3, 0};
  TRY(require_canonical_address(ix, position, &from, ERROR_WRONG_POSITION_ADDRESS));
  TRY(create_account(ix, staker, position, &from, sizeof(position_account)));
  position_account *head = (position_account *)position->data;
  head->discriminator = POSITION_ACCOUNT_DISCRIMINATOR;
  copy_words(head->prover, prover->key, 32);
  copy_words(head->staker, staker->key, 32);
  head->bump = from.bump;
  return 0;
}

static u64 process_deposit_stake(const instruction *ix) {
  TRY(require_shape(ix, DEPOSIT_STAKE));
  u64 amount = ((const deposit_stake_arguments *)ix->data)->amount, shares;
  account *staker = ix->accounts[DEPOSIT_STAKE_STAKER], *config = ix->accounts[DEPOSIT_STAKE_CONFIG];
  account *prover = ix->accounts[DEPOSIT_STAKE_PROVER], *position = ix->accounts[DEPOSIT_STAKE_POSITION];
  config_account *network = (config_account *)config->data;
  prover_account *pool = (prover_account *)prover->data;
  REQUIRE(!network->paused, ERROR_PAUSED);

  if (equal32(position->owner, SYSTEM_PROGRAM)) TRY(open_position(ix, staker, prover, position));
  TRY(require_position(ix, prover, position, staker));
  TRY(shares_for(pool, amount, &shares));
  REQUIRE(shares > 0, ERROR_AMOUNT_TOO_SMALL);
  TRY(add_amount(&((position_account *)position->data)->shares, shares));
  TRY(add_amount(&pool->shares, shares));
  TRY(add_amount(&pool->stake, amount));
  TRY(add_amount(&network->total_stake, amount));
  return pay_in(config, ix->accounts[DEPOSIT_STAKE_VAULT], ix->accounts[DEPOSIT_STAKE_SOURCE], staker, amount);
}
