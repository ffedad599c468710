// burn: what slashing took out of circulation leaves the mint's supply as well; anyone may ask. The native mint has no
// burning (the token program refuses): there the amount stays in the vault, nobody's.
//
//   accounts  [writable] config
//             [writable] vault
//             [writable] mint
//             [] token program
//   data      burn_arguments
#include "../token.h"

static u64 process_burn(const instruction *ix) {
  TRY(require_shape(ix, BURN));
  account *config = ix->accounts[BURN_CONFIG], *mint = ix->accounts[BURN_MINT];
  config_account *head = (config_account *)config->data;
  REQUIRE(equal32(head->mint, mint->key), ERROR_WRONG_MINT);
  u64 amount = head->burned;
  REQUIRE(amount > 0, ERROR_NOTHING_TO_COLLECT);
  head->burned = 0;
  return vault_call(TOKEN_BURN, config, ix->accounts[BURN_VAULT], mint, amount);
}
