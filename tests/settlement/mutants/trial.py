"""Runs the tests of tests/settlement against one mutant after another.

One pytest session collects the tests and runs each once against the true program, which tells how long it takes and
which instructions it sends. Then every mutant gets a forked child: it builds the program, puts it in the place of the
committed one, and runs the tests that can reach the mutation, the likely ones first, until one fails. About a second.
"""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from solders.instruction import Instruction

from proofgrid.errors import ProofgridError
from proofgrid.settlement.layout import INSTRUCTIONS
from proofgrid.settlement.program import build, linker, program_bytes
from tests.settlement import chains
from tests.settlement.mutants.catalogue import Mutant

TAGS = {instruction.arguments.tag: instruction.name for instruction in INSTRUCTIONS}
ARITHMETIC = {"amounts.h": {"test_amounts.py"}}  # a header, and the tests that compile it by itself
LIMIT_S = 180.0


@dataclass(frozen=True)
class Verdict:
    """``killed`` (``by`` a test, or how), ``survived``, or ``same`` when the compiler gives the same program."""

    outcome: str
    by: str = ""
    seconds: float = 0.0


@dataclass
class Baseline:
    """What the true program's run told of each test: seconds, and the instructions it sends (``*``: unknown ones)."""

    seconds: dict[str, float] = field(default_factory=dict)
    sends: dict[str, set[str]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


class Session:
    """A pytest plugin: instead of running the collected tests, it measures them and hands itself to ``work``."""

    def __init__(
        self, sources: Path, work: Callable[["Session"], None], is_equivalent: Callable[[Mutant], bool]
    ) -> None:
        self.sources, self._work, self._is_equivalent = sources, work, is_equivalent
        self.items: dict[str, pytest.Item] = {}
        self.baseline = Baseline()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        chosen = [item for item in session.items if _is_of_the_program(item)]
        self.items = {item.nodeid: item for item in chosen}
        self._measure()
        self._work(self)
        return True

    def _measure(self) -> None:
        """Every test once against the committed program."""
        send, current = chains.Chain.send, ""

        def noting(chain: chains.Chain, *batch: Instruction, **options: object) -> object:
            for one in batch:
                ours = one.program_id == chain.program_id and one.data
                self.baseline.sends[current].add(TAGS.get(one.data[0], "*") if ours else "*")
            return send(chain, *batch, **options)  # type: ignore[arg-type]

        chains.Chain.send = noting  # type: ignore[assignment,method-assign]
        for current, following in _pairs(list(self.items)):
            self.baseline.sends[current] = set()
            began = time.monotonic()
            if _fails(self.items[current], self.items.get(following)):
                self.baseline.failed.append(current)
            self.baseline.seconds[current] = time.monotonic() - began
        chains.Chain.send = send  # type: ignore[method-assign]

    def tests_for(self, mutant: Mutant, hint: str = "") -> list[str]:
        """Every test that can notice: last time's, then the instructions' own files, quick ones first.

        For a known equivalent only those files, under one feature set: should one of them notice, the list is wrong.
        """
        own = ARITHMETIC.get(mutant.file) or {f"test_{name}.py" for name in mutant.instructions}

        def order(name: str) -> tuple[bool, bool, bool, float]:
            path = self.items[name].path.name
            return name != hint, "all_features" in name, path not in own, self.baseline.seconds[name]

        found = sorted(filter(lambda name: self._reaches(name, mutant), self.items), key=order)
        if not self._is_equivalent(mutant):
            return found
        return [name for name in found if self.items[name].path.name in own and "all_features" not in name]

    def _reaches(self, name: str, mutant: Mutant) -> bool:
        if "chain" not in self.items[name].fixturenames:  # type: ignore[attr-defined]
            return mutant.file in ARITHMETIC
        return bool(self.baseline.sends[name] & (mutant.instructions | {"*"}))

    def start(self, mutant: Mutant | None, hint: str = "") -> "Trial":
        """A forked child at work on this mutant; None: on the true program, which must survive."""
        folder = Path(tempfile.mkdtemp(prefix="proofgrid-mutant-"))
        child = os.fork()
        if child:
            return Trial(child, folder, time.monotonic())
        status = 1
        try:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            (folder / "verdict").write_text(json.dumps(asdict(self._try(mutant, folder, hint))))
            status = 0
        finally:
            os._exit(status)

    def _try(self, mutant: Mutant | None, folder: Path, hint: str) -> Verdict:
        if mutant is None:
            return self._tested([name for name in self.items if "all_features" not in name])
        shutil.copytree(self.sources, folder / "src")
        target = folder / "src" / mutant.file
        text = target.read_text()
        target.write_text(text[: mutant.start] + mutant.replacement + text[mutant.end :])
        try:
            program = linker.link(build.compile_object(folder / "src" / "program.c", ("-w",)))
        except ProofgridError:
            return Verdict("killed", "does not build")
        if program == program_bytes():
            return Verdict("same")
        build.FOLDER = folder  # for tests that compile a header of ours
        chains.program_bytes = lambda: program  # type: ignore[attr-defined]
        return self._tested(self.tests_for(mutant, hint))

    def _tested(self, names: Sequence[str]) -> Verdict:
        for name, following in _pairs(names):
            if _fails(self.items[name], self.items.get(following)):
                return Verdict("killed", name)
        return Verdict("survived")


@dataclass
class Trial:
    """A child that tries one mutant; it may be asked whether it is done, and is stopped when it takes too long."""

    child: int
    folder: Path
    began: float

    def verdict(self) -> Verdict | None:
        took = time.monotonic() - self.began
        done, _ = os.waitpid(self.child, os.WNOHANG)
        if not done:
            if took < LIMIT_S:
                return None
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
        written = self.folder / "verdict"
        found = json.loads(written.read_text()) if written.exists() else {"outcome": "killed", "by": _accident(done)}
        shutil.rmtree(self.folder, ignore_errors=True)
        return Verdict(**(found | {"seconds": round(took, 1)}))

    def stop(self) -> None:
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        shutil.rmtree(self.folder, ignore_errors=True)


def _accident(done: int) -> str:
    return "the tests end in an accident" if done else f"not done in {LIMIT_S:.0f} s"


def _is_of_the_program(item: pytest.Item) -> bool:
    """On a chain of the fixture's, or a header's own test."""
    return "chain" in getattr(item, "fixturenames", ()) or item.path.name in set().union(*ARITHMETIC.values())


def _fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def _pairs(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(names, [*names[1:], ""], strict=True)


def run(files: Sequence[Path], session: Session) -> None:
    """Collect these test files and let the session work. Raises SystemExit when pytest cannot collect them."""
    quiet = ["-q", "--no-header", "--no-summary", "-p", "no:cacheprovider", "--capture=no"]
    quiet += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # the scenery is imported before pytest begins
    status = pytest.main([*quiet, *map(str, files)], plugins=[session])
    if not session.items or status not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        raise SystemExit(f"the tests cannot be collected (pytest's exit status {int(status)})")
