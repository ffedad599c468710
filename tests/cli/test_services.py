"""up, worker and demo, as a person starts them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.test_files import run

MAIN = [sys.executable, "-c", "import sys; from proofgrid.cli.main import main; sys.exit(main())"]


def test_demo_ends_with_a_receipt_that_holds(tmp_path: Path) -> None:
    result = run("demo", "--state", tmp_path / "state", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    (line,) = result.stdout.splitlines()
    document = json.loads(line)
    assert document["ok"] is True
    names = [station["station"] for station in document["stations"]]
    journey = ["setup", "register", "inputs", "request", "queue", "prove", "verify", "settle", "program", "check"]
    assert [name for name in names if name in journey] == journey
    assert document["receipt"]["leaf"]["request_id"] == document["request"]


def test_up_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    command = [*MAIN, "up", "--state", str(tmp_path), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            ready = json.loads(line)
            health = httpx.get(ready["url"] + "/v1/health", timeout=10, trust_env=False)
            assert health.json()["ready"] is True
            worker_file = tmp_path / "secrets" / "worker.json"
            assert worker_file.stat().st_mode & 0o077 == 0
            second = run("up", "--state", tmp_path, "--port", "0", "--json")
            assert json.loads(second.stdout)["error"]["code"] == "conflict"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
    assert process.returncode == 0


def test_a_worker_without_a_network_says_what_to_do(tmp_path: Path) -> None:
    assert "PROOFGRID_WORKER_REDIS_URL" not in os.environ
    result = run("worker", "--state", tmp_path)
    assert result.returncode == 4
    assert "proofgrid up" in result.stderr


@pytest.mark.parametrize("command", ["up", "worker", "demo"])
def test_without_the_nodes_packages_it_says_what_to_install(command: str, tmp_path: Path) -> None:
    code = "import sys; sys.modules['sqlalchemy'] = None; from proofgrid.cli.main import main; sys.exit(main())"
    words = [sys.executable, "-c", code, command, "--state", str(tmp_path)]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert result.returncode == 3
    assert "pip install 'proofgrid[node]'" in result.stderr
    assert "Traceback" not in result.stderr
