// What the instructions on an open upload have in common, and those that read one.
#pragma once
#include "input.h"
#include "syscalls.h"

// The authority is the upload's own.
static u64 require_authority(const account *upload, const account *authority) {
  REQUIRE(equal32(((const upload_account *)upload->data)->authority, authority->key), ERROR_WRONG_AUTHORITY);
  return 0;
}

// What follows an instruction's arguments: the rest of its data or, where there is none and an account number `upload_at` was
// given, all that this upload holds. Whose upload it is does not matter, nor whether it is complete: whoever reads it judges
// the bytes as if the sender had sent them. Nothing writes an upload between the check and the use, for only write_upload
// and cancel_upload do, and neither is called from here.
static u64 read_tail(const instruction *ix, u64 arguments_size, u64 upload_at, slice *tail) {
  *tail = (slice){ix->data + arguments_size, ix->data_size - arguments_size};
  if (tail->size > 0 || ix->account_count <= upload_at) return 0;
  const account *upload = ix->accounts[upload_at];
  TRY(require_type(ix, upload, TYPE_UPLOAD_ACCOUNT));
  *tail = (slice){upload->data + sizeof(upload_account), upload->data_size - sizeof(upload_account)};
  return 0;
}
