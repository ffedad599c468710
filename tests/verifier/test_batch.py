"""verify_batch: one product for true proofs, the names of the false ones otherwise."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from proofgrid.kernels.arrays import encode_elements
from proofgrid.kernels.backend import select
from proofgrid.kernels.curves import BLS12_381, BN254
from proofgrid.verifier import groth16
from proofgrid.verifier.groth16 import Entry, verify_batch
from proofgrid.verifier.points import negate_g1
from proofgrid.verifier.refusals import Reason, RefusedProof
from tests.verifier.statements import another, statement
from tests.verifier.strange_points import off_curve, outside_subgroup

N = 16


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    """16 true proofs for one key of bn254."""
    given = statement(BN254.name)
    return [another(given, start) for start in range(2, 2 + N)]


def refused(entries: list[Entry], curve_name: str = BN254.name) -> dict[int, Reason]:
    with pytest.raises(RefusedProof) as caught:
        verify_batch(statement(curve_name).key, entries)
    assert caught.value.reason is Reason.BATCH
    assert caught.value.indices == tuple(sorted(caught.value.reasons))
    return caught.value.reasons


def test_true_proofs_are_accepted(entries: list[Entry]) -> None:
    key = statement(BN254.name).key
    for n in (0, 1, 2, N):
        verify_batch(key, entries[:n])
    verify_batch(key, [entries[0]] * 3)


def test_true_proofs_of_bls12_381_are_accepted() -> None:
    given = statement(BLS12_381.name)
    verify_batch(given.key, [(given.inputs, given.proof), another(given, 9)])


def test_false_ones_among_sixteen_are_named(entries: list[Entry]) -> None:
    mixed = list(entries)
    for i in (0, 7, 8):
        mixed[i] = (entries[i][0][::-1], entries[i][1])
    assert refused(mixed) == dict.fromkeys((0, 7, 8), Reason.EQUATION)


def test_malformed_ones_are_named_with_their_reason(entries: list[Entry]) -> None:
    (inputs, proof), g2 = entries[0], BN254.g2
    mixed = list(entries[:8])
    mixed[1] = ([inputs[0] + BN254.r, inputs[1]], proof)
    mixed[2] = (inputs[:1], proof)
    mixed[3] = (inputs, replace(proof, b=outside_subgroup(g2)))
    mixed[4] = (inputs, replace(proof, c=off_curve(BN254.g1)))
    mixed[5] = (inputs, replace(proof, a=np.zeros_like(proof.a)))
    mixed[6] = ([1, 2], proof)
    mixed[7] = (inputs, statement(BLS12_381.name).proof)
    assert refused(mixed) == {
        1: Reason.INPUT_RANGE,
        2: Reason.INPUT_COUNT,
        3: Reason.NOT_IN_SUBGROUP,
        4: Reason.NOT_ON_CURVE,
        5: Reason.POINT_AT_INFINITY,
        6: Reason.EQUATION,
        7: Reason.WRONG_CURVE,
    }


def test_refusal_survives_its_journey_between_processes(entries: list[Entry]) -> None:
    with pytest.raises(RefusedProof) as caught:
        verify_batch(statement(BN254.name).key, [entries[0], ([0, 0], entries[1][1])])
    arrived = pickle.loads(pickle.dumps(caught.value))
    assert (str(arrived), arrived.reason, arrived.indices) == (str(caught.value), Reason.BATCH, (1,))


def test_errors_that_cancel_are_still_found(entries: list[Entry]) -> None:
    """Two wrong C whose errors are opposite pass a plain product; random weights tell them apart."""
    backend, (inputs, proof) = select(), entries[0]
    error = proof.a[np.newaxis]
    plus = backend.add_points(BN254.g1, proof.c[np.newaxis], error)[0]
    minus = backend.add_points(BN254.g1, proof.c[np.newaxis], negate_g1(BN254, error))[0]
    pair = [(inputs, replace(proof, c=plus)), (inputs, replace(proof, c=minus))]
    ones = encode_elements(BN254.Fr, [1, 1])
    assert groth16._product_is_one(statement(BN254.name).key, pair, ones, backend), "they must cancel without weights"
    assert refused(pair) == dict.fromkeys((0, 1), Reason.EQUATION)


def test_a_true_batch_takes_one_product(entries: list[Entry]) -> None:
    backend, sizes = select(), []

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(backend, name)

        def pairing_product(self, curve: object, g1: object, g2: object) -> object:
            sizes.append(len(g1))  # type: ignore[arg-type]
            return backend.pairing_product(curve, g1, g2)  # type: ignore[arg-type]

    verify_batch(statement(BN254.name).key, entries, backend=Counting())  # type: ignore[arg-type]
    assert sizes == [N + 3]
