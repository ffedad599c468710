// cancel_key: closes an upload that will not be finished and gives its rent back.
//
//   accounts  [signer, writable] authority
//             [writable] upload
//   data      cancel_key_arguments
#include "../system.h"
#include "../upload.h"

static u64 process_cancel_key(const instruction *ix) {
  TRY(require_shape(ix, CANCEL_KEY));
  account *authority = ix->accounts[CANCEL_KEY_AUTHORITY], *upload = ix->accounts[CANCEL_KEY_UPLOAD];
  TRY(require_authority(upload, authority));
  close_account(upload, authority);
  return 0;
}
