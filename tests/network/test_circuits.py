"""Circuits are refused before anyone may ask for a proof that could not be settled."""

from pathlib import Path

import pytest

from proofgrid.config import Limits, NetworkConfig
from proofgrid.errors import BackendUnavailable, MalformedInput
from proofgrid.models import CircuitRegistration
from proofgrid.network import circuits
from proofgrid.network.judging.reading import KeyReader
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


def reader(tmp_path: Path, **settings: str) -> KeyReader:
    limits = Limits(verify_memory_bytes=512 << 20)
    return KeyReader(NetworkConfig(state_folder=tmp_path, limits=limits), **settings)


@pytest.mark.parametrize("curve", ["bn254", "bls12_381"])
def test_a_reader_apart_says_what_the_one_here_says(tmp_path: Path, curve: str) -> None:
    path = VECTORS / curve / "steps.zkey"
    if curve == "bn254":
        assert reader(tmp_path)(path) == circuits.read_key(path)
        return
    with pytest.raises(MalformedInput, match="over bn254"):
        reader(tmp_path)(path)


@pytest.mark.parametrize("content", [b"", b"zkey", bytes(1000)])
def test_a_reader_apart_refuses_what_is_no_key(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(MalformedInput, match="zkey"):
        reader(tmp_path)(tmp_path / "key")


def test_a_key_that_kills_its_reader_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"no key")
    with pytest.raises(MalformedInput, match=r"512 MiB.*MemoryError"):
        reader(tmp_path, program="tests.network.dangerous_reader")(tmp_path / "key")


def test_a_reader_that_cannot_start_refuses_nobody(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="No module named"):
        reader(tmp_path, program="tests.network.no_such_program")(VECTORS / "bn254" / "steps.zkey")
