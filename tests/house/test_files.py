"""Promises about the repository's own files."""

import re
import subprocess
from pathlib import Path

import pytest

from proofgrid.kernels import codegen

ROOT = Path(__file__).parents[2]


def _tracked() -> list[Path]:
    try:
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: the list of tracked files is unknown")
    return [ROOT / name for name in listing.decode().split("\0") if name]


def test_the_parameter_header_is_the_one_curves_py_gives() -> None:
    assert codegen.HEADER.read_text() == codegen.render()


def test_lock_files_carry_no_addresses() -> None:
    locks = [path for path in _tracked() if path.name in {"package-lock.json", "constraints.txt", ".npmrc"}]
    assert locks
    for path in locks:
        assert not re.search(r"https?://", re.sub(r'"(url|funding)": "[^"]*"', "", path.read_text())), path


def test_no_module_passes_600_lines() -> None:
    source = {".py", ".c", ".h", ".hpp", ".cpp"}
    generated = {"params.hpp", "layout.h"}
    for path in _tracked():
        if path.suffix in source and path.name not in generated and path.is_file() and not path.is_symlink():
            assert len(path.read_text().splitlines()) <= 600, path
