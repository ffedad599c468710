"""Amounts of a token as people write them, and as the chain counts them: exact, without floating point."""

from decimal import Decimal, InvalidOperation, localcontext

from proofgrid.errors import MalformedInput

MAX_UNITS = (1 << 64) - 1
_MAX_CHARACTERS = 64


def parse_amount(text: str, decimals: int) -> int:
    """``"12.5"`` tokens in the mint's smallest unit. Raises MalformedInput for anything that is not exactly that."""
    plain = text.strip()
    if len(plain) > _MAX_CHARACTERS or not plain.isascii() or not set(plain) <= set("0123456789.") or plain == ".":
        raise MalformedInput(f"an amount is a number of tokens like 12.5, got {text[:_MAX_CHARACTERS]!r}")
    try:
        with localcontext(prec=2 * _MAX_CHARACTERS):
            units = Decimal(plain).scaleb(decimals)
            whole = units.to_integral_value()
    except InvalidOperation:
        raise MalformedInput(f"an amount is a number of tokens like 12.5, got {text!r}") from None
    if units != whole:
        raise MalformedInput(f"{plain} has more than the {decimals} decimals of this token")
    if not 0 < whole <= MAX_UNITS:
        raise MalformedInput(f"{plain} is not an amount that the chain can hold: above 0, below 2^64 units")
    return int(whole)


def show_amount(units: int, decimals: int) -> str:
    """The inverse: ``12.5``, without zeros at the end."""
    whole, part = divmod(units, 10**decimals)
    return f"{whole}" + (f".{part:0{decimals}d}".rstrip("0") if part else "")
