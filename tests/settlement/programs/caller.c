// A program that believes a proof only because the settlement program says so: its data is verify_groth16's, its accounts
// the key and the settlement program. It answers with the digest that came back, or fails.
#include "input.h"
#include "syscalls.h"

u64 entrypoint(u8 *input) {
  instruction ix;
  TRY(read_input(input, &ix));
  account *key = ix.accounts[0], *settlement = ix.accounts[1];
  cpi_meta meta = {key->key, 0, 0};
  cpi_instruction call = {settlement->key, &meta, 1, ix.data, ix.data_size};
  cpi_account views[2] = {
      {key->key, &key->lamports, key->data_size, key->data, key->owner, 0, 0, 0, 0},
      {settlement->key, &settlement->lamports, settlement->data_size, settlement->data, settlement->owner, 0, 0, 0, 1}};
  TRY(sol_invoke_signed_c(&call, views, 2, 0, 0));

  u8 digest[32] __attribute__((aligned(8))), from[32] __attribute__((aligned(8)));
  REQUIRE(sol_get_return_data(digest, 32, from) == 32, 1);
  REQUIRE(equal32(from, settlement->key), 2);
  sol_set_return_data(digest, 32);
  return 0;
}
