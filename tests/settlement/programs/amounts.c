// The program's arithmetic by itself: (a, b, divisor) to a * b / divisor, and to the `b` basis points of a.
#include "amounts.h"
#include "input.h"
#include "syscalls.h"

u64 entrypoint(u8 *input) {
  instruction ix;
  TRY(read_input(input, &ix));
  const word *given = (const word *)ix.data;
  u64 result[2];
  TRY(multiply_divide(given[0], given[1], given[2], result));
  result[1] = given[1] <= BASIS_POINTS ? share_of(given[0], given[1]) : 0;
  sol_set_return_data((const u8 *)result, sizeof result);
  return 0;
}
