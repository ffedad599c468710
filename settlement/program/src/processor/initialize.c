// initialize: the network's config and its vault, once, by whoever may upgrade the program.
//
//   accounts  [signer, writable] authority: the program's upgrade authority; pays
//             [writable] config: made here, at the canonical address of ("config")
//             [writable] vault: made here, at the canonical address of ("vault"); a token account that config owns
//             [] mint: of the SPL token program
//             [] treasury: a token account of the mint; fees go there
//             [] program data: the upgradeable loader's account of this program
//             [] system program, token program
//   data      initialize_arguments
#include "../parameters.h"
#include "../token.h"

// BPFLoaderUpgradeab1e11111111111111111111111
static const u8 LOADER[32] __attribute__((aligned(8))) = LOADER_BYTES;

// The loader's record: u32 3, u64 slot, u8 1, authority 32; without an authority nobody can initialise any more.
static u64 require_upgrade_authority(const instruction *ix, const account *program_data, const account *authority) {
  u8 address[32] __attribute__((aligned(8))), bump, named[32] __attribute__((aligned(8)));
  slice seed = {ix->program_id, 32};
  REQUIRE(sol_try_find_program_address(&seed, 1, LOADER, address, &bump) == 0, ERROR_WRONG_PROGRAM_DATA);
  REQUIRE(equal32(address, program_data->key), ERROR_WRONG_PROGRAM_DATA);
  REQUIRE(equal32(program_data->owner, LOADER) && program_data->data_size >= 45, ERROR_WRONG_PROGRAM_DATA);
  REQUIRE(program_data->data[12] == 1, ERROR_NOT_UPGRADE_AUTHORITY);
  sol_memcpy_(named, program_data->data + 13, 32);
  REQUIRE(equal32(named, authority->key), ERROR_NOT_UPGRADE_AUTHORITY);
  return 0;
}

static u64 open_vault(account *vault, account *mint, const u8 *owner) {
  struct {
    u8 padding[7], tag;
    u8 owner[32];
  } message = {{0}, TOKEN_INITIALIZE_ACCOUNT3, {0}};
  copy_words(message.owner, owner, 32);
  cpi_meta metas[2] = {{vault->key, 1, 0}, {mint->key, 0, 0}};
  cpi_account views[2] = {cpi_view(vault), cpi_view(mint)};
  cpi_instruction call = {TOKEN_PROGRAM, metas, 2, &message.tag, 33};
  return sol_invoke_signed_c(&call, views, 2, 0, 0);
}

static u64 process_initialize(const instruction *ix) {
  TRY(require_shape(ix, INITIALIZE));
  const initialize_arguments *arguments = (const initialize_arguments *)ix->data;
  account *authority = ix->accounts[INITIALIZE_AUTHORITY], *config = ix->accounts[INITIALIZE_CONFIG];
  account *vault = ix->accounts[INITIALIZE_VAULT], *mint = ix->accounts[INITIALIZE_MINT];
  const account *treasury = ix->accounts[INITIALIZE_TREASURY];
  TRY(require_upgrade_authority(ix, ix->accounts[INITIALIZE_PROGRAM_DATA], authority));
  TRY(check_parameters((const parameters *)arguments->parameters));
  REQUIRE(equal32(mint->owner, TOKEN_PROGRAM) && mint->data_size == MINT_SIZE, ERROR_WRONG_MINT);
  REQUIRE(is_token_account(treasury, mint->key), ERROR_WRONG_TOKEN_ACCOUNT);

  derivation from = {{{SEED_CONFIG, sizeof SEED_CONFIG - 1}}, 1, 0};
  TRY(require_canonical_address(ix, config, &from, ERROR_WRONG_CONFIG_ADDRESS));
  REQUIRE(equal32(config->owner, SYSTEM_PROGRAM), ERROR_ALREADY_INITIALIZED);
  TRY(create_account(ix, authority, config, &from, sizeof(config_account)));
  config_account *head = (config_account *)config->data;
  head->discriminator = CONFIG_ACCOUNT_DISCRIMINATOR;
  head->bump = from.bump;

  derivation at = {{{SEED_VAULT, sizeof SEED_VAULT - 1}}, 1, 0};
  TRY(require_canonical_address(ix, vault, &at, ERROR_WRONG_VAULT));
  TRY(create_account_of(TOKEN_PROGRAM, authority, vault, &at, TOKEN_ACCOUNT_SIZE));
  TRY(open_vault(vault, mint, config->key));

  copy_words(head->mint, mint->key, 32);
  copy_words(head->vault, vault->key, 32);
  copy_words(head->guardian, arguments->guardian, 32);
  copy_words(head->treasury, treasury->key, 32);
  copy_words(head->parameters, arguments->parameters, sizeof(parameters));
  return 0;
}
