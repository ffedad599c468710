"""How fast one core multiplies: what :func:`proofgrid.kernels.native.measure_rates` finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rates:
    """Per second, of one thread: clock cycles, 64 x 64 -> 128 bit products, vpmadd52 of 512 bits (0: has none)."""

    cycles: float
    mul64: float
    vpmadd52: float
