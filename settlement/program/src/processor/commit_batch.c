// commit_batch: writes one Merkle root, bound to the committer's root before it.
//
//   accounts  [signer, writable] committer: pays
//             [writable] log: at the canonical address of ("log", committer); made by the first commit
//             [writable] batch: made here, at the address of ("batch", committer, number as u64, bump)
//             [] system program
//   data      commit_batch_arguments; the first batch is number 0 and its prev_root all zeros
//
// The log's bump is canonical, so that a committer has one log and therefore one batch for each number; the batch's
// bump is the caller's (a canonical one is where readers look).
#include "../system.h"

static u64 open_log(const instruction *ix, account *committer, account *log) {
  derivation from = {{{SEED_LOG, sizeof SEED_LOG - 1}, {committer->key, 32}}, 2, 0};
  TRY(require_canonical_address(ix, log, &from, ERROR_WRONG_LOG_ADDRESS));
  TRY(create_account(ix, committer, log, &from, sizeof(log_account)));
  log_account *head = (log_account *)log->data;
  head->discriminator = LOG_ACCOUNT_DISCRIMINATOR;
  copy_words(head->committer, committer->key, 32);
  head->bump = from.bump;
  return 0;
}

static u64 process_commit_batch(const instruction *ix) {
  const commit_batch_arguments *arguments = (const commit_batch_arguments *)ix->data;
  TRY(require_shape(ix, COMMIT_BATCH));
  account *committer = ix->accounts[COMMIT_BATCH_COMMITTER], *log = ix->accounts[COMMIT_BATCH_LOG];
  account *batch = ix->accounts[COMMIT_BATCH_BATCH];
  REQUIRE(arguments->leaf_count > 0, ERROR_EMPTY_BATCH);
  REQUIRE(!is_zero(arguments->root, ROOT_SIZE), ERROR_ZERO_ROOT);

  if (equal32(log->owner, SYSTEM_PROGRAM)) TRY(open_log(ix, committer, log));
  log_account *head = (log_account *)log->data;
  TRY(require_type(ix, log, TYPE_LOG_ACCOUNT));
  REQUIRE(equal32(head->committer, committer->key), ERROR_WRONG_LOG_ADDRESS);

  REQUIRE(arguments->number >= head->next_number, ERROR_BATCH_ALREADY_COMMITTED);
  REQUIRE(arguments->number == head->next_number, ERROR_WRONG_BATCH_NUMBER);
  REQUIRE(equal32(arguments->prev_root, head->latest_root), ERROR_WRONG_PREDECESSOR);

  derivation from = {{{SEED_BATCH, sizeof SEED_BATCH - 1}, {committer->key, 32}, {&arguments->number, 8}},
                     3,
                     arguments->batch_bump};
  TRY(require_address(ix, batch, &from, ERROR_WRONG_BATCH_ADDRESS));
  TRY(create_account(ix, committer, batch, &from, sizeof(batch_account)));

  clock_sysvar clock;
  REQUIRE(sol_get_clock_sysvar(&clock) == 0, ERROR_SYSCALL_FAILED);
  batch_account *entry = (batch_account *)batch->data;
  entry->discriminator = BATCH_ACCOUNT_DISCRIMINATOR;
  copy_words(entry->committer, committer->key, 32);
  entry->number = arguments->number;
  copy_words(entry->prev_root, arguments->prev_root, ROOT_SIZE);
  copy_words(entry->root, arguments->root, ROOT_SIZE);
  entry->slot = clock.slot;
  entry->unix_time_s = clock.unix_timestamp;
  entry->leaf_count = arguments->leaf_count;
  entry->bump = from.bump;

  head->next_number = arguments->number + 1;
  copy_words(head->latest_root, arguments->root, ROOT_SIZE);
  return 0;
}
