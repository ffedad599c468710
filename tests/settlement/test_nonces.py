"""Durable nonces by our own builders: made, read, advanced once, handed over, closed."""

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.errors import Conflict, MalformedInput, NotFound, ProgramRefused
from proofgrid.settlement import nonces
from proofgrid.settlement.delivery import Delivery, draft
from proofgrid.settlement.nonces import Nonce, read_nonce
from proofgrid.settlement.offline import Draft
from tests.settlement.cluster import PAYER
from tests.settlement.frozen import FUNDS, Frozen, on_frozen, payment, stranger

ACCOUNT, AUTHORITY, OTHER = (Keypair.from_seed(bytes([seed]) * 32) for seed in (71, 72, 73))
RENT = 1_447_680


async def made(frozen: Frozen) -> Nonce:
    steps = nonces.create(PAYER.pubkey(), ACCOUNT.pubkey(), AUTHORITY.pubkey(), rent=RENT)
    await land(frozen, await drafted(frozen, *steps), PAYER, ACCOUNT)
    await frozen.warp(1)
    return await read_nonce(frozen.client, ACCOUNT.pubkey())


async def drafted(frozen: Frozen, *steps: Instruction, nonce: Nonce | None = None) -> Draft:
    return await draft(frozen.client, steps, PAYER.pubkey(), nonce=nonce)


async def land(frozen: Frozen, unsigned: Draft, *signers: Keypair) -> bool:
    """Whether it landed only now."""
    return (await Delivery(frozen.client, poll_s=0.01).deliver(unsigned.sign(*signers))).is_news


def test_a_nonce_is_made_spent_and_closed() -> None:
    async def journey(frozen: Frozen) -> None:
        nonce, to = await made(frozen), stranger()
        assert (nonce.authority, nonce.lamports) == (AUTHORITY.pubkey(), RENT)
        # When a payment waits for two signatures far longer than a blockhash lives
        waiting = await drafted(frozen, payment(to), nonce=nonce)
        assert (waiting.nonce, waiting.last_valid_block_height) == (nonce.address, None)
        assert waiting.required == [PAYER.pubkey(), AUTHORITY.pubkey()]
        await frozen.warp(50_000)
        # Then it lands, once, however often it is sent
        assert await land(frozen, waiting, PAYER, AUTHORITY)
        assert not await land(frozen, waiting, PAYER, AUTHORITY)
        assert await frozen.balance(to) == 10**7
        after = await read_nonce(frozen.client, nonce.address)
        assert after.stored != nonce.stored
        # and the authority takes the rent back
        await frozen.warp(1)
        closing = await drafted(frozen, nonces.withdraw(after, to, after.lamports))
        await land(frozen, closing, PAYER, AUTHORITY)
        assert await frozen.balance(to) == 10**7 + RENT
        with pytest.raises(NotFound, match="nonce create"):
            await read_nonce(frozen.client, nonce.address)

    on_frozen(journey)


def test_a_second_draft_of_one_nonce_says_why_it_cannot_land() -> None:
    async def journey(frozen: Frozen) -> None:
        nonce, to = await made(frozen), stranger()
        one = await drafted(frozen, payment(to), nonce=nonce)
        two = await drafted(frozen, payment(to, 10**7 + 1), nonce=nonce)
        await land(frozen, one, PAYER, AUTHORITY)
        with pytest.raises(Conflict, match="spent by another"):
            await land(frozen, two, PAYER, AUTHORITY)
        assert await frozen.balance(to) == 10**7

    on_frozen(journey)


def test_one_that_lands_and_fails_is_a_refusal_each_time() -> None:
    """Its nonce is spent, so it is asked for by its signature before anything is said about the nonce."""

    async def journey(frozen: Frozen) -> None:
        nonce, to = await made(frozen), stranger()
        waiting = await drafted(frozen, payment(to, FUNDS - 3 * RENT), nonce=nonce)
        await frozen.pay(stranger(), FUNDS // 2)  # the money is gone when it lands
        with pytest.raises(ProgramRefused, match="InsufficientFunds"):
            await land(frozen, waiting, PAYER, AUTHORITY)
        # the simulation saw it: nothing was sent, and the nonce is whole
        assert (await read_nonce(frozen.client, nonce.address)).stored == nonce.stored
        sent = await frozen.send(waiting.sign(PAYER, AUTHORITY).signed())
        assert (await frozen.status(sent)).err is not None
        assert (await read_nonce(frozen.client, nonce.address)).stored != nonce.stored
        with pytest.raises(ProgramRefused):
            await land(frozen, waiting, PAYER, AUTHORITY)

    on_frozen(journey)


def test_the_authority_hands_over() -> None:
    async def journey(frozen: Frozen) -> None:
        nonce, to = await made(frozen), stranger()
        await land(frozen, await drafted(frozen, nonces.authorize(nonce, OTHER.pubkey())), PAYER, AUTHORITY)
        await frozen.warp(1)
        after = await read_nonce(frozen.client, nonce.address)
        assert after.authority == OTHER.pubkey()
        waiting = await drafted(frozen, payment(to), nonce=after)
        with pytest.raises(MalformedInput, match="need not sign"):
            waiting.sign(AUTHORITY)
        assert await land(frozen, waiting, PAYER, OTHER)
        with pytest.raises(ProgramRefused):
            await drafted(frozen, nonces.withdraw(nonce, to, 1))

    on_frozen(journey)


def test_an_account_that_is_no_nonce_is_refused() -> None:
    async def journey(frozen: Frozen) -> None:
        with pytest.raises(MalformedInput, match="0 bytes"):
            await read_nonce(frozen.client, PAYER.pubkey())
        with pytest.raises(MalformedInput, match="belongs to"):
            await read_nonce(frozen.client, Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"))

    on_frozen(journey)


@pytest.mark.parametrize("head", [(0, 1), (1, 0), (2, 1), (1, 2)])
def test_only_an_initialised_account_of_todays_version_is_read(head: tuple[int, int]) -> None:
    version, state = (number.to_bytes(4, "little") for number in head)
    data = version + state + bytes(AUTHORITY.pubkey()) + bytes(Hash.new_unique()) + bytes(8)
    with pytest.raises(MalformedInput, match="make a new one"):
        Nonce.decode(ACCOUNT.pubkey(), data, RENT)
