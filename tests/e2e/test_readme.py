"""The README's program runs as it stands."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.e2e.networks import STEPS, network

ROOT = Path(__file__).parents[2]


def test_the_first_program_of_the_readme(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert "Client()" in program
    with network(tmp_path) as running:
        code = program.replace("Client()", f"Client({running.url!r})")
        command = [sys.executable, "-c", code]
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        result = subprocess.run(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=120
        )
    assert result.returncode == 0, result.stderr
    for value in json.loads((STEPS / "public.json").read_text()):
        assert value in result.stdout
