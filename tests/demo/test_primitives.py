"""Poseidon, Baby Jubjub and EdDSA-Poseidon against circomlibjs' vectors and their own definitions."""

import json
from pathlib import Path

import pytest

from proofgrid.demo.babyjubjub import BASE, IDENTITY, SUBGROUP_ORDER, A, D, Point, add, is_on_curve, multiply
from proofgrid.demo.eddsa import Signature, SigningKey, verify
from proofgrid.demo.poseidon import poseidon
from proofgrid.errors import InvalidProof, MalformedInput
from proofgrid.kernels.curves import BN254

R = BN254.r
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "circomlibjs.json").read_text())
GENERATOR = (  # of the whole group; EIP-2494
    995203441582195749578291179787384436505546430278305826713579947235728471134,
    5472060717959818805561601436314318772137091100104008585924551046643952123905,
)
KEY = SigningKey(bytes(range(32)))


@pytest.mark.parametrize("vector", VECTORS["poseidon"], ids=lambda vector: f"{len(vector['inputs'])} elements")
def test_poseidon_is_circomlibs(vector: dict) -> None:
    assert poseidon([int(value) for value in vector["inputs"]]) == int(vector["hash"])


@pytest.mark.parametrize("inputs", [[], [0] * 8, [R], [-1]], ids=["none", "eight", "r", "negative"])
def test_poseidon_refuses_what_it_has_no_parameters_for(inputs: list[int]) -> None:
    with pytest.raises(MalformedInput):
        poseidon(inputs)


def affine_sum(left: Point, right: Point) -> Point:
    """The curve's addition law as it is defined."""
    (x1, y1), (x2, y2) = left, right
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + y1 * x2) * pow(1 + product, -1, R) % R
    y = (y1 * y2 - A * x1 * x2) * pow(1 - product, -1, R) % R
    return x, y


def test_the_base_is_eight_times_the_generator_and_has_prime_order() -> None:
    assert is_on_curve(GENERATOR)
    assert multiply(8, GENERATOR) == BASE
    assert multiply(SUBGROUP_ORDER) == IDENTITY
    assert multiply(4 * SUBGROUP_ORDER, GENERATOR) != IDENTITY
    assert multiply(8 * SUBGROUP_ORDER, GENERATOR) == IDENTITY


def test_sums_and_multiples_are_the_affine_laws() -> None:
    total = IDENTITY
    for k in range(20):
        assert multiply(k, GENERATOR) == total
        assert add(total, BASE) == affine_sum(total, BASE)
        total = affine_sum(total, GENERATOR)
    assert add(BASE, (R - BASE[0], BASE[1])) == IDENTITY
    with pytest.raises(MalformedInput):
        multiply(-1)


@pytest.mark.parametrize("point", [(0, 0), (BASE[0] + R, BASE[1]), (BASE[0], R + BASE[1]), (BASE[1], BASE[0])])
def test_points_off_the_curve_or_not_reduced_are_refused(point: Point) -> None:
    assert not is_on_curve(point)
    with pytest.raises(MalformedInput, match="not a point"):
        verify(point, 1, KEY.sign(1))


@pytest.mark.parametrize("vector", VECTORS["eddsa_poseidon"], ids=range(3))
def test_circomlibjs_signatures_are_good(vector: dict) -> None:
    (x, y), (rx, ry) = (map(int, vector[name]) for name in ("key", "r"))
    signature = Signature((rx, ry), int(vector["s"]))
    verify((x, y), int(vector["message"]), signature)
    with pytest.raises(InvalidProof):
        verify((x, y), (int(vector["message"]) + 1) % R, signature)


def test_a_signature_is_good_for_one_key_and_one_message() -> None:
    signature = KEY.sign(7)
    verify(KEY.public_key, 7, signature)
    others = [
        (KEY.public_key, 8, signature),
        (SigningKey(bytes(32)).public_key, 7, signature),
        (KEY.public_key, 7, Signature(add(signature.r, BASE), signature.s)),
        (KEY.public_key, 7, Signature(signature.r, signature.s ^ 1)),
    ]
    for key, message, other in others:
        with pytest.raises(InvalidProof):
            verify(key, message, other)


def test_a_signature_cannot_be_written_in_two_ways() -> None:
    signature = KEY.sign(7)
    with pytest.raises(MalformedInput, match="below the subgroup's order"):
        verify(KEY.public_key, 7, Signature(signature.r, signature.s + SUBGROUP_ORDER))


@pytest.mark.parametrize("key", [IDENTITY, (0, R - 1), multiply(SUBGROUP_ORDER, GENERATOR)], ids=["1", "2", "8"])
def test_a_key_of_small_order_is_refused(key: Point) -> None:
    with pytest.raises(MalformedInput, match="small order"):
        verify(key, 7, KEY.sign(7))


def test_a_signing_key_is_32_bytes_and_does_not_show_itself() -> None:
    with pytest.raises(MalformedInput):
        SigningKey(b"short")
    assert "x02" not in repr(KEY)
