// It passes its data on to the program that its first account is, and answers nothing itself.
#include "input.h"
#include "syscalls.h"
#include "system.h"

u64 entrypoint(u8 *input) {
  instruction ix;
  TRY(read_input(input, &ix));
  account *other = ix.accounts[0];
  cpi_account view = cpi_view(other);
  cpi_instruction call = {other->key, 0, 0, ix.data, ix.data_size};
  return sol_invoke_signed_c(&call, &view, 1, 0, 0);
}
