"""Wires that enter A and B1 alike: found, added up once, and no proof differs for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import encode_elements
from proofgrid.kernels.backend import select
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import BN254, CURVES, Curve
from proofgrid.prover.formats.zkey import Zkey, read_zkey
from proofgrid.prover.groth16.alike import AlikeWires, Bits, alike_wires
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.prover.groth16.prepared import prepare_key
from proofgrid.prover.groth16.prove import _prove
from proofgrid.prover.groth16.setup import setup
from proofgrid.verifier.groth16 import verify
from tests.prover.tiny_circuits import Row, circuit

Factors = list[tuple[int, int]]
"""The coefficients of x on the left and on the right of x * x = y, for each wire x in turn."""


def squares(curve: Curve, factors: Factors, folder: Path) -> tuple[Zkey, list[int]]:
    """Wires 1, x_0, y_0, x_1, y_1, ... with (left x)(right x) = y; the key, and a witness."""
    constraints: list[tuple[Row, Row, Row]] = []
    witness = [1]
    for i, (left, right) in enumerate(factors):
        x, y = 2 * i + 1, 2 * i + 2
        constraints.append(([(x, left)], [(x, right)], [(y, 1)]))
        value = 3 + i if i % 2 else curve.r - 7 - i
        witness += [value, left * right * value * value % curve.r]
    setup(circuit(curve, len(witness), 0, constraints), folder / "key.zkey")
    return read_zkey(folder / "key.zkey"), witness


def wires(bits: Bits | None) -> list[int]:
    return [] if bits is None else np.flatnonzero(np.unpackbits(bits, bitorder="little")).tolist()


ALL_CASES: dict[str, Factors] = {
    "equal": [(1, 1)] * 9,
    "opposite": [(-1, 1)] * 4 + [(2, -2)] * 4,
    "both": [(1, 1), (1, -1), (5, 5), (1, 2), (-3, 3), (2, 1)],
    "neither": [(1, 2), (3, 1)],
}


@pytest.mark.parametrize("curve", CURVES.values(), ids=list(CURVES))
@pytest.mark.parametrize("name", ALL_CASES)
def test_wires_are_found_and_proofs_do_not_change(curve: Curve, name: str, tmp_path: Path) -> None:
    factors = ALL_CASES[name]
    zkey, witness = squares(curve, factors, tmp_path)
    key, backend = prepare_key(zkey), select()
    plus = [2 * i + 1 for i, (left, right) in enumerate(factors) if left == right]
    minus = [2 * i + 1 for i, (left, right) in enumerate(factors) if left == -right]
    assert wires(key.alike.plus) == plus
    assert wires(key.alike.minus) == minus
    if plus or minus:
        assert wires(key.alike.others) == sorted(set(range(len(witness))) - set(plus) - set(minus))
    else:
        assert key.alike.others is None

    values, blinding = encode_elements(curve.Fr, witness), (2**200 + 1, 2**250 + 3)
    proof, inputs = _prove(key, values, blinding, backend, Control())
    plain = replace(key, alike=AlikeWires(None, None, None))
    assert proof.encode() == _prove(plain, values, blinding, backend, Control())[0].encode()
    verify(verifying_key(zkey), inputs, proof)


def test_every_backend_proves_the_same(tmp_path: Path) -> None:
    zkey, witness = squares(BN254, [(1, 1), (1, -1), (1, 2)], tmp_path)
    values = encode_elements(BN254.Fr, witness)
    proofs = {_prove(zkey, values, (5, 7), select(name), Control())[0].encode() for name in ("native", "reference")}
    assert len(proofs) == 1


def test_too_few_wires_are_left_among_the_others(tmp_path: Path) -> None:
    """One pair of 33 wires is below a 16th, three are not."""
    for count in (1, 3):
        zkey, witness = squares(BN254, [(1, 1)] * count + [(1, 2)] * (16 - count), tmp_path)
        assert len(witness) == 33
        alike = alike_wires(zkey, select())
        assert (alike.plus is None) == (count == 1)
        assert alike.minus is None


def test_one_sign_may_be_worthwhile_and_the_other_not(tmp_path: Path) -> None:
    zkey, _ = squares(BN254, [(1, 1)] * 8 + [(1, -1)] + [(1, 2)] * 7, tmp_path)
    alike = alike_wires(zkey, select())
    assert wires(alike.plus) == list(range(1, 17, 2))
    assert alike.minus is None
    assert wires(alike.others) == [0, *range(2, 17, 2), *range(17, 33)]


def test_a_coordinate_out_of_range_is_refused(tmp_path: Path) -> None:
    zkey, _ = squares(BN254, [(1, 1)] * 4, tmp_path)
    points = zkey.a_mont.copy()
    points[1, 1] = 2**64 - 1
    with pytest.raises(MalformedInput):
        prepare_key(replace(zkey, a_mont=points, b1_mont=points))
