"""Wasm that is not what circom makes: each ends in a refusal, soon and with little memory."""

import random
import threading
import time
from typing import Any

import pytest
import wasmtime

from proofgrid.errors import MalformedInput, ProofgridError, UnsatisfiedCircuit
from proofgrid.kernels.curves import BN254
from proofgrid.prover import circom_compiler, circom_runtime
from proofgrid.prover.witness import calculate_witness, describe
from tests.fuzz import mutations
from tests.prover import vectors
from tests.prover.fake_circuits import INPUT_SIZE, SPIN, circuit

INPUTS = {"x": [1, 2, 3]}
MODULUS = BN254.r.to_bytes(32, "little")


def refused(wasm: bytes, words: str, **bounds: Any) -> None:
    with pytest.raises(MalformedInput, match=words):
        calculate_witness(wasm, INPUTS, **bounds)


@pytest.mark.parametrize("wasm", [b"", b"\0asm", b"\0asm\1\0\0\0", b"not wasm", b"(module)", bytes(1000)])
def test_what_is_no_circuit(wasm: bytes) -> None:
    refused(wasm, "^circuit: (not a wasm module|expected an export getVersion)")


@pytest.mark.parametrize("place", ["getVersion", "init", "setInputSignal", "getInputSignalSize", "getWitness"])
def test_an_endless_loop_is_stopped(place: str) -> None:
    started = time.monotonic()
    refused(circuit(**{place: SPIN + " unreachable"}), "not finished after 0.2 s", timeout_s=0.2)
    assert time.monotonic() - started < 5


def test_an_endless_start_function_is_stopped() -> None:
    refused(circuit(head=f"(func $go {SPIN}) (start $go)"), "start: not finished after 0.2 s", timeout_s=0.2)


def test_an_endless_message_is_stopped_and_bounded() -> None:
    endless = circuit(init="(call $printErrorMessage)", getMessageChar="(i32.const 65)")
    refused(endless, "init: not finished after 0.2 s", timeout_s=0.2)


def test_endless_recursion_is_stopped() -> None:
    refused(circuit(head="(func $deep (call $deep))", init="(call $deep)"), "init: trapped: .*stack")
    refused(
        circuit(getMessageChar="(call $writeBufferMessage) (i32.const 0)", init="(call $writeBufferMessage)"), "stack"
    )


def test_one_run_out_of_time_does_not_stop_another() -> None:
    refused(circuit(init=SPIN), "not finished", timeout_s=0.1)
    assert len(calculate_witness(circuit(), INPUTS, timeout_s=30)) > 0


@pytest.mark.parametrize("memory", ["(memory 65536)", "(memory 33000 65536)"])
def test_memory_beyond_the_limit(memory: str) -> None:
    refused(circuit(memory=memory), "start: .*memory")


def test_memory_grown_beyond_the_limit_is_not_given() -> None:
    grow = "(if (i32.eq (memory.grow (i32.const 1000)) (i32.const -1)) (then unreachable))"
    assert len(calculate_witness(circuit(init=grow), INPUTS)) > 0
    refused(circuit(init=grow), "init: trapped", memory_bytes=32 << 20)


def test_a_huge_table_is_refused() -> None:
    refused(circuit(head="(table 100000000 funcref)"), "start: .*table")


@pytest.mark.parametrize("count", [0, -1, 2**31 - 1, (2 << 30) // 32 + 1])
def test_a_claimed_number_of_wires_is_not_believed(count: int) -> None:
    refused(circuit(getWitnessSize=f"(i32.const {count})"), f"claims {count % 2**32} wires, expected 1 to 67108864")


@pytest.mark.parametrize("name", circom_runtime._REQUIRED)
def test_a_missing_export(name: str) -> None:
    refused(circuit(without=(name,)), f"expected an export {name} .*there is none")


def test_exports_of_another_type() -> None:
    refused(circuit(signatures={"init": ""}), "expected an export init .*got")
    refused(circuit(signatures={"getInputSize": "(result i64)"}, getInputSize="(i64.const 3)"), "export getInputSize")
    refused(circuit(without=("init",), head='(global (export "init") i32 (i32.const 1))'), "export init .*got None")


def test_an_import_that_circom_does_not_have() -> None:
    text = '(module (import "wasi_snapshot_preview1" "fd_write" (func)))'
    refused(bytes(wasmtime.wat2wasm(text)), "expected an export getVersion")
    with pytest.raises(MalformedInput, match=r"start: .*unknown import.*fd_write"):
        describe(_with_import("wasi_snapshot_preview1", "fd_write"))


def _with_import(module: str, name: str) -> bytes:
    memory = f'(import "{module}" "{name}" (func $strange)) (memory 1)'
    return circuit(memory=memory)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "Signal not found"),
        (2, "Too many signals set"),
        (3, "Signal already set"),
        (5, "Not enough memory"),
        (6, "Input signal array access exceeds the size"),
        (7, "Out of bounds array access"),
        (99, "Unknown error 99"),
        (-1, "Unknown error -1"),
    ],
)
def test_the_errors_of_circom(code: int, words: str) -> None:
    wasm = circuit(setInputSignal=f"(call $exceptionHandler (i32.const {code}))")
    refused(wasm, f"^circuit: input signal 'x': {words}.$")


def test_an_assertion_and_its_messages() -> None:
    say = "(call $printErrorMessage) (call $printErrorMessage)"
    wasm = circuit(
        setInputSignal=f"{say} (call $exceptionHandler (i32.const 4))", message="In A_0\\00In B_1\\0a\\1b[0m"
    )
    with pytest.raises(UnsatisfiedCircuit, match=r"^the inputs do not .*: Assert Failed. In A_0 In B_1  \[0m$"):
        calculate_witness(wasm, INPUTS)


def test_a_message_is_cut() -> None:
    long = "(call $printErrorMessage) (call $exceptionHandler (i32.const 4))"
    endless = "(global.set $said (i32.add (global.get $said) (i32.const 1)))"
    char = f"{endless} (select (i32.const 65) (i32.const 0) (i32.lt_u (global.get $said) (i32.const 3000000)))"
    with pytest.raises(UnsatisfiedCircuit) as caught:
        calculate_witness(circuit(init=long, getMessageChar=char), INPUTS)
    assert 2000 < len(str(caught.value)) < 2100


def test_the_log_is_bounded() -> None:
    lines: list[str] = []
    say = "(local $i i32) (loop $more (call $showSharedRWMemory)" + (
        "(local.set $i (i32.add (local.get $i) (i32.const 1)))"
        "(br_if $more (i32.lt_u (local.get $i) (i32.const 1000000))))"
    )
    calculate_witness(circuit(init=say), INPUTS, on_log=lines.append)
    assert len(lines) == 2
    assert len(lines[0].split()) == (1 << 20) // 33
    assert lines[1] == "(the log is full; what came after is lost)"


def test_traps() -> None:
    refused(circuit(init="unreachable"), "init: trapped: .*unreachable")
    refused(circuit(init="(i32.store (i32.const -4) (i32.const 0))"), "init: trapped: .*out of bounds memory access")
    refused(circuit(getWitness="unreachable"), "getWitness: trapped")
    refused(circuit(head="(func $go unreachable) (start $go)"), "start: trapped")
    refused(circuit(head="(func $go (call $printErrorMessage)) (start $go)"), "start: trapped")


def test_a_witness_that_is_not_one() -> None:
    refused(circuit(getWitness="(i32.store (i32.const 64) (i32.const 2))"), "its witness")
    refused(circuit(getWitness="(memory.copy (i32.const 64) (i32.const 0) (i32.const 32))"), "wire 0 is not below")
    refused(circuit(getWitness="(memory.fill (i32.const 64) (i32.const 0) (i32.const 32))"), "wire 0 is not one")


def test_other_versions_fields_and_sizes() -> None:
    refused(circuit(getVersion="(i32.const 3)"), "compiled by circom 3, expected circom 2")
    refused(circuit(getFieldNumLen32="(i32.const 2)"), "field elements of 2 32-bit words, expected 8")
    refused(circuit(getRawPrime=""), "the prime 0x0 is the scalar field of no curve")
    refused(circuit(getInputSignalSize="(i32.const -1)"), "no such input")
    refused(circuit(getInputSize=f"(i32.const {INPUT_SIZE + 1})"), "the circuit takes 4 values, only 3 came")


def test_the_size_of_the_wasm_is_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circom_runtime, "MAX_WASM_BYTES", 100)
    refused(circuit(), "bytes of wasm, expected at most 100")


@pytest.mark.parametrize(
    "head",
    [
        "(type $a (array (mut i64))) (func (drop (array.new $a (i64.const 1) (i32.const 9))))",
        "(tag $t) (func (throw $t))",
        "(func $f (return_call $f))",
        "(type $f (func)) (func (param (ref null $f)) (call_ref $f (local.get 0)))",
        "(func (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))))",
        "(memory $second 1)",
        "(table i64 1 funcref)",
    ],
    ids=["gc", "exceptions", "tail_call", "function_references", "relaxed_simd", "multi_memory", "memory64"],
)
def test_wasm_that_circom_does_not_write_is_refused(head: str) -> None:
    refused(circuit(head=head), "^circuit: not a wasm module")


BRANCH = "(if (result i32) (local.get 0) (then (local.get 0)) (else (local.get 0))) i32.add"


def branches(n: int) -> bytes:
    """Compiling it takes time and memory quadratic in n: without bounds minutes and gigabytes."""
    return circuit(head=f"(func (param i32) (result i32) (local.get 0) {BRANCH * n})")


def test_compiling_is_bounded_in_time() -> None:
    started = time.monotonic()
    refused(branches(30_000), "circuit: not compiled after 0.3 s", timeout_s=0.3)
    assert time.monotonic() - started < 5


def test_compiling_a_small_module_is_bounded_in_time() -> None:
    """Each of 400 locals is carried around each of 400 loops: a few kilobytes that take a compiler a minute or more."""
    carried = "".join(f"(local.set {i} (i32.add (local.get {i}) (i32.const 1)))" for i in range(400))
    loops = "(loop " * 400 + carried + "(br_if 0 (i32.const 0)))" * 400
    wasm = circuit(head=f"(func (local {'i32 ' * 400}) {loops})")
    assert len(wasm) < 10_000
    started = time.monotonic()
    refused(wasm, "circuit: not compiled after 0.3 s", timeout_s=0.3)
    assert time.monotonic() - started < 5


def test_compiling_is_bounded_in_memory() -> None:
    with pytest.raises(circom_compiler.CompilationFailed, match="not compiled within 314572800 bytes of memory"):
        circom_compiler.compile_wasm(branches(10_000), timeout_s=60, memory_bytes=300 << 20)


def test_compiled_circuits_are_kept_by_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[int] = []

    def compile_circuit(wasm: bytes, timeout_s: float) -> bytes:
        compiled.append(len(wasm))
        return real(wasm, timeout_s)

    real = circom_runtime._compile_circuit
    monkeypatch.setattr(circom_runtime, "_compile_circuit", compile_circuit)
    monkeypatch.setattr(circom_runtime, "_COMPILED", circom_runtime._CompiledCircuits())
    for patch in (0, 1, 2, 3, 4, 4, 3, 0):
        assert describe(circuit(getPatchVersion=f"(i32.const {patch})")).version[2] == patch
    assert len(compiled) == 6  # five, and the first again: four are kept


def test_a_circuit_that_many_threads_ask_for_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[int] = []

    def compile_circuit(wasm: bytes, timeout_s: float) -> bytes:
        compiled.append(len(wasm))
        time.sleep(0.1)
        return real(wasm, timeout_s)

    real = circom_runtime._compile_circuit
    monkeypatch.setattr(circom_runtime, "_compile_circuit", compile_circuit)
    monkeypatch.setattr(circom_runtime, "_COMPILED", circom_runtime._CompiledCircuits())
    threads = [threading.Thread(target=describe, args=(circuit(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(compiled) == 1


@pytest.mark.parametrize("seed", range(40))
def test_mutated_circuits(seed: int) -> None:
    """A real circuit with broken bytes: a witness or a refusal. The bytes of code are hit most."""
    rng = random.Random(seed)
    wasm = rng.choice(mutations.ANY)(vectors.read("bn254/steps.wasm"), rng)
    inputs = {"weights": [3, 4, 5, 6, 7, 8], "x": 11, "limit": 100}
    try:
        calculate_witness(wasm, inputs, timeout_s=1.0)
    except ProofgridError as error:
        assert isinstance(error, MalformedInput | UnsatisfiedCircuit)  # noqa: PT017
