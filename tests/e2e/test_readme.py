"""The README's program runs as it stands."""

import json
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
        result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    for value in json.loads((STEPS / "public.json").read_text()):
        assert value in result.stdout
