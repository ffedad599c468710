// SPL tokens, of the one token program: every amount that the network owes lies in one vault, whose owner is the config.
#pragma once
#include "amounts.h"
#include "system.h"

enum { TOKEN_TRANSFER = 3, TOKEN_BURN = 8, TOKEN_INITIALIZE_ACCOUNT3 = 18 };

#define MINT_SIZE 82
#define TOKEN_ACCOUNT_SIZE 165
#define TOKEN_ACCOUNT_STATE 108
#define TOKEN_STATE_INITIALIZED 1

// An account of the token program that holds this mint's tokens and may receive them.
static int is_token_account(const account *candidate, const u8 *mint) {
  return equal32(candidate->owner, TOKEN_PROGRAM) && candidate->data_size == TOKEN_ACCOUNT_SIZE &&
         equal32(candidate->data, mint) && candidate->data[TOKEN_ACCOUNT_STATE] == TOKEN_STATE_INITIALIZED;
}

typedef struct {
  u8 padding[7], tag;
  u64 amount;
} token_message;  // the amount follows the tag without a gap

// One call about (first, second, authority): a transfer from first to second, or burning first's tokens of mint second.
static u64 token_call(u64 tag, u64 amount, account *const *accounts, const signer_seeds *signer) {
  token_message message = {{0}, tag, amount};
  cpi_meta metas[3] = {{accounts[0]->key, 1, 0}, {accounts[1]->key, 1, 0}, {accounts[2]->key, 0, 1}};
  cpi_account views[3] = {cpi_view(accounts[0]), cpi_view(accounts[1]), cpi_view(accounts[2])};
  cpi_instruction call = {TOKEN_PROGRAM, metas, 3, &message.tag, 9};
  return sol_invoke_signed_c(&call, views, 3, signer, signer != 0);
}

static u64 require_vault(const account *config, const account *vault) {
  REQUIRE(equal32(((const config_account *)config->data)->vault, vault->key), ERROR_WRONG_VAULT);
  return 0;
}

// Tokens into the vault, by their owner's signature. The token program checks owner, mint and balance.
static u64 pay_in(account *config, account *vault, account *source, account *authority, u64 amount) {
  TRY(require_vault(config, vault));
  account *const accounts[3] = {source, vault, authority};
  REQUIRE(!equal32(source->key, vault->key), ERROR_SAME_ACCOUNT_TWICE);
  return token_call(TOKEN_TRANSFER, amount, accounts, 0);
}

static u64 vault_call(u64 tag, account *config, account *vault, account *other, u64 amount) {
  TRY(require_vault(config, vault));
  slice seeds[2] = {{SEED_CONFIG, sizeof SEED_CONFIG - 1}, {&((config_account *)config->data)->bump, 1}};
  signer_seeds signer = {seeds, 2};
  account *const accounts[3] = {vault, other, config};
  return token_call(tag, amount, accounts, &signer);
}

// Tokens out of the vault.
static u64 pay_out(account *config, account *vault, account *destination, u64 amount) {
  REQUIRE(is_token_account(destination, ((const config_account *)config->data)->mint), ERROR_WRONG_TOKEN_ACCOUNT);
  REQUIRE(!equal32(destination->key, vault->key), ERROR_SAME_ACCOUNT_TWICE);
  return vault_call(TOKEN_TRANSFER, config, vault, destination, amount);
}
