// What the runtime hands to the entrypoint, read in place.
//
// The buffer: u64 account count; per account either the struct below, its data, 10,240 bytes of room to grow, padding to
// 8 bytes and a u64 rent epoch, or, for an account listed before, its index and 7 bytes of padding; then u64 size and bytes
// of the instruction data; then the program's id.
#pragma once
#include "layout.h"
#include "memory.h"

static const u8 SYSTEM_PROGRAM[32] __attribute__((aligned(8))) = {0};
// TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA
static const u8 TOKEN_PROGRAM[32] __attribute__((aligned(8))) = TOKEN_PROGRAM_BYTES;

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

// Ours, of this type, and at least as long as its fixed part.
static int is_account(const instruction *ix, const account *candidate, u64 discriminator, u64 fixed_size) {
  return equal32(candidate->owner, ix->program_id) && candidate->data_size >= fixed_size &&
         *(const word *)candidate->data == discriminator;
}

static u64 require_type(const instruction *ix, const account *candidate, u64 type) {
  if (type == TYPE_ANY) return 0;
  if (type == TYPE_SYSTEM_PROGRAM) return equal32(candidate->key, SYSTEM_PROGRAM) ? 0 : ERROR_WRONG_SYSTEM_PROGRAM;
  if (type == TYPE_TOKEN_PROGRAM) return equal32(candidate->key, TOKEN_PROGRAM) ? 0 : ERROR_WRONG_TOKEN_PROGRAM;
  const account_type *record = ACCOUNT_TYPES + (type - FIRST_RECORD_TYPE);
  return is_account(ix, candidate, record->discriminator, record->size) ? 0 : record->error;
}

// What layout declares of an instruction, all of it: the accounts are there, the signers signed, the writable ones are
// writable, each is of its type; the data has the arguments' size, or more where a tail follows them.
static u64 require_shape(const instruction *ix, const account_rule *rules, u64 count, u64 data_size, int tail) {
  REQUIRE(ix->account_count >= count, ERROR_MISSING_ACCOUNT);
  REQUIRE(ix->data_size == data_size || (tail && ix->data_size > data_size), ERROR_MALFORMED_INSTRUCTION);
  for (u64 i = 0; i < count; i++) {
    const account *given = ix->accounts[i];
    REQUIRE(!(rules[i].flags & ACCOUNT_SIGNER) || given->is_signer, ERROR_MISSING_SIGNATURE);
    REQUIRE(!(rules[i].flags & ACCOUNT_WRITABLE) || given->is_writable, ERROR_ACCOUNT_NOT_WRITABLE);
    TRY(require_type(ix, given, rules[i].type));
  }
  return 0;
}
