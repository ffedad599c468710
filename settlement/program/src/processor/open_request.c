// open_request: tokens for one proof go into escrow, with the statement, two deadlines and who may assign a prover.
//
//   accounts  [signer, writable] requester: pays
//             [] config
//             [] key: finalised
//             [] permission: at the canonical address of ("permission", digest), whether it exists or not
//             [writable] request: made here, at the canonical address of ("request", requester, nonce as u64)
//             [writable] source: the requester's tokens
//             [writable] vault
//             [] refund_to: a token account; what is not paid goes there
//             [] system program, token program
//   data      open_request_arguments
#include "../payment.h"

static u64 process_open_request(const instruction *ix) {
  TRY(require_shape(ix, OPEN_REQUEST));
  const open_request_arguments *arguments = (const open_request_arguments *)ix->data;
  account *requester = ix->accounts[OPEN_REQUEST_REQUESTER], *config = ix->accounts[OPEN_REQUEST_CONFIG];
  account *request = ix->accounts[OPEN_REQUEST_REQUEST], *vault = ix->accounts[OPEN_REQUEST_VAULT];
  const account *refund_to = ix->accounts[OPEN_REQUEST_REFUND_TO], *permission = ix->accounts[OPEN_REQUEST_PERMISSION];
  const key_account *key = (const key_account *)ix->accounts[OPEN_REQUEST_KEY]->data;
  const config_account *network = (const config_account *)config->data;
  REQUIRE(!network->paused, ERROR_PAUSED);
  REQUIRE(arguments->cap > 0, ERROR_AMOUNT_TOO_SMALL);
  REQUIRE(arguments->late_bps <= BASIS_POINTS, ERROR_PARAMETER_OUT_OF_RANGE);
  REQUIRE(arguments->direct_only <= 1, ERROR_MALFORMED_FLAG);
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(arguments->pay_until_s > now_s && arguments->expire_s >= arguments->pay_until_s, ERROR_WRONG_DEADLINE);
  REQUIRE(arguments->expire_s <= now_s + MAX_WINDOW_S, ERROR_WRONG_DEADLINE);
  REQUIRE(is_token_account(refund_to, network->mint) && !equal32(refund_to->key, network->vault), ERROR_WRONG_TOKEN_ACCOUNT);
  derivation rules = {{{SEED_PERMISSION, sizeof SEED_PERMISSION - 1}, {key->digest, 32}}, 2, 0};
  TRY(require_canonical_address(ix, permission, &rules, ERROR_WRONG_PERMISSION_ADDRESS));
  TRY(require_permitted(ix, permission, DENY_REQUESTS));

  derivation from = {{{SEED_REQUEST, sizeof SEED_REQUEST - 1}, {requester->key, 32}, {&arguments->nonce, 8}}, 3, 0};
  TRY(require_canonical_address(ix, request, &from, ERROR_WRONG_REQUEST_ADDRESS));
  REQUIRE(equal32(request->owner, SYSTEM_PROGRAM), ERROR_REQUEST_ALREADY_OPEN);
  TRY(create_account(ix, requester, request, &from, sizeof(request_account)));
  request_account *head = (request_account *)request->data;
  head->discriminator = REQUEST_ACCOUNT_DISCRIMINATOR;
  copy_words(head->requester, requester->key, 32);
  copy_words(head->refund_to, refund_to->key, 32);
  copy_words(head->assigner, arguments->assigner, 32);
  copy_words(head->callback_program, arguments->callback_program, 32);
  copy_words(head->key, key->digest, 32);
  copy_words(head->inputs, arguments->inputs, 32);
  head->nonce = arguments->nonce;
  head->cap = arguments->cap;
  head->pay_until_s = arguments->pay_until_s;
  head->expire_s = arguments->expire_s;
  head->callback_units = arguments->callback_units;
  head->late_bps = arguments->late_bps;
  head->state = OPEN;
  head->direct_only = arguments->direct_only;
  head->bump = from.bump;
  head->permission_bump = rules.bump;
  return pay_in(config, vault, ix->accounts[OPEN_REQUEST_SOURCE], requester, arguments->cap);
}
