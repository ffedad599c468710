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


def butterflies(operation: str, numbers: list[int]) -> tuple[list[int], list[int]]:
    """What the stages of ``ntt_quad.hpp`` make of a case's inputs, not reduced; and what they made."""
    if "2" in operation:
        (factor,), (a, b), out = numbers[:1], numbers[1:3], numbers[3:]
        return ([a + b * factor, a - b * factor] if "forward" in operation else [a + b, (a - b) * factor]), out
    (outer, left, right), (a, b, c, d), out = numbers[:3], numbers[3:7], numbers[7:]
    if "forward" in operation:
        c, d = c * outer, d * outer
        even, odd = (b + d) * left, (b - d) * right
        return [a + c + even, a + c - even, a - c + odd, a - c - odd], out
    even, odd = (a - b) * left, (c - d) * right
    return [a + b + c + d, even + odd, (a + b - c - d) * outer, (even - odd) * outer], out


@pytest.mark.parametrize("optimisation", ["-O1", "-O3"])
def test_four_lanes_at_the_ends_of_their_range(tmp_path: Path, optimisation: str) -> None:
    backends.named("native-adx")
    program = tmp_path / "quads"
    flags = ["-std=c++20", optimisation, "-Wall", "-Wextra", "-Werror", f"-I{INCLUDE}", "-DPROOFGRID_LAYER_ADX"]
    subprocess.run([compiler(), *flags, SOURCE.with_name("quads.cpp"), "-o", program], check=True, timeout=300)
    run = subprocess.run([program], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, "drawn products differ from field.hpp's"
    count: dict[str, int] = {}
    for line in run.stdout.splitlines():
        name, operation, *words = line.split()
        numbers, p = [int(word, 16) for word in words], FIELDS[name].modulus
        count[operation] = count.get(operation, 0) + 1
        if operation == "product":
            factor, a, result = numbers
            assert a < 2**260 // 3
            assert (result - a * factor) % p == 0, line
            assert 100 * result < 134 * p, line
        elif operation == "lowered":
            before, after = numbers
            assert (after - before) % p == 0, line
            assert 100 * after < 201 * p, line
        else:
            wanted, out = butterflies(operation, numbers)
            assert all((x - y) % p == 0 for x, y in zip(wanted, out, strict=True)), line
            assert all(x < (p if "last" in operation else 2**256) for x in out), line
    assert len(count) == 2 + 7
    assert min(count.values()) > 150
