"""What is measured: inputs made once, the work of one run, a check of its result, and its share of the multiplier."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from proofgrid.bench import limit
from proofgrid.bench.chain import square_chain, square_chain_witness
from proofgrid.bench.packed import load_packed
from proofgrid.config import DEFAULT_MULTIPLES_BYTES
from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array, decode_elements, encode_elements, encode_points
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import BN254, Curve, Field, Group
from proofgrid.kernels.native.rates import Rates
from proofgrid.prover.formats.r1cs import R1cs
from proofgrid.prover.formats.wtns import read_wtns, write_wtns
from proofgrid.prover.formats.zkey import Zkey, read_zkey
from proofgrid.prover.groth16.keys import mont_points, verifying_key
from proofgrid.prover.groth16.prepared import multiples_within, prepare_key
from proofgrid.prover.groth16.prove import prove
from proofgrid.prover.groth16.setup import setup
from proofgrid.verifier.groth16 import verify, verify_batch
from proofgrid.verifier.keys import Proof, dump_proof, dump_public_inputs, dump_verifying_key

Kind = Literal["msm", "ntt", "groth16", "setup", "verify"]
Circuit = Literal["dense", "sha", "pos"]

CHAIN_ROWS = 3  # rows of the dense chain's domain that are not constraints: one, the output and b
LARGEST = {"msm": 24, "ntt": 28, "groth16": 24, "setup": 24, "verify": 14}
SMALLEST = {"msm": 0, "ntt": 0, "groth16": 3, "setup": 3, "verify": 0}
USUAL = {"msm": 16, "ntt": 16, "groth16": 16, "setup": 16, "verify": 10}
_PACKED_LOG_N = 16
_SEED = 20_07


@dataclass(frozen=True)
class Question:
    """What to measure. ``log_n``: of the points, the values, the domain, or the proofs verified at once."""

    kind: Kind
    log_n: int
    threads: int = 1
    curve: Curve = BN254
    group: Literal["g1", "g2"] = "g1"
    circuit: Circuit = "dense"

    def __post_init__(self) -> None:
        least, most = SMALLEST[self.kind], LARGEST[self.kind]
        if not least <= self.log_n <= most:
            raise MalformedInput(f"log_n: {self.kind} is measured for {least} to {most}, not {self.log_n}")
        if self.circuit == "dense":
            return
        if self.kind not in ("groth16", "setup"):
            raise MalformedInput(f"circuit: only groth16 and setup take {self.circuit}; {self.kind} does not")
        if (self.log_n, self.curve.name) != (_PACKED_LOG_N, BN254.name):
            raise MalformedInput(
                f"circuit: {self.circuit} is a circuit over bn254 with log_n {_PACKED_LOG_N}, "
                f"not over {self.curve.name} with {self.log_n}"
            )


@dataclass(frozen=True)
class Case:
    """One run is ``work()``; ``check()`` raises if the last run's result is wrong; ``instructions`` feed the limit."""

    work: Callable[[], object]
    check: Callable[[], None]
    instructions: Callable[[Rates], float]
    peer_arguments: list[str]


@contextmanager
def open_case(question: Question, backend: Backend) -> Iterator[Case]:
    """The case with its inputs made; its files are gone when it is left. Cost: a setup, for proofs."""
    make = {"msm": _msm, "ntt": _ntt, "groth16": _groth16, "setup": _setup, "verify": _verify}[question.kind]
    with tempfile.TemporaryDirectory(prefix="proofgrid-bench-") as folder:
        yield make(question, backend, Path(folder))


def _msm(question: Question, backend: Backend, folder: Path) -> Case:
    group: Group = getattr(question.curve, question.group)
    n, results = 1 << question.log_n, _Last()
    factors, scalars = _random_elements(group.scalar, n, 0), _random_elements(group.scalar, n, 1)
    generator = _generator(group)
    bases = backend.prepare(group, mont_points(group, backend.scale(group, generator, factors), backend))

    def work() -> None:
        results.array = backend.msm(group, bases, scalars, control=Control(threads=question.threads))

    def check() -> None:
        pairs = zip(decode_elements(factors), decode_elements(scalars), strict=True)
        total = sum(a * b for a, b in pairs) % group.scalar.modulus
        _require_equal(results.array, backend.scale(group, generator, encode_elements(group.scalar, [total]))[0], "msm")

    return Case(
        work,
        check,
        lambda rates: limit.msm_instructions(group, [(group.scalar.bits, n)], rates),
        _peer_arguments(question),
    )


def _ntt(question: Question, backend: Backend, folder: Path) -> Case:
    field, results = question.curve.Fr, _Last()
    values = backend.ntt(field, _random_elements(field, 1 << question.log_n, 0))  # memory of the backend's choice
    out = backend.ntt(field, values)

    def work() -> None:
        results.array = backend.ntt(field, values, out=out, control=Control(threads=question.threads))

    def check() -> None:
        _require_equal(backend.ntt(field, results.array, inverse=True), values, "ntt")
        if question.log_n:  # values at w^0 and w^(n/2): the sum, and the sum with signs
            numbers, half = decode_elements(values), 1 << (question.log_n - 1)
            ends = [sum(numbers), sum(numbers[::2]) - sum(numbers[1::2])]
            expected = encode_elements(field, [end % field.modulus for end in ends])
            _require_equal(results.array[[0, half]], expected, "ntt")

    return Case(
        work, check, lambda rates: limit.ntt_instructions(field, question.log_n, rates), _peer_arguments(question)
    )


def _groth16(question: Question, backend: Backend, folder: Path) -> Case:
    zkey, witness = _make_key(question, backend, folder, question.log_n)
    key, results = verifying_key(zkey, backend=backend), _Last()
    multiples = multiples_within(zkey, DEFAULT_MULTIPLES_BYTES)  # as a key cache keeps them
    size, prepared = _proof_size(zkey, witness), prepare_key(zkey, multiples=multiples, backend=backend)

    def work() -> None:
        results.proof, results.inputs = prove(
            prepared, witness, backend=backend, control=Control(threads=question.threads)
        )

    return Case(
        work,
        lambda: verify(key, results.inputs, results.proof, backend=backend),
        lambda rates: limit.proof_instructions(question.curve, size, rates),
        [*_peer_arguments(question), "--zkey", str(folder / "key.zkey"), "--witness", str(folder / "witness.wtns")],
    )


def _setup(question: Question, backend: Backend, folder: Path) -> Case:
    circuit, key = _make_circuit(question, question.log_n)[0], folder / "key.zkey"

    return Case(
        lambda: setup(circuit, key, backend=backend, control=Control(threads=question.threads)),
        lambda: None,  # its proofs' checks are groth16's
        lambda rates: limit.setup_instructions(question.curve, question.log_n, circuit.n_wires, rates),
        _peer_arguments(question),
    )


def _verify(question: Question, backend: Backend, folder: Path) -> Case:
    zkey, witness = _make_key(question, backend, folder, SMALLEST["groth16"])
    key, n = verifying_key(zkey, backend=backend), 1 << question.log_n
    proofs = [prove(zkey, witness, backend=backend) for _ in range(min(n, 4))]
    entries = [(inputs, proof) for proof, inputs in proofs] * (n // len(proofs))
    (proof, inputs), files = proofs[0], [folder / f"{name}.json" for name in ("key", "public", "proof")]
    dump_verifying_key(key, files[0])
    dump_public_inputs(inputs, files[1])
    dump_proof(proof, files[2])

    def work() -> None:
        if n == 1:
            verify(key, inputs, proof, backend=backend)
        else:
            verify_batch(key, entries, backend=backend)

    names = ("--verifying-key", "--public", "--proof")
    return Case(
        work,
        lambda: None,  # a false answer raises
        lambda rates: limit.verification_instructions(question.curve, n, rates),
        [*_peer_arguments(question), *(word for pair in zip(names, map(str, files), strict=True) for word in pair)],
    )


class _Last:
    """What the last run gave."""

    array: Array
    proof: Proof
    inputs: list[int]


def _peer_arguments(question: Question) -> list[str]:
    words = [question.kind, "--log-n", str(question.log_n), "--threads", str(question.threads)]
    return [*words, "--curve", question.curve.name, "--group", question.group]


def _make_key(question: Question, backend: Backend, folder: Path, log_n: int) -> tuple[Zkey, Array]:
    """``key.zkey`` and ``witness.wtns`` in the folder, mapped as a prover maps them."""
    circuit, values = _make_circuit(question, log_n)
    key, witness = folder / "key.zkey", folder / "witness.wtns"
    setup(circuit, key, backend=backend)
    write_wtns(witness, question.curve, values)
    return read_zkey(key), read_wtns(witness).values


def _make_circuit(question: Question, log_n: int) -> tuple[R1cs, Array]:
    if question.circuit != "dense":
        return load_packed(question.circuit)
    n = (1 << log_n) - CHAIN_ROWS
    return square_chain(n, question.curve), square_chain_witness(n, 3, 5, question.curve)


def _proof_size(zkey: Zkey, witness: Array) -> limit.ProofSize:
    bases = {"a": zkey.a_mont, "b1": zkey.b1_mont, "b2": zkey.b2_mont, "c": zkey.c_mont}
    lengths = _bit_lengths(witness)
    counted = {}
    for name, points in bases.items():
        scalars = lengths[zkey.n_public + 1 :] if name == "c" else lengths
        finite = points.reshape(len(points), -1).any(axis=1)
        bits, counts = np.unique(scalars[finite], return_counts=True)
        counted[name] = [(int(b), int(count)) for b, count in zip(bits, counts, strict=True)]
    return limit.ProofSize(zkey.log_domain, len(zkey.coefficients), counted)


def _bit_lengths(elements: Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Of each element, ``[n, limbs] -> [n]``."""
    lengths = np.zeros(len(elements), np.int64)
    for limb in range(elements.shape[1]):
        for bit in range(64):
            lengths[(elements[:, limb] >> np.uint64(bit)) != 0] = 64 * limb + bit + 1
    return lengths


def _random_elements(field: Field, n: int, stream: int) -> Array:
    """Full-size canonical elements, the same in every run of the program."""
    random = np.random.default_rng([_SEED, stream])
    elements = random.integers(0, 1 << 64, (n, field.limbs), dtype=np.uint64)
    elements[:, -1] %= np.uint64(field.modulus >> 64 * (field.limbs - 1))
    return elements


def _generator(group: Group) -> Array:
    curve = group.curve
    generator = curve.g1_generator if group.name == "g1" else curve.g2_generator
    return encode_points(group, [generator]).reshape(group.point_shape)


def _require_equal(found: Array, expected: Array, what: str) -> None:
    if not np.array_equal(found, expected):
        raise RuntimeError(f"{what}: the kernel's result is wrong, so its time means nothing; please report this")
