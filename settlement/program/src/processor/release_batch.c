// release_batch: after the window, with no demand open, the stake behind a batch is free again. Anyone may send it.
//
//   accounts  [writable] committer: the batch's prover
//             [writable] batch
//   data      release_batch_arguments
#include "../void.h"

static u64 process_release_batch(const instruction *ix) {
  TRY(require_shape(ix, RELEASE_BATCH));
  account *committer = ix->accounts[RELEASE_BATCH_COMMITTER], *batch = ix->accounts[RELEASE_BATCH_BATCH];
  batch_account *head = (batch_account *)batch->data;
  TRY(require_committer(batch, committer));
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(now_s > head->challenge_until_s, ERROR_CHALLENGE_WINDOW_OPEN);
  REQUIRE(head->open_demands == 0, ERROR_DEMANDS_OPEN);
  REQUIRE(head->locked > 0, ERROR_NOTHING_LOCKED);
  TRY(take_amount(&((prover_account *)committer->data)->locked, head->locked));
  head->locked = 0;
  return 0;
}
