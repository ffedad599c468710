"""The benchmark's committed circuits are their sources, compiled by the pinned compiler."""

import json

import pytest

from proofgrid.bench.packed import INPUTS, RECORD, load_packed
from tests.interop.build_bench import compile_all, record


def test_the_committed_circuits_are_their_sources_compiled() -> None:
    assert record(compile_all()) == json.loads(RECORD.read_text()), "run python -m tests.interop.build_bench"


@pytest.mark.parametrize("name", list(INPUTS))
def test_a_packed_circuit_holds_for_its_witness_and_fills_a_domain_of_2_16(name: str) -> None:
    circuit, witness = load_packed(name)
    circuit.check_satisfied(witness)
    assert 1 << 15 < circuit.n_constraints + circuit.n_public + 1 <= 1 << 16
