"""True statements to verify: keys and proofs of small square chains, made once for each curve."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from proofgrid.bench.chain import square_chain, square_chain_witness
from proofgrid.kernels.backend import select
from proofgrid.kernels.curves import CURVES, Curve
from proofgrid.prover.formats.zkey import Zkey, read_zkey
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.prover.groth16.prove import prove
from proofgrid.prover.groth16.setup import setup
from proofgrid.verifier.keys import Proof, VerifyingKey

N_CONSTRAINTS = 5


@dataclass(frozen=True)
class Statement:
    """A key of :func:`square_chain` with 5 constraints, and one true proof for it."""

    curve: Curve
    zkey: Zkey
    key: VerifyingKey
    inputs: list[int]
    proof: Proof


@cache
def statement(curve_name: str) -> Statement:
    """The statement of one curve; every call gives the same."""
    curve = CURVES[curve_name]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "chain.zkey"
        setup(square_chain(N_CONSTRAINTS, curve), path)
        zkey = read_zkey(path.read_bytes())
    proof, inputs = prove(zkey, square_chain_witness(N_CONSTRAINTS, 3, 5, curve))
    return Statement(curve, zkey, verifying_key(zkey, backend=select()), inputs, proof)


def another(given: Statement, start: int) -> tuple[list[int], Proof]:
    """A further true (inputs, proof) for the same key: the chain that starts at ``start``."""
    proof, inputs = prove(given.zkey, square_chain_witness(N_CONSTRAINTS, start, 5, given.curve))
    return inputs, proof
