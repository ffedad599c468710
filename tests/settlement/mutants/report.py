"""What came of the mutants: the verdicts kept between runs, the known equivalents, the table in docs."""

import hashlib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.settlement.mutants.catalogue import Mutant
from tests.settlement.mutants.trial import Verdict

EQUIVALENTS = Path(__file__).parent / "equivalents.toml"
SAME = "the compiler gives the same program"


def fingerprint(paths: Iterable[Path]) -> str:
    """SHA-256 of files and their names."""
    parts = [f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in sorted(paths)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Memory:
    """Verdicts of earlier runs. A kill holds while the program, the killing test's file and the scenery do; a survival
    holds while the program and all tests do. The killer's name is kept longer: it is tried first."""

    def __init__(self, path: Path, program: str, scenery: str, tests: Mapping[str, str]) -> None:
        self._path, self._program, self._scenery, self._tests = path, program, scenery, tests
        self._kept: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}

    def hint(self, mutant: Mutant) -> str:
        return self._kept.get(mutant.name, {}).get("by", "")

    def recall(self, mutant: Mutant) -> Verdict | None:
        kept = self._kept.get(mutant.name)
        if kept is None or kept["state"] != self._state(kept["by"]):
            return None
        return Verdict(kept["outcome"], kept["by"])

    def keep(self, mutant: Mutant, verdict: Verdict) -> None:
        self._kept[mutant.name] = {"outcome": verdict.outcome, "by": verdict.by, "state": self._state(verdict.by)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".new")
        unfinished.write_text(json.dumps(self._kept, indent=1))
        unfinished.replace(self._path)

    def _state(self, by: str) -> str:
        file = Path(by.partition("::")[0]).name
        tests = self._tests.get(file) or "".join(self._tests.values())
        return hashlib.sha256(f"{self._program}{self._scenery}{tests}".encode()).hexdigest()


@cache
def equivalents() -> list[tuple[re.Pattern[str], str]]:
    """Mutants that change nothing anybody could see: a pattern for their names (``*``: anything) and the reason."""
    entries = tomllib.loads(EQUIVALENTS.read_text()).get("equivalent", [])
    found = []
    for entry in entries:
        pattern = ".*".join(re.escape(part) for part in entry["mutant"].split("*"))
        found.append((re.compile(pattern), str(entry["reason"])))
    return found


def reason_for(mutant: Mutant) -> str | None:
    """Why this mutant is a known equivalent, or None."""
    return next((reason for pattern, reason in equivalents() if pattern.fullmatch(mutant.name)), None)


def judged(verdicts: Mapping[Mutant, Verdict]) -> dict[Mutant, Verdict]:
    """Survivors that are known equivalents become ``equivalent``, by their reason."""
    found = {}
    for mutant, verdict in verdicts.items():
        reason = reason_for(mutant)
        if verdict.outcome == "same":
            verdict = Verdict("equivalent", SAME)
        elif verdict.outcome == "survived" and reason:
            verdict = Verdict("equivalent", reason)
        found[mutant] = verdict
    return found


def summary(verdicts: Mapping[Mutant, Verdict], seconds: float) -> dict[str, Any]:
    counts = Counter(verdict.outcome for verdict in verdicts.values())
    survivors = [mutant.name for mutant, verdict in verdicts.items() if verdict.outcome == "survived"]
    return {
        "mutants": len(verdicts),
        "killed": counts["killed"],
        "survived": counts["survived"],
        "equivalent": counts["equivalent"],
        "survivors": survivors,
        "seconds": round(seconds),
    }


def sentence(total: Mapping[str, Any]) -> str:
    return "{mutants} mutants: {killed} killed, {equivalent} equivalent, {survived} survived".format(**total)


def table(verdicts: Mapping[Mutant, Verdict]) -> str:
    """The whole of docs/program-mutants.md."""
    total = summary(verdicts, 0)
    lines = [
        "# The program's checks, each taken away",
        "",
        "Written by `make program-mutants`. Every check in `settlement/program/src` is taken away in turn: each",
        "condition, each part of a compound one, each passed-on refusal, each checked sum; each bound is moved by one,",
        "each branch forced both ways, each written field left out; each account's signer flag, writable flag and type",
        "is dropped. The program is built that way, and the tests that reach the place run until one fails.",
        "",
        f"**{sentence(total)}.**",
    ]
    unseen = {mutant: verdict for mutant, verdict in verdicts.items() if verdict.outcome != "killed"}
    if unseen:
        lines += ["", "## Not killed", "", "| where | what | outcome |", "|---|---|---|"]
        lines += [
            f"| {one.where} | {_cell(one)} | {verdict.outcome}: {verdict.by} |" for one, verdict in unseen.items()
        ]
    for file in sorted({mutant.file for mutant in verdicts}):
        lines += ["", f"## {file}", "", "| where | mutation | killed by |", "|---|---|---|"]
        lines += [
            f"| {one.where} | {_cell(one)} | {_test(verdict.by)} |"
            for one, verdict in verdicts.items()
            if one.file == file and verdict.outcome == "killed"
        ]
    return "\n".join(lines) + "\n"


def _cell(mutant: Mutant) -> str:
    return f"{mutant.kind}: `{mutant.subject}`".replace("|", "\\|")


def _test(by: str) -> str:
    path, separator, name = by.partition("::")
    return f"`{Path(path).name}::{name}`".replace("|", "\\|") if separator else by
