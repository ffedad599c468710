"""Circuits are refused before anyone may ask for a proof that could not be settled."""

from pathlib import Path

import pytest

from proofgrid.errors import MalformedInput
from proofgrid.models import CircuitRegistration
from proofgrid.network import circuits
from proofgrid.prover.artifacts import ArtifactStore
from tests.network.world import VECTORS


@pytest.mark.parametrize("curve", ["bn254", "bls12_381"])
def test_only_what_the_chain_can_judge_is_registered(tmp_path: Path, curve: str) -> None:
    store = ArtifactStore(tmp_path)
    digest = store.put((VECTORS / curve / "steps.zkey").read_bytes())
    registration = CircuitRegistration(name="steps", zkey_digest=digest)
    if curve == "bn254":
        assert circuits.inspect(store, registration).curve == curve
        return
    with pytest.raises(MalformedInput, match="over bn254"):
        circuits.inspect(store, registration)
