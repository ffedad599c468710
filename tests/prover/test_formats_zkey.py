"""``.zkey``: what snarkjs wrote is what we read, and the other way round."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import decode_elements, decode_points
from proofgrid.kernels.backend import COEFFICIENT
from proofgrid.kernels.curves import BN254, CURVES, Group
from proofgrid.prover.formats.r1cs import read_r1cs
from proofgrid.prover.formats.zkey import Zkey, read_zkey, write_zkey
from tests.fuzz import containers
from tests.prover import vectors

ZKEY = vectors.read("bn254/initial.zkey")
HEADER_COUNTS = 4 + 32 + 4 + 32  # where nVars, nPublic and domainSize lie in a bn254 header
HEADER_POINTS = HEADER_COUNTS + 12


def refused(data: bytes, words: str) -> None:
    with pytest.raises(MalformedInput, match=words):
        read_zkey(data).check()


def canonical_point(group: Group, point_mont: np.ndarray) -> list[object]:
    """A Montgomery point as snarkjs prints it: projective decimal strings."""
    q = group.coordinate.modulus
    inverse = pow(group.coordinate.montgomery_radix, -1, q)
    numbers = [str(n * inverse % q) for n in decode_elements(point_mont.reshape(-1, group.coordinate.limbs))]
    return [*numbers, "1"] if group.name == "g1" else [numbers[:2], numbers[2:], ["1", "0"]]


@pytest.mark.parametrize("name", vectors.CURVES)
def test_the_header_and_ic_are_the_verification_key(name: str) -> None:
    curve = CURVES[name]
    zkey = read_zkey(vectors.path(f"{name}/steps.zkey"))
    zkey.check()
    key = json.loads(vectors.read(f"{name}/verification_key.json"))
    assert (zkey.curve, zkey.n_vars, zkey.n_public, zkey.domain_size, zkey.log_domain) == (curve, 19, 2, 16, 4)
    assert key["nPublic"] == zkey.n_public
    assert key["vk_alpha_1"] == canonical_point(curve.g1, zkey.alpha1_mont)
    assert key["vk_beta_2"] == canonical_point(curve.g2, zkey.beta2_mont)
    assert key["vk_gamma_2"] == canonical_point(curve.g2, zkey.gamma2_mont)
    assert key["vk_delta_2"] == canonical_point(curve.g2, zkey.delta2_mont)
    assert key["IC"] == [canonical_point(curve.g1, point) for point in zkey.ic_mont]


@pytest.mark.parametrize("name", vectors.CURVES)
def test_coefficients_are_the_matrices_of_the_r1cs(name: str) -> None:
    """In section 4 lie A and B with values v * R^2, then one row of A for each public wire."""
    zkey, r1cs = read_zkey(vectors.path(f"{name}/steps.zkey")), read_r1cs(vectors.path(f"{name}/steps.r1cs"))
    r = r1cs.curve.r
    inverse = pow(1 << 512, -1, r)
    found = {
        (int(m), int(row), int(signal)): value * inverse % r
        for (m, row, signal, _), value in zip(
            zkey.coefficients, decode_elements(zkey.coefficients["value"]), strict=True
        )
    }
    expected = {(0, r1cs.n_constraints + wire, wire): 1 for wire in range(r1cs.n_public + 1)}
    for number, matrix in enumerate((r1cs.a, r1cs.b)):
        for row, signal, value in zip(matrix.rows, matrix.signals, decode_elements(matrix.values), strict=True):
            expected[number, int(row), int(signal)] = value
    assert found == expected


def test_points_are_views_of_the_file_and_infinity_is_zeros() -> None:
    zkey = read_zkey(vectors.path("bn254/steps.zkey"))
    for array in (zkey.a_mont, zkey.b2_mont, zkey.h_mont, zkey.coefficients):
        assert not array.flags.writeable
        assert not array.flags.owndata
    assert zkey.a_mont.shape == (19, 2, 4)
    assert zkey.b2_mont.shape == (19, 2, 2, 4)
    assert zkey.c_mont.shape == (16, 2, 4)
    assert zkey.h_mont.shape == (16, 2, 4)
    # No B row names the constant wire or the weights: snarkjs writes zeros there.
    assert decode_points(BN254.g1, zkey.b1_mont)[3] is None
    assert decode_points(BN254.g2, zkey.b2_mont)[3] is None


def test_written_as_snarkjs_setup_writes_it(tmp_path: Path) -> None:
    write_zkey(tmp_path / "out.zkey", read_zkey(vectors.path("bn254/initial.zkey")))
    assert (tmp_path / "out.zkey").read_bytes() == ZKEY


@pytest.mark.parametrize("name", vectors.CURVES)
def test_written_sections_are_those_read(name: str, tmp_path: Path) -> None:
    """After a contribution snarkjs writes the same sections in another order."""
    write_zkey(tmp_path / "out.zkey", read_zkey(vectors.path(f"{name}/steps.zkey")))
    written = containers.split((tmp_path / "out.zkey").read_bytes())
    assert dict(written) == dict(containers.split(vectors.read(f"{name}/steps.zkey")))


def test_without_contributions_there_is_no_section_10(tmp_path: Path) -> None:
    write_zkey(tmp_path / "out.zkey", replace(read_zkey(ZKEY), contributions=b""))
    data = (tmp_path / "out.zkey").read_bytes()
    assert {number for number, _ in containers.split(data)} == set(range(1, 10))
    assert read_zkey(data).contributions == b""


@pytest.mark.parametrize("protocol", [0, 2, 10])
def test_another_protocol(protocol: int) -> None:
    refused(containers.replace(ZKEY, 1, struct.pack("<I", protocol)), f"expected 1 .groth16., got {protocol}")


@pytest.mark.parametrize("number", range(1, 10))
def test_each_section_is_needed(number: int) -> None:
    refused(containers.join(ZKEY, [s for s in containers.split(ZKEY) if s[0] != number]), f"section {number} .*missing")


@pytest.mark.parametrize("number", range(1, 10))
@pytest.mark.parametrize("change", [-1, 1, 64])
def test_a_section_of_another_size(number: int, change: int) -> None:
    body = containers.section(ZKEY, number)
    body = body + bytes(change) if change > 0 else body[:change]
    refused(containers.replace(ZKEY, number, body), f"section {number} ")


def with_counts(n_vars: int = 19, n_public: int = 2, domain_size: int = 16) -> bytes:
    return containers.patch(ZKEY, 2, HEADER_COUNTS, struct.pack("<III", n_vars, n_public, domain_size))


def test_the_counts_in_the_header() -> None:
    assert with_counts() == ZKEY
    refused(with_counts(n_public=19), "nPublic is 19, expected less than nVars, which is 19")
    refused(with_counts(n_vars=0, n_public=0), "nPublic is 0")
    refused(with_counts(n_public=18), "section 3")
    refused(with_counts(n_vars=20), "section 5 .*20 g1 points")
    refused(with_counts(n_vars=2**32 - 1), "section 5 .* takes 274877906880 bytes")


@pytest.mark.parametrize("size", [0, 3, 15, 17, 2**29, 2**32 - 1])
def test_the_domain_is_a_power_of_two_that_the_field_has(size: int) -> None:
    refused(with_counts(domain_size=size), f"domainSize is {size}, expected a power of two up to 2.28")


@pytest.mark.parametrize("size", [8, 32, 2**28])
def test_the_domain_counts_the_h_points(size: int) -> None:
    refused(with_counts(domain_size=size), r"section 9 \(H points\)")


def test_a_count_of_coefficients_beyond_the_file() -> None:
    for count in (18, 20, 2**32 - 1):
        refused(containers.patch(ZKEY, 4, 0, struct.pack("<I", count)), r"section 4 \(coefficients\)")


def test_no_coefficients_at_all() -> None:
    read_zkey(containers.replace(ZKEY, 4, bytes(4))).check()


@pytest.mark.parametrize(("field", "offset", "limit"), [("matrix", 0, 2), ("constraint", 4, 16), ("signal", 8, 19)])
def test_indices_of_coefficients(field: str, offset: int, limit: int) -> None:
    at = 4 + 3 * COEFFICIENT.itemsize + offset
    read_zkey(containers.patch(ZKEY, 4, at, struct.pack("<I", limit - 1))).check()
    for index in (limit, 2**32 - 1):
        refused(
            containers.patch(ZKEY, 4, at, struct.pack("<I", index)),
            f"entry 3 has {field} {index}, expected less than {limit}",
        )


def test_values_of_coefficients_are_below_r() -> None:
    at = 4 + 3 * COEFFICIENT.itemsize + 12
    read_zkey(containers.patch(ZKEY, 4, at, (BN254.r - 1).to_bytes(32, "little"))).check()
    refused(containers.patch(ZKEY, 4, at, BN254.r.to_bytes(32, "little")), "section 4: entry 3 is not below .*bn254.Fr")


@pytest.mark.parametrize("number", [3, 5, 6, 7, 8, 9])
def test_coordinates_are_below_q(number: int) -> None:
    size = 128 if number == 7 else 64
    at = 2 * size + size - 32  # the last coordinate of point 2
    read_zkey(containers.patch(ZKEY, number, at, (BN254.q - 1).to_bytes(32, "little"))).check()
    refused(
        containers.patch(ZKEY, number, at, BN254.q.to_bytes(32, "little")), f"section {number}: entry 2 is not below"
    )


@pytest.mark.parametrize(
    ("name", "offset"),
    [("alpha1", 0), ("beta1", 64), ("beta2", 128), ("gamma2", 256), ("delta1", 384), ("delta2", 448)],
)
def test_coordinates_in_the_header_are_checked_when_opening(name: str, offset: int) -> None:
    data = containers.patch(ZKEY, 2, HEADER_POINTS + offset, BN254.q.to_bytes(32, "little"))
    with pytest.raises(MalformedInput, match=f"{name}: entry 0 is not below"):
        read_zkey(data)


def test_primes_of_no_curve_and_of_two() -> None:
    refused(containers.patch(ZKEY, 2, 36 + 4, (BN254.r + 2).to_bytes(32, "little")), "no curve known here")
    refused(containers.patch(ZKEY, 2, 0, struct.pack("<I", 31)), "q takes 31 bytes, expected 32 or 48")
    refused(containers.patch(ZKEY, 2, 0, struct.pack("<I", 2**32 - 1)), "q takes 4294967295 bytes")
    mixed = containers.section(vectors.read("bls12_381/steps.zkey"), 2)[:52] + containers.section(ZKEY, 2)[36:]
    refused(containers.replace(ZKEY, 2, mixed), "no curve known here .bn254, bls12_381.")


@pytest.mark.parametrize(
    "change",
    [
        {"ic_mont": np.zeros((2, 2, 4), dtype=np.uint64)},
        {"a_mont": np.zeros((19, 2, 4), dtype=np.int64)},
        {"b2_mont": np.zeros((19, 2, 4), dtype=np.uint64)},
        {"h_mont": np.zeros((8, 2, 4), dtype=np.uint64)},
        {"delta2_mont": np.zeros((2, 4), dtype=np.uint64)},
        {"coefficients": np.zeros(3, dtype=np.uint64)},
    ],
)
def test_the_writer_refuses_other_shapes(change: dict[str, np.ndarray], tmp_path: Path) -> None:
    zkey: Zkey = replace(read_zkey(ZKEY), **change)
    with pytest.raises(MalformedInput, match=next(iter(change))):
        write_zkey(tmp_path / "out.zkey", zkey)
    assert not list(tmp_path.iterdir())


def test_a_mapped_key_can_be_written_over_itself(tmp_path: Path) -> None:
    path = tmp_path / "key.zkey"
    path.write_bytes(ZKEY)
    zkey = read_zkey(path)
    write_zkey(path, zkey)
    assert path.read_bytes() == ZKEY
    zkey.check()
