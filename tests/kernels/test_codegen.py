"""The generated header is what the declarations say, and the declarations are what they claim."""

import pytest

from proofgrid.kernels import codegen
from proofgrid.kernels.curves import Curve, Field, Group
from tests.kernels import plain


def test_the_committed_header_is_the_rendered_one() -> None:
    assert codegen.HEADER.read_text() == codegen.render()


def test_check_tells_a_stale_header(monkeypatch: pytest.MonkeyPatch, tmp_path, capsys) -> None:  # type: ignore[no-untyped-def]
    header = tmp_path / "params.hpp"
    monkeypatch.setattr(codegen, "HEADER", header)
    assert codegen.main([]) == 0
    assert codegen.main(["--check"]) == 0
    header.write_text(header.read_text().replace("0x", "0X", 1))
    assert codegen.main(["--check"]) == 1
    assert "params.hpp differs" in capsys.readouterr().err


def test_moduli_are_prime(field: Field) -> None:
    """Miller and Rabin's test to the first thirty prime bases."""
    n, odd = field.modulus, (field.modulus - 1) >> field.two_adicity
    for base in (p for p in range(2, 114) if all(p % d for d in range(2, p))):
        x = pow(base, odd, n)
        squares = [pow(x, 1 << i, n) for i in range(field.two_adicity)]
        assert x == 1 or n - 1 in squares


def test_generators_lie_on_their_curves_and_have_order_r(group: Group) -> None:
    x, y = plain.generator(group.curve, group)
    assert y * y == x * x * x + plain.coefficient(group.curve, group)
    assert plain.multiply((x, y), group.curve.r) is None


def test_the_tower_is_a_field(curve: Curve) -> None:
    """w^6 - xi is irreducible over Fq2 if and only if xi is neither a square nor a cube."""
    xi, order = plain.Fq2(*curve.xi, curve.q), curve.q**2 - 1
    one = plain.Fq2(1, 0, curve.q)
    assert curve.q % 4 == 3, "u^2 = -1 needs -1 not to be a square"
    assert xi.power(order // 2) != one
    assert xi.power(order // 3) != one


def test_embedding_degree_is_twelve(curve: Curve) -> None:
    assert all((curve.q**k - 1) % curve.r for k in range(1, 12))
    assert (curve.q**12 - 1) % curve.r == 0
