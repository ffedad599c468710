"""The commands on files, run as a person runs them, on circom's and snarkjs' own files."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parents[1] / "vectors" / "circom"
CURVES = ["bn254", "bls12_381"]


def run(*words: object) -> subprocess.CompletedProcess[str]:
    code = "import sys; from proofgrid.cli.main import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, timeout=300)


def answer(*words: object) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    (line,) = result.stdout.splitlines()
    document: dict[str, Any] = json.loads(line)
    return document


@pytest.fixture(scope="module", params=CURVES)
def proved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what setup, witness and prove wrote for the circuit ``steps``."""
    folder = tmp_path_factory.mktemp(request.param)
    source = VECTORS / request.param
    made = answer("setup", source / "steps.r1cs", "-o", folder / "steps.zkey", "-k", folder / "key.json")
    assert made["constraints"] > 0
    answer("witness", source / "steps.wasm", VECTORS / "steps.json", "-o", folder / "steps.wtns")
    files = ["-p", folder / "proof.json", "-u", folder / "public.json"]
    assert answer("prove", folder / "steps.zkey", folder / "steps.wtns", *files)["checked"]
    return folder


def test_the_whole_way_on_files(proved: Path) -> None:
    result = run("verify", proved / "key.json", proved / "public.json", proved / "proof.json")
    assert result.returncode == 0
    assert result.stdout.startswith("valid")


def test_a_key_is_kept_prepared_and_can_be_forgotten(
    proved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    words = [
        "prove",
        proved / "steps.zkey",
        proved / "steps.wtns",
        "-p",
        tmp_path / "p.json",
        "-u",
        tmp_path / "u.json",
    ]
    told = answer(*words, "--no-cache")
    assert told["checked"]
    assert list(told["phase_seconds"]) == ["quotient", "sums", "blinding"]
    assert answer("cache")["keys"] == 0
    assert answer(*words)["checked"]
    kept = answer("cache")
    assert (kept["keys"], kept["folder"]) == (1, str(tmp_path / "proofgrid" / "prepared"))
    (file,) = Path(kept["folder"]).glob("*.prepared")
    assert kept["bytes"] == file.stat().st_size
    assert answer(*words)["checked"]
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.unlink()
    file.write_bytes(content)
    result = run(*words)
    assert result.returncode == 0
    assert "made again" in result.stderr
    assert answer("cache", "--clear")["keys"] == 1
    assert answer("cache")["bytes"] == 0


def test_a_changed_input_is_a_no_with_exit_code_1(proved: Path) -> None:
    inputs = json.loads((proved / "public.json").read_text())
    changed = proved / "changed.json"
    changed.write_text(json.dumps([str(int(inputs[0]) + 1), *inputs[1:]]))
    result = run("verify", proved / "key.json", changed, proved / "proof.json", "--json")
    assert result.returncode == 1
    assert json.loads(result.stdout)["error"]["code"] == "invalid_proof"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("steps.zkey", "proving key"),
        ("steps.wtns", "witness"),
        ("key.json", "verifying key"),
        ("proof.json", "proof"),
        ("public.json", "public inputs"),
    ],
)
def test_inspect_names_each_kind(proved: Path, name: str, kind: str) -> None:
    assert kind in answer("inspect", proved / name)["kind"]


@pytest.mark.parametrize("curve", CURVES)
def test_inspect_names_the_circuits_files(curve: str) -> None:
    assert answer("inspect", VECTORS / curve / "steps.r1cs")["curve"] == curve
    assert answer("inspect", VECTORS / curve / "steps.wasm")["curve"] == curve


def test_a_file_of_another_kind_is_refused_with_exit_code_2(proved: Path) -> None:
    result = run("prove", proved / "steps.wtns", proved / "steps.wtns")
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert "zkey" in result.stderr


def test_a_missing_file_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # the message is broken into lines, and the path may be long
    result = run("inspect", tmp_path / "absent.zkey")
    assert result.returncode == 2
    assert "absent.zkey" in result.stderr


def test_wrong_inputs_name_the_signal(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs.json"
    inputs.write_text('{"nobody": 1}')
    result = run("witness", VECTORS / "bn254" / "steps.wasm", inputs, "-o", tmp_path / "out.wtns")
    assert result.returncode == 2
    assert "nobody" in result.stderr
    assert not (tmp_path / "out.wtns").exists()


def test_a_circuit_of_the_other_curve_is_refused(tmp_path: Path) -> None:
    words = ["prove", VECTORS / "bn254" / "steps.zkey", VECTORS / "bls12_381" / "steps.wtns"]
    result = run(*words, "-p", tmp_path / "proof.json", "-u", tmp_path / "public.json")
    assert result.returncode == 2
    assert "bls12_381" in result.stderr
