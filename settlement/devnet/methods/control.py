"""What only a devnet has: time on command, forks on command, faults. No fault touches these methods."""

import math
from typing import Any

from proofgrid.errors import MalformedInput
from proofgrid.settlement.devnet.faults import Faults, Plan
from proofgrid.settlement.devnet.ledger import Ledger
from proofgrid.settlement.devnet.methods.table import method
from proofgrid.settlement.devnet.timeline import SLOT_S
from proofgrid.settlement.devnet.values import INVALID_PARAMS, Json, Params, RpcError

MAX_SLOTS = 10_000_000_000
"""126 years of slots."""


@method("devnet_warp")
def warp(ledger: Ledger, params: Params) -> Json:
    """``{"slots": n}`` or ``{"seconds": s}`` pass at once, 0.4 s a slot; the Clock sysvar moves. Returns the slot."""
    options = params.options(0)
    name, amount = next(iter(options.items()), ("", math.nan))
    if not isinstance(amount, int | float) or isinstance(amount, bool) or not math.isfinite(amount):
        amount = -1
    if len(options) != 1 or name not in ("slots", "seconds") or amount < 0:
        raise RpcError(INVALID_PARAMS, "Invalid params: parameter 0 must be {slots: number} or {seconds: number}")
    slots = float(amount) if name == "slots" else math.ceil(amount / SLOT_S)
    if not 0 <= slots <= MAX_SLOTS or slots != int(slots):
        raise RpcError(INVALID_PARAMS, f"Invalid params: at most {MAX_SLOTS} slots at once, whole and forward")
    ledger.warp(slots=int(slots), seconds=slots * SLOT_S if name == "slots" else float(amount))
    return ledger.slot


@method("devnet_fork")
def fork(ledger: Ledger, params: Params) -> Json:
    """The last ``slots`` slots lose: returns the signatures of what they held, which is undone, newest first.

    ``{"keepBlockhashes": false}`` takes the blockhashes of these slots away as well.
    """
    slots = params.number(0)
    if slots > MAX_SLOTS:
        raise RpcError(INVALID_PARAMS, f"Invalid params: at most {MAX_SLOTS} slots")
    return ledger.fork(slots, keep_blockhashes=params.options(1).get("keepBlockhashes", True) is not False)


@method("devnet_faults")
def faults(ledger: Ledger, params: Params) -> Json:
    """Make a plan of faults the present one and start counting anew; without a plan, tell how it goes."""
    if params.has(0):
        values: dict[str, Any] = params.options(0)
        try:
            ledger.faults = Faults(Plan.load(values))
        except MalformedInput as error:
            raise RpcError(INVALID_PARAMS, f"Invalid params: {error}") from None
    return {"plan": ledger.faults.plan.model_dump(mode="json"), "struck": dict(ledger.faults.struck)}
