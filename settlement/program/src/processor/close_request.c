// close_request: the escrow of an open request goes back (cancelled by its requester, or expired), or what is left of one
// that is over; the account's rent goes to the requester.
//
//   accounts  [writable] requester: with its signature an open request may be cancelled, any destination named, and a
//                        callback given up; without it anyone may close what expired or is over
//             [] config
//             [writable] request
//             [writable] vault
//             [writable] destination: the token account the request names, unless the requester signs
//             [] token program
//   data      close_request_arguments
#include "../payment.h"

static u64 process_close_request(const instruction *ix) {
  TRY(require_shape(ix, CLOSE_REQUEST));
  account *requester = ix->accounts[CLOSE_REQUEST_REQUESTER], *request = ix->accounts[CLOSE_REQUEST_REQUEST];
  account *destination = ix->accounts[CLOSE_REQUEST_DESTINATION];
  const request_account *head = (const request_account *)request->data;
  REQUIRE(equal32(head->requester, requester->key), ERROR_WRONG_REQUESTER);
  REQUIRE(head->state != ASSIGNED && head->state != DEMANDED, ERROR_REQUEST_NOT_OVER);
  if (!requester->is_signer) {
    i64 now_s;
    TRY(unix_time(&now_s));
    REQUIRE(head->state != OPEN || now_s > head->expire_s, ERROR_NOT_YET_EXPIRED);
    REQUIRE(!head->callback_due, ERROR_CALLBACK_DUE);
    REQUIRE(equal32(head->refund_to, destination->key), ERROR_WRONG_TOKEN_ACCOUNT);
  }
  u64 amount = head->state == OPEN ? head->cap : head->refund;
  if (amount > 0) {
    TRY(pay_out(ix->accounts[CLOSE_REQUEST_CONFIG], ix->accounts[CLOSE_REQUEST_VAULT], destination, amount));
  }
  close_account(request, requester);
  return 0;
}
