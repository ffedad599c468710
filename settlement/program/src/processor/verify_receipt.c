// verify_receipt: says yes if a leaf stands under a batch's root, its window is over and it was not voided, and its key was
// registered when the batch was committed, so that anyone could challenge it; else refuses by name. Any program may call it; on
// yes the return data is a `verdict`: what the leaf says, and whose batch it is of. A caller compares it with what it wants.
//
//   accounts  [] batch
//             [] key: the leaf's
//   data      verify_receipt_arguments, then the path
#include "../leaf.h"
#include "../system.h"

static u64 process_verify_receipt(const instruction *ix) {
  TRY(require_shape(ix, VERIFY_RECEIPT));
  const verify_receipt_arguments *arguments = (const verify_receipt_arguments *)ix->data;
  const account *batch_at = ix->accounts[VERIFY_RECEIPT_BATCH];
  const batch_account *batch = (const batch_account *)batch_at->data;
  const key_account *key = (const key_account *)ix->accounts[VERIFY_RECEIPT_KEY]->data;
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(now_s > batch->challenge_until_s, ERROR_CHALLENGE_WINDOW_OPEN);
  REQUIRE(key->registered_s <= batch->unix_time_s, ERROR_KEY_REGISTERED_LATER);
  leaf shown = {arguments->request,      key->digest,       arguments->inputs,
                arguments->proof_digest, arguments->prover, arguments->price};
  slice path = {ix->data + sizeof *arguments, ix->data_size - sizeof *arguments};
  TRY(require_in_batch(batch, &shown, arguments->leaf, path));
  u64 state = leaf_state(batch_at, arguments->leaf);
  REQUIRE(state != LEAF_VOID, ERROR_LEAF_VOID);
  REQUIRE(state != LEAF_DEMANDED, ERROR_CHALLENGE_WINDOW_OPEN);

  verdict yes = {.price = arguments->price, .committed_s = batch->unix_time_s};
  copy_words(yes.committer, batch->committer, 32);
  copy_words(yes.key, key->digest, 32);
  copy_words(yes.inputs, arguments->inputs, 32);
  copy_words(yes.proof, arguments->proof_digest, 32);
  copy_words(yes.request, arguments->request, 32);
  copy_words(yes.prover, arguments->prover, 32);
  sol_set_return_data((const u8 *)&yes, sizeof yes);
  return 0;
}
