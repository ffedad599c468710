"""The checks against answers that are right, nearly right and of the wrong form, and against an independent oracle."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgrid.errors import InvalidProof, MalformedInput, UnsatisfiedCircuit
from proofgrid.kernels.arrays import decode_elements, decode_points, encode_elements
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.reference.groups import lincomb, scale
from proofgrid.kernels.reference.ntt import evaluate, naive_dft
from proofgrid.network.admission.checks import CHECKED_STEPS, check_msm, check_ntt, check_proof
from proofgrid.network.admission.trapdoor import Trapdoor, inner_product
from proofgrid.prover.challenges import kernels, squares
from proofgrid.prover.challenges.expansion import expand
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.prover.groth16.prove import prove
from proofgrid.prover.groth16.setup import setup

LOG_N, STEPS = 6, 5
SEED = bytes(range(32))
R = kernels.CURVE.r
BACKEND: Backend = select("native")
TRAPDOOR = Trapdoor(bytes(range(1, 33)), 0, LOG_N, BACKEND)
POINTS = kernels.decode_points(TRAPDOOR.points())
SUMS = kernels.chain_msm(POINTS, SEED, STEPS, backend=BACKEND)
VALUES = kernels.chain_ntt(SEED, LOG_N, STEPS, backend=BACKEND)


def chacha20_block(key: bytes, counter: int) -> bytes:
    """RFC 8439, section 2.3, with a nonce of zeros: written from the text, slow."""
    state = [*struct.unpack("<4I", b"expand 32-byte k"), *struct.unpack("<8I", key), counter, 0, 0, 0]
    x = state[:]

    def quarter(a: int, b: int, c: int, d: int) -> None:
        for into, add, turned, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[into] = (x[into] + x[add]) % 2**32
            x[turned] ^= x[into]
            x[turned] = (x[turned] << by | x[turned] >> (32 - by)) % 2**32

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for row in range(4):
            quarter(row, 4 + (row + 1) % 4, 8 + (row + 2) % 4, 12 + (row + 3) % 4)
    return struct.pack("<16I", *((a + b) % 2**32 for a, b in zip(x, state, strict=True)))


def test_elements_are_the_key_stream_that_the_specification_says() -> None:
    stream = b"".join(chacha20_block(SEED, counter) for counter in range(1, 6))
    expected = [int.from_bytes(stream[at : at + 32], "little") % 2**253 for at in range(0, 320, 32)]
    assert decode_elements(expand(SEED, 10)) == expected
    with pytest.raises(MalformedInput, match="32 bytes"):
        expand(SEED[1:], 1)


def test_the_published_points_are_the_secret_logs_times_the_generator() -> None:
    logs = decode_elements(TRAPDOOR.logs[:4])
    assert decode_points(kernels.CURVE.g1, POINTS[:4]) == scale(kernels.CURVE.g1, kernels.CURVE.g1_generator, logs)
    assert len(set(map(bytes, POINTS))) == 1 << LOG_N
    other = Trapdoor(TRAPDOOR.secret, 1, LOG_N, BACKEND)
    assert not set(decode_elements(other.logs)) & set(decode_elements(TRAPDOOR.logs))
    assert TRAPDOOR.secret.hex() not in repr(TRAPDOOR)


def test_each_step_is_the_sum_over_the_points_with_its_seeds_scalars() -> None:
    sums = kernels.split_sums(SUMS, STEPS)
    before = sums[1]
    scalars = expand(kernels.step_seed(SEED, 2, before), 1 << LOG_N)
    expected = lincomb(kernels.CURVE.g1, decode_points(kernels.CURVE.g1, POINTS), decode_elements(scalars))
    assert decode_points(kernels.CURVE.g1, kernels.decode_points(sums[2])) == [expected]


@pytest.mark.parametrize("step", range(STEPS))
def test_a_right_chain_passes_at_every_step_and_a_wrong_sum_fails_at_its_own(step: int) -> None:
    check_msm(TRAPDOOR, SEED, STEPS, SUMS, checked=[step])
    at = step * kernels.POINT_BYTES
    wrong = SUMS[:at] + bytes([SUMS[at] ^ 1]) + SUMS[at + 1 :]
    with pytest.raises(InvalidProof, match=f"sum {step} of {STEPS}"):
        check_msm(TRAPDOOR, SEED, STEPS, wrong, checked=[step])


def test_steps_are_drawn_and_all_of_a_short_chain_are_checked() -> None:
    check_msm(TRAPDOOR, SEED, STEPS, SUMS)
    assert CHECKED_STEPS >= 2
    short = SUMS[: 2 * kernels.POINT_BYTES]
    check_msm(TRAPDOOR, SEED, 2, short)
    with pytest.raises(InvalidProof):
        check_msm(TRAPDOOR, SEED, 2, short[:-1] + bytes([short[-1] ^ 1]))


def test_an_answer_to_another_challenge_and_the_sum_of_two_answers_are_refused() -> None:
    with pytest.raises(InvalidProof):
        check_msm(TRAPDOOR, bytes(32), STEPS, SUMS)
    first, second = (kernels.decode_points(SUMS[at : at + 64]) for at in (0, 64))
    added = kernels.encode_point(BACKEND.add_points(kernels.CURVE.g1, first, second))
    with pytest.raises(InvalidProof):
        check_msm(TRAPDOOR, SEED, 1, added)


@pytest.mark.parametrize("length", [0, 63, 65, 64 * STEPS - 1, 64 * (STEPS + 1)])
def test_sums_of_another_length_are_malformed(length: int) -> None:
    with pytest.raises(MalformedInput, match="sums has"):
        check_msm(TRAPDOOR, SEED, STEPS, bytes(length))


def test_a_chain_of_transforms_is_the_naive_one_and_agrees_with_its_polynomial_at_a_point() -> None:
    field = kernels.CURVE.Fr
    values = decode_elements(expand(SEED, 1 << LOG_N))
    for _ in range(2):
        coefficients, values = values, naive_dft(field, values, field.non_residue)
    chain = kernels.decode_values(kernels.chain_ntt(SEED, LOG_N, 2, backend=BACKEND), LOG_N)
    assert decode_elements(chain) == values
    root = field.root_of_unity(LOG_N)
    assert values[3] == evaluate(field, coefficients, field.non_residue * pow(root, 3, R) % R)


@pytest.mark.parametrize("steps", [1, 2, STEPS])
def test_the_functional_answers_for_the_chain_whatever_goes_in(steps: int) -> None:
    rho, sigma = TRAPDOOR.functional(LOG_N, steps)
    for seed in (SEED, bytes(32)):
        out = kernels.decode_values(kernels.chain_ntt(seed, LOG_N, steps, backend=BACKEND), LOG_N)
        assert inner_product(rho, out, BACKEND) == inner_product(sigma, expand(seed, 1 << LOG_N), BACKEND)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, (1 << LOG_N) - 1), st.integers(1, R - 1))
def test_a_vector_that_is_wrong_in_one_place_is_refused(place: int, off: int) -> None:
    check_ntt(TRAPDOOR, SEED, LOG_N, STEPS, VALUES)
    at = 32 * place
    value = (int.from_bytes(VALUES[at : at + 32], "little") + off) % R
    with pytest.raises(InvalidProof):
        check_ntt(TRAPDOOR, SEED, LOG_N, STEPS, VALUES[:at] + value.to_bytes(32, "little") + VALUES[at + 32 :])


def test_vectors_of_another_challenge_or_form_are_refused() -> None:
    with pytest.raises(InvalidProof):
        check_ntt(TRAPDOOR, bytes(32), LOG_N, STEPS, VALUES)
    with pytest.raises(InvalidProof):
        check_ntt(TRAPDOOR, SEED, LOG_N, STEPS + 1, VALUES)
    for wrong in (VALUES[:-1], VALUES + b"0", b""):
        with pytest.raises(MalformedInput, match="values has"):
            check_ntt(TRAPDOOR, SEED, LOG_N, STEPS, wrong)
    above = int.from_bytes(VALUES[:32], "little") + R
    with pytest.raises(MalformedInput, match="below r"):
        check_ntt(TRAPDOOR, SEED, LOG_N, STEPS, above.to_bytes(32, "little") + VALUES[32:])


@pytest.mark.parametrize("log_n", [3, 6])
def test_a_known_answer_proof_is_of_its_seeds_statement_alone(tmp_path: Path, log_n: int) -> None:
    circuit = squares.circuit(log_n)
    setup(circuit, tmp_path / "squares.zkey", backend=BACKEND)
    zkey = read_zkey(tmp_path / "squares.zkey")
    assert zkey.log_domain == log_n
    witness = squares.witness(squares.start(SEED), log_n)
    circuit.check_satisfied(witness, BACKEND)
    broken = np.array(witness)
    broken[2, 0] ^= 1
    with pytest.raises(UnsatisfiedCircuit):
        circuit.check_satisfied(broken, BACKEND)
    key = verifying_key(zkey, backend=BACKEND)
    proof, public = prove(zkey, witness, backend=BACKEND)
    assert public == squares.public_inputs(squares.start(SEED), log_n)
    check_proof(key, SEED, log_n, proof)
    with pytest.raises(InvalidProof):
        check_proof(key, bytes(32), log_n, proof)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, R - 1), st.integers(0, R - 1)), min_size=1, max_size=40))
def test_the_inner_product_is_that_of_integers(pairs: list[tuple[int, int]]) -> None:
    a, b = (encode_elements(kernels.CURVE.Fr, column) for column in zip(*pairs, strict=True))
    assert inner_product(a, b, BACKEND) == sum(x * y for x, y in pairs) % R
