"""The file that measurements are written to."""

import json
import re
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def write_results(machine: dict[str, Any], command: str, rows: list[dict[str, Any]], path: Path | None = None) -> Path:
    """Write ``rows`` and the command that made them to ``results/<date>-<machine>.json``, over an older file."""
    target = path or RESULTS / f"{machine['date']}-{_slug(machine)}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"machine": machine, "command": command, "rows": rows}, indent=1) + "\n")
    return target


def _slug(machine: dict[str, Any]) -> str:
    words = re.findall(r"[a-z0-9]+", str(machine["cpu"]).lower())
    return "-".join([*words[:4], f"{machine['cores']}c", machine["isa"]])
