// void_leaf: a demand that was not answered in time: the leaf is void, the committer slashed; the demander gets the bond
// back and what of the slashed amount is not burned. Anyone may send it.
//
//   accounts  [writable] demander: gets the demand's rent back
//             [writable] config
//             [writable] committer: the batch's prover
//             [writable] batch
//             [writable] demand: closed here
//             [writable] vault
//             [writable] refund_to: the token account the demand names
//             [] token program
//   data      void_leaf_arguments
#include "../void.h"

static u64 process_void_leaf(const instruction *ix) {
  TRY(require_shape(ix, VOID_LEAF));
  account *demander = ix->accounts[VOID_LEAF_DEMANDER], *config = ix->accounts[VOID_LEAF_CONFIG];
  account *committer = ix->accounts[VOID_LEAF_COMMITTER], *batch = ix->accounts[VOID_LEAF_BATCH];
  account *demand = ix->accounts[VOID_LEAF_DEMAND], *refund_to = ix->accounts[VOID_LEAF_REFUND_TO];
  const demand_account *record = (const demand_account *)demand->data;
  TRY(require_committer(batch, committer));
  TRY(require_demand(demand, batch, demander));
  REQUIRE(equal32(record->refund_to, refund_to->key), ERROR_WRONG_TOKEN_ACCOUNT);
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(now_s > record->answer_until_s, ERROR_NOT_YET_MISSED);

  u64 refund = record->bond;
  TRY(void_leaf(config, committer, batch, record->leaf, &refund));
  ((batch_account *)batch->data)->open_demands -= 1;
  TRY(pay_out(config, ix->accounts[VOID_LEAF_VAULT], refund_to, refund));
  close_account(demand, demander);
  return 0;
}
