"""Durable nonces on the devnet: a transaction signed long ago lands once, and its nonce moves on even if it fails."""

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.system_program import (
    AdvanceNonceAccountParams,
    AuthorizeNonceAccountParams,
    advance_nonce_account,
    authorize_nonce_account,
    create_nonce_account,
)

from proofgrid.settlement.transactions import sign
from tests.settlement.cluster import PAYER
from tests.settlement.frozen import FUNDS, Frozen, on_frozen, payment, stranger

NONCE = Keypair.from_seed(bytes([55]) * 32)
ADVANCE = advance_nonce_account(
    AdvanceNonceAccountParams(nonce_pubkey=NONCE.pubkey(), authorized_pubkey=PAYER.pubkey())
)
RENT = 1_447_680


async def make_nonce(frozen: Frozen) -> Hash:
    blockhash = (await frozen.client.get_latest_blockhash()).value.blockhash
    batch = create_nonce_account(PAYER.pubkey(), NONCE.pubkey(), PAYER.pubkey(), RENT)
    await frozen.send(sign(batch, [PAYER, NONCE], blockhash))
    await frozen.warp(1)
    return await stored(frozen)


async def stored(frozen: Frozen) -> Hash:
    account = (await frozen.client.get_account_info(NONCE.pubkey())).value
    assert account is not None
    return Hash.from_bytes(account.data[40:72])


def test_signed_offline_lands_long_after_and_only_once() -> None:
    async def journey(frozen: Frozen) -> None:
        nonce, to = await make_nonce(frozen), stranger()
        transaction = await frozen.signed(ADVANCE, payment(to), blockhash=nonce)
        # When far more than 150 slots have passed
        await frozen.warp(100_000)
        assert (await frozen.client.simulate_transaction(transaction)).value.err is None
        sent = await frozen.send(transaction)
        # Then it lands, and the nonce is another
        assert (await frozen.status(sent)).err is None
        assert await frozen.balance(to) == 10**7
        assert await stored(frozen) != nonce
        # and neither it nor another transaction of the old nonce lands again
        await frozen.warp(1)
        await frozen.send(transaction)
        other = await frozen.signed(ADVANCE, payment(to, 5), blockhash=nonce)
        assert await frozen.status(await frozen.send(other)) is None
        assert await frozen.balance(to) == 10**7
        # while the next nonce serves the next one
        following = await frozen.signed(ADVANCE, payment(to), blockhash=await stored(frozen))
        await frozen.send(following)
        assert await frozen.balance(to) == 2 * 10**7

    on_frozen(journey)


def test_failed_transaction_spends_its_nonce() -> None:
    async def journey(frozen: Frozen) -> None:
        nonce, to = await make_nonce(frozen), stranger()
        before = await frozen.balance(PAYER.pubkey())
        await frozen.warp(1000)
        transaction = await frozen.signed(ADVANCE, payment(to, FUNDS * 10), blockhash=nonce)
        sent = await frozen.send(transaction)
        # Then it lands failed, pays once, and cannot be made to pay again
        assert (await frozen.status(sent)).err is not None
        assert await frozen.balance(PAYER.pubkey()) == before - 5000
        assert await stored(frozen) != nonce
        # and its next nonce is the one that success would have left
        await frozen.warp(1)
        working = await frozen.signed(ADVANCE, payment(to), blockhash=await stored(frozen))
        assert (await frozen.status(await frozen.send(working))).err is None

    on_frozen(journey)


def test_failure_and_success_leave_the_same_nonce() -> None:
    async def journey(frozen: Frozen) -> None:
        nonce, to = await make_nonce(frozen), stranger()
        left = []
        for lamports in (FUNDS * 10, 10**7):
            await frozen.warp(1)
            await frozen.send(await frozen.signed(ADVANCE, payment(to, lamports), blockhash=nonce))
            left.append(await stored(frozen))
            await frozen.call("devnet_fork", 1)
            assert await stored(frozen) == nonce  # a fork gives the nonce back
        assert left[0] == left[1] != nonce

    on_frozen(journey)


@pytest.mark.parametrize("spoiled", ["late", "absent", "stranger", "other"])
def test_nonce_counts_only_where_it_is_advanced_first_by_its_authority(spoiled: str) -> None:
    async def journey(frozen: Frozen) -> None:
        nonce, to = await make_nonce(frozen), stranger()
        if spoiled == "stranger":
            moved = authorize_nonce_account(
                AuthorizeNonceAccountParams(
                    nonce_pubkey=NONCE.pubkey(), authorized_pubkey=PAYER.pubkey(), new_authority=stranger()
                )
            )
            await frozen.send(await frozen.signed(moved))
        batch: dict[str, list[Instruction]] = {
            "late": [payment(to), ADVANCE],
            "absent": [payment(to)],
            "stranger": [ADVANCE, payment(to)],
            "other": [ADVANCE, payment(to)],
        }
        blockhash = Hash.new_unique() if spoiled == "other" else nonce
        sent = await frozen.send(await frozen.signed(*batch[spoiled], blockhash=blockhash))
        assert await frozen.status(sent, history=True) is None
        assert await frozen.balance(to) == 0
        assert await stored(frozen) == nonce

    on_frozen(journey)
