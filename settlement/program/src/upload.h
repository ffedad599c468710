// What the instructions on an open upload have in common.
#pragma once
#include "input.h"

// The authority is the upload's own.
static u64 require_authority(const account *upload, const account *authority) {
  REQUIRE(equal32(((const upload_account *)upload->data)->authority, authority->key), ERROR_WRONG_AUTHORITY);
  return 0;
}
