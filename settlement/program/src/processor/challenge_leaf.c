// challenge_leaf: shows that a leaf's proof does not hold; the leaf is void, the committer slashed, the challenger paid.
//
//   accounts  [writable] config
//             [writable] committer: the batch's prover
//             [writable] batch
//             [] key: the leaf's, registered by anyone
//             [writable] vault
//             [writable] reward: a token account of the challenger's
//             [] token program
//             [] upload, if the data ends with the arguments: it holds what would follow them
//   data      challenge_leaf_arguments, then the inputs and the path, 32 bytes each
#include "../upload.h"
#include "../void.h"

static u64 process_challenge_leaf(const instruction *ix) {
  TRY(require_shape(ix, CHALLENGE_LEAF));
  u64 index = ((const challenge_leaf_arguments *)ix->data)->leaf, reward = 0;
  account *config = ix->accounts[CHALLENGE_LEAF_CONFIG], *committer = ix->accounts[CHALLENGE_LEAF_COMMITTER];
  account *batch = ix->accounts[CHALLENGE_LEAF_BATCH];
  TRY(require_committer(batch, committer));
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(now_s <= ((const batch_account *)batch->data)->challenge_until_s, ERROR_CHALLENGE_WINDOW_OVER);
  slice tail;
  TRY(read_tail(ix, sizeof(challenge_leaf_arguments), CHALLENGE_LEAF_UPLOAD, &tail));
  int is_true;
  TRY(judge_leaf(ix, &tail, ix->accounts[CHALLENGE_LEAF_KEY], batch, &is_true));
  REQUIRE(!is_true, ERROR_LEAF_IS_TRUE);
  REQUIRE(leaf_state(batch, index) == LEAF_UNPAID, ERROR_LEAF_SETTLED);
  TRY(void_leaf(config, committer, batch, index, &reward));
  return pay_out(config, ix->accounts[CHALLENGE_LEAF_VAULT], ix->accounts[CHALLENGE_LEAF_REWARD], reward);
}
