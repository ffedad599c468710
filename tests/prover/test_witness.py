"""Witnesses of circuits that circom compiled, and what is said when the inputs are wrong."""

import copy
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofgrid.errors import MalformedInput, NotFound, UnsatisfiedCircuit
from proofgrid.kernels.arrays import decode_elements
from proofgrid.kernels.curves import BN254, CURVES
from proofgrid.prover.circom_runtime import _name_hash
from proofgrid.prover.formats.wtns import read_wtns
from proofgrid.prover.witness import calculate_witness, describe, load_inputs
from tests.prover import vectors
from tests.prover.fake_circuits import WITNESS_SIZE, circuit

STEPS = vectors.read("bn254/steps.wasm")
INPUTS: dict[str, Any] = {"weights": [["3", 4, "5"], [6, "0x7", -8]], "x": "11", "limit": "100"}


def changed(**inputs: Any) -> dict[str, Any]:
    return {**copy.deepcopy(INPUTS), **inputs}


def refused(inputs: Any, words: str) -> str:
    with pytest.raises(MalformedInput, match=words) as caught:
        calculate_witness(STEPS, inputs)
    return str(caught.value)


@pytest.mark.parametrize("name", vectors.CURVES)
def test_the_witness_is_that_of_snarkjs(name: str) -> None:
    witness = calculate_witness(vectors.path(f"{name}/steps.wasm"), load_inputs(vectors.path("steps.json")))
    assert witness.dtype == np.uint64
    assert (witness == read_wtns(vectors.path(f"{name}/steps.wtns")).values).all()


def test_buses_are_named_as_circom_names_them() -> None:
    inputs = load_inputs(vectors.path("buses.json"))
    witness = calculate_witness(vectors.path("buses.wasm"), inputs)
    assert (witness == read_wtns(vectors.path("buses.wtns")).values).all()
    qualified = {"one.x": 1, "one.y": [2, 3], "many[0].x": 4, "many[0].y": [0, 9], "many[1].x": 5, "many[1].y": [9, 7]}
    assert (calculate_witness(vectors.path("buses.wasm"), qualified) == witness).all()
    with pytest.raises(MalformedInput, match=r"'one\.x': given twice"):
        calculate_witness(vectors.path("buses.wasm"), {**inputs, "one.x": 1})


def test_log_lines_go_to_the_callback_and_nowhere_else(capfd: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    inputs = load_inputs(vectors.path("buses.json"))
    calculate_witness(vectors.path("buses.wasm"), inputs, on_log=lines.append)
    assert lines == ["strings and 5 values 1", "3", "done"]
    calculate_witness(vectors.path("buses.wasm"), inputs)
    assert capfd.readouterr() == ("", "")


def test_the_log_is_told_even_when_an_assertion_fails() -> None:
    lines: list[str] = []
    inputs = load_inputs(vectors.path("buses.json"))
    inputs["one"]["x"] = 2
    with pytest.raises(UnsatisfiedCircuit, match=r"Assert Failed\. Error in template Sum_0 line: 19"):
        calculate_witness(vectors.path("buses.wasm"), inputs, on_log=lines.append)
    assert lines[0] == "strings and 5 values 2"


def test_a_failed_assertion_names_template_and_line_and_no_value() -> None:
    with pytest.raises(UnsatisfiedCircuit) as caught:
        calculate_witness(STEPS, changed(x=271828))
    line = next(
        i for i, text in enumerate(vectors.path("steps.circom").read_text().splitlines(), 1) if "assert(" in text
    )
    assert str(caught.value) == (
        f"the inputs do not satisfy the circuit: Assert Failed. Error in template Step_0 line: {line}"
    )


@pytest.mark.parametrize(
    "value", [11, "11", "0xb", "0x0B", " 11 ", BN254.r + 11, str(11 - BN254.r), [11], [[[11]]], (11,), np.uint64(11)]
)
def test_forms_of_one_value(value: Any) -> None:
    assert (calculate_witness(STEPS, changed(x=value)) == calculate_witness(STEPS, INPUTS)).all()


@pytest.mark.parametrize("weights", [[3, 4, 5, 6, 7, -8], [[3, 4], [5, 6], [7, -8]], np.array([[3, 4, 5], [6, 7, -8]])])
def test_arrays_are_flattened(weights: Any) -> None:
    assert (calculate_witness(STEPS, changed(weights=weights)) == calculate_witness(STEPS, INPUTS)).all()


def test_negative_values_wrap() -> None:
    witness = decode_elements(calculate_witness(STEPS, changed(weights=[-1, "-1", "-0x1", -BN254.r - 1, 0, "-0"])))
    assert witness[3:9] == [BN254.r - 1] * 4 + [0, 0]


@pytest.mark.parametrize(
    "value",
    [1.0, True, None, "", "-", "0x", "1e3", "1_000", "+1", "--1", "0b1", "\u0661", "1 1", "g", "9" * 1001, b"1", {1}],
)
def test_what_is_not_an_integer(value: Any) -> None:
    message = refused(changed(x=value), "input signal 'x': value 0 is ")
    assert "999" not in message


def test_the_value_that_is_wrong_is_pointed_at() -> None:
    refused(changed(weights=[1, 2, [3, [4]], "secret", 6]), "'weights': value 4 is not a decimal or 0x integer")
    assert "secret" not in refused(changed(x="secret"), "'x': value 0")


def test_an_unknown_signal() -> None:
    refused(changed(z=1), "input signal 'z': the circuit has no such input")
    refused(changed(**{"\ud800": 1}), "the circuit has no such input")
    refused(changed(x={"a": 1}), r"input signal 'x\.a': the circuit has no such input")


@pytest.mark.parametrize(("value", "words"), [([1, 2], "too many values: expected 1, got 2"), ([], "too few .* got 0")])
def test_a_wrong_number_of_values(value: Any, words: str) -> None:
    refused(changed(x=value), f"input signal 'x': {words}")


def test_missing_signals() -> None:
    inputs = changed()
    del inputs["x"]
    refused(inputs, "the circuit takes 8 values, only 7 came, by the signals limit, weights")
    refused({}, r"only 0 came, by the signals \(none\)")


def test_inputs_that_are_no_mapping() -> None:
    refused([1], "expected an object of signals, got list")


def test_nesting_is_bounded() -> None:
    deep: Any = 11
    for _ in range(100_000):
        deep = [deep]
    refused(changed(x=deep), "'x': nested deeper than 32")
    buses: Any = 11
    for _ in range(1000):
        buses = {"a": buses}
    refused(changed(x=buses), "nested deeper than 32")
    endless: list[Any] = []
    endless.append(endless)
    refused(changed(x=endless), "nested deeper than 32")


def test_describe() -> None:
    for name in vectors.CURVES:
        facts = describe(vectors.path(f"{name}/steps.wasm"))
        assert facts.curve is CURVES[name]
        assert (facts.version, facts.witness_size, facts.input_size) == ((2, 2, 3), 19, 8)


def test_names_are_hashed_with_fnv_1a() -> None:
    """Vectors from the FNV page of its authors (draft-eastlake-fnv, appendix: 64-bit FNV-1a)."""
    for name, expected in (("", 0xCBF29CE484222325), ("a", 0xAF63DC4C8601EC8C), ("foobar", 0x85944171F73967E8)):
        high, low = (half & 0xFFFFFFFF for half in _name_hash(name))
        assert high << 32 | low == expected


def test_a_witness_of_more_than_one_batch() -> None:
    witness = decode_elements(calculate_witness(circuit(), {"x": [1, 2, 3]}))
    assert witness == [1, *range(1, WITNESS_SIZE)]


def test_an_input_of_more_than_one_batch() -> None:
    """The circuit adds up index * value of what it is given; the batches must follow on."""
    n = 70_000
    wasm = circuit(
        head="(global $sum (mut i32) (i32.const 0))",
        getInputSignalSize=f"(i32.const {n})",
        getInputSize=f"(i32.const {n})",
        setInputSignal="(global.set $sum (i32.add (global.get $sum)"
        " (i32.mul (local.get $i) (i32.load (i32.const 64)))))",
        getWitnessSize="(i32.const 2)",
        getWitness="(memory.fill (i32.const 64) (i32.const 0) (i32.const 32))"
        "(i32.store (i32.const 64) (select (global.get $sum) (i32.const 1) (local.get $i)))",
    )
    assert decode_elements(calculate_witness(wasm, {"x": list(range(n))}))[1] == sum(i * i for i in range(n)) % 2**32


def test_a_circuit_without_the_optional_exports() -> None:
    old = ("getMinorVersion", "getPatchVersion", "getInputSignalSize", "getMessageChar")
    assert describe(circuit(without=old)).version == (2, 0, 0)
    assert len(calculate_witness(circuit(without=old), {"x": [1, 2, 3]})) == WITNESS_SIZE


def test_threads_do_not_disturb_each_other() -> None:
    """Each thread sees its own witness or its own failure."""
    outcomes: dict[int, Any] = {}

    def work(x: int) -> None:
        try:
            outcomes[x] = decode_elements(calculate_witness(STEPS, changed(x=x, limit=8)))[9]
        except UnsatisfiedCircuit:
            outcomes[x] = "refused"

    threads = [threading.Thread(target=work, args=(x,)) for x in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {x: x if x < 8 else "refused" for x in range(16)}


def test_load_inputs(tmp_path: Path) -> None:
    path = tmp_path / "input.json"
    path.write_text(json.dumps({"x": BN254.r - 1}))
    assert load_inputs(path) == {"x": BN254.r - 1}
    strange = ("", "{", "NaN", '{"x": Infinity}', "[" * 100_000, "[1]", "3", "1" * 5000, '{"x": 1, "x": 2}')
    for text in (*(text.encode() for text in strange), b'{"\xff": 1}', '{"x": 1}'.encode("utf-16")):
        path.write_bytes(text)
        with pytest.raises(MalformedInput, match=r"input\.json: "):
            load_inputs(path)
    path.write_text(r"""{"\"[[": ["{", "]", "\\"], "deep": """ + "[" * 63 + "1" + "]" * 63 + "}")
    assert load_inputs(path)['"[['] == ["{", "]", "\\"]
    with pytest.raises(NotFound):
        load_inputs(tmp_path / "none.json")
    with pytest.raises(MalformedInput, match="cannot be read"):
        load_inputs(tmp_path)
