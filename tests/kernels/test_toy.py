"""The native templates over toy curves, on every input: see ``toy/``. Compiled here, by the system's C++ compiler."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from proofgrid import kernels
from proofgrid.kernels.curves import Curve
from tests.kernels import plain
from tests.kernels.toy import curves

SOURCES = Path(__file__).parent / "toy"
INCLUDE = Path(kernels.__file__).parent / "include"


def compiler() -> str:
    for name in (os.environ.get("CXX"), "c++", "g++", "clang++"):
        if name and shutil.which(name):
            return name
    pytest.fail("the toy tests need a C++20 compiler, as the native core does: install g++ or set CXX")


def test_the_templates_on_every_input(tmp_path: Path) -> None:
    (tmp_path / "toy_params.hpp").write_text(curves.header())
    program = tmp_path / "toy"
    flags = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]
    includes = [f"-I{folder}" for folder in (INCLUDE, SOURCES, tmp_path)]
    subprocess.run([compiler(), *flags, *includes, SOURCES / "main.cpp", "-o", program], check=True, timeout=300)
    result = subprocess.run([program], capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.endswith(" checks\n")
    assert int(result.stdout.split()[0]) > 3_000_000


@pytest.mark.parametrize("curve", curves.TOYS, ids=lambda curve: curve.name)
def test_the_toys_are_what_they_claim(curve: Curve) -> None:
    assert all(all(n % d for d in range(2, int(n**0.5) + 1)) for n in (curve.q, curve.r))
    for group in (curve.g1, curve.g2):
        x, y = plain.generator(curve, group)
        assert y * y == x * x * x + plain.coefficient(curve, group)
        assert plain.multiply((x, y), curve.r) is None
        assert plain.multiply(plain.any_point(curve, group), plain.curve_order(curve, group)) is None
    if curve.q < 1000:
        pairs = ((x, y) for x in range(curve.q) for y in range(curve.q))
        count = 1 + sum((y * y - x**3 - curve.b) % curve.q == 0 for x, y in pairs)
        assert count == plain.curve_order(curve, curve.g1)
