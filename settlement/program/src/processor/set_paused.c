// set_paused: the guardian stops new money (stakes, requests, assignments), or lets it in again. Nothing else stops.
//
//   accounts  [signer] guardian
//             [writable] config
//   data      set_paused_arguments
#include "../input.h"

static u64 process_set_paused(const instruction *ix) {
  TRY(require_shape(ix, SET_PAUSED));
  const set_paused_arguments *arguments = (const set_paused_arguments *)ix->data;
  config_account *config = (config_account *)ix->accounts[SET_PAUSED_CONFIG]->data;
  REQUIRE(equal32(config->guardian, ix->accounts[SET_PAUSED_GUARDIAN]->key), ERROR_NOT_GUARDIAN);
  REQUIRE(arguments->paused <= 1, ERROR_MALFORMED_FLAG);
  config->paused = arguments->paused;
  return 0;
}
