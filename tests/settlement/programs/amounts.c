// The program's arithmetic by itself. Data: an operation and its operands, 8 bytes each.
//
//   0  a, b, divisor -> a * b / divisor      2  total, amount -> their sum
//   1  a, bps        -> `bps` / 10,000 of a  3  total, amount -> their difference
#include "amounts.h"
#include "input.h"
#include "syscalls.h"

u64 entrypoint(u8 *input) {
  instruction ix;
  TRY(read_input(input, &ix));
  const word *given = (const word *)ix.data + 1;
  u64 result = given[0];
  switch (ix.data[0]) {
    case 0: TRY(multiply_divide(given[0], given[1], given[2], &result)); break;
    case 1: result = share_of(given[0], given[1]); break;
    case 2: TRY(add_amount(&result, given[1])); break;
    default: TRY(take_amount(&result, given[1]));
  }
  sol_set_return_data((const u8 *)&result, sizeof result);
  return 0;
}
