"""The committer's key, given by the environment, stays in the process that signs."""

import os
from pathlib import Path

import pytest

from proofgrid.config import NetworkConfig
from proofgrid.gateway.embedded import Network, WorkerOptions
from proofgrid.network import leash, redis_server
from proofgrid.settlement.devnet import Devnet
from tests.settlement.cluster import PAYER, PROGRAM, PROVER, founded

VARIABLE = "PROOFGRID_TEST_COMMITTER"


def test_no_child_process_inherits_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inherited = []

    def begun(command: list[str]) -> list[str]:
        inherited.append(VARIABLE in os.environ)
        return leash.leashed(command)

    state_file = tmp_path / "devnet.jsonl"
    state_file.write_bytes(founded())
    with Devnet.start(state_file=state_file) as devnet:
        monkeypatch.setenv(VARIABLE, str(PAYER))
        monkeypatch.setattr(redis_server, "leashed", begun)
        config = NetworkConfig(
            state_folder=tmp_path / "state",
            port=0,
            rpc_url=devnet.url,
            program_id=str(PROGRAM.pubkey()),
            prover=str(PROVER),
            committer_key=f"env:{VARIABLE}",
        )
        with Network(config, worker=WorkerOptions(count=0)) as network:
            assert network.program_id == str(PROGRAM.pubkey())
        assert inherited == [False]  # Redis
        assert VARIABLE not in os.environ
        assert str(PAYER) not in repr(config)
        for file in (tmp_path / "state").rglob("*"):
            if file.is_file():
                assert str(PAYER).encode() not in file.read_bytes(), file
