// The Solana syscalls that the program uses. The linker turns each name into its murmur3 hash; an undefined symbol
// that does not start with `sol_` is refused.
#pragma once
#include "types.h"

typedef struct {
  const void *bytes;
  u64 size;
} slice;  // SolBytes, SolSignerSeed

typedef struct {
  const slice *seeds;
  u64 count;
} signer_seeds;

typedef struct {
  const u8 *key;
  u8 is_writable;
  u8 is_signer;
} cpi_meta;

typedef struct {
  const u8 *program_id;
  const cpi_meta *accounts;
  u64 account_count;
  const u8 *data;
  u64 data_size;
} cpi_instruction;

typedef struct {
  const u8 *key;
  u64 *lamports;
  u64 data_size;
  u8 *data;
  const u8 *owner;
  u64 rent_epoch;
  u8 is_signer;
  u8 is_writable;
  u8 executable;
} cpi_account;

typedef struct {
  u64 slot;
  i64 epoch_start_timestamp;
  u64 epoch;
  u64 leader_schedule_epoch;
  i64 unix_timestamp;
} clock_sysvar;

typedef struct {
  u64 lamports_per_byte_year;
  u64 exemption_threshold;  // the bits of a double
  u8 burn_percent;
  u8 reserved[7];
} rent_sysvar;

enum { BN128_ADD = 0, BN128_MUL = 2, BN128_PAIRING = 3 };

extern u64 sol_alt_bn128_group_op(u64 operation, const u8 *input, u64 input_size, u8 *result);
extern u64 sol_sha256(const slice *slices, u64 count, u8 *digest);
extern u64 sol_get_clock_sysvar(clock_sysvar *clock);
extern u64 sol_get_rent_sysvar(rent_sysvar *rent);
extern u64 sol_create_program_address(const slice *seeds, u64 count, const u8 *program_id, u8 *address);
extern u64 sol_try_find_program_address(const slice *seeds, u64 count, const u8 *program_id, u8 *address, u8 *bump);
extern u64 sol_invoke_signed_c(const cpi_instruction *instruction, const cpi_account *accounts, u64 account_count,
                               const signer_seeds *signers, u64 signer_count);
extern void sol_set_return_data(const u8 *data, u64 size);
extern u64 sol_get_return_data(u8 *data, u64 size, u8 *program_id);
extern void sol_memcpy_(void *to, const void *from, u64 size);
