"""The methods by name."""

from collections.abc import Callable

from proofgrid.settlement.devnet.ledger import Ledger
from proofgrid.settlement.devnet.values import METHOD_NOT_FOUND, Json, Params, RpcError

CONTROL_PREFIX = "devnet_"
"""Methods that only a devnet has: no fault touches them."""

Method = Callable[[Ledger, Params], Json]
METHODS: dict[str, Method] = {}


def method(name: str) -> Callable[[Method], Method]:
    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


def call(ledger: Ledger, name: str, values: list[Json]) -> Json:
    """The method's result; raises RpcError."""
    function = METHODS.get(name)
    if function is None:
        raise RpcError(METHOD_NOT_FOUND, "Method not found", f"the devnet has: {', '.join(sorted(METHODS))}")
    ledger.tick()
    return function(ledger, Params(values))
