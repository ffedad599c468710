// What becomes of a request's tokens: income to its prover, the rest to its requester.
#pragma once
#include "stake.h"
#include "token.h"

// `pay` of the escrow is the prover's: the fee to the network, a part to the pool, the rest to be fetched.
static u64 pay_prover(config_account *network, prover_account *pool, u64 pay) {
  u64 fee = share_of(pay, ((const parameters *)network->parameters)->fee_bps), income = pay - fee;
  u64 pooled = pool->shares > 0 ? share_of(income, pool->pool_bps) : 0;  // a pool of nobody would keep it for ever
  TRY(add_amount(&network->fees, fee));
  TRY(add_amount(&pool->stake, pooled));
  TRY(add_amount(&network->total_stake, pooled));
  return add_amount(&pool->earned, income - pooled);
}

// Takes `amount` of locked stake away: `burn_bps` of it is burned, the rest goes to *harmed.
static u64 slash(config_account *network, prover_account *pool, u64 amount, u64 *harmed) {
  u64 burned = share_of(amount, ((const parameters *)network->parameters)->burn_bps);
  TRY(take_amount(&pool->locked, amount));
  TRY(take_amount(&pool->stake, amount));
  TRY(take_amount(&network->total_stake, amount));
  TRY(add_amount(&network->burned, burned));
  return add_amount(harmed, amount - burned);
}

// Ends a request that was fulfilled: `pay` of its escrow is its prover's, the bond is free, the rest is the requester's.
static u64 settle_request(config_account *network, prover_account *pool, request_account *request, u64 pay) {
  TRY(take_amount(&pool->locked, request->bond));
  TRY(pay_prover(network, pool, pay));
  TRY(add_amount(&pool->earned, request->demand_bond));
  pool->fulfilled += 1;
  request->state = FULFILLED;
  request->refund = request->cap - pay;
  request->bond = request->demand_bond = 0;
  request->callback_due = !is_zero(request->callback_program, 32);
  return 0;
}

// The stake has not denied this use of the key. `permission` stands at its canonical address, which the caller has
// checked, and may not exist: then all is permitted.
static u64 require_permitted(const instruction *ix, const account *permission, u64 use) {
  if (require_type(ix, permission, TYPE_PERMISSION_ACCOUNT) != 0) return 0;
  REQUIRE(!(((const permission_account *)permission->data)->denied & use), ERROR_KEY_DENIED);
  return 0;
}

// Sends a request's refund to the account it names. One that was closed or frozen stops nothing: the refund waits.
static u64 send_refund(account *config, account *vault, request_account *request, account *refund_to) {
  u64 amount = request->refund;
  REQUIRE(equal32(request->refund_to, refund_to->key), ERROR_WRONG_TOKEN_ACCOUNT);
  TRY(require_vault(config, vault));
  if (amount == 0 || !is_token_account(refund_to, ((const config_account *)config->data)->mint)) return 0;
  request->refund = 0;
  return pay_out(config, vault, refund_to, amount);
}
