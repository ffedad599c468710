"""``.r1cs`` and the sparse matrices it becomes."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from proofgrid.bench.chain import square_chain, square_chain_witness
from proofgrid.errors import MalformedInput, UnsatisfiedCircuit
from proofgrid.kernels.arrays import Array, decode_elements, encode_elements
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.curves import BN254, CURVES, Curve
from proofgrid.prover.formats.matrices import Matrix
from proofgrid.prover.formats.r1cs import R1cs, read_r1cs, read_r1cs_header, write_r1cs
from proofgrid.prover.formats.wtns import read_wtns
from tests.fuzz import containers
from tests.prover import vectors

R1CS = vectors.read("bn254/steps.r1cs")
COUNTS = 4 + 32  # where the header's counts begin


@pytest.fixture(scope="module")
def reference() -> Backend:
    return select("reference")


def refused(data: bytes, words: str) -> None:
    with pytest.raises(MalformedInput, match=words):
        read_r1cs(data)


def plain_product(curve: Curve, matrix: Matrix, witness: Array) -> list[int]:
    """The oracle: a loop over Python integers."""
    values, wires = decode_elements(matrix.values), decode_elements(witness)
    result = [0] * matrix.n_rows
    for row in range(matrix.n_rows):
        for entry in range(int(matrix.row_starts[row]), int(matrix.row_starts[row + 1])):
            result[row] += values[entry] * wires[int(matrix.signals[entry])]
    return [total % curve.r for total in result]


@pytest.mark.parametrize("name", vectors.CURVES)
def test_what_circom_wrote(name: str) -> None:
    r1cs = read_r1cs(vectors.path(f"{name}/steps.r1cs"))
    header = read_r1cs_header(vectors.path(f"{name}/steps.r1cs"))
    for counted in (r1cs, header):
        assert counted.curve is CURVES[name]
        assert (counted.n_wires, counted.n_labels, counted.n_constraints) == (19, 20, 10)
        assert (counted.n_outputs, counted.n_public_inputs, counted.n_private_inputs, counted.n_public) == (1, 1, 7, 2)
    # powers[0] is a constant; the .sym file gives its label 10 no wire.
    assert r1cs.labels.tolist() == [i for i in range(20) if i != 10]
    symbols = [line.split(",") for line in vectors.path("steps.sym").read_text().splitlines()]
    assert {int(label): int(wire) for label, wire, _, _ in symbols if int(wire) >= 0} == {
        int(label): wire for wire, label in enumerate(r1cs.labels) if wire
    }


@pytest.mark.parametrize("name", vectors.CURVES)
def test_the_witness_of_snarkjs_satisfies_it(name: str, reference: Backend) -> None:
    r1cs, wtns = read_r1cs(vectors.path(f"{name}/steps.r1cs")), read_wtns(vectors.path(f"{name}/steps.wtns"))
    a, b, c = (plain_product(r1cs.curve, matrix, wtns.values) for matrix in r1cs.matrices)
    assert [x * y % r1cs.curve.r for x, y in zip(a, b, strict=True)] == c
    r1cs.check_satisfied(wtns.values, reference)


def test_each_wire_matters(reference: Backend) -> None:
    """Whatever wire changes, a constraint that names it is reported; the public limit alone is only asserted on."""
    r1cs, wtns = read_r1cs(R1CS), read_wtns(vectors.path("bn254/steps.wtns"))
    for wire in range(1, r1cs.n_wires):
        values = wtns.values.copy()
        values[wire, 0] += 1
        if wire == 2:
            r1cs.check_satisfied(values, reference)
            continue
        with pytest.raises(
            UnsatisfiedCircuit, match=r"constraint \d+ of 10 does not hold; it ties the wires "
        ) as caught:
            r1cs.check_satisfied(values, reference)
        row = int(str(caught.value).split()[1])
        assert any(wire in m.signals[m.row_starts[row] : m.row_starts[row + 1]] for m in r1cs.matrices)


def test_the_first_constraint_that_fails_is_named(reference: Backend) -> None:
    r1cs, witness = square_chain(9), square_chain_witness(9, 3, 5)
    r1cs.check_satisfied(witness, reference)
    witness[6, 0] ^= np.uint64(1)  # x_3, made by constraint 2 and used by constraint 3
    with pytest.raises(UnsatisfiedCircuit, match="constraint 2 of 9 does not hold; it ties the wires 2, 5, 6"):
        r1cs.check_satisfied(witness, reference)


def test_a_witness_of_another_length(reference: Backend) -> None:
    with pytest.raises(MalformedInput, match="11 values, the circuit has 12 wires"):
        square_chain(9).check_satisfied(square_chain_witness(9, 3, 5)[:-1], reference)


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_products_with_large_values_empty_rows_and_repeated_signals(curve: Curve, reference: Backend) -> None:
    rng = np.random.default_rng(5)
    counts = np.array([0, 0, 1, 70, 0, 3, 0])
    nnz = int(counts.sum())
    large = [curve.r - 1 - int(n) for n in rng.integers(0, 9, nnz + 4)]
    matrix = Matrix(
        np.concatenate(([0], np.cumsum(counts))),
        rng.integers(0, 4, nnz).astype(np.uint32),
        encode_elements(curve.Fr, large[:nnz]),
    )
    witness = encode_elements(curve.Fr, large[nnz:])
    assert decode_elements(matrix.times(curve.Fr, witness, reference)) == plain_product(curve, matrix, witness)


def test_a_matrix_without_entries(reference: Backend) -> None:
    empty = Matrix(np.zeros(4, dtype=np.int64), np.zeros(0, dtype=np.uint32), np.zeros((0, 4), dtype=np.uint64))
    assert decode_elements(empty.times(BN254.Fr, encode_elements(BN254.Fr, [1]), reference)) == [0, 0, 0]


@pytest.mark.parametrize("name", vectors.CURVES)
def test_written_as_circom_writes_it(name: str, tmp_path: Path) -> None:
    write_r1cs(tmp_path / "out.r1cs", read_r1cs(vectors.path(f"{name}/steps.r1cs")))
    assert (tmp_path / "out.r1cs").read_bytes() == vectors.read(f"{name}/steps.r1cs")


@pytest.mark.parametrize("n", [1, 2, 100])
def test_a_chain_survives_the_file(n: int, tmp_path: Path) -> None:
    chain = square_chain(n)
    write_r1cs(tmp_path / "chain.r1cs", chain)
    again = read_r1cs(tmp_path / "chain.r1cs")
    assert (again.n_wires, again.n_constraints, again.n_public) == (n + 3, n, 2)
    for old, new in zip(chain.matrices, again.matrices, strict=True):
        assert (old.row_starts == new.row_starts).all()
        assert (old.signals == new.signals).all()
        assert (old.values == new.values).all()


def test_no_constraints(tmp_path: Path) -> None:
    none = Matrix(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.uint32), np.zeros((0, 4), dtype=np.uint64))
    r1cs: R1cs = replace(square_chain(1), n_constraints=0, a=none, b=none, c=none)
    write_r1cs(tmp_path / "none.r1cs", r1cs)
    assert read_r1cs(tmp_path / "none.r1cs").a.n_rows == 0


def test_custom_gates_are_refused() -> None:
    for number in (4, 5):
        refused(containers.join(R1CS, [*containers.split(R1CS), (number, b"")]), "custom gates")


@pytest.mark.parametrize("count", [0, 9, 11, 2**20, 2**32 - 1])
def test_a_count_of_constraints_that_is_not_theirs(count: int) -> None:
    refused(containers.patch(R1CS, 1, COUNTS + 24, struct.pack("<I", count)), r"section 2 \(constraints\)")


@pytest.mark.parametrize("count", [0, 2**20, 2**31, 2**32 - 1])
def test_a_count_of_terms_that_is_not_theirs(count: int) -> None:
    refused(containers.patch(R1CS, 2, 0, struct.pack("<I", count)), r"section 2 \(constraints\)")


def test_wires_and_values_out_of_range() -> None:
    read_r1cs(containers.patch(R1CS, 2, 4, struct.pack("<I", 18)))
    refused(containers.patch(R1CS, 2, 4, struct.pack("<I", 19)), "matrix A: constraint 0 names wire 19, expected less")
    read_r1cs(containers.patch(R1CS, 2, 8, (BN254.r - 1).to_bytes(32, "little")))
    refused(
        containers.patch(R1CS, 2, 8, BN254.r.to_bytes(32, "little")), "matrix A: constraint 0 has a value not below"
    )


def test_counts_of_wires_and_labels() -> None:
    for n_wires in (0, 8):
        refused(containers.patch(R1CS, 1, COUNTS, struct.pack("<I", n_wires)), f"{n_wires} wires, .* need 10")
    refused(containers.patch(R1CS, 1, COUNTS, struct.pack("<I", 20)), r"section 3 \(labels\)")
    refused(containers.patch(R1CS, 3, 8 * 18, struct.pack("<Q", 20)), "wire 18 has label 20, expected less than 20")


def test_an_odd_size_of_the_constraints() -> None:
    refused(containers.replace(R1CS, 2, containers.section(R1CS, 2) + b"\0"), "expected a multiple of 4")


def test_another_prime() -> None:
    refused(containers.patch(R1CS, 1, 4, (BN254.q).to_bytes(32, "little")), "scalar field of no curve")
