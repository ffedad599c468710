"""verify_batch: one product for true proofs, the names of the false ones otherwise."""

import pickle
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from proofgrid.kernels.arrays import Array, decode_elements, encode_elements
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.curves import BLS12_381, BN254, Curve
from proofgrid.kernels.prepared import PairingLines
from proofgrid.verifier import groth16
from proofgrid.verifier.groth16 import Entry, verify_batch
from proofgrid.verifier.points import negate
from proofgrid.verifier.prepared import prepare
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
    minus = backend.add_points(BN254.g1, proof.c[np.newaxis], negate(BN254.g1, error))[0]
    pair = [(inputs, replace(proof, c=plus)), (inputs, replace(proof, c=minus))]
    ones = encode_elements(BN254.Fr, [1, 1])
    assert groth16._product_is_one(statement(BN254.name).key, pair, ones, backend), "they must cancel without weights"
    assert refused(pair) == dict.fromkeys((0, 1), Reason.EQUATION)


class Counting:
    """A backend that notes how many pairs each product had."""

    def __init__(self) -> None:
        self._backend = select()
        self.sizes: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def pairing_product(self, curve: Curve, g1: Array, g2: Array) -> Array:
        self.sizes.append(len(g1))
        return self._backend.pairing_product(curve, g1, g2)

    def pairing_of_lines(self, curve: Curve, g1: Array, lines: Sequence[PairingLines]) -> Array:
        self.sizes.append(len(g1))
        return self._backend.pairing_of_lines(curve, g1, lines)


def counted(entries: list[Entry]) -> tuple[set[int], list[int]]:
    """The refused entries of bn254, and the numbers of pairs of the products that it took."""
    backend = Counting()
    prepare(statement(BN254.name).key, cast(Backend, backend))
    backend.sizes.clear()
    try:
        verify_batch(statement(BN254.name).key, entries, backend=cast(Backend, backend))
    except RefusedProof as error:
        return set(error.indices), backend.sizes
    return set(), backend.sizes


def falsified(entry: Entry) -> Entry:
    """The same with A and C exchanged: good points, a false equation."""
    inputs, proof = entry
    return inputs, replace(proof, a=proof.c, c=proof.a)


def test_a_true_batch_takes_one_product(entries: list[Entry]) -> None:
    assert counted(entries) == (set(), [N + 3])


def test_a_thousand_proofs(entries: list[Entry]) -> None:
    many = [entries[i % N] for i in range(1000)]
    assert counted(many) == (set(), [1003])
    many[617] = falsified(many[617])
    refused, sizes = counted(many)
    assert refused == {617}
    assert sum(sizes) < 3 * len(many) + 100


@pytest.mark.parametrize("place", range(N))
def test_one_false_proof_is_named_at_every_place(entries: list[Entry], place: int) -> None:
    mixed = list(entries)
    mixed[place] = falsified(mixed[place])
    refused, sizes = counted(mixed)
    assert refused == {place}
    assert len(sizes) <= 1 + 2 * 2 + groth16.SMALLEST_BATCH  # two halvings, of which both halves may be asked


def test_a_batch_of_false_proofs_costs_a_bounded_number_of_products(entries: list[Entry]) -> None:
    refused, sizes = counted([falsified(entry) for entry in entries])
    assert refused == set(range(N))
    assert sorted(sizes) == sorted([N + 3, 8 + 3, 8 + 3, *[4 + 3] * 4, *[3] * N])


def test_the_same_false_proof_many_times_is_named_each_time(entries: list[Entry]) -> None:
    wrong = falsified(entries[0])
    refused, _ = counted([wrong if i % 3 == 0 else entries[1] for i in range(N)])
    assert refused == set(range(0, N, 3))


def test_a_point_outside_the_subgroup_is_named_among_many(entries: list[Entry]) -> None:
    mixed = list(entries)
    for place in (3, 9):
        inputs, proof = entries[place]
        mixed[place] = (inputs, replace(proof, b=outside_subgroup(BN254.g2)))
    assert refused(mixed) == dict.fromkeys((3, 9), Reason.NOT_IN_SUBGROUP)


def test_weights_are_canonical_and_never_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator's first answer has a zero among three: that weight alone is drawn again."""
    answers = [bytes([255] * 16 + [0] * 16 + [1] + [0] * 15), b"\2" + bytes(15)]
    monkeypatch.setattr(groth16.secrets, "token_bytes", lambda n: answers.pop(0)[:n])
    assert decode_elements(groth16._draw_weights(3)) == [2**128 - 1, 2, 1]
    assert not answers
