"""Subscriptions through solana-py's own WebSocket client, and over the bare protocol."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from solana.rpc.commitment import Confirmed, Finalized, Processed
from solana.rpc.websocket_api import SolanaWsClient
from solders.instruction import Instruction
from solders.system_program import ID as SYSTEM_PROGRAM
from solders.transaction_status import InstructionErrorFieldless
from websockets.asyncio.client import connect as bare
from websockets.exceptions import ConnectionClosed, InvalidStatus

from proofgrid.settlement.devnet import Delays, Devnet
from proofgrid.settlement.devnet.subscriptions import MAX_CONNECTIONS, MAX_SUBSCRIPTIONS
from tests.settlement.frozen import Frozen, on_frozen, payment, stranger

DELAYS = Delays(confirmed=2, finalized=10)
PATIENCE_S = 10.0
"""Long enough that a slow machine is not a failure."""


def on_socket(journey: Callable[[Frozen, Any], Awaitable[None]], **options: Any) -> None:
    async def connected(frozen: Frozen) -> None:
        async with SolanaWsClient(frozen.devnet.ws_url) as socket:
            await asyncio.wait_for(journey(frozen, socket), 60)

    on_frozen(connected, **{"delays": DELAYS, **options})


async def next_of(socket: Any) -> Any:
    return await asyncio.wait_for(socket.recv(), PATIENCE_S)


def test_signature_is_told_once_at_its_commitment() -> None:
    async def journey(frozen: Frozen, socket: Any) -> None:
        transaction = await frozen.signed(payment(stranger()))
        name = transaction.signatures[0]
        ids = {}
        for commitment in (Finalized, Processed, Confirmed):
            ids[commitment] = (await socket.signature_subscribe(signature=name, commitment=commitment)).subscription_id
        await frozen.send(transaction)
        landed_in = await frozen.call("getSlot", {"commitment": "processed"})
        # Then each subscriber hears of it in turn
        for commitment, slots in ((Processed, 0), (Confirmed, 2), (Finalized, 8)):
            if slots:
                await frozen.warp(slots)
            told = await next_of(socket)
            assert told.subscription == ids[commitment]
            assert told.result.value.err is None
            assert told.result.context.slot == landed_in
        # and a late subscriber at once
        late = await socket.signature_subscribe(signature=name, commitment=Confirmed)
        assert (await next_of(socket)).subscription == late.subscription_id

    on_socket(journey)


def test_failure_is_told_with_its_error() -> None:
    async def journey(frozen: Frozen, socket: Any) -> None:
        nonsense = Instruction(SYSTEM_PROGRAM, b"\xff" * 4, [])
        transaction = await frozen.signed(nonsense)
        await socket.signature_subscribe(signature=transaction.signatures[0], commitment=Processed)
        await frozen.send(transaction)
        told = (await next_of(socket)).result.value.err
        assert told.err == InstructionErrorFieldless.InvalidInstructionData

    on_socket(journey)


def test_program_error_is_told_as_a_cluster_tells_it() -> None:
    """solders 0.29 cannot read a program's own error in a notification, and its client gives up: hence bare JSON."""

    async def journey(frozen: Frozen) -> None:
        async with bare(frozen.devnet.ws_url) as socket:
            transaction = await frozen.signed(payment(stranger(), 10**15))
            name = str(transaction.signatures[0])
            identity = (await exchange(socket, "signatureSubscribe", name, {"commitment": "processed"}))["result"]
            await frozen.send(transaction)
            told = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
            assert told["method"] == "signatureNotification"
            assert told["params"]["subscription"] == identity
            assert told["params"]["result"]["value"] == {"err": {"InstructionError": [0, {"Custom": 1}]}}

    on_frozen(journey)


def test_account_is_told_whenever_it_changes_and_when_a_fork_brings_it_back() -> None:
    async def journey(frozen: Frozen, socket: Any) -> None:
        to = stranger()
        await socket.account_subscribe(pubkey=to, commitment=Processed, encoding="base64")
        await frozen.pay(to, 10**7)
        assert (await next_of(socket)).result.value.lamports == 10**7
        await frozen.warp(1)
        await frozen.pay(to, 1)
        assert (await next_of(socket)).result.value.lamports == 10**7 + 1
        await frozen.call("devnet_fork", 1)
        assert (await next_of(socket)).result.value.lamports == 10**7
        await frozen.call("devnet_fork", 5)
        assert (await next_of(socket)).result.value.lamports == 0

    on_socket(journey)


def test_account_at_confirmed_is_told_later() -> None:
    async def journey(frozen: Frozen, socket: Any) -> None:
        to, other = stranger(), stranger()
        confirmed = await socket.account_subscribe(pubkey=to, commitment=Confirmed, encoding="base64")
        await socket.account_subscribe(pubkey=other, commitment=Processed, encoding="base64")
        await frozen.pay(to)
        await frozen.pay(other)
        assert (await next_of(socket)).subscription != confirmed.subscription_id
        await frozen.warp(2)
        assert (await next_of(socket)).subscription == confirmed.subscription_id

    on_socket(journey)


def test_unsubscribed_hears_no_more() -> None:
    async def journey(frozen: Frozen, socket: Any) -> None:
        to, other = stranger(), stranger()
        first = await socket.account_subscribe(pubkey=to, commitment=Processed, encoding="base64")
        second = await socket.account_subscribe(pubkey=other, commitment=Processed, encoding="base64")
        await socket.unsubscribe(first)
        await frozen.pay(to)
        await frozen.pay(other)
        assert (await next_of(socket)).subscription == second.subscription_id

    on_socket(journey)


def test_unseen_transaction_is_told_when_it_is_seen() -> None:
    async def journey(frozen: Frozen, socket: Any) -> None:
        await frozen.faults(unseen=1, late_slots=4)
        transaction = await frozen.signed(payment(stranger()))
        await socket.signature_subscribe(signature=transaction.signatures[0], commitment=Processed)
        await frozen.send(transaction)
        landed_in = await frozen.call("getSlot", {"commitment": "processed"})
        for _ in range(4):
            await frozen.warp(1)
        assert (await next_of(socket)).result.context.slot == landed_in + 4

    on_socket(journey)


def test_time_that_passes_by_itself_is_noticed() -> None:
    async def journey(frozen: Frozen, socket: Any) -> None:
        await socket.slot_subscribe()
        slots = [(await next_of(socket)).result.slot for _ in range(3)]
        assert slots == sorted(set(slots))
        sent = await frozen.pay(stranger())
        await socket.signature_subscribe(signature=sent, commitment=Finalized)
        while True:
            told = await next_of(socket)
            if hasattr(told.result, "value"):
                assert told.result.value.err is None
                return

    on_socket(journey, slot_s=0.02)


async def exchange(socket: Any, method: object, *params: Any) -> Any:
    await socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}))
    return json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))


def test_hostile_frames() -> None:
    async def journey(frozen: Frozen) -> None:
        async with bare(frozen.devnet.url.replace("http", "ws")) as socket:  # the RPC's own port serves them too
            for method, params, code in (
                ("getSlot", [], -32601),
                ("accountSubscribe", [], -32602),
                ("accountSubscribe", ["x"], -32602),
                ("accountSubscribe", [str(stranger()), {"commitment": "soon"}], -32602),
                ("signatureSubscribe", ["1111"], -32602),
                ("accountUnsubscribe", [77], -32602),
                ("accountUnsubscribe", [], -32602),
                (5, [], -32600),
            ):
                assert (await exchange(socket, method, *params))["error"]["code"] == code
            for text in ("", "{", "[]", "[" * 5000):
                await socket.send(text)
                answer = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
                assert answer["error"]["code"] in (-32700, -32600)
            await socket.send('{"jsonrpc": "2.0", "method": "ping"}')  # web3.js says so every few seconds
            ids = [(await exchange(socket, "accountSubscribe", str(stranger())))["result"] for _ in range(100)]
            assert len(set(ids)) == MAX_SUBSCRIPTIONS
            assert (await exchange(socket, "slotSubscribe"))["error"]["code"] == -32600
            assert (await exchange(socket, "accountUnsubscribe", ids[0]))["result"] is True
            assert "result" in await exchange(socket, "slotSubscribe")
            await socket.send(b"bytes")
            await asyncio.wait_for(socket.wait_closed(), PATIENCE_S)
        async with bare(frozen.devnet.ws_url) as socket:
            with suppress(ConnectionClosed):
                await socket.send(" " * (1 << 20))
            await asyncio.wait_for(socket.wait_closed(), PATIENCE_S)
        assert await frozen.call("getHealth") == "ok"

    on_frozen(journey)


def test_connections_are_bounded() -> None:
    async def journey(frozen: Frozen) -> None:
        url = frozen.devnet.ws_url
        held = [await bare(url) for _ in range(MAX_CONNECTIONS)]
        with pytest.raises(InvalidStatus):
            await bare(url)
        await held.pop().close()
        again = await bare(url)
        for socket in (*held, again):
            await socket.close()

    on_frozen(journey)


def test_subscriptions_are_at_the_next_port() -> None:
    with Devnet.start() as devnet:
        ports = [int(url.rsplit(":", 1)[1]) for url in (devnet.url, devnet.ws_url)]
        assert ports[1] == ports[0] + 1
