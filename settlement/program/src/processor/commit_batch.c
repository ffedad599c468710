// commit_batch: a prover's hot key writes one Merkle root, bound to the prover's root before it; stake is locked for each leaf.
//
//   accounts  [signer, writable] signer: the prover's hot key; pays
//             [] config
//             [writable] prover
//             [writable] batch: made here, at the address of ("batch", prover, number as u64, bump)
//             [] system program
//   data      commit_batch_arguments; the first batch is number 0 and its prev_root all zeros
//
// The bump is the caller's, for searching it costs 1,500 CU a miss; a canonical one is where readers look.
#include "../payment.h"

static u64 process_commit_batch(const instruction *ix) {
  TRY(require_shape(ix, COMMIT_BATCH));
  const commit_batch_arguments *arguments = (const commit_batch_arguments *)ix->data;
  account *signer = ix->accounts[COMMIT_BATCH_SIGNER], *batch = ix->accounts[COMMIT_BATCH_BATCH];
  const account *prover = ix->accounts[COMMIT_BATCH_PROVER];
  const parameters *rules = parameters_of(ix->accounts[COMMIT_BATCH_CONFIG]);
  prover_account *pool = (prover_account *)prover->data;
  u32 leaf_count = arguments->leaf_count;
  REQUIRE(equal32(pool->signer, signer->key), ERROR_NOT_SIGNER);
  REQUIRE(leaf_count > 0, ERROR_EMPTY_BATCH);
  REQUIRE(leaf_count <= MAX_LEAVES, ERROR_TOO_MANY_LEAVES);
  REQUIRE(!is_zero(arguments->root, ROOT_SIZE), ERROR_ZERO_ROOT);
  REQUIRE(arguments->number >= pool->next_number, ERROR_BATCH_ALREADY_COMMITTED);
  REQUIRE(arguments->number == pool->next_number, ERROR_WRONG_BATCH_NUMBER);
  REQUIRE(equal32(arguments->prev_root, pool->latest_root), ERROR_WRONG_PREDECESSOR);

  u64 bonds;
  TRY(multiply_divide(rules->leaf_bond, leaf_count, 1, &bonds));
  TRY(lock_stake(rules, pool, bonds));

  derivation from = {{{SEED_BATCH, sizeof SEED_BATCH - 1}, {prover->key, 32}, {&arguments->number, 8}},
                     3,
                     arguments->batch_bump};
  TRY(require_address(ix, batch, &from, ERROR_WRONG_BATCH_ADDRESS));
  u64 states_size = (leaf_count + 31) / 32 * 8;
  TRY(create_account(ix, signer, batch, &from, sizeof(batch_account) + states_size));

  clock_sysvar clock;
  REQUIRE(sol_get_clock_sysvar(&clock) == 0, ERROR_SYSCALL_FAILED);
  batch_account *head = (batch_account *)batch->data;
  head->discriminator = BATCH_ACCOUNT_DISCRIMINATOR;
  copy_words(head->committer, prover->key, 32);
  head->number = arguments->number;
  copy_words(head->prev_root, arguments->prev_root, ROOT_SIZE);
  copy_words(head->root, arguments->root, ROOT_SIZE);
  head->slot = clock.slot;
  head->unix_time_s = clock.unix_timestamp;
  head->challenge_until_s = clock.unix_timestamp + rules->challenge_window_s;
  head->leaf_bond = rules->leaf_bond;
  head->locked = bonds;
  head->leaf_count = leaf_count;
  head->bump = from.bump;

  pool->next_number = arguments->number + 1;
  copy_words(pool->latest_root, arguments->root, ROOT_SIZE);
  return 0;
}
