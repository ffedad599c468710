"""What a measurement was made on."""

import datetime
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from proofgrid import __version__

_CHECKOUT = Path(__file__).resolve().parents[2]


def describe(backend_name: str, isa: str) -> dict[str, Any]:
    """Facts of the machine and the code that a reader needs to judge a number; nothing that names the host."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "backend": backend_name,
        "isa": isa,
        "python": platform.python_version(),
        "version": __version__,
        "commit": _commit(),
    }


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match.group(1) if match else platform.machine()


def _commit() -> str:
    """The commit measured, with ``+`` if the files differ from it; empty outside a checkout of ours."""
    if not (_CHECKOUT / ".git").exists():
        return ""
    try:
        run = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"],
            cwd=_CHECKOUT,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return run.stdout.strip()
