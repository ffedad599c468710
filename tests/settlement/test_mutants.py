"""The finder of mutants sees every check of a program, and takes away one at a time."""

from pathlib import Path

import pytest

from proofgrid.settlement.program import build
from tests.settlement.mutants import report
from tests.settlement.mutants.catalogue import Mutant, catalogue
from tests.settlement.mutants.source import Program
from tests.settlement.mutants.trial import Verdict

LAYOUT = """\
enum { STOP_GUARDIAN = 0, STOP_CONFIG = 1 };
static const account_rule STOP_ACCOUNTS[2] = {{1, TYPE_ANY}, {2, TYPE_CONFIG_ACCOUNT}};
#define STOP STOP_ACCOUNTS, 2, sizeof(stop_arguments), 0
"""
CODE = """\
static u64 require_small(u64 given) {
  REQUIRE(given <= 5, ERROR_TOO_LARGE);  // REQUIRE(nothing, here)
  return 0;
}

static u64 process_stop(const instruction *ix) {
  REQUIRE(ix->ready && (ix->first || is_odd(ix->second)), ERROR_NOT_READY);
  TRY(require_small(ix->second));
  TRY(add_amount(&ix->total, ix->second));
  if (ix->first) ix->second = 0;
  head->paused = 1;
  return require_small(ix->total);
}
"""
EXPECTED = {
    "require_small: removed: REQUIRE(given <= 5, ERROR_TOO_LARGE)": "(void)(given <= 5)",
    "require_small: <= made <: REQUIRE(given <= 5, ERROR_TOO_LARGE);": "<",
    "process_stop: dropped from &&: ix->ready": "1",
    "process_stop: dropped from &&: (ix->first || is_odd(ix->second))": "1",
    "process_stop: dropped from ||: ix->first": "0",
    "process_stop: dropped from ||: is_odd(ix->second)": "0",
    "process_stop: refusal ignored: TRY(require_small(ix->second))": "(void)(require_small(ix->second))",
    "process_stop: wrapping: TRY(add_amount(&ix->total, ix->second))": "*(&ix->total) += (ix->second)",
    "process_stop: taken for false: if (ix->first)": "0",
    "process_stop: taken for true: if (ix->first)": "1",
    "process_stop: left out: head->paused = 1;": ";",
    "process_stop: refusal ignored: return require_small(ix->total);": (
        "{ (void)(require_small(ix->total)); return 0; }"
    ),
    "stop: SIGNER dropped: guardian": "{0, TYPE_ANY}",
    "stop: WRITABLE dropped: config": "{0, TYPE_CONFIG_ACCOUNT}",
    "stop: TYPE_CONFIG_ACCOUNT made TYPE_ANY: config": "{2, TYPE_ANY}",
    "stop: more data allowed: arguments": "1",
}


@pytest.fixture
def small(tmp_path: Path) -> Program:
    (tmp_path / "layout.h").write_text(LAYOUT)
    (tmp_path / "stop.c").write_text(CODE)
    return Program.read(tmp_path)


def test_every_check_is_found(small: Program) -> None:
    found = {one.name: one.replacement for one in catalogue(small)}
    assert EXPECTED.items() <= found.items()
    # besides: the whole of the compound condition
    assert len(found) == len(EXPECTED) + 1


def test_a_mutant_is_one_place_of_its_file(small: Program) -> None:
    for one in catalogue(small):
        assert one.instructions == {"stop"}
        was = small.texts[one.file][one.start : one.end]
        assert was
        assert was != one.replacement


def test_refusals_are_found_through_calls(small: Program) -> None:
    assert small.refusals_of("stop") == {"ERROR_NOT_READY", "ERROR_TOO_LARGE"}


def test_names_are_unique_and_equivalents_are_of_the_program() -> None:
    names = [one.name for one in catalogue(Program.read(build.FOLDER / "src"))]
    assert len(set(names)) == len(names) > 900
    for pattern, reason in report.equivalents():
        assert reason
        assert any(pattern.fullmatch(name) for name in names), pattern.pattern


def test_verdicts_are_kept_while_what_they_rest_on_is_the_same(tmp_path: Path, small: Program) -> None:
    first, second, *_ = catalogue(small)
    killed, survived = Verdict("killed", "tests/test_a.py::test_one"), Verdict("survived")

    def memory(program: str = "p", **tests: str) -> report.Memory:
        return report.Memory(tmp_path / "kept.json", program, "s", {"test_a.py": "a", "test_b.py": "b"} | tests)

    memory().keep(first, killed)
    memory().keep(second, survived)
    assert (memory().recall(first), memory().recall(second)) == (killed, survived)
    # another test may kill a survivor; only its own test's change brings a killed one back
    changed = memory(**{"test_b.py": "c"})
    assert (changed.recall(first), changed.recall(second)) == (killed, None)
    changed = memory(**{"test_a.py": "c"})
    assert (changed.recall(first), changed.hint(first)) == (None, killed.by)
    assert memory("q").recall(first) is None


def test_the_table_names_what_was_not_killed(small: Program) -> None:
    first, second, third, *_ = catalogue(small)
    verdicts: dict[Mutant, Verdict] = {
        first: Verdict("killed", "tests/test_a.py::test_one"),
        second: Verdict("survived"),
        third: Verdict("same"),
    }
    judged = report.judged(verdicts)
    text = report.table(judged)
    assert "3 mutants: 1 killed, 1 equivalent, 1 survived" in text
    assert "`test_a.py::test_one`" in text
    assert report.SAME in text
