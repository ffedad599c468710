// cancel_upload: closes an upload and gives its rent back, used or not.
//
//   accounts  [signer, writable] authority
//             [writable] upload
//   data      cancel_upload_arguments
#include "../system.h"
#include "../upload.h"

static u64 process_cancel_upload(const instruction *ix) {
  TRY(require_shape(ix, CANCEL_UPLOAD));
  account *authority = ix->accounts[CANCEL_UPLOAD_AUTHORITY], *upload = ix->accounts[CANCEL_UPLOAD_UPLOAD];
  TRY(require_authority(upload, authority));
  close_account(upload, authority);
  return 0;
}
