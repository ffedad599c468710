// A liar: it answers whatever its data says after the first 8 bytes.
#include "input.h"
#include "syscalls.h"

u64 entrypoint(u8 *input) {
  instruction ix;
  TRY(read_input(input, &ix));
  sol_set_return_data(ix.data + 8, ix.data_size - 8);
  return 0;
}
