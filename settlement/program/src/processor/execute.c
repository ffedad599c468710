// execute: a change that the stake accepted takes effect; anyone may ask, from the delay's end and for one voting window. No
// window and no bond shrinks to less than half at once, and after a change of parameters the next must be proposed anew.
//
//   accounts  [signer, writable] payer: pays for a permission's account
//             [writable] config
//             [writable] proposal
//             [writable] subject: the permission's account at the canonical address of ("permission", digest), made if there
//                        is none; the new treasury; or, for parameters, any account
//             [] system program
//   data      execute_arguments
#include "../changes.h"
#include "../stake.h"
#include "../token.h"

static u64 change_permission(const instruction *ix, account *payer, account *subject, const permission *change) {
  derivation from = {{{SEED_PERMISSION, sizeof SEED_PERMISSION - 1}, {change->digest, 32}}, 2, 0};
  TRY(require_canonical_address(ix, subject, &from, ERROR_WRONG_PERMISSION_ADDRESS));
  if (equal32(subject->owner, SYSTEM_PROGRAM)) TRY(create_account(ix, payer, subject, &from, sizeof(permission_account)));
  permission_account *head = (permission_account *)subject->data;
  head->discriminator = PERMISSION_ACCOUNT_DISCRIMINATOR;
  copy_words(head->digest, change->digest, 32);
  head->denied = change->denied;
  head->bump = from.bump;
  return 0;
}

static u64 change_roles(config_account *network, const account *subject, const roles *change) {
  REQUIRE(equal32(subject->key, change->treasury) && is_token_account(subject, network->mint), ERROR_WRONG_TOKEN_ACCOUNT);
  REQUIRE(!equal32(subject->key, network->vault), ERROR_WRONG_TOKEN_ACCOUNT);
  copy_words(network->guardian, change->guardian, 32);
  copy_words(network->treasury, change->treasury, 32);
  return 0;
}

static u64 process_execute(const instruction *ix) {
  TRY(require_shape(ix, EXECUTE));
  account *config = ix->accounts[EXECUTE_CONFIG], *subject = ix->accounts[EXECUTE_SUBJECT];
  config_account *network = (config_account *)config->data;
  proposal_account *head = (proposal_account *)ix->accounts[EXECUTE_PROPOSAL]->data;
  REQUIRE(!head->executed, ERROR_ALREADY_EXECUTED);
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(now_s >= head->execute_from_s, ERROR_NOT_YET_EXECUTABLE);
  REQUIRE(now_s < head->execute_until_s, ERROR_PROPOSAL_EXPIRED);
  REQUIRE(head->votes_for > head->votes_against, ERROR_PROPOSAL_REJECTED);
  u64 quorum = share_of(network->total_stake, parameters_of(config)->quorum_bps);
  REQUIRE(head->votes_for >= quorum, ERROR_PROPOSAL_REJECTED);

  head->executed = 1;
  if (head->kind == CHANGE_PERMISSION) {
    return change_permission(ix, ix->accounts[EXECUTE_PAYER], subject, (const permission *)head->change);
  }
  if (head->kind == CHANGE_ROLES) return change_roles(network, subject, (const roles *)head->change);
  REQUIRE(head->number >= network->current_from, ERROR_PROPOSAL_OUTDATED);
  TRY(require_gradual(parameters_of(config), (const parameters *)head->change));
  network->current_from = network->next_proposal;
  copy_words(network->parameters, head->change, sizeof(parameters));
  return 0;
}
