// What a proposal may change. Whatever was proposed is checked when it is proposed: its bounds are the program's own.
#pragma once
#include "memory.h"
#include "parameters.h"

static u64 check_change(u64 kind, const u8 *change) {
  switch (kind) {
    case CHANGE_PARAMETERS: return check_parameters((const parameters *)change);
    case CHANGE_ROLES: return 0;
    case CHANGE_PERMISSION:
      REQUIRE(((const permission *)change)->denied <= (DENY_REQUESTS | DENY_BATCHES), ERROR_PARAMETER_OUT_OF_RANGE);
      return 0;
    default: return ERROR_UNKNOWN_CHANGE;
  }
}
