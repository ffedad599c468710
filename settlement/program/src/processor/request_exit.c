// request_exit: shares leave the pool after the exit window; until they are withdrawn they can be slashed, but they
// neither vote nor back new work. Asking again starts the window anew for all that is on its way out.
//
//   accounts  [signer] staker
//             [] config
//             [writable] prover
//             [writable] position
//   data      request_exit_arguments
#include "../stake.h"
#include "../system.h"

static u64 process_request_exit(const instruction *ix) {
  TRY(require_shape(ix, REQUEST_EXIT));
  u64 shares = ((const request_exit_arguments *)ix->data)->shares;
  account *prover = ix->accounts[REQUEST_EXIT_PROVER], *position = ix->accounts[REQUEST_EXIT_POSITION];
  TRY(require_position(ix, prover, position, ix->accounts[REQUEST_EXIT_STAKER]));
  prover_account *pool = (prover_account *)prover->data;
  position_account *head = (position_account *)position->data;
  REQUIRE(shares > 0 && shares <= head->shares, ERROR_NOT_ENOUGH_SHARES);
  i64 now_s;
  TRY(unix_time(&now_s));
  head->shares -= shares;
  TRY(add_amount(&head->exiting_shares, shares));
  TRY(add_amount(&pool->exiting_shares, shares));
  head->exit_from_s = now_s + parameters_of(ix->accounts[REQUEST_EXIT_CONFIG])->exit_window_s;
  return 0;
}
