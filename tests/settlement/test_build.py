"""The committed program is its source, and both sides speak of the same bytes."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from proofgrid.errors import BackendUnavailable, MalformedInput
from proofgrid.settlement.layout import ACCOUNTS
from proofgrid.settlement.program import build, codegen, linker, program_bytes
from proofgrid.settlement.refusals import Refusal, refusal_name


def test_committed_program_is_its_source_byte_for_byte() -> None:
    assert build.differences() == []
    assert build.main(["--check"]) == 0


def test_build_does_not_depend_on_the_folder(tmp_path: Path) -> None:
    copied = shutil.copytree(build.FOLDER / "src", tmp_path / "elsewhere")
    assert linker.link(build.compile_object(copied / "program.c")) == program_bytes()


def test_changed_source_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(build.FOLDER / "src", tmp_path / "src")
    entry = tmp_path / "src" / "program.c"
    entry.write_text(entry.read_text().replace("ix.data_size > 0", "ix.data_size > 1"))
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    assert build.main(["--check"]) == 1
    assert build.REMEDY in capsys.readouterr().err


def test_changed_checksum_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tmp_path / "proofgrid.so.sha256"
    wrong.write_text("0" * 64 + "  proofgrid.so\n")
    monkeypatch.setattr(build, "CHECKSUM", wrong)
    assert "proofgrid.so.sha256" in build.differences()[0]


def test_changed_header_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = tmp_path / "layout.h"
    stale.write_text(codegen.render().replace("EMPTY_BATCH", "EMPTY"))
    monkeypatch.setattr(codegen, "HEADER", stale)
    assert "layout.h" in build.differences()[0]


def test_source_that_does_not_compile_is_told(tmp_path: Path) -> None:
    source = tmp_path / "wrong.c"
    source.write_text("int entrypoint(void) { return missing; }\n")
    with pytest.raises(MalformedInput, match="missing"):
        build.compile_object(source)


def test_absent_compiler_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "ziglang.py").write_text("raise ModuleNotFoundError('No module named ziglang')\n")
    with pytest.raises(BackendUnavailable, match="pip install ziglang"):
        build.build()


def test_checksum_file_names_the_program() -> None:
    assert build.CHECKSUM.read_text() == f"{hashlib.sha256(program_bytes()).hexdigest()}  proofgrid.so\n"


def test_damaged_program_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "sha256", lambda _data: hashlib.sha512(b""))
    with pytest.raises(MalformedInput, match="SHA-256"):
        program_bytes()


def test_every_refusal_is_used_and_declared() -> None:
    """The C source refuses by these names, all of them and no other."""
    declared = dict(re.findall(r"#define (ERROR_\w+) (0x[0-9a-f]+)", codegen.HEADER.read_text()))
    assert sorted(int(code, 16) for code in declared.values()) == sorted(Refusal)
    sources = [path for path in (build.FOLDER / "src").rglob("*.[ch]") if path.name != "layout.h"]
    used = set(re.findall(r"\bERROR_\w+", "".join(path.read_text() for path in sources)))
    used |= {f"ERROR_WRONG_{record.name.upper()}" for record in ACCOUNTS}  # in layout.h's table, read by require_type
    assert used == set(declared)
    names = {"ERROR_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", refusal.name).upper() for refusal in Refusal}
    assert names == set(declared)


def test_refusal_names() -> None:
    assert refusal_name(Refusal.InvalidProof) == "InvalidProof"
    assert refusal_name(1) == "Custom(1)"
    assert len({refusal.value for refusal in Refusal}) == len(Refusal)
