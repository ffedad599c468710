"""What a message costs: 5,000 lamports a signature, and compute units times their price."""

from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.message import Message, MessageV0, MessageV1

LAMPORTS_PER_SIGNATURE = 5000
AnyMessage = Message | MessageV0 | MessageV1
_DEFAULT_UNITS, _MAX_UNITS = 200_000, 1_400_000
_LIMIT, _PRICE = 2, 3


def price_of(message: AnyMessage) -> int:
    """Micro-lamports offered for a compute unit."""
    return _budget(message, _PRICE) or 0


def fee_of(message: AnyMessage) -> int:
    """Lamports. Without a limit an instruction is charged as 200,000 units, those of built-in programs too."""
    asking = sum(message.account_keys[one.program_id_index] != COMPUTE_BUDGET for one in message.instructions)
    limit = _budget(message, _LIMIT)
    units = min(asking * _DEFAULT_UNITS if limit is None else limit, _MAX_UNITS)
    signatures = message.header.num_required_signatures
    return signatures * LAMPORTS_PER_SIGNATURE - (-price_of(message) * units // 1_000_000)


def _budget(message: AnyMessage, tag: int) -> int | None:
    keys = message.account_keys
    for one in message.instructions:
        data = bytes(one.data)
        if keys[one.program_id_index] == COMPUTE_BUDGET and data[:1] == bytes([tag]):
            return int.from_bytes(data[1:], "little")
    return None
