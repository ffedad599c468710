// verify_groth16: says yes, or refuses by name. Any program may call it; on yes the return data is the key's digest.
//
//   accounts  [] key: a finalised verifying key
//             [] upload, if the data ends with the arguments: it holds the inputs
//   data      verify_groth16_arguments, then n_public inputs of 32 bytes, big-endian
#include "../groth16.h"
#include "../input.h"
#include "../upload.h"

static u64 process_verify_groth16(const instruction *ix) {
  const verify_groth16_arguments *arguments = (const verify_groth16_arguments *)ix->data;
  TRY(require_shape(ix, VERIFY_GROTH16));
  const account *key = ix->accounts[VERIFY_GROTH16_KEY];
  REQUIRE(!is_account(ix, key, UPLOAD_ACCOUNT_DISCRIMINATOR, sizeof(upload_account)), ERROR_KEY_NOT_FINALIZED);
  TRY(require_type(ix, key, TYPE_KEY_ACCOUNT));
  const key_account *head = (const key_account *)key->data;

  slice inputs;
  TRY(read_tail(ix, sizeof *arguments, VERIFY_GROTH16_UPLOAD, &inputs));
  REQUIRE(inputs.size == (u64)head->n_public * SCALAR_SIZE, ERROR_WRONG_INPUT_COUNT);

  TRY(verify_proof(key->data + sizeof *head, head->n_public, arguments->proof, inputs.bytes));
  sol_set_return_data(head->digest, sizeof head->digest);
  return 0;
}
