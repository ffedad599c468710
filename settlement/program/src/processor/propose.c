// propose: a prover's owner puts a change to the vote of the stake.
//
//   accounts  [signer, writable] owner: pays
//             [] prover: of that owner, with the least active stake
//             [writable] config
//             [writable] proposal: made here, at the canonical address of ("proposal", number as u64)
//             [] system program
//   data      propose_arguments
#include "../changes.h"
#include "../stake.h"
#include "../system.h"

static u64 process_propose(const instruction *ix) {
  TRY(require_shape(ix, PROPOSE));
  const propose_arguments *arguments = (const propose_arguments *)ix->data;
  account *owner = ix->accounts[PROPOSE_OWNER], *config = ix->accounts[PROPOSE_CONFIG];
  const account *prover = ix->accounts[PROPOSE_PROVER];
  account *proposal = ix->accounts[PROPOSE_PROPOSAL];
  config_account *network = (config_account *)config->data;
  u64 stake;
  TRY(require_active_owner(config, prover, owner, &stake));
  TRY(check_change(arguments->kind, arguments->change));

  u64 number = network->next_proposal;
  derivation from = {{{SEED_PROPOSAL, sizeof SEED_PROPOSAL - 1}, {&number, 8}}, 2, 0};
  TRY(require_canonical_address(ix, proposal, &from, ERROR_WRONG_PROPOSAL_ADDRESS));
  TRY(create_account(ix, owner, proposal, &from, sizeof(proposal_account)));
  i64 now_s;
  TRY(unix_time(&now_s));
  const parameters *rules = parameters_of(config);
  proposal_account *head = (proposal_account *)proposal->data;
  head->discriminator = PROPOSAL_ACCOUNT_DISCRIMINATOR;
  copy_words(head->proposer, prover->key, 32);
  head->number = number;
  head->vote_until_s = now_s + rules->vote_window_s;
  head->execute_from_s = head->vote_until_s + rules->execute_delay_s;
  head->execute_until_s = head->execute_from_s + rules->vote_window_s;
  copy_words(head->change, arguments->change, sizeof head->change);
  head->kind = arguments->kind;
  head->bump = from.bump;
  network->next_proposal = number + 1;
  return 0;
}
