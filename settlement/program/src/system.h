// Program-derived accounts: made through the system program, closed by hand.
#pragma once
#include "input.h"
#include "syscalls.h"

enum { SYSTEM_CREATE_ACCOUNT = 0, SYSTEM_ASSIGN = 1, SYSTEM_TRANSFER = 2, SYSTEM_ALLOCATE = 8 };

#define MAX_SEEDS 4  // the bump among them

typedef struct {
  slice seeds[MAX_SEEDS];
  u64 count;  // without the bump
  u8 bump;
} derivation;

static cpi_account cpi_view(account *from) {
  return (cpi_account){from->key, &from->lamports, from->data_size,  from->data,      from->owner,
                       0,         from->is_signer, from->is_writable, from->executable};
}

// The lamports that keep `size` bytes alive. The threshold is a double: 2 years, or 1 where rent is stated per byte.
static u64 rent_exempt_minimum(u64 size, u64 *lamports) {
  rent_sysvar rent;
  REQUIRE(sol_get_rent_sysvar(&rent) == 0, ERROR_SYSCALL_FAILED);
  u64 years;
  if (rent.exemption_threshold == 0x4000000000000000ull) years = 2;
  else if (rent.exemption_threshold == 0x3ff0000000000000ull) years = 1;
  else return ERROR_UNSUPPORTED_RENT;
  *lamports = (128 + size) * rent.lamports_per_byte_year * years;
  return 0;
}

// The account stands at the canonical address of its seeds; fills in the bump. 1,500 CU for each bump tried.
static u64 require_canonical_address(const instruction *ix, const account *at, derivation *from, u64 error) {
  u8 address[32] __attribute__((aligned(8)));
  REQUIRE(sol_try_find_program_address(from->seeds, from->count, ix->program_id, address, &from->bump) == 0, error);
  REQUIRE(equal32(address, at->key), error);
  return 0;
}

// The account stands at the address of its seeds and the given bump. 1,500 CU.
static u64 require_address(const instruction *ix, const account *at, derivation *from, u64 error) {
  u8 address[32] __attribute__((aligned(8)));
  from->seeds[from->count] = (slice){&from->bump, 1};
  REQUIRE(sol_create_program_address(from->seeds, from->count + 1, ix->program_id, address) == 0, error);
  REQUIRE(equal32(address, at->key), error);
  return 0;
}

// One call into the system program about `payer` and `target`; `data` starts with its u32 tag; `signer` may be none.
static u64 system_call(account *payer, account *target, const u8 *data, u64 data_size, const signer_seeds *signer) {
  u32 tag = *(const u32 *)data;
  int alone = tag == SYSTEM_ASSIGN || tag == SYSTEM_ALLOCATE;
  cpi_meta metas[2] = {{payer->key, 1, 1}, {target->key, 1, tag != SYSTEM_TRANSFER}};
  cpi_account views[2] = {cpi_view(payer), cpi_view(target)};
  cpi_instruction call = {SYSTEM_PROGRAM, metas + alone, 2 - alone, data, data_size};
  return sol_invoke_signed_c(&call, views, 2, signer, signer != 0);
}

// Makes the account at `from` with `size` zero bytes, owned by `owner`. The caller has checked the address and that the
// account is the system program's. Lamports that someone sent there beforehand do not stop it.
static u64 create_account_of(const u8 *owner, account *payer, account *target, derivation *from, u64 size) {
  u64 minimum;
  TRY(rent_exempt_minimum(size, &minimum));
  from->seeds[from->count] = (slice){&from->bump, 1};
  signer_seeds signer = {from->seeds, from->count + 1};
  struct {
    u32 padding, tag;
    u64 words[6];
  } message = {0};
  u8 *data = (u8 *)&message.tag;  // the system program's arguments follow its tag without a gap
  if (target->lamports == 0) {
    message.tag = SYSTEM_CREATE_ACCOUNT;
    message.words[0] = minimum;
    message.words[1] = size;
    copy_words(message.words + 2, owner, 32);
    return system_call(payer, target, data, 52, &signer);
  }
  if (target->lamports < minimum) {
    message.tag = SYSTEM_TRANSFER;
    message.words[0] = minimum - target->lamports;
    TRY(system_call(payer, target, data, 12, &signer));
  }
  message.tag = SYSTEM_ALLOCATE;
  message.words[0] = size;
  TRY(system_call(payer, target, data, 12, &signer));
  message.tag = SYSTEM_ASSIGN;
  copy_words(message.words, owner, 32);
  return system_call(payer, target, data, 36, &signer);
}

// The same, owned by this program.
static u64 create_account(const instruction *ix, account *payer, account *target, derivation *from, u64 size) {
  return create_account_of(ix->program_id, payer, target, from, size);
}

static u64 unix_time(i64 *now_s) {
  clock_sysvar clock;
  REQUIRE(sol_get_clock_sysvar(&clock) == 0, ERROR_SYSCALL_FAILED);
  *now_s = clock.unix_timestamp;
  return 0;
}

// Gives the lamports back and leaves nothing behind that could be read as an account of ours.
static void close_account(account *closing, account *to) {
  to->lamports += closing->lamports;
  closing->lamports = 0;
  *(word *)closing->data = 0;
  closing->data_size = 0;
  copy_words(closing->owner, SYSTEM_PROGRAM, 32);
}
