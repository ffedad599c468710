// What a multisig does with a transaction that its members agreed on: it carries the transaction out, and its vault, an
// address derived from "vault" that holds lamports and nothing else, signs.
//
//   data      bump, then the inner instruction's
//   accounts  the inner instruction's, the vault among them; then the program that is called
#include "input.h"
#include "syscalls.h"

u64 entrypoint(u8 *input) {
  instruction ix;
  TRY(read_input(input, &ix));
  REQUIRE(ix.account_count >= 2 && ix.data_size >= 2, 1);
  slice seeds[2] = {{"vault", 5}, {ix.data, 1}};
  u8 vault[32] __attribute__((aligned(8)));
  REQUIRE(sol_create_program_address(seeds, 2, ix.program_id, vault) == 0, 2);
  u64 inner = ix.account_count - 1;
  cpi_meta metas[MAX_ACCOUNTS];
  cpi_account views[MAX_ACCOUNTS];
  for (u64 i = 0; i < ix.account_count; i++) {
    account *one = ix.accounts[i];
    metas[i] = (cpi_meta){one->key, one->is_writable, equal32(one->key, vault)};
    views[i] = (cpi_account){one->key, &one->lamports, one->data_size, one->data, one->owner, 0,
                             one->is_signer, one->is_writable, one->executable};
  }
  cpi_instruction call = {ix.accounts[inner]->key, metas, inner, ix.data + 1, ix.data_size - 1};
  signer_seeds signer = {seeds, 2};
  return sol_invoke_signed_c(&call, views, ix.account_count, &signer, 1);
}
