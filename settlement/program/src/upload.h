// What the instructions on an open upload have in common.
#pragma once
#include "input.h"

// The account is an upload of ours, and the authority is its own.
static u64 require_upload(const instruction *ix, const account *upload, const account *authority) {
  REQUIRE(is_account(ix, upload, UPLOAD_ACCOUNT_DISCRIMINATOR, sizeof(upload_account)), ERROR_WRONG_UPLOAD_ACCOUNT);
  REQUIRE(equal32(((const upload_account *)upload->data)->authority, authority->key), ERROR_WRONG_AUTHORITY);
  return 0;
}
