"""Constraint systems: circom's ``.r1cs``. Row i says (A w)(B w) = C w for the witness w, whose wire 0 is one.

Wires: 0 the constant one, then outputs, public inputs, private inputs, the rest.
Source: iden3/r1csfile, doc/r1cs_bin_format.md. The layout is in ``docs/formats.md``.
"""

import os
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array, is_canonical
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.curves import Curve
from proofgrid.prover.formats.binfile import BinFile, Cursor, Source, create, curve_of_scalar_field, open_sections
from proofgrid.prover.formats.matrices import Matrix, check_satisfied

_VALUE_BYTES = 32
_TERM_WORDS = 1 + _VALUE_BYTES // 4


@dataclass(frozen=True)
class R1csHeader:
    """What a circuit is, before its constraints."""

    curve: Curve
    n_wires: int
    n_outputs: int
    n_public_inputs: int
    n_private_inputs: int
    n_labels: int
    n_constraints: int

    @property
    def n_public(self) -> int:
        """Public wires, the constant one not counted: outputs and public inputs."""
        return self.n_outputs + self.n_public_inputs


@dataclass(frozen=True)
class R1cs(R1csHeader):
    """A constraint system; ``labels[i]`` is the number by which circom's ``.sym`` file names wire i."""

    a: Matrix
    b: Matrix
    c: Matrix
    labels: Array

    @property
    def matrices(self) -> tuple[Matrix, Matrix, Matrix]:
        return (self.a, self.b, self.c)

    def check_satisfied(self, witness: Array, backend: Backend | None = None) -> None:
        """Raise :class:`~proofgrid.errors.UnsatisfiedCircuit` naming the first constraint that ``witness`` breaks.

        ``witness`` is ``uint64[n_wires, limbs]``, canonical; another length is :class:`MalformedInput`.
        """
        if len(witness) != self.n_wires:
            raise MalformedInput(f"witness: {len(witness)} values, the circuit has {self.n_wires} wires")
        check_satisfied(self.curve.Fr, self.matrices, witness, backend)


def read_r1cs_header(source: Source) -> R1csHeader:
    """The header alone, in constant time. Raises :class:`MalformedInput`."""
    return _read_header(_open(source))


def read_r1cs(source: Source) -> R1cs:
    """Read a whole constraint system, from a path or bytes.

    Checks every count, that wires and labels are in range and that values are below r. Cost: about 1 s and three
    times the file's size in memory for each 2^20 constraints. Raises :class:`MalformedInput`.
    """
    file = _open(source)
    header = _read_header(file)
    a, b, c = _read_constraints(file.section(2, "constraints"), header)
    cursor = file.section(3, "labels")
    labels = cursor.words((header.n_wires,), f"{header.n_wires} labels")
    cursor.finish()
    if len(labels) and int(labels.max()) >= header.n_labels:
        wire = int(np.argmax(labels >= header.n_labels))
        raise MalformedInput(
            f"{cursor.what}: wire {wire} has label {labels[wire]}, expected less than {header.n_labels}"
        )
    return R1cs(**{field.name: getattr(header, field.name) for field in fields(header)}, a=a, b=b, c=c, labels=labels)


def _open(source: Source) -> BinFile:
    file = open_sections(source, "r1cs", range(1, 2))
    if any(number in file.sections for number in (4, 5)):
        raise MalformedInput(
            f"{file.name}: the circuit uses custom gates, which Groth16 cannot prove; compile without them"
        )
    return file


def _read_header(file: BinFile) -> R1csHeader:
    cursor = file.section(1, "header")
    size = cursor.u32("the prime's size")
    if size != _VALUE_BYTES:
        raise MalformedInput(f"{cursor.what}: the prime takes {size} bytes, expected {_VALUE_BYTES}")
    curve = curve_of_scalar_field(cursor.integer(size, "the prime"), cursor.what)
    header = R1csHeader(
        curve=curve,
        n_wires=cursor.u32("nWires"),
        n_outputs=cursor.u32("nPubOut"),
        n_public_inputs=cursor.u32("nPubIn"),
        n_private_inputs=cursor.u32("nPrvIn"),
        n_labels=cursor.u64("nLabels"),
        n_constraints=cursor.u32("mConstraints"),
    )
    cursor.finish()
    named = 1 + header.n_public + header.n_private_inputs
    if header.n_wires < named:
        raise MalformedInput(f"{cursor.what}: {header.n_wires} wires, the outputs and inputs alone need {named}")
    return header


def _read_constraints(cursor: Cursor, header: R1csHeader) -> tuple[Matrix, Matrix, Matrix]:
    """Three linear combinations a constraint, each ``u32 n { u32 wire, 32 bytes value } * n``."""
    n_combinations = 3 * header.n_constraints
    if cursor.left % 4 or cursor.left < 4 * n_combinations:
        raise MalformedInput(
            f"{cursor.what}: {cursor.left} bytes, expected a multiple of 4 and at least {4 * n_combinations} "
            f"for {header.n_constraints} constraints"
        )
    data = cursor.take(cursor.left, "the constraints")
    counts = _read_counts(data, n_combinations, cursor.what)
    words = np.frombuffer(data, dtype="<u4")
    # Where each combination's first term starts, in words: after its own count and all that went before.
    starts = np.concatenate(([0], np.cumsum(1 + _TERM_WORDS * counts)))[:-1] + 1
    matrices = [_read_matrix(words, starts[k::3], counts[k::3]) for k in range(3)]
    for name, matrix in zip("ABC", matrices, strict=True):
        _check_matrix(matrix, header, f"{cursor.what}: matrix {name}")
    return (matrices[0], matrices[1], matrices[2])


def _read_counts(data: memoryview, n_combinations: int, what: str) -> NDArray[np.int64]:
    """The number of terms of each combination; each is known only after the one before it."""
    words = data.cast("I")
    counts = np.empty(n_combinations, dtype=np.int64)
    at, end = 0, len(words)
    for index in range(n_combinations):
        if at >= end:
            raise MalformedInput(f"{what}: ends inside constraint {index // 3}")
        counts[index] = count = words[at]
        at += 1 + _TERM_WORDS * count
    if at != end:
        raise MalformedInput(f"{what}: {4 * end} bytes, the constraints' own counts need {4 * at}")
    return counts


def _read_matrix(words: NDArray[np.uint32], starts: NDArray[np.int64], counts: NDArray[np.int64]) -> Matrix:
    row_starts = np.concatenate(([0], np.cumsum(counts)))
    position = np.arange(row_starts[-1]) - np.repeat(row_starts[:-1], counts)
    terms = np.repeat(starts, counts) + _TERM_WORDS * position
    values = words[terms[:, np.newaxis] + np.arange(1, _TERM_WORDS)]
    return Matrix(row_starts, words[terms], np.ascontiguousarray(values).view(np.uint64))


def _check_matrix(matrix: Matrix, header: R1csHeader, where: str) -> None:
    if len(matrix.signals) and int(matrix.signals.max()) >= header.n_wires:
        entry = int(np.argmax(matrix.signals >= header.n_wires))
        raise MalformedInput(
            f"{where}: constraint {matrix.rows[entry]} names wire {matrix.signals[entry]}, "
            f"expected less than {header.n_wires}"
        )
    canonical = is_canonical(header.curve.Fr, matrix.values)
    if not canonical.all():
        row = matrix.rows[int(np.argmin(canonical))]
        raise MalformedInput(f"{where}: constraint {row} has a value not below the modulus of {header.curve.Fr.name}")


def write_r1cs(path: str | os.PathLike[str], r1cs: R1cs) -> None:
    """Write a constraint system as circom does: sections 2 1 3."""
    field = r1cs.curve.Fr
    with create(path, "r1cs", 1, 3) as out:
        with out.section(2):
            out.array(_interleave(r1cs.matrices))
        with out.section(1):
            out.u32(field.n_bytes)
            out.integer(field.modulus, field.n_bytes)
            for count in (r1cs.n_wires, r1cs.n_outputs, r1cs.n_public_inputs, r1cs.n_private_inputs):
                out.u32(count)
            out.u64(r1cs.n_labels)
            out.u32(r1cs.n_constraints)
        with out.section(3):
            out.array(r1cs.labels)


def _interleave(matrices: tuple[Matrix, Matrix, Matrix]) -> NDArray[np.uint32]:
    """The constraints' words, the inverse of the reading: rows of A, B and C in turn."""
    counts = np.stack([np.diff(matrix.row_starts) for matrix in matrices], axis=1).reshape(-1)
    ends = np.cumsum(1 + _TERM_WORDS * counts)
    starts = ends - _TERM_WORDS * counts
    words = np.empty(int(ends[-1]) if len(ends) else 0, dtype="<u4")
    words[starts - 1] = counts
    for k, matrix in enumerate(matrices):
        position = np.arange(len(matrix.signals)) - np.repeat(matrix.row_starts[:-1], counts[k::3])
        terms = np.repeat(starts[k::3], counts[k::3]) + _TERM_WORDS * position
        words[terms] = matrix.signals
        words[terms[:, np.newaxis] + np.arange(1, _TERM_WORDS)] = np.ascontiguousarray(matrix.values).view("<u4")
    return words
