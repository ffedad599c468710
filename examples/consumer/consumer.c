// An escrow that trusts a proof: lamports for a beneficiary, released when the settlement program says that a receipt holds
// for the key and the public inputs that the depositor named, given back to the depositor from a time on.
//
//   open     accounts  [signer, writable] depositor: pays
//                      [writable] escrow: made here, at the canonical address of ("escrow", depositor, nonce as u64)
//                      [] system program
//            data      open_arguments
//   release  accounts  [writable] escrow: closed here
//                      [writable] beneficiary: gets the amount
//                      [writable] depositor: gets the rent back
//                      [] settlement program, batch, key
//            data      the tag, 7 bytes, then the data of a verify_receipt instruction, as anybody may have built it
//   refund   accounts  [writable] escrow: closed here
//                      [writable] depositor: gets everything
//            data      the tag and 7 bytes
//
// Build: python -m proofgrid.settlement.program.build examples/consumer/consumer.c consumer.so
#include "system.h"

enum { OPEN_TAG = 0, RELEASE_TAG = 1, REFUND_TAG = 2 };
enum {
  NOT_OURS = 1,       // an account that is not what it is given for
  NOT_SIGNED = 2,     // by the depositor
  WRONG_PROGRAM = 3,  // not the settlement program that the depositor named, or the answer is not its
  WRONG_ANSWER = 4,   // the receipt holds, and is one of another statement
  TOO_EARLY = 5,      // for a refund
  MALFORMED = 6,
};
#define ESCROW_DISCRIMINATOR 0x3177726373652e78ull  // "x.escrw1"

typedef struct __attribute__((may_alias)) {
  u64 discriminator;
  u8 depositor[32], beneficiary[32], settlement[32], key[32], inputs[32];  // key and inputs are digests
  u64 nonce, amount;
  i64 refund_from_s;
} escrow;

typedef struct __attribute__((may_alias)) {
  u8 tag, reserved[7];
  u64 nonce, amount;
  i64 refund_from_s;
  u8 beneficiary[32], settlement[32], key[32], inputs[32];
} open_arguments;

static u64 open(const instruction *ix) {
  REQUIRE(ix->account_count == 3 && ix->data_size == sizeof(open_arguments), MALFORMED);
  const open_arguments *arguments = (const open_arguments *)ix->data;
  account *depositor = ix->accounts[0], *at = ix->accounts[1];
  REQUIRE(depositor->is_signer, NOT_SIGNED);

  derivation from = {{{"escrow", 6}, {depositor->key, 32}, {&arguments->nonce, 8}}, 3, 0};
  TRY(require_canonical_address(ix, at, &from, NOT_OURS));
  REQUIRE(equal32(at->owner, SYSTEM_PROGRAM), NOT_OURS);
  TRY(create_account(ix, depositor, at, &from, sizeof(escrow)));
  escrow *made = (escrow *)at->data;
  made->discriminator = ESCROW_DISCRIMINATOR;
  copy_words(made->depositor, depositor->key, 32);
  copy_words(made->beneficiary, arguments->beneficiary, 32);
  copy_words(made->settlement, arguments->settlement, 32);
  copy_words(made->key, arguments->key, 32);
  copy_words(made->inputs, arguments->inputs, 32);
  made->nonce = arguments->nonce;
  made->amount = arguments->amount;
  made->refund_from_s = arguments->refund_from_s;

  struct {
    u32 padding, tag;
    u64 lamports;
  } transfer = {0, SYSTEM_TRANSFER, arguments->amount};
  return system_call(depositor, at, (const u8 *)&transfer.tag, 12, 0);
}

// Ours, open, and its depositor's. An escrow that was closed is the system program's and holds nothing: nothing is released
// twice.
static u64 require_escrow(const instruction *ix, const account *at, const account *depositor) {
  REQUIRE(is_account(ix, at, ESCROW_DISCRIMINATOR, sizeof(escrow)), NOT_OURS);
  REQUIRE(at->is_writable && depositor->is_writable, NOT_OURS);
  REQUIRE(equal32(((const escrow *)at->data)->depositor, depositor->key), NOT_OURS);
  return 0;
}

// Asks the settlement program whether the receipt holds, and compares its answer with what the depositor wants. Everything
// here was handed in by a stranger but `wanted`: the program, the accounts, the question.
static u64 require_receipt(const instruction *ix, const escrow *wanted) {
  account *settlement = ix->accounts[3], *batch = ix->accounts[4], *key = ix->accounts[5];
  slice question = {ix->data + 8, ix->data_size - 8};
  REQUIRE(equal32(settlement->key, wanted->settlement), WRONG_PROGRAM);
  REQUIRE(*(const u8 *)question.bytes == VERIFY_RECEIPT_TAG, MALFORMED);  // another instruction answers another question
  cpi_meta metas[2] = {{batch->key, 0, 0}, {key->key, 0, 0}};
  cpi_account views[3] = {cpi_view(batch), cpi_view(key), cpi_view(settlement)};
  cpi_instruction call = {settlement->key, metas, 2, question.bytes, question.size};
  TRY(sol_invoke_signed_c(&call, views, 3, 0, 0));  // a receipt that does not hold ends the transaction here

  verdict answer;
  u8 from[32] __attribute__((aligned(8)));
  REQUIRE(sol_get_return_data((u8 *)&answer, sizeof answer, from) == sizeof answer, WRONG_ANSWER);
  REQUIRE(equal32(from, wanted->settlement), WRONG_PROGRAM);
  REQUIRE(equal32(answer.key, wanted->key) && equal32(answer.inputs, wanted->inputs), WRONG_ANSWER);
  return 0;
}

static u64 release(const instruction *ix) {
  REQUIRE(ix->account_count == 6 && ix->data_size > 8, MALFORMED);
  account *at = ix->accounts[0], *beneficiary = ix->accounts[1], *depositor = ix->accounts[2];
  TRY(require_escrow(ix, at, depositor));
  const escrow *held = (const escrow *)at->data;
  REQUIRE(beneficiary->is_writable && equal32(held->beneficiary, beneficiary->key), NOT_OURS);
  TRY(require_receipt(ix, held));

  u64 amount = held->amount;
  at->lamports -= amount;  // it has them: open put them there, and nothing but release and refund takes any
  beneficiary->lamports += amount;
  close_account(at, depositor);
  return 0;
}

static u64 refund(const instruction *ix) {
  REQUIRE(ix->account_count == 2 && ix->data_size == 8, MALFORMED);
  account *at = ix->accounts[0], *depositor = ix->accounts[1];
  TRY(require_escrow(ix, at, depositor));
  i64 now_s;
  TRY(unix_time(&now_s));
  REQUIRE(now_s >= ((const escrow *)at->data)->refund_from_s, TOO_EARLY);
  close_account(at, depositor);
  return 0;
}

u64 entrypoint(u8 *input) {
  instruction ix;
  TRY(read_input(input, &ix));
  REQUIRE(ix.data_size >= 8, MALFORMED);
  switch (ix.data[0]) {
    case OPEN_TAG: return open(&ix);
    case RELEASE_TAG: return release(&ix);
    case REFUND_TAG: return refund(&ix);
    default: return MALFORMED;
  }
}
