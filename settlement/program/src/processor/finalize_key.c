// finalize_key: an uploaded encoding becomes an immutable key account, named by the digest that is computed here.
//
//   accounts  [signer, writable] authority: pays for the key, gets the upload's rent back
//             [writable] upload: closed here
//             [writable] key: made here, at the canonical address of ("key", digest)
//             [] system program
//   data      finalize_key_arguments
//
// No other instruction makes or writes a key account, so its discriminator and its owner prove that the digest is the
// encoding's and that every point in it is one of its group.
#include "../groth16.h"
#include "../system.h"
#include "../upload.h"

static u64 process_finalize_key(const instruction *ix) {
  TRY(require_shape(ix, FINALIZE_KEY));
  account *authority = ix->accounts[FINALIZE_KEY_AUTHORITY], *upload = ix->accounts[FINALIZE_KEY_UPLOAD];
  account *key = ix->accounts[FINALIZE_KEY_KEY];
  TRY(require_authority(upload, authority));

  const upload_account *uploaded = (const upload_account *)upload->data;
  const u8 *encoding = upload->data + sizeof *uploaded;
  u64 n_public = n_public_of(uploaded->size);
  u8 digest[32] __attribute__((aligned(8)));
  REQUIRE(n_public <= MAX_PUBLIC_INPUTS, ERROR_WRONG_KEY_SIZE);
  TRY(hash_key(encoding, n_public, digest));
  REQUIRE(equal32(digest, uploaded->digest), ERROR_KEY_DIGEST_MISMATCH);
  TRY(check_key(encoding, n_public));

  derivation from = {{{SEED_KEY, sizeof SEED_KEY - 1}, {digest, 32}}, 2, 0};
  TRY(require_canonical_address(ix, key, &from, ERROR_WRONG_KEY_ADDRESS));
  REQUIRE(equal32(key->owner, SYSTEM_PROGRAM), ERROR_KEY_ALREADY_REGISTERED);

  TRY(create_account(ix, authority, key, &from, sizeof(key_account) + uploaded->size));
  key_account *head = (key_account *)key->data;
  head->discriminator = KEY_ACCOUNT_DISCRIMINATOR;
  copy_words(head->digest, digest, 32);
  TRY(unix_time(&head->registered_s));
  head->n_public = n_public;
  head->bump = from.bump;
  sol_memcpy_(key->data + sizeof *head, encoding, uploaded->size);
  close_account(upload, authority);
  return 0;
}
