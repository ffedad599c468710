// call_back: tells the requester's program that its request is fulfilled, once; anyone may send it, also in the transaction
// that fulfils. It is an instruction of its own because a callback that fails fails its transaction; its units are limited by
// the budget of whoever sends it (the request says what it needs), for mainnet has no syscall that tells what is left.
//
//   accounts  [writable] request: fulfilled; signs the call, so that the program called knows who calls
//             [] callback program: the one the request names
//             then what that program is given, none of it as a signer
//   data      call_back_arguments
//
// The program called gets the request's account first, then the others, and as data the bytes "pg.done" and 1.
#include "../payment.h"

static u64 process_call_back(const instruction *ix) {
  static const u8 message[8] = {'p', 'g', '.', 'd', 'o', 'n', 'e', 1};
  TRY(require_shape(ix, CALL_BACK));
  account *request = ix->accounts[CALL_BACK_REQUEST];
  const account *callee = ix->accounts[CALL_BACK_CALLBACK_PROGRAM];
  request_account *head = (request_account *)request->data;
  REQUIRE(head->callback_due, ERROR_NO_CALLBACK_DUE);
  REQUIRE(equal32(head->callback_program, callee->key), ERROR_WRONG_CALLBACK_PROGRAM);
  head->callback_due = 0;

  cpi_meta metas[MAX_ACCOUNTS];
  cpi_account views[MAX_ACCOUNTS];
  u64 given = ix->account_count - 2;
  metas[0] = (cpi_meta){request->key, 0, 1};
  views[0] = cpi_view(request);
  for (u64 i = 0; i < given; i++) {
    account *next = ix->accounts[i + 2];
    metas[i + 1] = (cpi_meta){next->key, next->is_writable && next != request, 0};
    views[i + 1] = cpi_view(next);
  }
  slice seeds[4] = {{SEED_REQUEST, sizeof SEED_REQUEST - 1}, {head->requester, 32}, {&head->nonce, 8}, {&head->bump, 1}};
  signer_seeds signer = {seeds, 4};
  cpi_instruction call = {callee->key, metas, given + 1, message, sizeof message};

  return sol_invoke_signed_c(&call, views, given + 1, &signer, 1);
}
