"""A signed draft lands once, whatever the network does, or it is said for certain that it never will."""

import pytest
from solana.rpc.commitment import Confirmed
from solders.hash import Hash
from solders.pubkey import Pubkey

from proofgrid.errors import ChainUnavailable, Conflict, MalformedInput
from proofgrid.settlement.delivery import Delivery, draft
from proofgrid.settlement.devnet import Delays
from proofgrid.settlement.offline import Draft
from tests.settlement.cluster import PAYER
from tests.settlement.frozen import Frozen, on_frozen, payment, stranger


async def signed(frozen: Frozen, lamports: int = 10**7) -> tuple[Draft, Delivery, Pubkey]:
    to = stranger()
    unsigned = await draft(frozen.client, [payment(to, lamports)], PAYER.pubkey())
    return unsigned.sign(PAYER), Delivery(frozen.client, poll_s=0.01, rebroadcast_s=0.02, patience_s=2), to


@pytest.mark.parametrize(
    "faults",
    [
        {"drop": {"probability": 1, "count": 3}},
        {"late": {"probability": 1, "count": 1}, "late_slots": 5},
        {"unseen": {"probability": 1, "count": 1}, "late_slots": 5},
        {"error": {"probability": 1, "count": 3}},
        {"behind": {"probability": 1, "count": 3}},
        {"reset": {"probability": 0.3, "count": 4}, "drop": 0.3, "error": 0.2, "seed": 5},
    ],
    ids=["drop", "late", "unseen", "error", "behind", "mixed"],
)
def test_it_lands_once_under_faults(faults: dict[str, object]) -> None:
    async def journey(frozen: Frozen) -> None:
        ready, delivery, to = await signed(frozen)
        genesis = (await frozen.client.get_genesis_hash()).value
        assert ready.network == genesis
        await frozen.faults(**faults)
        landed = None
        for _ in range(20):  # what a person does who is told that the endpoint does not answer
            try:
                landed = await delivery.deliver(ready)
                break
            except ChainUnavailable:
                continue
        assert landed is not None
        await frozen.faults()
        assert await frozen.balance(to) == 10**7
        again = await delivery.deliver(ready)
        assert (again.signature, again.is_news) == (landed.signature, False)
        assert await frozen.balance(to) == 10**7

    on_frozen(journey, slot_s=0.05)


def test_it_has_landed_when_it_is_confirmed_and_not_before() -> None:
    async def journey(frozen: Frozen) -> None:
        ready, delivery, to = await signed(frozen)
        await delivery.deliver(ready)
        assert await frozen.balance(to, Confirmed) == 10**7

    on_frozen(journey, slot_s=0.05, delays=Delays(confirmed=10))


def test_one_that_is_dropped_until_it_expires_is_said_to_be_gone() -> None:
    async def journey(frozen: Frozen) -> None:
        ready, delivery, to = await signed(frozen)
        await frozen.faults(drop=1)

        sent: list[object] = []
        with pytest.raises(Conflict, match="expired"):
            await delivery.deliver(ready, on_sending=sent.append)
        assert sent == [ready.signatures[PAYER.pubkey()]]
        assert await frozen.balance(to) == 0

    on_frozen(journey, slot_s=0.005)


def test_an_endpoint_that_falls_silent_leaves_it_open() -> None:
    async def journey(frozen: Frozen) -> None:
        ready, delivery, _ = await signed(frozen)
        delivery.patience_s = 0.2

        def silence(_: object) -> None:
            frozen.devnet.stop()

        with pytest.raises(ChainUnavailable, match="not known whether"):
            await delivery.deliver(ready, on_sending=silence)

    on_frozen(journey)


def test_another_networks_is_not_sent() -> None:
    async def journey(frozen: Frozen) -> None:
        ready, delivery, to = await signed(frozen)
        other = Draft(Hash.new_unique(), ready.message).sign(PAYER)
        with pytest.raises(MalformedInput, match="genesis"):
            await delivery.deliver(other)
        assert await frozen.balance(to) == 0

    on_frozen(journey)
