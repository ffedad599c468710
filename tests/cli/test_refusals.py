"""What a person or a machine hears when a command cannot do its work."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from proofgrid.cli import main as command_line
from proofgrid.cli.output import run_with_progress
from proofgrid.errors import Cancelled
from proofgrid.kernels.control import Control
from tests.cli.test_files import VECTORS, run
from tests.cli.test_services import MAIN

STEPS = VECTORS / "bn254"


@pytest.mark.parametrize(
    "words",
    [
        ["verify"],
        ["verify", "/nowhere/a", "/nowhere/b", "/nowhere/c"],
        ["nosuchcommand"],
        ["prove", STEPS / "steps.zkey", STEPS / "steps.wtns", "--threads", "-3"],
        ["prove", STEPS / "steps.zkey", STEPS / "steps.wtns", "--threads", "many"],
        ["up", "--port", "70000"],
        ["inspect", "/"],
    ],
    ids=lambda words: " ".join(map(str, words[:1])),
)
def test_with_json_a_usage_error_is_one_json_object(words: list[object]) -> None:
    result = run(*words, "--json")
    assert result.returncode == 2
    (line,) = result.stdout.splitlines()
    error = json.loads(line)["error"]
    assert error["code"] == "usage"
    assert error["message"]


def test_without_json_a_usage_error_stays_on_stderr() -> None:
    result = run("verify")
    assert (result.returncode, result.stdout) == (2, "")
    assert "Usage" in result.stderr


@pytest.mark.parametrize(
    "words", [["inspect", str(STEPS / "proof.json")], ["inspect", str(STEPS / "proof.json"), "--json"]]
)
def test_a_defect_is_no_verdict(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down(_path: Path) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("proofgrid.cli.inspection.describe", break_down)
    with pytest.raises(SystemExit) as end:
        command_line.main(words)
    assert end.value.code == 70  # 1 would say: the proof is false
    spoken = capsys.readouterr()
    assert "ZeroDivisionError" in spoken.err
    assert not spoken.out or json.loads(spoken.out)["error"]["code"] == "defect"
    assert bool(spoken.out) == ("--json" in words)


def test_ctrl_c_cancels_the_computation_at_hand() -> None:
    ended = []

    def work(control: Control) -> None:
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
        try:
            for _ in range(1000):
                time.sleep(0.01)
                control.check()
        finally:
            ended.append(True)

    with pytest.raises(Cancelled):
        run_with_progress("work", work)
    assert ended == [True]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([*MAIN, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        while b"database" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    assert b"Traceback" not in complaint
    assert list(tmp_path.glob("proofgrid-demo-*")) == []


def test_an_interrupted_command_says_so_as_json(tmp_path: Path) -> None:
    code = (
        "import os, signal, proofgrid.cli.inspection as i\n"
        "i.describe = lambda path: os.kill(os.getpid(), signal.SIGINT)\n"
        "from proofgrid.cli.main import main; main()"
    )
    command = [sys.executable, "-c", code, "inspect", str(STEPS / "proof.json"), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 130, result.stderr
    assert json.loads(result.stdout)["error"]["code"] == "cancelled"


def test_a_worker_of_a_network_that_was_killed_says_what_to_do() -> None:
    with tempfile.TemporaryDirectory() as folder:
        secrets = Path(folder) / "secrets"
        secrets.mkdir()
        (secrets / "worker.json").write_text("{}")
        (Path(folder) / "lock").touch()
        result = run("worker", "--state", folder)
    assert result.returncode == 4
    assert "proofgrid up" in result.stderr


@pytest.mark.parametrize("option", ["--proof", "--public"])
def test_a_folder_that_is_not_there_is_said_before_the_work(option: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "file.json"
    other = {"--proof": "--public", "--public": "--proof"}[option]
    files = [option, missing, other, tmp_path / "other.json"]
    result = run("prove", STEPS / "steps.zkey", STEPS / "steps.wtns", *files)
    assert result.returncode == 2
    assert str(missing.parent) in result.stderr
    assert not (tmp_path / "other.json").exists()
