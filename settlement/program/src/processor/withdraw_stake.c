// withdraw_stake: after the exit window, the tokens that the exiting shares are worth, unless they are locked.
//
//   accounts  [signer, writable] staker: gets the rent of an empty position back
//             [writable] config
//             [writable] prover
//             [writable] position
//             [writable] vault
//             [writable] destination: any token account of the network's mint
//             [] token program
//   data      withdraw_stake_arguments
#include "../stake.h"
#include "../token.h"

static u64 process_withdraw_stake(const instruction *ix) {
  TRY(require_shape(ix, WITHDRAW_STAKE));
  account *staker = ix->accounts[WITHDRAW_STAKE_STAKER], *config = ix->accounts[WITHDRAW_STAKE_CONFIG];
  account *prover = ix->accounts[WITHDRAW_STAKE_PROVER], *position = ix->accounts[WITHDRAW_STAKE_POSITION];
  TRY(require_position(ix, prover, position, staker));
  prover_account *pool = (prover_account *)prover->data;
  position_account *head = (position_account *)position->data;
  u64 shares = head->exiting_shares, amount;
  REQUIRE(shares > 0, ERROR_NOTHING_TO_WITHDRAW);
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(now_s >= head->exit_from_s, ERROR_EXIT_WINDOW_OPEN);

  TRY(worth(pool, shares, &amount));
  REQUIRE(pool->stake - amount >= pool->locked, ERROR_STAKE_LOCKED);
  TRY(take_amount(&pool->stake, amount));
  TRY(take_amount(&pool->shares, shares));
  TRY(take_amount(&pool->exiting_shares, shares));
  TRY(take_amount(&((config_account *)config->data)->total_stake, amount));
  head->exiting_shares = 0;
  TRY(pay_out(config, ix->accounts[WITHDRAW_STAKE_VAULT], ix->accounts[WITHDRAW_STAKE_DESTINATION], amount));
  if (head->shares == 0) close_account(position, staker);
  return 0;
}
