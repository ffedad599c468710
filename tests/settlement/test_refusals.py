"""Every instruction has its test file, and every refusal that it can raise is asked for there."""

import re
from functools import cache
from pathlib import Path

import pytest

from proofgrid.settlement.forms import Layout
from proofgrid.settlement.layout import INSTRUCTIONS
from proofgrid.settlement.program import build, codegen
from proofgrid.settlement.refusals import Refusal
from tests.settlement.mutants.source import Program

FOLDER = Path(__file__).parent
NAMES = {
    name: Refusal(int(value, 16)).name
    for name, value in re.findall(r"#define (ERROR_\w+) (0x\w+)", codegen.HEADER.read_text())
}
BY_THE_LAW = {"UnsupportedRent": "creates=True"}  # what tests/settlement/shape.py asks for, where it is told so
NEVER = {
    "SyscallFailed": "the runtime ends the program when a syscall fails",
    "WrongVoteAccount": "no instruction takes a vote's account",
    "WrongPermissionAccount": "what is no permission denies nothing",
}
ELSEWHERE = {
    "challenge_leaf": {"InputOutOfRange", "InvalidProof", "MalformedProof"},  # they are why it succeeds
    # they become InvalidProof, and its demand stands for a leaf that is there
    "answer_leaf": {"InputOutOfRange", "MalformedProof", "NoSuchLeaf"},
}


@cache
def program() -> Program:
    return Program.read(build.FOLDER / "src")


def asked_for(path: Path) -> set[str]:
    """The refusals that a test file names."""
    text = path.read_text()
    named = set(re.findall(r'"([A-Z][A-Za-z]+)"', text))
    return named | {refusal for refusal, told in BY_THE_LAW.items() if told in text}


@pytest.mark.parametrize("name", [instruction.name for instruction in INSTRUCTIONS])
def test_every_instruction_has_its_file_and_every_refusal_its_test(name: str) -> None:
    path = FOLDER / f"test_{name}.py"
    assert "keeps_its_shape(" in path.read_text()
    possible = {NAMES[error] for error in program().refusals_of(name)}
    assert possible - asked_for(path) - NEVER.keys() - ELSEWHERE.get(name, set()) == set()


def test_every_refusal_is_raised_by_some_test() -> None:
    found = set().union(*(asked_for(path) for path in FOLDER.glob("*.py") if path != Path(__file__)))
    declared = {record.name for one in INSTRUCTIONS for use in one.accounts if isinstance(record := use.of, Layout)}
    found |= {"Wrong" + name.title().replace("_", "") for name in declared}  # by the law
    assert {refusal.name for refusal in Refusal} - found == NEVER.keys()
