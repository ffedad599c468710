// vote: a prover's owner votes with the pool's active stake, once. That stake is still there when the proposal is
// executed, for the exit window is at least as long as the vote and the delay.
//
//   accounts  [signer, writable] owner: pays
//             [] prover
//             [writable] proposal
//             [writable] vote: made here, at the canonical address of ("vote", proposal, prover)
//             [] system program
//   data      vote_arguments
#include "../stake.h"
#include "../system.h"

static u64 process_vote(const instruction *ix) {
  TRY(require_shape(ix, VOTE));
  u64 in_favour = ((const vote_arguments *)ix->data)->in_favour, weight;
  account *owner = ix->accounts[VOTE_OWNER], *proposal = ix->accounts[VOTE_PROPOSAL], *vote = ix->accounts[VOTE_VOTE];
  const account *prover = ix->accounts[VOTE_PROVER];
  const prover_account *pool = (const prover_account *)prover->data;
  proposal_account *head = (proposal_account *)proposal->data;
  REQUIRE(equal32(pool->owner, owner->key), ERROR_NOT_OWNER);
  REQUIRE(in_favour <= 1, ERROR_MALFORMED_FLAG);
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(now_s < head->vote_until_s, ERROR_VOTING_OVER);
  TRY(active_stake(pool, &weight));
  REQUIRE(weight > 0, ERROR_STAKE_TOO_SMALL);

  derivation from = {{{SEED_VOTE, sizeof SEED_VOTE - 1}, {proposal->key, 32}, {prover->key, 32}}, 3, 0};
  TRY(require_canonical_address(ix, vote, &from, ERROR_WRONG_VOTE_ADDRESS));
  REQUIRE(equal32(vote->owner, SYSTEM_PROGRAM), ERROR_ALREADY_VOTED);
  TRY(create_account(ix, owner, vote, &from, sizeof(vote_account)));
  vote_account *record = (vote_account *)vote->data;
  record->discriminator = VOTE_ACCOUNT_DISCRIMINATOR;
  copy_words(record->prover, prover->key, 32);
  record->proposal = head->number;
  record->weight = weight;
  record->in_favour = in_favour;
  record->bump = from.bump;
  return add_amount(in_favour ? &head->votes_for : &head->votes_against, weight);
}
