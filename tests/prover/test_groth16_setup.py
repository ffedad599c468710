"""The development setup: every point of the key is what the paper says, for a trapdoor that the test knows."""

from pathlib import Path

import numpy as np
import pytest

from proofgrid.bench.chain import square_chain
from proofgrid.errors import Cancelled, MalformedInput
from proofgrid.kernels.arrays import decode_elements, encode_elements
from proofgrid.kernels.backend import select
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import BN254, CURVES, Curve
from proofgrid.prover.formats.zkey import Zkey, read_zkey
from proofgrid.prover.groth16.keys import canonical_points, verifying_key
from proofgrid.prover.groth16.lagrange import geometric, lagrange_at, odd_lagrange_at
from proofgrid.prover.groth16.qap import coefficients, log_domain
from proofgrid.prover.groth16.setup import Trapdoor, _make, generator, setup
from tests.prover.tiny_circuits import lagrange_by_definition, mixed

TRAPDOOR = Trapdoor(tau=123456789, alpha=3, beta=5, delta=7)
BOTH = pytest.mark.parametrize("curve", CURVES.values(), ids=list(CURVES))


@BOTH
@pytest.mark.parametrize("log_n", [0, 1, 3])
def test_lagrange_polynomials_are_the_definition(curve: Curve, log_n: int) -> None:
    tau, backend = 987654321, select()
    assert decode_elements(lagrange_at(curve.Fr, tau, log_n, backend)) == lagrange_by_definition(curve, log_n, tau)
    odd = lagrange_by_definition(curve, log_n + 1, tau)[1::2]
    assert decode_elements(odd_lagrange_at(curve.Fr, tau, log_n, backend)) == odd


def test_geometric_is_the_powers() -> None:
    values = decode_elements(geometric(BN254.Fr, 6, 5, 4, select()))
    assert values == [6 * 5**i for i in range(16)]


@BOTH
def test_every_point_is_the_papers(curve: Curve) -> None:
    """A_i, B_i, C_i at tau by definition, with snarkjs' public rows, and each point that follows from them."""
    r1cs, _ = mixed(curve)
    backend, r, (tau, alpha, beta, delta) = select(), curve.r, (123456789, 3, 5, 7)
    lagrange = lagrange_by_definition(curve, 3, tau)

    def columns(which: str) -> list[int]:
        matrix, sums = getattr(r1cs, which), [0] * r1cs.n_wires
        for row, signal, value in zip(matrix.rows, matrix.signals, decode_elements(matrix.values), strict=True):
            sums[signal] = (sums[signal] + value * lagrange[row]) % r
        return sums

    a, b, c = (columns(which) for which in "abc")
    for wire in range(r1cs.n_public + 1):
        a[wire] = (a[wire] + lagrange[r1cs.n_constraints + wire]) % r
    mixed_terms = [(beta * x + alpha * y + z) % r for x, y, z in zip(a, b, c, strict=True)]
    by_delta = pow(delta, -1, r)
    odd = lagrange_by_definition(curve, 4, tau)[1::2]
    zkey = _make(r1cs, TRAPDOOR, backend, Control())
    expected = {
        "alpha1": [alpha],
        "beta1": [beta],
        "beta2": [beta],
        "gamma2": [1],
        "delta1": [delta],
        "delta2": [delta],
        "ic": mixed_terms[: r1cs.n_public + 1],
        "a": a,
        "b1": b,
        "b2": b,
        "c": [term * by_delta % r for term in mixed_terms[r1cs.n_public + 1 :]],
        "h": [value * by_delta % r for value in odd],
    }
    for name, scalars in expected.items():
        group = curve.g2 if name in ("beta2", "gamma2", "delta2", "b2") else curve.g1
        points = canonical_points(group, getattr(zkey, f"{name}_mont").reshape(-1, *group.point_shape), backend)
        by_definition = backend.scale(group, generator(group), encode_elements(curve.Fr, scalars))
        assert np.array_equal(points, by_definition), name
    assert zkey.domain_size == 8


@BOTH
def test_coefficients_are_the_matrices_by_constraint(curve: Curve) -> None:
    r1cs, _ = mixed(curve)
    records = coefficients(r1cs, select())
    places = [(int(record["constraint"]), int(record["matrix"]), int(record["signal"])) for record in records]
    assert places == [
        (0, 0, 3),
        (0, 1, 3),
        (1, 0, 3),
        (1, 0, 3),
        (1, 0, 0),
        (1, 1, 4),
        (2, 0, 5),
        (2, 0, 0),
        (2, 1, 0),
        (3, 1, 5),
        (4, 0, 0),
        (5, 0, 1),
        (6, 0, 2),
    ]
    inverse_square = pow(curve.Fr.montgomery_radix, -2, curve.r)
    values = [value * inverse_square % curve.r for value in decode_elements(records["value"].astype(np.uint64))]
    assert values == [1, 1, 2, curve.r - 1, 5, 3, 1, 1, 1, 7, 1, 1, 1]


def test_domain_holds_the_constraints_and_the_public_rows() -> None:
    """The chain has two public wires: 2^k - 3 constraints fill a domain, one more needs the next."""
    assert [log_domain(square_chain(n)) for n in (1, 2, 5, 6, 13, 14)] == [2, 3, 3, 4, 4, 5]


def test_circuit_larger_than_the_curve_is_malformed() -> None:
    class Huge:
        curve, n_public = BN254, 0
        n_constraints = (1 << 27) - 1

    assert log_domain(Huge()) == 27  # type: ignore[arg-type]
    Huge.n_constraints += 1
    with pytest.raises(MalformedInput, match=r"2\^27"):
        log_domain(Huge())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("setup") / "chain.zkey"
    setup(square_chain(3), path)
    return path


def test_written_key_is_whole_and_checks(key_file: Path) -> None:
    zkey = read_zkey(key_file)
    zkey.check()
    backend = select()
    for name in ("ic", "a", "b1", "c", "h"):
        assert backend.check_points(BN254.g1, canonical_points(BN254.g1, getattr(zkey, f"{name}_mont"), backend)).all()
    assert backend.check_points(BN254.g2, canonical_points(BN254.g2, zkey.b2_mont, backend)).all()
    assert verifying_key(zkey).n_public == 2


def test_two_setups_share_nothing_secret(key_file: Path, tmp_path: Path) -> None:
    setup(square_chain(3), tmp_path / "again.zkey")
    first, second = read_zkey(key_file), read_zkey(tmp_path / "again.zkey")
    for name in ("alpha1_mont", "beta1_mont", "delta1_mont", "h_mont"):
        assert not np.array_equal(getattr(first, name), getattr(second, name)), name
    assert np.array_equal(first.gamma2_mont, second.gamma2_mont)
    assert first.contributions == bytes(68), "no ceremony is claimed"


def test_cancelled_setup_leaves_no_file(tmp_path: Path) -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        setup(square_chain(3), tmp_path / "never.zkey", control=control)
    assert not list(tmp_path.iterdir())


def test_trapdoor_does_not_print() -> None:
    assert "123456789" not in f"{TRAPDOOR} {TRAPDOOR!r}"


def test_key_is_read_from_its_file(key_file: Path) -> None:
    zkey: Zkey = read_zkey(key_file)
    assert (zkey.n_vars, zkey.n_public, zkey.domain_size) == (6, 2, 8)
