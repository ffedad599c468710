"""Keys with true proofs, and proofs damaged in every way that the verifier tells apart."""

from collections.abc import Iterator
from dataclasses import dataclass

from proofgrid.errors import InvalidProof, MalformedInput
from proofgrid.kernels.curves import BN254
from proofgrid.settlement.evm.calls import VERIFY
from proofgrid.verifier.groth16 import verify
from proofgrid.verifier.keys import Proof, VerifyingKey
from tests.evm.machine import word, words
from tests.settlement.instances import OUTSIDE_SUBGROUP, g1, g2, instance, q, r

COUNTS = (0, 1, 2, 4, 8)
"""Numbers of public inputs with a verifier of their own."""

COORDINATES = ("a.x", "a.y", "b.x.c1", "b.x.c0", "b.y.c1", "b.y.c0", "c.x", "c.y")


def key(n_public: int) -> VerifyingKey:
    return VerifyingKey.decode(BN254, instance(n_public).encoding)


@dataclass(frozen=True)
class Case:
    """What somebody may send to a verifier: eight words and the inputs, whatever they are."""

    what: str
    proof: tuple[int, ...]
    inputs: tuple[int, ...]

    @property
    def call(self) -> bytes:
        return VERIFY + b"".join(map(word, self.proof)) + word(288) + words(list(self.inputs))

    def verdict(self, verifying_key: VerifyingKey) -> str:
        """The off-chain verifier's: true, malformed or invalid."""
        try:
            verify(verifying_key, self.inputs, Proof.decode(BN254, b"".join(map(word, self.proof))))
        except MalformedInput:
            return "malformed"
        except InvalidProof:
            return "invalid"
        return "true"


def cases(n_public: int) -> Iterator[Case]:
    """The true statement first, then every damage."""
    given = instance(n_public)
    true = (*given.a, *given.b, *given.c)
    yield Case("true", true, given.inputs)

    yield Case("one input more", true, (*given.inputs, 0))
    for i, value in enumerate(given.inputs):
        for what, other in (
            ("x + r", value + r),
            ("x + 2r", value + 2 * r),
            ("r", r),
            ("2^256 - 1", 2**256 - 1),
            ("r - 1", r - 1),
            ("0", 0),
            ("x + 1", (value + 1) % r),
        ):
            yield Case(f"input {i}: {what}", true, (*given.inputs[:i], other, *given.inputs[i + 1 :]))
    if given.inputs:
        yield Case("one input less", true, given.inputs[:-1])
        yield Case("no input", true, ())
        yield Case("another order", true, given.inputs[::-1])

    for i, name in enumerate(COORDINATES):
        for what, other in (
            ("y + q", true[i] + q),
            ("y + 2q", true[i] + 2 * q),
            ("q", q),
            ("2^256 - 1", 2**256 - 1),
            ("0", 0),
            ("y + 1", (true[i] + 1) % q),
            ("y + 2^255", true[i] | 1 << 255),
            ("y + 2^254", true[i] | 1 << 254),
        ):
            yield Case(f"{name}: {what}", (*true[:i], other, *true[i + 1 :]), given.inputs)

    a, b, c = given.a, given.b, given.c
    minus_a, minus_b = (a[0], q - a[1]), (b[0], b[1], q - b[2], q - b[3])
    for what, points in {
        "-A": (minus_a, b, c),
        "-B": (a, minus_b, c),
        "-A and -B, the same product": (minus_a, minus_b, c),
        "-C": (a, b, (c[0], q - c[1])),
        "A and C swapped": (c, b, a),
        "B's halves swapped": (a, (b[1], b[0], b[3], b[2]), c),
        "another A": (g1(7), b, c),
        "another B": (a, g2(7), c),
        "another C": (a, b, g1(7)),
        "A at infinity": ((0, 0), b, c),
        "B at infinity": (a, (0, 0, 0, 0), c),
        "C at infinity": (a, b, (0, 0)),
        "all at infinity": ((0, 0), (0, 0, 0, 0), (0, 0)),
        "A off the curve": ((1, 1), b, c),
        "B off the curve": (a, (1, 1, 1, 1), c),
        "C off the curve": (a, b, (1, 1)),
        "B outside the subgroup": (a, OUTSIDE_SUBGROUP, c),
        "A at infinity, B outside the subgroup": ((0, 0), OUTSIDE_SUBGROUP, c),
        "A at infinity, C off the curve": ((0, 0), b, (1, 1)),
        "A at infinity as (q, q)": ((q, q), b, c),
        "C at infinity as (0, q)": (a, b, (0, q)),
    }.items():
        yield Case(what, sum(points, ()), given.inputs)
    for point in ("a", "b"):
        # Only who knows the toxic waste can make the equation hold with A or B at infinity.
        forged = instance(n_public, at_infinity=point)
        yield Case(f"{point} at infinity, the equation holds", (*forged.a, *forged.b, *forged.c), forged.inputs)
