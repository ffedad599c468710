// The bounds within which the stake may move the network's parameters.
#pragma once
#include "layout.h"

// Fees and burns have their bounds; every window ends; stake that voted, or stands behind a leaf, is still there when the
// vote is executed and when the leaf can be challenged, revealed and claimed no more. Twice the voting window, for the next
// vote may halve the exit window while another is still open.
static u64 check_parameters(const parameters *given) {
  const u32 *windows = &given->challenge_window_s;
  for (u64 i = 0; i < 6; i++) REQUIRE(windows[i] >= 1 && windows[i] <= MAX_WINDOW_S, ERROR_PARAMETER_OUT_OF_RANGE);
  u64 disputable = (u64)given->challenge_window_s + given->reveal_window_s + given->claim_window_s;
  u64 voting = 2 * (u64)given->vote_window_s + given->execute_delay_s;
  REQUIRE(given->exit_window_s >= disputable && given->exit_window_s >= voting, ERROR_PARAMETER_OUT_OF_RANGE);
  REQUIRE(given->min_stake > 0 && given->leaf_bond > 0 && given->job_bond > 0 && given->demand_bond > 0,
          ERROR_PARAMETER_OUT_OF_RANGE);
  REQUIRE(given->fee_bps <= MAX_FEE_BPS, ERROR_PARAMETER_OUT_OF_RANGE);
  REQUIRE(given->burn_bps >= MIN_BURN_BPS && given->burn_bps <= MAX_BURN_BPS, ERROR_PARAMETER_OUT_OF_RANGE);
  REQUIRE(given->job_bond_bps <= BASIS_POINTS, ERROR_PARAMETER_OUT_OF_RANGE);
  REQUIRE(given->quorum_bps >= MIN_QUORUM_BPS && given->quorum_bps <= BASIS_POINTS, ERROR_PARAMETER_OUT_OF_RANGE);
  return 0;
}

// What security rests on shrinks to no less than half in one vote: whoever relies on a window or a bond sees it go.
static u64 require_gradual(const parameters *now, const parameters *next) {
  const u64 *amounts = &now->min_stake, *next_amounts = &next->min_stake;
  for (u64 i = 0; i < 4; i++) REQUIRE(next_amounts[i] >= amounts[i] - amounts[i] / 2, ERROR_CHANGE_TOO_LARGE);
  const u32 *windows = &now->challenge_window_s, *next_windows = &next->challenge_window_s;
  for (u64 i = 0; i < 6; i++) REQUIRE(next_windows[i] >= windows[i] - windows[i] / 2, ERROR_CHANGE_TOO_LARGE);
  return 0;
}
