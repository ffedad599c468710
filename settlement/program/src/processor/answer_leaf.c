// answer_leaf: shows a demanded leaf whole, and that its proof holds; the bond is the committer's. Anyone may answer, until
// the leaf is void.
//
//   accounts  [writable] demander: gets the demand's rent back
//             [writable] committer: the batch's prover
//             [writable] batch
//             [writable] demand: closed here
//             [] key: the leaf's
//             [] upload, if the data ends with the arguments: it holds what would follow them
//   data      answer_leaf_arguments, then the inputs and the path, 32 bytes each
#include "../upload.h"
#include "../void.h"

_Static_assert(sizeof(answer_leaf_arguments) == sizeof(challenge_leaf_arguments), "judge_leaf reads both");

// The demand is about this leaf, and this is who posted it.
static u64 require_demand(const account *demand, const account *batch, const account *demander) {
  const demand_account *record = (const demand_account *)demand->data;
  REQUIRE(equal32(record->batch, batch->key), ERROR_WRONG_DEMAND_ACCOUNT);
  REQUIRE(equal32(record->demander, demander->key), ERROR_WRONG_DEMANDER);
  return 0;
}

static u64 process_answer_leaf(const instruction *ix) {
  TRY(require_shape(ix, ANSWER_LEAF));
  u64 index = ((const answer_leaf_arguments *)ix->data)->leaf;
  account *demander = ix->accounts[ANSWER_LEAF_DEMANDER], *committer = ix->accounts[ANSWER_LEAF_COMMITTER];
  account *batch = ix->accounts[ANSWER_LEAF_BATCH], *demand = ix->accounts[ANSWER_LEAF_DEMAND];
  const demand_account *record = (const demand_account *)demand->data;
  TRY(require_committer(batch, committer));
  TRY(require_demand(demand, batch, demander));
  REQUIRE(record->leaf == index, ERROR_WRONG_DEMAND_ACCOUNT);
  slice tail;
  TRY(read_tail(ix, sizeof(answer_leaf_arguments), ANSWER_LEAF_UPLOAD, &tail));
  int is_true;
  TRY(judge_leaf(ix, &tail, ix->accounts[ANSWER_LEAF_KEY], batch, &is_true));
  REQUIRE(is_true, ERROR_INVALID_PROOF);

  TRY(add_amount(&((prover_account *)committer->data)->earned, record->bond));
  ((batch_account *)batch->data)->open_demands -= 1;
  set_leaf_state(batch, index, LEAF_UNPAID);
  close_account(demand, demander);
  return 0;
}
