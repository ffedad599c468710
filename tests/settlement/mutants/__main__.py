"""The command: ``python -m tests.settlement.mutants [--only PATTERN] [--jobs N] [--json] [--fresh]``.

Resumable: verdicts are kept in build/program-mutants.json. Exit status 1 when a mutant survives that is not on the list
of equivalents, or when a test fails against the true program.
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path

from proofgrid.settlement.program import build
from tests.settlement.mutants import report
from tests.settlement.mutants.catalogue import Mutant, catalogue
from tests.settlement.mutants.source import Program
from tests.settlement.mutants.trial import Session, Trial, Verdict, run

ROOT = Path(__file__).parents[3]
TESTS = Path(__file__).parents[1]
SOURCES = build.FOLDER / "src"
TABLE = ROOT / "docs" / "program-mutants.md"
KEPT = ROOT / "build" / "program-mutants.json"
ON_A_CHAIN = re.compile(r"from tests\.settlement\.\w+ import [^\n]*\b(?:Chain|Network|Job|job|Batch)\b")
PAUSE_S = 0.02


def test_files() -> list[Path]:
    """The tests of the program: those that have a chain, or something on one, in hand."""
    return [path for path in sorted(TESTS.glob("test_*.py")) if ON_A_CHAIN.search(path.read_text())]


def memory(files: list[Path], path: Path) -> report.Memory:
    scenery = [one for one in TESTS.glob("*.py") if not one.name.startswith("test_")] + [*TESTS.glob("programs/*.c")]
    tests = {one.name: report.fingerprint([one]) for one in files}
    return report.Memory(path, report.fingerprint(SOURCES.rglob("*.[ch]")), report.fingerprint(scenery), tests)


def tried(session: Session, mutants: list[Mutant], kept: report.Memory, jobs: int) -> dict[Mutant, Verdict]:
    """A verdict for each mutant, ``jobs`` children at a time; verdicts still in memory are not tried again."""
    found: dict[Mutant, Verdict] = {}
    waiting, working = list(reversed(mutants)), dict[Mutant, Trial]()
    try:
        while waiting or working:
            while waiting and len(working) < jobs:
                mutant = waiting.pop()
                known = kept.recall(mutant)
                if known:
                    found[mutant] = known
                else:
                    working[mutant] = session.start(mutant, kept.hint(mutant))
            time.sleep(PAUSE_S)
            for mutant, trial in list(working.items()):
                verdict = trial.verdict()
                if verdict:
                    del working[mutant]
                    found[mutant] = verdict
                    kept.keep(mutant, verdict)
                    tell(f"{len(found)}/{len(mutants)} {verdict.outcome} {mutant.name} {verdict.by}")
    finally:
        for trial in working.values():
            trial.stop()
    return {mutant: found[mutant] for mutant in mutants}


def holds(session: Session) -> list[str]:
    """The test that fails in a forked child against the true program: there is none, or no kill would mean anything."""
    trial = session.start(None)
    while not (verdict := trial.verdict()):
        time.sleep(PAUSE_S)
    return [] if verdict.outcome == "survived" else [verdict.by]


def tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def main() -> int:
    options = _options()
    mutants = [one for one in catalogue(Program.read(SOURCES)) if re.search(options.only, f"{one.file} {one.name}")]
    files, began = test_files(), time.monotonic()
    if options.fresh:
        options.kept.unlink(missing_ok=True)
    verdicts: dict[Mutant, Verdict] = {}
    broken: list[str] = []

    def work(session: Session) -> None:
        broken.extend(session.baseline.failed or holds(session))
        if not broken:
            tell(f"{len(session.items)} tests hold for the true program; {len(mutants)} mutants")
            verdicts.update(report.judged(tried(session, mutants, memory(files, options.kept), options.jobs)))

    run(files, Session(SOURCES, work, lambda mutant: report.reason_for(mutant) is not None))
    if broken:
        tell("these tests fail against the true program: " + ", ".join(broken))
        return 1
    seconds = time.monotonic() - began
    if not options.only:
        TABLE.write_text(report.table(verdicts))
    total = report.summary(verdicts, seconds)
    for name in total["survivors"]:
        tell(f"survived: {name}")
    print(json.dumps(total) if options.json else report.sentence(total))
    return int(bool(total["survivors"]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.settlement.mutants", description=__doc__)
    parser.add_argument("--only", default="", metavar="PATTERN", help="mutants whose file and name match; no table")
    parser.add_argument("--jobs", type=int, default=2, help="children at a time (2)")
    parser.add_argument("--json", action="store_true", help="the summary as JSON, in the last line")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs found")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where verdicts are kept between runs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
