// init_key: opens an upload for a verifying key, one for each (authority, digest), so that nobody can squat on a key's name.
//
//   accounts  [signer, writable] authority: pays, and alone may write
//             [writable] upload: made here, at the canonical address of ("upload", authority, digest)
//             [] system program
//   data      init_key_arguments
#include "../groth16.h"
#include "../system.h"

static u64 process_init_key(const instruction *ix) {
  const init_key_arguments *arguments = (const init_key_arguments *)ix->data;
  TRY(require_shape(ix, INIT_KEY));
  account *authority = ix->accounts[INIT_KEY_AUTHORITY], *upload = ix->accounts[INIT_KEY_UPLOAD];
  REQUIRE(n_public_of(arguments->encoding_size) <= MAX_PUBLIC_INPUTS, ERROR_WRONG_KEY_SIZE);

  derivation from = {{{SEED_UPLOAD, sizeof SEED_UPLOAD - 1}, {authority->key, 32}, {arguments->digest, 32}}, 3, 0};
  TRY(require_canonical_address(ix, upload, &from, ERROR_WRONG_UPLOAD_ADDRESS));
  REQUIRE(equal32(upload->owner, SYSTEM_PROGRAM), ERROR_UPLOAD_ALREADY_EXISTS);

  TRY(create_account(ix, authority, upload, &from, sizeof(upload_account) + arguments->encoding_size));
  upload_account *head = (upload_account *)upload->data;
  head->discriminator = UPLOAD_ACCOUNT_DISCRIMINATOR;
  copy_words(head->authority, authority->key, 32);
  copy_words(head->digest, arguments->digest, 32);
  head->encoding_size = arguments->encoding_size;
  head->bump = from.bump;
  return 0;
}
