// A prover's pool: tokens in shares, what they are worth, and what of them is free to back new work.
#pragma once
#include "amounts.h"
#include "input.h"

static inline const parameters *parameters_of(const account *config) {
  return (const parameters *)((const config_account *)config->data)->parameters;
}

// The tokens that `shares` of the pool are worth, rounded down: all shares together are worth at most the stake.
static u64 worth(const prover_account *pool, u64 shares, u64 *tokens) {
  u64 stake = pool->stake, total = pool->shares;
  TRY(add_amount(&stake, VIRTUAL_STAKE));
  TRY(add_amount(&total, VIRTUAL_SHARES));
  return multiply_divide(shares, stake, total, tokens);
}

// The shares that `tokens` buy, rounded down.
static u64 shares_for(const prover_account *pool, u64 tokens, u64 *shares) {
  u64 stake = pool->stake, total = pool->shares;
  TRY(add_amount(&stake, VIRTUAL_STAKE));
  TRY(add_amount(&total, VIRTUAL_SHARES));
  return multiply_divide(tokens, total, stake, shares);
}

// Tokens that are not on their way out: they vote, and back work.
static u64 active_stake(const prover_account *pool, u64 *tokens) {
  return worth(pool, pool->shares - pool->exiting_shares, tokens);
}

// The owner of a prover with enough active stake signs.
static u64 require_active_owner(const account *config, const account *prover, const account *owner, u64 *stake) {
  const prover_account *pool = (const prover_account *)prover->data;
  REQUIRE(equal32(pool->owner, owner->key), ERROR_NOT_OWNER);
  TRY(active_stake(pool, stake));
  REQUIRE(*stake >= parameters_of(config)->min_stake, ERROR_STAKE_TOO_SMALL);
  return 0;
}

// The staker's own position in this pool.
static u64 require_position(const instruction *ix, const account *prover, const account *position, const account *staker) {
  const position_account *head = (const position_account *)position->data;
  TRY(require_type(ix, position, TYPE_POSITION_ACCOUNT));
  REQUIRE(equal32(head->prover, prover->key), ERROR_WRONG_POSITION_ACCOUNT);
  REQUIRE(equal32(head->staker, staker->key), ERROR_NOT_STAKER);
  return 0;
}

// Puts `amount` of the active stake behind new work.
static u64 lock_stake(const parameters *rules, prover_account *pool, u64 amount) {
  u64 active;
  TRY(active_stake(pool, &active));
  REQUIRE(active >= rules->min_stake, ERROR_STAKE_TOO_SMALL);
  REQUIRE(active >= pool->locked && active - pool->locked >= amount, ERROR_STAKE_LOCKED);
  return add_amount(&pool->locked, amount);
}
