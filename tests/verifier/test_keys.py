"""Keys, proofs and inputs: their files round-trip, and what is not one is refused by name."""

import hashlib
import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import decode_points
from proofgrid.kernels.backend import select
from proofgrid.kernels.curves import BLS12_381, BN254, CURVES
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.verifier.groth16 import verify
from proofgrid.verifier.keys import (
    MAX_PROOF_BYTES,
    Proof,
    VerifyingKey,
    dump_proof,
    dump_public_inputs,
    dump_verifying_key,
    load_proof,
    load_public_inputs,
    load_verifying_key,
    public_inputs_from_json,
)
from proofgrid.verifier.refusals import Reason, RefusedInput
from proofgrid.verifier.snarkjs import parse_json
from tests.verifier.statements import Statement, statement
from tests.verifier.strange_points import off_curve, outside_subgroup

G1, G2 = ("alpha1",), ("beta2", "gamma2", "delta2")


def same(left: VerifyingKey | Proof, right: VerifyingKey | Proof) -> bool:
    return left.curve == right.curve and left.encode() == right.encode()


def refusal_of_key(key: VerifyingKey, **changes: Any) -> Reason:
    with pytest.raises(RefusedInput) as caught:
        replace(key, backend=None, **changes)
    return caught.value.reason


def test_files_round_trip(given_statement: Statement, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    dump_verifying_key(given_statement.key, path)
    key = load_verifying_key(path)
    assert same(key, given_statement.key)
    dump_proof(given_statement.proof, path)
    proof = load_proof(path)
    assert same(proof, given_statement.proof)
    dump_public_inputs(given_statement.inputs, path)
    inputs = load_public_inputs(path)
    assert inputs == given_statement.inputs
    verify(key, inputs, proof)


def test_bytes_round_trip(given_statement: Statement) -> None:
    curve, key, proof = given_statement.curve, given_statement.key, given_statement.proof
    assert same(VerifyingKey.decode(curve, key.encode()), key)
    assert same(Proof.decode(curve, proof.encode()), proof)
    width = curve.Fq.n_bytes
    assert len(proof.encode()) == 8 * width
    assert len(key.encode()) == 14 * width + 2 * width * (key.n_public + 1)


def test_encoding_is_eip_197s() -> None:
    """64 bytes of G1, then x.c1, x.c0, y.c1, y.c0, all big-endian."""
    proof = statement(BN254.name).proof
    ((ax, ay),) = decode_points(BN254.g1, proof.a[np.newaxis])
    (((x0, x1), (y0, y1)),) = decode_points(BN254.g2, proof.b[np.newaxis])
    ((cx, cy),) = decode_points(BN254.g1, proof.c[np.newaxis])
    numbers = (ax, ay, x1, x0, y1, y0, cx, cy)
    assert proof.encode() == b"".join(number.to_bytes(32, "big") for number in numbers)


def test_digest_is_of_the_documented_bytes(given_statement: Statement) -> None:
    key = given_statement.key
    name = {"bn254": b"bn254", "bls12_381": b"bls12_381"}[key.curve.name]
    head = b"proofgrid.verifying-key.v1" + bytes(6) + name + bytes(16 - len(name)) + bytes([0, 0, 0, 2])
    assert key.digest() == hashlib.sha256(head + key.encode()).digest()
    fewer = replace(key, ic=key.ic[:2], backend=None)
    assert fewer.digest() != key.digest()


def test_arrays_are_read_only(given_statement: Statement) -> None:
    for array in (given_statement.key.alpha1, given_statement.key.ic, given_statement.proof.b):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_key_with_a_point_at_infinity_is_refused(given_statement: Statement) -> None:
    key = given_statement.key
    for name in G1 + G2:
        assert refusal_of_key(key, **{name: np.zeros_like(getattr(key, name))}) is Reason.POINT_AT_INFINITY


def test_key_with_a_point_off_the_curve_is_refused(given_statement: Statement) -> None:
    key, curve = given_statement.key, given_statement.curve
    for name in G1 + G2:
        point = off_curve(curve.g1 if name in G1 else curve.g2)
        assert refusal_of_key(key, **{name: point}) is Reason.NOT_ON_CURVE
    ic = key.ic.copy()
    ic[-1] = off_curve(curve.g1)
    assert refusal_of_key(key, ic=ic) is Reason.NOT_ON_CURVE


def test_key_with_a_point_outside_the_subgroup_is_refused(given_statement: Statement) -> None:
    key, curve = given_statement.key, given_statement.curve
    for name in G2:
        assert refusal_of_key(key, **{name: outside_subgroup(curve.g2)}) is Reason.NOT_IN_SUBGROUP
    if curve == BLS12_381:
        assert refusal_of_key(key, alpha1=outside_subgroup(curve.g1)) is Reason.NOT_IN_SUBGROUP


def test_key_without_a_contribution_is_refused(given_statement: Statement) -> None:
    """snarkjs' ``groth16 setup`` leaves gamma = delta = the generator until somebody contributes."""
    key = given_statement.key
    opposite = np.stack([key.gamma2[0], negated(given_statement, key.gamma2[1])])
    for delta2 in (key.gamma2, opposite):
        assert refusal_of_key(key, delta2=delta2) is Reason.FORGEABLE_KEY


def test_snarkjs_key_without_a_contribution_is_refused() -> None:
    zkey = read_zkey(Path(__file__).parents[1] / "vectors" / "circom" / "bn254" / "initial.zkey")
    with pytest.raises(RefusedInput) as caught:
        verifying_key(zkey)
    assert caught.value.reason is Reason.FORGEABLE_KEY


def negated(given_statement: Statement, coordinate: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return select().field(given_statement.curve.Fq, "neg", coordinate)


def test_key_of_another_shape_is_refused(given_statement: Statement) -> None:
    key = given_statement.key
    assert refusal_of_key(key, ic=key.ic[:0]) is Reason.DOCUMENT
    assert refusal_of_key(key, alpha1=key.beta2) is Reason.DOCUMENT
    assert refusal_of_key(key, alpha1=key.alpha1.astype(np.int64)) is Reason.DOCUMENT


def set_at(document: Any, path: tuple[Any, ...], value: object) -> Any:
    changed = deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


BN254_Q = str(BN254.q)
PROOF_CHANGES: list[tuple[tuple[Any, ...], object, Reason]] = [
    (("protocol",), "plonk", Reason.WRONG_PROTOCOL),
    (("protocol",), None, Reason.WRONG_PROTOCOL),
    (("curve",), "bls12377", Reason.WRONG_CURVE),
    (("curve",), ["bn128"], Reason.WRONG_CURVE),
    (("pi_a",), None, Reason.DOCUMENT),
    (("pi_a",), ["1", "2"], Reason.DOCUMENT),
    (("pi_a",), ["1", "2", "1", "1"], Reason.DOCUMENT),
    (("pi_a", 2), "2", Reason.DOCUMENT),
    (("pi_a", 0), 1, Reason.DOCUMENT),
    (("pi_a", 0), True, Reason.DOCUMENT),
    (("pi_a", 0), "0x1", Reason.DOCUMENT),
    (("pi_a", 0), "01", Reason.DOCUMENT),
    (("pi_a", 0), "-1", Reason.DOCUMENT),
    (("pi_a", 0), "+1", Reason.DOCUMENT),
    (("pi_a", 0), " 1", Reason.DOCUMENT),
    (("pi_a", 0), "1\n", Reason.DOCUMENT),
    (("pi_a", 0), "1_0", Reason.DOCUMENT),
    (("pi_a", 0), "", Reason.DOCUMENT),
    (("pi_a", 0), "\u0661", Reason.DOCUMENT),
    (("pi_a", 0), "9" * 5000, Reason.DOCUMENT),
    (("pi_a", 0), "9" * 120, Reason.COORDINATE_RANGE),
    (("pi_a", 0), BN254_Q, Reason.COORDINATE_RANGE),
    (("pi_b", 0), "1", Reason.DOCUMENT),
    (("pi_b", 0, 1), BN254_Q, Reason.COORDINATE_RANGE),
    (("pi_b", 2), ["1", "1"], Reason.DOCUMENT),
    (("pi_c",), ["0", "0", "1"], Reason.DOCUMENT),
    (("extra",), "1", Reason.DOCUMENT),
]


@pytest.mark.parametrize(("path", "value", "reason"), PROOF_CHANGES, ids=lambda part: str(part)[:24])
def test_changed_proof_document_is_refused(path: tuple[Any, ...], value: object, reason: Reason) -> None:
    document = set_at(statement(BN254.name).proof.to_json(), path, value)
    with pytest.raises(RefusedInput) as caught:
        Proof.from_json(document)
    assert caught.value.reason is reason


def test_proof_document_without_a_member_is_refused() -> None:
    document = statement(BN254.name).proof.to_json()
    for key in ("pi_a", "pi_b", "pi_c", "protocol"):
        with pytest.raises(RefusedInput):
            Proof.from_json({name: value for name, value in document.items() if name != key})
    without_curve = {name: value for name, value in document.items() if name != "curve"}
    assert same(Proof.from_json(without_curve), statement(BN254.name).proof), "rapidsnark names no curve"


def test_largest_coordinate_is_read() -> None:
    document = set_at(statement(BN254.name).proof.to_json(), ("pi_a", 0), str(BN254.q - 1))
    assert Proof.from_json(document).to_json() == document


def test_infinity_round_trips(given_statement: Statement) -> None:
    proof = given_statement.proof
    at_infinity = replace(proof, b=np.zeros_like(proof.b), c=np.zeros_like(proof.c))
    document = at_infinity.to_json()
    assert document["pi_c"] == ["0", "1", "0"]
    assert document["pi_b"] == [["0", "0"], ["1", "0"], ["0", "0"]]
    assert same(Proof.from_json(document), at_infinity)


def test_key_document_whose_counts_disagree_is_refused() -> None:
    document = statement(BN254.name).key.to_json()
    for n_public in (0, 1, 3):
        with pytest.raises(RefusedInput) as caught:
            VerifyingKey.from_json(set_at(document, ("nPublic",), n_public))
        assert caught.value.reason is Reason.INPUT_COUNT
    for n_public in (True, "2", -1, None, 1 << 40):
        with pytest.raises(RefusedInput) as caught:
            VerifyingKey.from_json(set_at(document, ("nPublic",), n_public))
        assert caught.value.reason is Reason.DOCUMENT


def test_public_inputs_are_decimal_strings() -> None:
    assert public_inputs_from_json(["0", "12"]) == [0, 12]
    for wrong in ({}, "12", [1], ["01"], ["-1"], ["1.0"], ["9" * 121], [["1"]], None):
        with pytest.raises(RefusedInput):
            public_inputs_from_json(wrong)


HOSTILE = [
    b"",
    b"\xff\xfe{}",
    b"[" * 60000,
    b'{"a":' * 10000,
    b"9" * 5000,
    b"1e999",
    b"NaN",
    b'{"a": 1, "a": 2}',
    b" " * (MAX_PROOF_BYTES + 1),
    '{"\ud800": 1}'.encode("utf-8", "surrogatepass"),
    b"\xef\xbb\xbf{}",
]


@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: repr(data[:12]))
def test_hostile_json_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedInput) as caught:
        parse_json(data, MAX_PROOF_BYTES, "proof")
    assert caught.value.reason is Reason.DOCUMENT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["1", "0", "groth16", "bn128"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["pi_a", "pi_b", "pi_c", "protocol", "curve", "IC", "nPublic", "vk_alpha_1"]), inner
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_arbitrary_documents_are_malformed(document: object) -> None:
    for read in (Proof.from_json, VerifyingKey.from_json):
        with pytest.raises(MalformedInput):
            read(document)


@given(st.binary(max_size=600), st.sampled_from(list(CURVES)))
def test_arbitrary_bytes_are_malformed(data: bytes, curve_name: str) -> None:
    with pytest.raises(MalformedInput):
        VerifyingKey.decode(CURVES[curve_name], data)
    try:
        Proof.decode(CURVES[curve_name], data)
    except MalformedInput:
        return
    assert not any(data[:1]), "random coordinates are almost never below q"


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_mutated_key_files_are_malformed(data: st.DataObject) -> None:
    original = json.dumps(statement(BN254.name).key.to_json()).encode()
    mutated = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    if mutated == original:
        return
    with pytest.raises(MalformedInput):
        VerifyingKey.from_json(parse_json(bytes(mutated), 1 << 20, "key"))


def verify_file(given_statement: Statement, data: bytes) -> None:
    proof = Proof.from_json(parse_json(data, MAX_PROOF_BYTES, "proof"))
    verify(given_statement.key, given_statement.inputs, proof)


def test_every_flipped_byte_of_a_proof_file_is_refused() -> None:
    """Refused as a file, or a point off the curve; no flip leaves a proof that could still be true."""
    given_statement = statement(BN254.name)
    original = json.dumps(given_statement.proof.to_json()).encode()
    for i in range(len(original)):
        mutated = bytearray(original)
        mutated[i] ^= 1 << (i % 7)
        with pytest.raises(MalformedInput):
            verify_file(given_statement, bytes(mutated))
