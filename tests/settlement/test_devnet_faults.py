"""Faults on demand: each alone, mixed, the same for the same seed, and none where none was asked for."""

import asyncio
import os
import subprocess
import sys
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair

from proofgrid.errors import MalformedInput
from proofgrid.settlement.devnet import Plan
from proofgrid.settlement.devnet.faults import KINDS, Faults, Kind
from tests.settlement.frozen import Frozen, RpcFailed, on_frozen, payment, stranger

ALWAYS = {"probability": 1, "count": None}


def once(times: int = 1) -> dict[str, Any]:
    return {"probability": 1, "count": times}


def test_dropped_transaction_never_lands() -> None:
    async def journey(frozen: Frozen) -> None:
        to = stranger()
        await frozen.faults(drop=once(2))
        transaction = await frozen.signed(payment(to))
        # When it is sent and sent again, the node says its name and does nothing
        for _ in range(2):
            sent = await frozen.send(transaction)
            assert sent == transaction.signatures[0]
            await frozen.warp(1)
            assert await frozen.status(sent, history=True) is None
        # and the third time it lands
        await frozen.send(transaction)
        assert (await frozen.status(sent)).err is None
        assert await frozen.balance(to) == 10**7
        assert await frozen.struck() == {"drop": 2}

    on_frozen(journey)


@pytest.mark.parametrize("late_slots", [150, 151])
def test_late_transaction_lands_later_if_its_blockhash_lives(late_slots: int) -> None:
    async def journey(frozen: Frozen) -> None:
        to = stranger()
        await frozen.faults(late=once(), late_slots=late_slots)
        transaction = await frozen.signed(payment(to))
        sent = await frozen.send(transaction)
        sent_in = await frozen.warp(late_slots - 1) - late_slots + 1
        await frozen.send(transaction)  # again, while it is on its way: no second fault, no second landing
        assert await frozen.status(sent, history=True) is None
        assert await frozen.balance(to) == 0
        await frozen.warp(1)
        status = await frozen.status(sent)
        if late_slots == 150:
            assert status.slot == sent_in + 150
            assert await frozen.balance(to) == 10**7
        else:
            assert status is None
            await frozen.warp(500)
            assert await frozen.balance(to) == 0

    on_frozen(journey)


def test_late_transactions_land_in_their_slot_also_over_a_warp() -> None:
    async def journey(frozen: Frozen) -> None:
        await frozen.faults(late=ALWAYS, late_slots=3)
        first = await frozen.pay(stranger())
        await frozen.warp(1)
        second = await frozen.pay(stranger())
        slot = await frozen.warp(1000)
        statuses = [await frozen.status(sent) for sent in (first, second)]
        assert [slot - status.slot for status in statuses] == [998, 997]

    on_frozen(journey)


def test_unseen_transaction_has_landed_but_has_no_status() -> None:
    async def journey(frozen: Frozen) -> None:
        to = stranger()
        await frozen.faults(unseen=once(), late_slots=5)
        sent = await frozen.pay(to)
        for _ in range(5):
            assert await frozen.status(sent) is None
            assert (await frozen.client.get_transaction(sent, max_supported_transaction_version=0)).value is None
            assert (await frozen.status(sent, history=True)).err is None
            assert await frozen.balance(to) == 10**7
            await frozen.warp(1)
        assert (await frozen.status(sent)).err is None
        assert (await frozen.client.get_transaction(sent, max_supported_transaction_version=0)).value is not None

    on_frozen(journey)


def test_fork_undoes_the_last_slots_by_itself() -> None:
    async def journey(frozen: Frozen) -> None:
        old, undone = stranger(), stranger()
        await frozen.pay(old)
        await frozen.warp(3)
        transaction = await frozen.signed(payment(undone))
        sent = await frozen.send(transaction)
        await frozen.faults(fork=once(), fork_slots=2)
        await frozen.warp(1)
        assert await frozen.status(sent, history=True) is None
        assert (await frozen.balance(old), await frozen.balance(undone)) == (10**7, 0)
        assert await frozen.struck() == {"fork": 1}
        await frozen.send(transaction)
        await frozen.warp(100)
        assert await frozen.balance(undone) == 10**7

    on_frozen(journey)


async def raw(frozen: Frozen, method: str = "getSlot", *params: Any) -> httpx.Response:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    return await frozen.http.post(frozen.devnet.url, json=body)


def test_http_errors() -> None:
    async def journey(frozen: Frozen) -> None:
        await frozen.faults(error=once(20))
        seen = {(await raw(frozen)).status_code for _ in range(20)}
        assert seen == {500, 502, 503}
        assert (await raw(frozen)).status_code == 200

    on_frozen(journey)


def test_node_behind() -> None:
    async def journey(frozen: Frozen) -> None:
        await frozen.faults(behind=once(2))
        with pytest.raises(RpcFailed) as raised:
            await frozen.call("getHealth")
        assert raised.value.error == {
            "code": -32005,
            "message": "Node is behind by 42 slots",
            "data": {"numSlotsBehind": 42},
        }
        batch = [{"jsonrpc": "2.0", "id": n, "method": "getSlot"} for n in range(2)]
        answers = (await frozen.http.post(frozen.devnet.url, json=batch)).json()
        assert [(one["id"], one["error"]["code"]) for one in answers] == [(0, -32005), (1, -32005)]
        assert await frozen.call("getHealth") == "ok"

    on_frozen(journey)


def test_rate_limits() -> None:
    async def journey(frozen: Frozen) -> None:
        await frozen.faults(limit=once(), retry_after_s=7)
        limited = await raw(frozen)
        assert (limited.status_code, limited.headers["retry-after"], limited.json()["error"]["code"]) == (429, "7", 429)
        assert (await raw(frozen)).status_code == 200
        # by slot: two requests, the third has to wait for the next slot
        await frozen.faults(requests_per_slot=2)
        for _ in range(2):
            assert [(await raw(frozen)).status_code for _ in range(4)] == [200, 200, 429, 429]
            await frozen.warp(1)

    on_frozen(journey)


@pytest.mark.parametrize("kind", ["reset", "timeout"])
def test_lost_answers(kind: str) -> None:
    async def journey(frozen: Frozen) -> None:
        done = []
        await frozen.faults(**{kind: once(8)}, timeout_s=0)
        for _ in range(8):
            to = stranger()
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                await raw(frozen, "requestAirdrop", str(to), 10**7)
            done.append(to)
        # Then some were carried out and some were not: the caller cannot know
        balances = [await frozen.balance(to) for to in done]
        assert set(balances) == {0, 10**7}

    on_frozen(journey)


def test_silent_node_is_left_by_its_client() -> None:
    async def journey(frozen: Frozen) -> None:
        await frozen.faults(timeout=once(), timeout_s=600)
        body = {"jsonrpc": "2.0", "id": 1, "method": "getSlot"}
        with pytest.raises(httpx.ReadTimeout):
            await frozen.http.post(frozen.devnet.url, json=body, timeout=0.2)
        assert (await raw(frozen)).status_code == 200

    on_frozen(journey)


def test_control_meets_no_fault() -> None:
    async def journey(frozen: Frozen) -> None:
        await frozen.faults(error=ALWAYS, behind=ALWAYS, reset=ALWAYS, limit=ALWAYS, requests_per_slot=0)
        assert (await raw(frozen)).status_code == 429
        await frozen.warp(1)
        await frozen.call("devnet_fork", 1)
        await frozen.faults()
        assert (await raw(frozen)).status_code == 200

    on_frozen(journey)


MIXED = Plan(
    seed=11, drop=0.3, late=0.3, unseen=0.2, fork=0.2, error=0.1, behind=0.1, reset=0.1, limit=0.1, late_slots=3
)


def test_mixed_faults_are_the_same_for_the_same_seed() -> None:
    payers = [Keypair.from_seed(bytes([n, 1] * 16)).pubkey() for n in range(12)]

    async def journey(frozen: Frozen) -> list[object]:
        """What happens to 12 payments, each sent at once and its status asked for a slot later."""
        story: list[object] = []
        transactions = [await frozen.signed(payment(to)) for to in payers]
        for transaction in transactions:
            await frozen.faults(**plans.pop(0))
            for _ in range(3):
                try:
                    await frozen.send(transaction)
                    story.append("sent")
                except Exception as error:  # noqa: BLE001 - whatever it is, it must be the same again
                    story.append(type(error).__name__)
            await frozen.warp(1)
            story.append(await frozen.struck())
        await frozen.faults()
        story.append([await frozen.balance(to) for to in payers])
        return story

    stories = []
    for seed in (11, 11, 12):
        plans = [MIXED.model_dump(mode="json") | {"seed": seed * 100 + n} for n in range(12)]
        stories.append(on_frozen(journey))
    assert stories[0] == stories[1]
    assert stories[0] != stories[2]
    assert {"sent", "RPCException", "SolanaRpcException"} <= {word for word in stories[0] if isinstance(word, str)}
    assert {0, 10**7} == set(stories[0][-1])  # type: ignore[call-overload]


@given(seed=st.integers(), rates=st.lists(st.floats(0, 1), min_size=9, max_size=9))
def test_kinds_do_not_disturb_each_other(seed: int, rates: list[float]) -> None:
    plan = Plan.load({"seed": seed} | dict(zip(KINDS, rates, strict=True)))
    together = Faults(plan)
    drawn: dict[Kind, list[bool]] = {kind: [] for kind in KINDS}
    for _ in range(20):
        for kind in KINDS:
            drawn[kind].append(together.strikes(kind))
    for kind in KINDS:
        alone = Faults(Plan.load({"seed": seed, kind: getattr(plan, kind).probability}))
        assert [alone.strikes(kind) for _ in range(20)] == drawn[kind]
        assert together.struck[kind] == sum(drawn[kind])


def test_rate_is_what_it_says() -> None:
    faults = Faults(Plan(drop=0.25, late=1, unseen=0))
    assert 2300 < sum(faults.strikes("drop") for _ in range(10_000)) < 2700
    assert all(faults.strikes("late") for _ in range(100))
    assert not any(faults.strikes("unseen") for _ in range(100))


def test_plan_on_the_command_line() -> None:
    plan = Plan.parse("drop=0.1,late=1:2,late_slots=30,seed=7")
    assert plan == Plan(drop=0.1, late={"probability": 1, "count": 2}, late_slots=30, seed=7)
    assert Plan.parse("") == Plan()


@pytest.mark.parametrize("wrong", ["drop", "drop=2", "drop=x", "rain=1", "late=1:-1", "late_slots=0", "=", "drop=nan"])
def test_wrong_plan_is_told(wrong: str) -> None:
    with pytest.raises(MalformedInput, match="faults"):
        Plan.parse(wrong)


def test_wrong_plan_is_refused_by_the_method_and_keeps_the_old_one() -> None:
    async def journey(frozen: Frozen) -> None:
        await frozen.faults(drop=0.5)
        for wrong in ({"drop": 2}, {"rain": 1}, {"drop": {"often": 1}}, {"drop": True}, [1]):
            with pytest.raises(RpcFailed) as raised:
                await frozen.call("devnet_faults", wrong)
            assert raised.value.code == -32602
        assert (await frozen.call("devnet_faults"))["plan"]["drop"]["probability"] == 0.5

    on_frozen(journey)


def test_plan_by_environment() -> None:
    command = [sys.executable, "-m", "proofgrid.settlement.devnet", "--port", "0", "--slot-s", "inf"]
    environment = os.environ | {"PROOFGRID_DEVNET_FAULTS": "limit=1:1,retry_after_s=3"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().split()[-1]
            answers = [httpx.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "getSlot"}) for _ in range(2)]
            assert [one.status_code for one in answers] == [429, 200]
            assert answers[0].headers["retry-after"] == "3"
        finally:
            process.terminate()
        process.wait(timeout=10)
    told = subprocess.run([*command, "--faults", "rain=1"], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 1
    assert "faults: rain" in told.stderr


def test_nothing_goes_wrong_unasked() -> None:
    async def journey(frozen: Frozen) -> None:
        recipients = [stranger() for _ in range(20)]
        for to in recipients:
            await frozen.pay(to)
            await frozen.warp(1)
        assert await asyncio.gather(*(frozen.balance(to) for to in recipients)) == [10**7] * 20
        assert await frozen.struck() == {}

    on_frozen(journey)
