// A requester's program: when it is told that a request is fulfilled, by nobody but the settlement program, it counts.
//
//   accounts  [signer] request
//             [writable] counter: ours; first byte: 0 count, 1 refuse, 2 use every unit; then the count
#include "input.h"

u64 entrypoint(u8 *input) {
  instruction ix;
  TRY(read_input(input, &ix));
  REQUIRE(ix.account_count >= 2 && ix.data_size == 8, 1);
  const account *request = ix.accounts[0];
  account *counter = ix.accounts[1];
  const request_account *head = (const request_account *)request->data;
  REQUIRE(request->is_signer && !request->is_writable, 2);
  REQUIRE(head->discriminator == REQUEST_ACCOUNT_DISCRIMINATOR && head->state == FULFILLED, 3);
  for (u64 i = 1; i < ix.account_count; i++) REQUIRE(ix.accounts[i] == request || !ix.accounts[i]->is_signer, 4);
  REQUIRE(counter->data[0] != 1, 5);
  while (counter->data[0] == 2) *(volatile u8 *)(counter->data + 1) += 1;
  counter->data[1] += 1;
  return 0;
}
