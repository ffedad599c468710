// demand_leaf: whoever cannot get a leaf's data posts a bond; unanswered within the reveal window, the leaf is void.
//
//   accounts  [signer, writable] demander: pays
//             [] config
//             [writable] batch
//             [writable] demand: made here, at the canonical address of ("demand", batch, leaf as u32)
//             [writable] source: the demander's tokens; bond and reward go back there
//             [writable] vault
//             [] system program, token program
//   data      demand_leaf_arguments
#include "../leaf.h"
#include "../payment.h"

static u64 process_demand_leaf(const instruction *ix) {
  TRY(require_shape(ix, DEMAND_LEAF));
  u32 index = ((const demand_leaf_arguments *)ix->data)->leaf;
  account *demander = ix->accounts[DEMAND_LEAF_DEMANDER], *config = ix->accounts[DEMAND_LEAF_CONFIG];
  account *batch = ix->accounts[DEMAND_LEAF_BATCH], *demand = ix->accounts[DEMAND_LEAF_DEMAND];
  account *source = ix->accounts[DEMAND_LEAF_SOURCE];
  const parameters *rules = parameters_of(config);
  batch_account *head = (batch_account *)batch->data;
  REQUIRE(index < head->leaf_count, ERROR_NO_SUCH_LEAF);
  REQUIRE(leaf_state(batch, index) == LEAF_UNPAID, ERROR_LEAF_SETTLED);
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(now_s <= head->challenge_until_s, ERROR_CHALLENGE_WINDOW_OVER);

  derivation from = {{{SEED_DEMAND, sizeof SEED_DEMAND - 1}, {batch->key, 32}, {&index, 4}}, 3, 0};
  TRY(require_canonical_address(ix, demand, &from, ERROR_WRONG_DEMAND_ADDRESS));
  TRY(create_account(ix, demander, demand, &from, sizeof(demand_account)));
  demand_account *record = (demand_account *)demand->data;
  record->discriminator = DEMAND_ACCOUNT_DISCRIMINATOR;
  copy_words(record->batch, batch->key, 32);
  copy_words(record->demander, demander->key, 32);
  copy_words(record->refund_to, source->key, 32);
  record->bond = rules->demand_bond;
  record->answer_until_s = now_s + rules->reveal_window_s;
  record->leaf = index;
  record->bump = from.bump;
  head->open_demands += 1;
  set_leaf_state(batch, index, LEAF_DEMANDED);
  return pay_in(config, ix->accounts[DEMAND_LEAF_VAULT], source, demander, rules->demand_bond);
}
