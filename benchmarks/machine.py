"""What a measurement was made on, and the file it is written to."""

import datetime
import json
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def describe(backend_name: str, isa: str) -> dict[str, Any]:
    """Facts of the machine and the code that a reader needs to judge a number; nothing that names the host."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "backend": backend_name,
        "isa": isa,
        "python": platform.python_version(),
        "commit": _commit(),
    }


def write_results(name: str, machine: dict[str, Any], rows: list[dict[str, Any]], path: Path | None = None) -> Path:
    """Write ``rows`` of benchmark ``name`` into ``results/<date>-<machine>.json``, which other benchmarks share."""
    target = path or RESULTS / f"{machine['date']}-{_slug(machine)}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    document: dict[str, Any] = json.loads(target.read_text()) if target.exists() else {}
    document[name] = {"machine": machine, "rows": rows}
    target.write_text(json.dumps(document, indent=1) + "\n")
    return target


def _slug(machine: dict[str, Any]) -> str:
    words = re.findall(r"[a-z0-9]+", str(machine["cpu"]).lower())
    return "-".join([*words[:4], f"{machine['cores']}c", machine["backend"]])


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match.group(1) if match else platform.machine()


def _commit() -> str:
    """The commit measured, with ``+`` if the files differ from it; empty outside a repository."""
    here = Path(__file__).parent
    try:
        run = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return run.stdout.strip()
