"""Each layer's field arithmetic where carries are longest, against Python's integers; see ``corners/main.cpp``."""

import subprocess
from pathlib import Path

import pytest

from proofgrid.kernels.curves import CURVES
from tests.kernels import backends
from tests.kernels.test_toy import INCLUDE, compiler

SOURCE = Path(__file__).parent / "corners" / "main.cpp"
FIELDS = {field.name: field for curve in CURVES.values() for field in (curve.Fq, curve.Fr)}
Pair = tuple[int, int]


def expected(operation: str, a: Pair, b: Pair, modulus: int, radix_inverse: int) -> Pair:
    """The operation on Montgomery forms, over Fp[u] / (u^2 + 1)."""
    if operation == "add":
        return (a[0] + b[0]) % modulus, (a[1] + b[1]) % modulus
    if operation == "sub":
        return (a[0] - b[0]) % modulus, (a[1] - b[1]) % modulus
    if operation == "inv":  # of c = x R: R / x = R^2 / c
        return pow(a[0], -1, modulus) * pow(radix_inverse, -2, modulus) % modulus if a[0] else 0, 0
    real, imaginary = a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]
    return real * radix_inverse % modulus, imaginary * radix_inverse % modulus


@pytest.mark.parametrize("layer", ["portable", "adx", "ifma"])
def test_the_corners_of_every_field(tmp_path: Path, layer: str) -> None:
    backends.named(f"native-{layer}")
    program = tmp_path / "corners"
    flags = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{INCLUDE}", f"-DPROOFGRID_LAYER_{layer.upper()}"]
    subprocess.run([compiler(), *flags, SOURCE, "-o", program], check=True, timeout=300)
    output = subprocess.run([program], capture_output=True, text=True, timeout=300, check=True).stdout
    count = 0
    for line in output.splitlines():
        name, operation, *numbers = line.split()
        field = FIELDS[name]
        width = 2 * field.n_bytes
        a, b, result = ((int(n[-width:], 16), int(n[:-width] or "0", 16)) for n in numbers)
        assert result == expected(operation, a, b, field.modulus, pow(field.montgomery_radix, -1, field.modulus)), line
        count += 1
    assert count > 16000
