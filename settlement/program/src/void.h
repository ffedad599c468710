// A leaf that turned out to be worth nothing.
#pragma once
#include "leaf.h"
#include "payment.h"

// The batch is this committer's.
static u64 require_committer(const account *batch, const account *committer) {
  REQUIRE(equal32(((const batch_account *)batch->data)->committer, committer->key), ERROR_WRONG_COMMITTER);
  return 0;
}

// Takes the leaf's bond from the committer's stake; what is not burned is added to *harmed.
static u64 void_leaf(account *config, account *committer, account *batch, u64 index, u64 *harmed) {
  batch_account *head = (batch_account *)batch->data;
  prover_account *pool = (prover_account *)committer->data;
  TRY(take_amount(&head->locked, head->leaf_bond));
  TRY(slash((config_account *)config->data, pool, head->leaf_bond, harmed));
  pool->false_leaves += 1;
  set_leaf_state(batch, index, LEAF_VOID);
  return 0;
}
