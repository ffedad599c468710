"""The program's arithmetic equals Python's integers over all of 64 bits, and refuses what does not fit."""

import struct
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from solders.instruction import Instruction

from proofgrid.errors import ProgramRefused
from proofgrid.settlement.devnet.machine import strict_svm
from proofgrid.settlement.program import build, linker
from tests.settlement.chains import FEATURES, Chain

TOP = 2**64 - 1
MULTIPLY_DIVIDE, SHARE, ADD, TAKE = range(4)
word = st.integers(0, TOP) | st.integers(0, 64).map(lambda k: 2**k - 1) | st.integers(0, 63).map(lambda k: 2**k)


under_both = pytest.mark.parametrize("features", FEATURES)


@cache
def chain(features: str, folder: Path) -> Chain:
    """A chain whose program is the arithmetic of the sources in this folder."""
    source = Path(__file__).parent / "programs" / "amounts.c"
    code = linker.link(build.compile_object(source, ("-I", str(folder / "src"), "-Wno-unused-function")))
    built = Chain(strict_svm(FEATURES[features]()))
    built.svm.add_program(built.program_id, code)
    built.svm.airdrop(built.payer.pubkey(), 10**15)
    return built


def calculate(features: str, operation: int, *operands: int) -> tuple[int, int]:
    """The result and the compute units."""
    on = chain(features, build.FOLDER)
    data = struct.pack(f"<{1 + len(operands)}Q", operation, *operands)
    result = on.send(Instruction(on.program_id, data, []))
    value = result.return_data().data.ljust(8, b"\0")  # the runtime drops trailing zeros
    return int.from_bytes(value, "little"), result.compute_units_consumed()


def refuses(features: str, operation: int, *operands: int) -> None:
    with pytest.raises(ProgramRefused) as refused:
        calculate(features, operation, *operands)
    assert refused.value.name == "Overflow"


@under_both
@settings(max_examples=300, deadline=None)
@given(a=word, b=word, divisor=word.filter(bool))
@example(a=TOP, b=TOP, divisor=TOP)
@example(a=TOP, b=TOP - 1, divisor=TOP)
@example(a=2**63, b=2, divisor=1)
@example(a=2**63, b=4, divisor=2)
@example(a=2**63, b=2, divisor=2)
def test_multiply_divide(features: str, a: int, b: int, divisor: int) -> None:
    if a * b // divisor > TOP:
        refuses(features, MULTIPLY_DIVIDE, a, b, divisor)
    else:
        quotient, units = calculate(features, MULTIPLY_DIVIDE, a, b, divisor)
        assert quotient == a * b // divisor
        assert units < (500 if a * b <= TOP else 1_800)


@under_both
@settings(max_examples=300, deadline=None)
@given(amount=word, bps=st.integers(0, 10_000))
def test_share_of(features: str, amount: int, bps: int) -> None:
    assert calculate(features, SHARE, amount, bps)[0] == amount * bps // 10_000


@under_both
@settings(max_examples=200, deadline=None)
@given(total=word, amount=word)
@example(total=1, amount=TOP - 1)
@example(total=1, amount=TOP)
@example(total=TOP, amount=TOP)
@example(total=TOP - 1, amount=TOP)
def test_sums_and_differences(features: str, total: int, amount: int) -> None:
    for operation, exact in ((ADD, total + amount), (TAKE, total - amount)):
        if 0 <= exact <= TOP:
            assert calculate(features, operation, total, amount)[0] == exact
        else:
            refuses(features, operation, total, amount)
