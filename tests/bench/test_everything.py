"""``python -m benchmarks``: the command for the documents."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from benchmarks import __main__ as everything
from benchmarks import plan
from benchmarks.table import render
from proofgrid.bench.cases import Question
from tests.bench.test_peers import script


def test_it_writes_results_and_a_plot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plan, "modest", lambda threads: [Question("ntt", 4), Question("msm", 4), Question("msm", 5)])
    monkeypatch.setattr(everything, "_found_peers", lambda rapidsnark: {})
    text = "import sys\nif sys.argv[1] != 'ntt': sys.exit('only ntt')\nfor _ in sys.stdin: print(1, flush=True)"
    peer, output = script(tmp_path, text), tmp_path / "results.json"
    monkeypatch.setattr(
        "sys.argv", ["benchmarks", "--runs", "1", "--peer", f"a<b={peer}", "--output", str(output), "--threads", "1"]
    )
    everything.main()
    said, complaints = capsys.readouterr()
    assert said.startswith("Caveats\n")
    assert complaints.count("only ntt") == 1  # a refusal is remembered
    found = json.loads(output.read_text())
    assert found["command"].startswith("python -m benchmarks --runs 1")
    assert [list(row["peers"]) for row in found["rows"]] == [["a<b"], [], []]
    head, _, first, *_ = render(found["rows"]).splitlines()
    assert head.endswith("| a<b |")
    assert first.startswith("| ntt bn254 2^4 | 1 |")
    ElementTree.fromstring(output.with_suffix(".svg").read_text())


def test_the_plans_are_questions_that_can_be_asked() -> None:
    assert len(plan.full([1, 2])) > len(plan.modest([1, 2])) > 10
