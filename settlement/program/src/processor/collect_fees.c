// collect_fees: the fees that have gathered go to the treasury; anyone may ask.
//
//   accounts  [writable] config
//             [writable] vault
//             [writable] treasury: the one config names
//             [] token program
//   data      collect_fees_arguments
#include "../token.h"

static u64 process_collect_fees(const instruction *ix) {
  TRY(require_shape(ix, COLLECT_FEES));
  account *config = ix->accounts[COLLECT_FEES_CONFIG], *treasury = ix->accounts[COLLECT_FEES_TREASURY];
  config_account *head = (config_account *)config->data;
  REQUIRE(equal32(head->treasury, treasury->key), ERROR_WRONG_TOKEN_ACCOUNT);
  u64 fees = head->fees;
  REQUIRE(fees > 0, ERROR_NOTHING_TO_COLLECT);
  head->fees = 0;
  return pay_out(config, ix->accounts[COLLECT_FEES_VAULT], treasury, fees);
}
