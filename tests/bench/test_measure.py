"""The rounds, the cases and the command."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofgrid.bench.cases import Question, open_case
from proofgrid.bench.measure import available_cores, held_to, measure
from proofgrid.bench.peers import PeerFailed
from proofgrid.errors import MalformedInput
from proofgrid.kernels.curves import BLS12_381, BN254
from proofgrid.kernels.native import load, measure_rates
from tests.bench.test_peers import script
from tests.cli.test_files import run

TYPES: dict[str, type | tuple[type, ...]] = {
    "kind": str,
    "log_n": int,
    "threads": int,
    "curve": str,
    "isa": str,
    "seconds": float,
    "cpu_seconds": float,
    "limit_seconds": float,
    "share_of_limit": float,
    "peers": dict,
    "ratios": dict,
    "n_runs": int,
    "all_seconds": list,
    "all_peer_seconds": dict,
    "rates_per_second": dict,
    "machine": dict,
    "caveats": list,
}


def bench(*words: object) -> Any:
    result = run("bench", *words, "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    "words",
    [
        ["msm", "--log-n", 8],
        ["msm", "--log-n", 8, "--group", "g2", "--curve", "bls12_381"],
        ["ntt", "--log-n", 9, "--curve", "bls12_381"],
        ["groth16", "--log-n", 8, "--threads", 2],
        ["setup", "--log-n", 4],
        ["verify", "--log-n", 1],
    ],
    ids=lambda words: " ".join(map(str, words)),
)
def test_the_object_has_its_keys_and_types(words: list[object]) -> None:
    found = bench(*words, "--runs", 2)
    assert {name: type(found[name]) for name in TYPES} == TYPES
    assert (found["kind"], found["log_n"]) == (words[0], words[2])
    assert found["n_runs"] == len(found["all_seconds"]) == 2
    assert found["share_of_limit"] == pytest.approx(found["limit_seconds"] / found["seconds"])
    assert 0 < found["share_of_limit"] < 1


def test_a_peer_is_measured_beside_us(tmp_path: Path) -> None:
    command = script(tmp_path, "import sys\nfor _ in sys.stdin: print(1.5, flush=True)")
    found = bench("ntt", "--log-n", 8, "--runs", 3, "--peer", f"theirs={command}")
    assert found["peers"] == {"theirs": 1.5}
    assert found["all_peer_seconds"] == {"theirs": [1.5, 1.5, 1.5]}
    assert found["ratios"]["theirs"] == pytest.approx(1.5 / found["seconds"])


def test_a_failing_peer_is_the_command_s_error(tmp_path: Path) -> None:
    command = script(tmp_path, "import sys; sys.exit('no field of that name')")
    result = run("bench", "ntt", "--log-n", "4", "--peer", f"theirs={command}", "--json")
    assert result.returncode == 3
    assert "peer theirs" in json.loads(result.stdout)["error"]["message"]
    assert "no field of that name" in json.loads(result.stdout)["error"]["message"]


@pytest.mark.parametrize(
    "words", [["msm", "--log-n", 25], ["ntt", "--log-n", -1], ["groth16", "--circuit", "sha", "--log-n", 12]]
)
def test_a_question_that_makes_no_sense_is_refused(words: list[object]) -> None:
    result = run("bench", *words, "--json")
    assert result.returncode == 2
    assert json.loads(result.stdout)["error"]["code"] == "malformed_input"


def test_people_read_the_caveats_first() -> None:
    result = run("bench", "ntt", "--log-n", "4", "--runs", "1")
    assert result.returncode == 0
    assert result.stdout.startswith("- medians")
    assert result.stdout.index("the limit") < result.stdout.index("proofgrid (")


def test_rounds_interleave_and_the_first_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    text = f"import sys\nfor _ in sys.stdin:\n open({str(log)!r}, 'a').write('peer ')\n print(1, flush=True)"
    backend = load()
    with open_case(Question("ntt", 4), backend) as case:
        monkeypatch.setattr("proofgrid.bench.measure._TURN_RUNS", 1)
        work = case.work

        def logged() -> None:
            with log.open("a") as file:
                file.write("we ")
            work()

        object.__setattr__(case, "work", logged)
        measured = measure(
            case, runs=2, threads=1, peers={"peer": script(tmp_path, text)}, on_progress=lambda said: None
        )
    assert log.read_text().split() == ["we", "peer"] * 3
    assert (len(measured.ours), measured.peers) == (2, {"peer": [1, 1]})


def test_a_wrong_result_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = load()
    right = type(backend).msm

    def wrong(self: Any, group: Any, bases: Any, scalars: Any, **more: Any) -> Any:
        return right(self, group, bases, np.roll(scalars, 1, axis=0), **more)

    monkeypatch.setattr(type(backend), "msm", wrong)
    with open_case(Question("msm", 4), backend) as case, pytest.raises(RuntimeError, match="wrong"):
        measure(case, runs=1, threads=1, peers={}, on_progress=lambda said: None)


def test_the_cores_are_given_back_after_an_error() -> None:
    before = available_cores()
    seen = []

    def break_down() -> None:
        with held_to(1):
            seen.append(available_cores())
            raise PeerFailed("theirs", "gone")

    with pytest.raises(PeerFailed):
        break_down()
    assert seen == [1] or not hasattr(os, "sched_setaffinity")
    assert available_cores() == before


def test_rates_are_those_of_a_cpu() -> None:
    rates = measure_rates()
    assert 1e8 < rates.cycles < 1e11
    assert 0.1 * rates.cycles < rates.mul64 < 4 * rates.cycles
    assert rates.vpmadd52 == 0 or 0.2 * rates.cycles < rates.vpmadd52 < 4 * rates.cycles


def test_a_packed_circuit_belongs_to_its_curve_and_size() -> None:
    with pytest.raises(MalformedInput, match="bn254 with log_n 16"):
        Question("groth16", 16, circuit="pos", curve=BLS12_381)
    with pytest.raises(MalformedInput, match="only groth16"):
        Question("msm", 16, circuit="sha")
    assert Question("groth16", 16, circuit="sha").curve == BN254
