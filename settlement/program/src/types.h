// Integers, and what a processor may assume: every pointer into the input buffer is aligned to 8 bytes.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// Any memory seen as 64-bit words. The VM allows the access; callers keep it aligned, for speed.
typedef u64 __attribute__((may_alias)) word;

_Static_assert(sizeof(u64) == 8 && sizeof(void *) == 8, "sBPF is a 64-bit machine");

// What an instruction demands of one account: flags, and a type of layout.h.
typedef struct {
  u8 flags, type;
} account_rule;

// A record of ours in an account: its first eight bytes, its least size, and the refusal when it is something else.
typedef struct {
  u64 discriminator, size, error;
} account_type;

// Every check reads as a line of a checklist: what must hold, and the refusal if it does not.
#define REQUIRE(condition, error) \
  do {                            \
    if (!(condition)) return (error); \
  } while (0)

// Passes on the refusal of a function that returns 0 for yes.
#define TRY(call)               \
  do {                          \
    u64 refusal = (call);       \
    if (refusal) return refusal; \
  } while (0)
