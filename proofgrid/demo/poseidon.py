"""Poseidon over the scalar field of BN254, with circomlib's parameters.

Alpha 5, capacity element 0 first and one output, 8 full rounds and 56 to 64 partial ones. The constants are
not stored: the Grain LFSR of the paper draws them, as circomlib's authors did.

Source: Grassi, Khovratovich, Rechberger, Roy, Schofnegger, "Poseidon", eprint 2019/458, section 2 (the
permutation), appendix E (the LFSR).
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import compress
from operator import mul

from proofgrid.errors import MalformedInput
from proofgrid.kernels.curves import BN254

_P = BN254.r
_BITS = BN254.Fr.bits
_FULL_ROUNDS = 8
_PARTIAL_ROUNDS = {2: 56, 3: 57, 4: 56, 5: 60, 6: 60, 7: 63, 8: 64}  # by the state's width t

_Matrix = tuple[tuple[int, ...], ...]


def poseidon(inputs: Sequence[int]) -> int:
    """Hash 1 to 7 field elements to one; about 0.2 ms for two.

    Raises :class:`MalformedInput` for another count or an element outside [0, r).
    """
    width = len(inputs) + 1
    if width not in _PARTIAL_ROUNDS:
        raise MalformedInput(f"Poseidon takes 1 to {max(_PARTIAL_ROUNDS) - 1} elements here, not {len(inputs)}")
    if not all(0 <= value < _P for value in inputs):
        raise MalformedInput(f"Poseidon takes elements of {BN254.Fr.name}: each must be in [0, r)")
    return _permute([0, *inputs])[0]


def _permute(state: list[int]) -> list[int]:
    rounds, matrix = _parameters(len(state))
    half = _FULL_ROUNDS // 2
    last_partial = len(rounds) - half
    for number, constants in enumerate(rounds):
        state = [value + constant for value, constant in zip(state, constants, strict=True)]
        if half <= number < last_partial:
            state[0] = pow(state[0], 5, _P)
        else:
            state = [pow(value, 5, _P) for value in state]
        state = [sum(map(mul, row, state)) % _P for row in matrix]
    return state


@cache
def _parameters(width: int) -> tuple[_Matrix, _Matrix]:
    """Round constants ``[rounds][width]`` and the Cauchy matrix ``[width][width]``."""
    n_rounds = _FULL_ROUNDS + _PARTIAL_ROUNDS[width]
    draws = _grain(width)
    constants: list[int] = []
    while len(constants) < n_rounds * width:
        if (value := next(draws)) < _P:
            constants.append(value)
    # The matrix' 2t numbers are reduced, not rejected; circomlib's are the first the LFSR gives.
    numbers = [next(draws) % _P for _ in range(2 * width)]
    matrix = tuple(tuple(pow(x + y, -1, _P) for y in numbers[width:]) for x in numbers[:width])
    return tuple(tuple(constants[i : i + width]) for i in range(0, len(constants), width)), matrix


def _grain(width: int) -> Iterator[int]:
    """The LFSR's numbers of 254 bits, highest bit first, at most a hundred more than the constants need."""
    n_numbers = (_FULL_ROUNDS + _PARTIAL_ROUNDS[width]) * width
    # The field's kind and the S-box (x^alpha), then sizes: 2 + 4 + 12 + 12 + 10 + 10 + 30 bits.
    fields = [(1, 2), (0, 4), (_BITS, 12), (width, 12), (_FULL_ROUNDS, 10), (_PARTIAL_ROUNDS[width], 10)]
    seed = "".join(f"{value:0{n_bits}b}" for value, n_bits in fields) + "1" * 30
    # A number is accepted with probability r / 2^254 > 3/4; every bit costs a pair, every second pair is dropped.
    stream = _lfsr(seed, 2 * 2 * _BITS * (3 * n_numbers // 2 + 100))[80 + 160 :]
    kept = "".join(compress(stream[1::2], map(int, stream[::2])))
    for start in range(0, len(kept) - _BITS + 1, _BITS):
        yield int(kept[start : start + _BITS], 2)


def _lfsr(seed: str, n_bits: int) -> str:
    """At least ``n_bits`` of b(i+80) = b(i+62) + b(i+51) + b(i+38) + b(i+23) + b(i+13) + b(i), as text.

    Squaring the feedback polynomial over GF(2) doubles every offset, so a step may produce 18 * 2^k bits at
    once as soon as 80 * 2^k are there.
    """
    stream, length, scale = int(seed[::-1], 2), len(seed), 1  # bit i of the stream is bit i of the integer
    while length < n_bits:
        if length >= 160 * scale:
            scale *= 2
        start, size = length - 80 * scale, 18 * scale
        new = 0
        for tap in (62, 51, 38, 23, 13, 0):
            new ^= stream >> (start + tap * scale)
        stream |= (new & ((1 << size) - 1)) << length
        length += size
    return f"{stream:0{length}b}"[::-1]
