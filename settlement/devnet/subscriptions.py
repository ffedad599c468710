"""Subscriptions over WebSocket: to a signature, an account, the slots.

A notification says how the state differs from what the subscriber was told last. Nothing queues up for a subscriber
who reads slowly: it misses what was between, as it does on a cluster, and costs no memory.
"""

import asyncio
import itertools
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from solders.account import Account
from solders.pubkey import Pubkey
from starlette.websockets import WebSocket, WebSocketDisconnect

from proofgrid.settlement.devnet.answers import encode, error_answer, parse, respond
from proofgrid.settlement.devnet.bank import Bank
from proofgrid.settlement.devnet.forms import account_form
from proofgrid.settlement.devnet.ledger import Ledger
from proofgrid.settlement.devnet.values import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    Commitment,
    Json,
    Params,
    RpcError,
)

MAX_SUBSCRIPTIONS = 100
"""Of one connection."""
MAX_CONNECTIONS = 64
_LEAST_WAIT_S = 0.01
_TRY_AGAIN_LATER = 1013


class Pulse:
    """Wakes whoever waits for the ledger to change."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def beat(self) -> None:
        beaten, self._next = self._next, asyncio.Event()
        beaten.set()

    def next(self) -> asyncio.Event:
        """Set at the next beat."""
        return self._next


class Subscription(Protocol):
    """What a subscriber is told of one thing."""

    @property
    def notification(self) -> str: ...

    @property
    def is_over(self) -> bool: ...

    def news(self, ledger: Ledger) -> Json:
        """The result of the next notification, or None."""


@dataclass
class SignatureSubscription:
    """One notification when the transaction reaches the commitment."""

    signature: str
    commitment: Commitment
    is_over: bool = False
    notification: str = "signatureNotification"

    def news(self, ledger: Ledger) -> Json:
        landed, bank = ledger.landed(self.signature), Bank.at(ledger, self.commitment)
        if landed is None or not bank.has(landed) or not ledger.is_seen(landed):
            return None
        self.is_over = True
        return bank.in_context({"err": landed.error})


@dataclass
class AccountSubscription:
    """A notification whenever the account differs at the commitment, also when a fork brings an old state back."""

    address: Pubkey
    commitment: Commitment
    options: Json
    told: Account | None
    is_over: bool = False
    notification: str = "accountNotification"

    def news(self, ledger: Ledger) -> Json:
        bank = Bank.at(ledger, self.commitment)
        account = bank.account(self.address)
        if account == self.told:
            return None
        self.told = account
        shown = account or Account(0, b"", Pubkey.default())
        return bank.in_context(account_form(shown, self.options, bank.account))


@dataclass
class SlotSubscription:
    """A notification in every slot, but for those that passed at once."""

    told: int
    is_over: bool = False
    notification: str = "slotNotification"

    def news(self, ledger: Ledger) -> Json:
        if ledger.slot == self.told:
            return None
        self.told = ledger.slot
        return {"parent": ledger.slot - 1, "root": ledger.slot - ledger.delays.finalized, "slot": ledger.slot}


def _to_signature(ledger: Ledger, params: Params) -> Subscription:
    return SignatureSubscription(str(params.signature(0)), params.commitment(1))


def _to_account(ledger: Ledger, params: Params) -> Subscription:
    address, commitment = params.pubkey(0), params.commitment(1)
    return AccountSubscription(address, commitment, params.options(1), Bank.at(ledger, commitment).account(address))


def _to_slots(ledger: Ledger, _params: Params) -> Subscription:
    return SlotSubscription(ledger.slot)


_KINDS: dict[str, Callable[[Ledger, Params], Subscription]] = {
    "signature": _to_signature,
    "account": _to_account,
    "slot": _to_slots,
}


class Session:
    """The subscriptions of one connection."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ids = itertools.count(1)
        self._active: dict[int, Subscription] = {}

    def call(self, method: str, values: list[Json]) -> Json:
        """Subscribe (returns the id) or unsubscribe (returns true); raises RpcError."""
        self._ledger.tick()
        params = Params(values)
        for kind, subscribe in _KINDS.items():
            if method == f"{kind}Subscribe":
                if len(self._active) >= MAX_SUBSCRIPTIONS:
                    raise RpcError(INVALID_REQUEST, f"a connection has at most {MAX_SUBSCRIPTIONS} subscriptions")
                subscription, identity = subscribe(self._ledger, params), next(self._ids)
                self._active[identity] = subscription
                return identity
            if method == f"{kind}Unsubscribe":
                if self._active.pop(params.number(0), None) is None:
                    raise RpcError(INVALID_PARAMS, "Invalid subscription id.")
                return True
        raise RpcError(METHOD_NOT_FOUND, "Method not found", f"subscriptions: {', '.join(_KINDS)}")

    def news(self) -> list[bytes]:
        """The notifications that are due; each is told once."""
        self._ledger.tick()
        due = []
        for identity, subscription in list(self._active.items()):
            result = subscription.news(self._ledger)
            if result is not None:
                params = {"result": result, "subscription": identity}
                due.append(encode({"jsonrpc": "2.0", "method": subscription.notification, "params": params}))
            if subscription.is_over:
                del self._active[identity]
        return due

    def patience_s(self) -> float | None:
        """Seconds after which something may have changed by itself; None for never."""
        wait_s = self._ledger.time.until_next_s()
        return max(wait_s, _LEAST_WAIT_S) if self._active and not math.isinf(wait_s) else None


async def _serve(websocket: WebSocket, ledger: Ledger, pulse: Pulse) -> None:
    """Carry one connection until its client leaves."""
    await websocket.accept()
    session, turn = Session(ledger), asyncio.Lock()
    notifying = asyncio.create_task(_notify(websocket, session, pulse, turn))
    try:
        while True:
            text = await websocket.receive_text()
            async with turn:  # the answer with the id goes out before the first notification under it
                answered = _answer(session, text)
                if answered is not None:
                    await websocket.send_text(encode(answered).decode())
            pulse.beat()
    except (WebSocketDisconnect, KeyError):  # gone, or it sent bytes where text was due
        return
    finally:
        notifying.cancel()


def _answer(session: Session, text: str) -> Json:
    try:
        return respond(session.call, parse(text.encode()))
    except RpcError as error:
        return error_answer(None, error)


async def _notify(websocket: WebSocket, session: Session, pulse: Pulse, turn: asyncio.Lock) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # the connection closed while we were telling
        while True:
            beat = pulse.next()
            async with turn:
                for notification in session.news():
                    await websocket.send_text(notification.decode())
            with suppress(TimeoutError):
                await asyncio.wait_for(beat.wait(), session.patience_s())


class Sessions:
    """Admits a bounded number of connections."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._pulse, self._open = ledger, Pulse(), 0
        ledger.on_change = self._pulse.beat

    async def serve(self, websocket: WebSocket) -> None:
        if self._open >= MAX_CONNECTIONS:
            await websocket.close(_TRY_AGAIN_LATER)
            return
        self._open += 1
        try:
            await _serve(websocket, self._ledger, self._pulse)
        finally:
            self._open -= 1
