"""py_ecc without its side effect: importing it raises Python's recursion limit to 100,000.

A process with that limit overflows its C stack where it would have raised RecursionError. py_ecc's optimized
curves do not need it.
"""

import sys

_limit = sys.getrecursionlimit()

from py_ecc import optimized_bls12_381, optimized_bn128  # noqa: E402
from py_ecc.fields.optimized_field_elements import FQ12  # noqa: E402

sys.setrecursionlimit(_limit)

__all__ = ["FQ12", "optimized_bls12_381", "optimized_bn128"]
