"""The linker: what it links runs, and what sBPF would reject or misread is refused."""

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.devnet.machine import strict_svm
from proofgrid.settlement.program import build
from proofgrid.settlement.program.linker import SYSCALLS, LinkRefused, link, murmur3_32
from proofgrid.settlement.transactions import error_name, sign
from tests.settlement.chains import Chain

PREFACE = "typedef unsigned long long u64; typedef unsigned int u32; typedef unsigned char u8;\n"


def compile_text(folder: Path, text: str, *flags: str) -> bytes:
    source = folder / "snippet.c"
    source.write_text(PREFACE + text)
    return build.compile_object(source, flags)


REFUSED = {
    "alu32": (("-mcpu=v3",), "u32 entrypoint(u32 *p) { return p[0] * p[1] + 7; }", "32-bit arithmetic"),
    "jmp32": (("-mcpu=v3",), "u64 entrypoint(volatile u32 *p) { while (*p > 5) {} return 0; }", "32-bit jump"),
    "atomic": ((), "u64 entrypoint(u64 *p) { __sync_fetch_and_add(p, 1); return 0; }", "atomic"),
    "signed_division": (("-mcpu=v4",), "long long entrypoint(long long *p) { return p[0] / p[1]; }", "not one of sBPF"),
    "writable_global": ((), "static u64 n = 5; u64 entrypoint(u64 *p) { n += *p; return n; }", "writable globals"),
    "zero_initialised_global": ((), "static u64 n; u64 entrypoint(u64 *p) { n += *p; return n; }", "zero-initialised"),
    "common_global": (("-fcommon",), "u64 n; u64 entrypoint(u64 *p) { n += *p; return n; }", "zero-initialised"),
    "undefined_function": ((), "extern u64 other(u64); u64 entrypoint(u64 *p) { return other(*p); }", "other is undef"),
    "unknown_syscall": (
        (),
        "extern u64 sol_x(u64); u64 entrypoint(u64 *p) { return sol_x(*p); }",
        "sol_x is undefined",
    ),
    "undefined_data": (
        (),
        "extern u64 outside; u64 entrypoint(u64 *p) { return *p + outside; }",
        "outside is undefined",
    ),
    "frame_over_4096": (
        ("-mllvm", "-bpf-stack-size=16384"),
        "u64 entrypoint(u64 *p) { volatile u8 big[4200]; big[0] = *p; big[4100] = 1; return big[*p]; }",
        "stack frame over 4096",
    ),
    "no_entrypoint": ((), "u64 start(u64 *p) { return *p; }", "no function called entrypoint"),
    "entrypoint_is_data": ((), "const u64 entrypoint = 7; u64 f(u64 *p) { return *p + entrypoint; }", "no function"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    flags, text, message = REFUSED[name]
    obj = compile_text(tmp_path, text, *flags)
    with pytest.raises(LinkRefused, match=message):
        link(obj)


def test_frame_of_4096_is_linked(tmp_path: Path) -> None:
    text = "u64 entrypoint(u64 *p) { volatile u8 big[4080]; big[0] = *p; big[4079] = 1; return big[*p]; }"
    link(compile_text(tmp_path, text, "-mllvm", "-bpf-stack-size=16384"))


RUNS = """
static u64 twice(u64 x) { return 2 * x; }
static u64 thrice(u64 x) { return 3 * x; }
typedef u64 (*function)(u64);
static const function table[] = {twice, thrice};        // absolute addresses in read-only data
static const char name[] = "settlement";
__attribute__((noinline)) static u64 sum(const char *s, u64 n) { u64 t = 0; while (n--) t += *s++; return t; }
__attribute__((noinline)) u64 pick(u64 i) { return table[i & 1](i); }
u64 entrypoint(const u8 *input) {
  const u8 *data = input + 16;                          // no accounts: count, size, data
  return 1000000 + 1000 * pick(data[0]) + sum(name, data[1]);
}
"""


@pytest.mark.parametrize(("data", "expected"), [(b"\x04\x00", 1_008_000), (b"\x05\x03", 1_015_000 + 115 + 101 + 116)])
def test_calls_tables_and_strings_run(tmp_path: Path, data: bytes, expected: int) -> None:
    chain = Chain(strict_svm())
    chain.svm.airdrop(chain.payer.pubkey(), 10**9)
    program = Pubkey.new_unique()
    chain.svm.add_program(program, link(compile_text(tmp_path, RUNS)))
    transaction = sign([Instruction(program, data, [])], [chain.payer], chain.svm.latest_blockhash())
    result = chain.svm.send_transaction(transaction)
    assert error_name(result.err()) == f"Custom({expected})"  # type: ignore[union-attr]


def test_image_has_the_form_of_sbpf_v3(tmp_path: Path) -> None:
    program = link(compile_text(tmp_path, "u64 entrypoint(u64 *p) { return *p; }"))
    kind, machine, _, entry, _, _, flags = struct.unpack_from("<HHIQQQI", program, 16)
    assert (kind, machine, flags) == (3, 247, 3)
    assert entry == 1 << 32
    segments = [struct.unpack_from("<IIQQQQQQ", program, 64 + 56 * i) for i in range(2)]
    assert [(s[1], s[3]) for s in segments] == [(4, 0), (1, 1 << 32)]
    assert len(program) == segments[1][2] + segments[1][5]


def test_syscall_hashes() -> None:
    """Against hashes that Solana's programs carry: sol_log_, sol_memcpy_, abort."""
    assert [murmur3_32(name) for name in (b"sol_log_", b"sol_memcpy_", b"abort")] == [
        0x207559BD,
        0x717CC4A3,
        0xB6FC1A11,
    ]
    assert len({murmur3_32(name.encode()) for name in SYSCALLS}) == len(SYSCALLS)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compile_text(tmp_path_factory.mktemp("sound"), RUNS)


def test_cut_objects_are_refused(sound: bytes) -> None:
    for size in range(0, len(sound) - 1, 7):
        with pytest.raises(LinkRefused):
            link(sound[:size])


def test_huge_alignment_is_refused(sound: bytes) -> None:
    (sections_at,) = struct.unpack_from("<Q", sound, 40)
    count = struct.unpack_from("<H", sound, 60)[0]
    for index in range(count):
        damaged = bytearray(sound)
        struct.pack_into("<Q", damaged, sections_at + 64 * index + 48, 1 << 62)
        with pytest.raises(LinkRefused, match="beyond"):
            link(bytes(damaged))


def with_sections(obj: bytes, head: tuple[int, ...], copies: int) -> bytes:
    """The object with that many more sections of this head."""
    (at,) = struct.unpack_from("<Q", obj, 40)
    count = struct.unpack_from("<H", obj, 60)[0]
    grown = bytearray(obj) + obj[at : at + 64 * count] + struct.pack("<IIQQQQIIQQ", *head) * copies
    struct.pack_into("<Q", grown, 40, len(obj))
    struct.pack_into("<H", grown, 60, count + copies)
    return bytes(grown)


def test_many_sections_do_not_add_up_to_more_than_an_account(sound: bytes) -> None:
    """A few kilobytes of section heads would otherwise make an image of gigabytes."""
    assert link(with_sections(sound, (0, 1, 2, 0, 0, 1, 0, 0, 8, 0), 20))
    with pytest.raises(LinkRefused, match="more than the 10485760 bytes of an account"):
        link(with_sections(sound, (0, 1, 2, 0, 0, 1, 0, 0, 8 << 20, 0), 20))
    with pytest.raises(LinkRefused, match="what an account holds"):
        link(with_sections(sound, (0, 8, 0, 0, 0, 8 << 20, 0, 0, 8, 0), 20))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_objects_are_linked_or_refused(sound: bytes, data: st.DataObject) -> None:
    damaged = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(LinkRefused):
        link(bytes(damaged))
