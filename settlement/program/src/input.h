// What the runtime hands to the entrypoint, read in place.
//
// The buffer: u64 account count; per account either the struct below, its data, 10,240 bytes of room to grow, padding to
// 8 bytes and a u64 rent epoch, or, for an account listed before, its index and 7 bytes of padding; then u64 size and bytes
// of the instruction data; then the program's id.
#pragma once
#include "layout.h"
#include "memory.h"

#define ROOM_TO_GROW 10240
#define NOT_DUPLICATE 0xff
#define MAX_ACCOUNTS 16

typedef struct __attribute__((may_alias)) {
  u8 duplicate_of;  // NOT_DUPLICATE, or the index of the first mention
  u8 is_signer;
  u8 is_writable;
  u8 executable;
  u32 reserved;
  u8 key[32];
  u8 owner[32];
  u64 lamports;
  u64 data_size;
  u8 data[];
} account;

typedef struct {
  account *accounts[MAX_ACCOUNTS];
  u64 account_count;
  const u8 *data;
  u64 data_size;
  const u8 *program_id;
} instruction;

static u64 read_input(u8 *input, instruction *ix) {
  u64 count = *(word *)input;
  u8 *at = input + 8;
  REQUIRE(count <= MAX_ACCOUNTS, ERROR_TOO_MANY_ACCOUNTS);
  for (u64 i = 0; i < count; i++) {
    account *next = (account *)at;
    if (next->duplicate_of != NOT_DUPLICATE) {
      ix->accounts[i] = ix->accounts[next->duplicate_of];
      at += 8;
    } else {
      ix->accounts[i] = next;
      at += sizeof(account) + ((next->data_size + 7) & ~7ull) + ROOM_TO_GROW + 8;
    }
  }
  ix->account_count = count;
  ix->data_size = *(word *)at;
  ix->data = at + 8;
  ix->program_id = ix->data + ix->data_size;
  return 0;
}

// The flags of layout.py's account list: enough accounts, the signers signed, the writable ones are writable.
static u64 require_accounts(const instruction *ix, const u8 *flags, u64 count) {
  REQUIRE(ix->account_count >= count, ERROR_MISSING_ACCOUNT);
  for (u64 i = 0; i < count; i++) {
    REQUIRE(!(flags[i] & ACCOUNT_SIGNER) || ix->accounts[i]->is_signer, ERROR_MISSING_SIGNATURE);
    REQUIRE(!(flags[i] & ACCOUNT_WRITABLE) || ix->accounts[i]->is_writable, ERROR_ACCOUNT_NOT_WRITABLE);
  }
  return 0;
}

// Ours, of this type, and at least as long as its fixed part.
static int is_account(const instruction *ix, const account *candidate, u64 discriminator, u64 fixed_size) {
  return equal32(candidate->owner, ix->program_id) && candidate->data_size >= fixed_size &&
         *(const word *)candidate->data == discriminator;
}
