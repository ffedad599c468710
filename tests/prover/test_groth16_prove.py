"""The prover: complete on true witnesses, blinded, and false where the witness is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from proofgrid.bench.chain import square_chain, square_chain_witness
from proofgrid.errors import Cancelled, InvalidProof, MalformedInput, UnsatisfiedCircuit
from proofgrid.kernels.arrays import Array, encode_elements
from proofgrid.kernels.backend import select
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import BN254, CURVES, Curve
from proofgrid.prover.formats.r1cs import R1cs
from proofgrid.prover.formats.zkey import Zkey, read_zkey
from proofgrid.prover.groth16.keys import require_true, verifying_key
from proofgrid.prover.groth16.prove import _prove, prove
from proofgrid.prover.groth16.setup import setup
from proofgrid.verifier.groth16 import verify
from tests.prover.tiny_circuits import circuit, mixed

BOTH = pytest.mark.parametrize("curve", CURVES.values(), ids=list(CURVES))


def key_of(r1cs: R1cs, folder: Path) -> Zkey:
    setup(r1cs, folder / "key.zkey")
    return read_zkey(folder / "key.zkey")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Zkey:
    """The key of a chain of three squarings on bn254."""
    return key_of(square_chain(3), tmp_path_factory.mktemp("chain"))


@pytest.fixture
def witness() -> Array:
    return square_chain_witness(3, 2, 1)


@BOTH
def test_proof_of_a_true_witness_is_true(curve: Curve, tmp_path: Path) -> None:
    r1cs, values = mixed(curve)
    zkey = key_of(r1cs, tmp_path)
    proof, inputs = prove(zkey, encode_elements(curve.Fr, values))
    assert inputs == values[1:3]
    verify(verifying_key(zkey), inputs, proof)


def test_key_whose_proofs_would_not_hide_the_witness_is_refused(chain: Zkey, witness: Array) -> None:
    """A hostile key: with B1 and delta1 at infinity the proofs are true, but A is the same in all of them."""
    nothing = {name: np.zeros_like(getattr(chain, name)) for name in ("beta1_mont", "delta1_mont", "b1_mont")}
    hostile = replace(chain, **nothing)
    (first, inputs), (second, _) = prove(hostile, witness), prove(hostile, witness)
    verify(verifying_key(chain), inputs, first)
    assert (first.a == second.a).all()
    for key in (hostile, replace(chain, delta1_mont=chain.beta1_mont)):
        with pytest.raises(MalformedInput, match="would not hide their witnesses"):
            verifying_key(key)


def test_public_input_in_no_constraint_is_still_bound(tmp_path: Path) -> None:
    """Without the public rows its IC point would be infinity and any value would pass."""
    r1cs, values = mixed(BN254)
    zkey = key_of(r1cs, tmp_path)
    proof, inputs = prove(zkey, encode_elements(BN254.Fr, values))
    with pytest.raises(InvalidProof):
        verify(verifying_key(zkey), [inputs[0], inputs[1] + 1], proof)


def test_circuit_without_public_inputs(tmp_path: Path) -> None:
    zkey = key_of(circuit(BN254, 3, 0, [([(1, 1)], [(1, 1)], [(2, 1)])]), tmp_path)
    proof, inputs = prove(zkey, encode_elements(BN254.Fr, [1, 4, 16]))
    assert inputs == []
    verify(verifying_key(zkey), [], proof)


def test_circuit_without_constraints(tmp_path: Path) -> None:
    zkey = key_of(circuit(BN254, 3, 1, []), tmp_path)
    proof, inputs = prove(zkey, encode_elements(BN254.Fr, [1, 4, 16]))
    verify(verifying_key(zkey), inputs, proof)


def test_two_proofs_differ_in_every_point_and_both_are_true(chain: Zkey, witness: Array) -> None:
    (first, inputs), (second, _) = prove(chain, witness), prove(chain, witness)
    for name in "abc":
        assert not np.array_equal(getattr(first, name), getattr(second, name)), name
    for proof in (first, second):
        verify(verifying_key(chain), inputs, proof)


def test_blinding_is_the_only_randomness(chain: Zkey, witness: Array) -> None:
    key, backend = verifying_key(chain), select()
    made = [_prove(chain, witness, blinding, backend, Control()) for blinding in ((0, 0), (0, 0), (5, 0), (0, 5))]
    for proof, inputs in made:
        verify(key, inputs, proof)
    encodings = [proof.encode() for proof, _ in made]
    assert encodings[0] == encodings[1]
    assert len(set(encodings)) == 3


def test_every_backend_gives_the_same_proof(chain: Zkey, witness: Array) -> None:
    ours, _ = _prove(chain, witness, (123, 456), select(), Control())
    reference, _ = _prove(chain, witness, (123, 456), select("reference"), Control())
    assert ours.encode() == reference.encode()


def test_the_kernels_read_the_witness_where_it_lies(
    chain: Zkey, witness: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = select("native")
    read: list[Array] = []
    msm_many, quotient = type(backend).msm_many, type(backend).quotient
    monkeypatch.setattr(
        type(backend),
        "msm_many",
        lambda self, jobs, **k: (read.extend(j.scalars for j in jobs), msm_many(self, jobs, **k))[1],
    )
    monkeypatch.setattr(
        type(backend), "quotient", lambda self, *a, **k: (read.append(a[2]), quotient(self, *a, **k))[1]
    )
    prove(chain, witness, backend=backend)
    theirs = [np.shares_memory(scalars, witness) for scalars in read]
    assert sum(theirs) == 6  # the quotient, a, b1, what they share, b2, c
    assert len(theirs) == 6 + 1 + 2 * 3  # h, and the blinding: three sums beside these, three over them


def test_false_witness_is_found_out(chain: Zkey, witness: Array) -> None:
    """Each wire in turn: no proof of a witness that breaks a constraint is true."""
    key = verifying_key(chain)
    for wire in range(1, len(witness)):
        wrong = witness.copy()
        wrong[wire, 0] ^= 1
        proof, inputs = prove(chain, wrong)
        with pytest.raises(UnsatisfiedCircuit):
            require_true(key, inputs, proof)


def test_true_proof_passes_the_provers_own_check(chain: Zkey, witness: Array) -> None:
    proof, inputs = prove(chain, witness)
    require_true(verifying_key(chain), inputs, proof)


def test_what_is_no_witness_is_malformed(chain: Zkey, witness: Array) -> None:
    not_one = witness.copy()
    not_one[0, 0] = 2
    too_large = witness.copy()
    too_large[1] = np.uint64(2**64 - 1)
    for wrong, words in (
        (witness[:-1], "6"),
        (np.concatenate([witness, witness[:1]]), "6"),
        (not_one, "one"),
        (too_large, "modulus"),
        (witness.astype(np.int64), "uint64"),
        (witness[:, :3], "uint64"),
        (witness[:0], "uint64"),
    ):
        with pytest.raises(MalformedInput, match=words):
            prove(chain, wrong)


def test_cancelled_proof_stops(chain: Zkey, witness: Array) -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        prove(chain, witness, control=control)


def test_progress_ends_at_one(chain: Zkey, witness: Array) -> None:
    control = Control()
    prove(chain, witness, control=control)
    assert control.fraction == 1.0


def test_the_phases_are_told_in_order(chain: Zkey, witness: Array) -> None:
    heard: list[tuple[str, float]] = []
    prove(chain, witness, on_phase=lambda name, seconds: heard.append((name, seconds)))
    assert [name for name, _ in heard] == ["preparation", "quotient", "sums", "blinding"]
    assert all(seconds > 0 for _, seconds in heard)
