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
from tests.settlement.chains import Chain

TOP = 2**64 - 1
word = st.integers(0, TOP) | st.integers(0, 64).map(lambda k: 2**k - 1) | st.integers(0, 63).map(lambda k: 2**k)


@cache
def chain() -> Chain:
    source = Path(__file__).parent / "programs" / "amounts.c"
    code = linker.link(build.compile_object(source, ("-I", str(build.FOLDER / "src"), "-Wno-unused-function")))
    built = Chain(strict_svm())
    built.svm.add_program(built.program_id, code)
    built.svm.airdrop(built.payer.pubkey(), 10**15)
    return built


def calculate(a: int, b: int, divisor: int) -> tuple[int, int, int]:
    result = chain().send(Instruction(chain().program_id, struct.pack("<QQQ", a, b, divisor), []))
    data = result.return_data().data.ljust(16, b"\0")  # the runtime drops trailing zeros
    return (*struct.unpack("<QQ", data), result.compute_units_consumed())


@settings(max_examples=500, deadline=None)
@given(a=word, b=word, divisor=word.filter(bool))
@example(a=TOP, b=TOP, divisor=TOP)
@example(a=TOP, b=TOP - 1, divisor=TOP)
@example(a=2**63, b=2, divisor=1)
def test_multiply_divide(a: int, b: int, divisor: int) -> None:
    if a * b // divisor > TOP:
        with pytest.raises(ProgramRefused) as refused:
            calculate(a, b, divisor)
        assert refused.value.name == "Overflow"
    else:
        quotient, _, units = calculate(a, b, divisor)
        assert quotient == a * b // divisor
        assert units < 1_800


@settings(max_examples=300, deadline=None)
@given(amount=word, bps=st.integers(0, 10_000))
def test_share_of(amount: int, bps: int) -> None:
    assert calculate(amount, bps, max(bps, 1))[1] == amount * bps // 10_000
