// init_upload: opens an upload, one for each (authority, digest), so that nobody can squat on a name.
//
//   accounts  [signer, writable] authority: pays, and alone may write
//             [writable] upload: made here, at the canonical address of ("upload", authority, digest)
//             [] system program
//   data      init_upload_arguments
#include "../system.h"

static u64 process_init_upload(const instruction *ix) {
  const init_upload_arguments *arguments = (const init_upload_arguments *)ix->data;
  TRY(require_shape(ix, INIT_UPLOAD));
  account *authority = ix->accounts[INIT_UPLOAD_AUTHORITY], *upload = ix->accounts[INIT_UPLOAD_UPLOAD];
  REQUIRE(arguments->size > 0 && arguments->size <= MAX_UPLOAD_SIZE, ERROR_WRONG_UPLOAD_SIZE);

  derivation from = {{{SEED_UPLOAD, sizeof SEED_UPLOAD - 1}, {authority->key, 32}, {arguments->digest, 32}}, 3, 0};
  TRY(require_canonical_address(ix, upload, &from, ERROR_WRONG_UPLOAD_ADDRESS));
  REQUIRE(equal32(upload->owner, SYSTEM_PROGRAM), ERROR_UPLOAD_ALREADY_EXISTS);

  TRY(create_account(ix, authority, upload, &from, sizeof(upload_account) + arguments->size));
  upload_account *head = (upload_account *)upload->data;
  head->discriminator = UPLOAD_ACCOUNT_DISCRIMINATOR;
  copy_words(head->authority, authority->key, 32);
  copy_words(head->digest, arguments->digest, 32);
  head->size = arguments->size;
  head->bump = from.bump;
  return 0;
}
