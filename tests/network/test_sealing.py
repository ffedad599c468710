"""Sealed witnesses: only the fleet opens them, and only for their circuit."""

import stat
from pathlib import Path

import pytest

from proofgrid.errors import MalformedInput
from proofgrid.models import InputKind
from proofgrid.prover.sealing import OVERHEAD_BYTES, FleetKey, seal

CIRCUIT = "ab" * 32
SECRET = b"the witness"


@pytest.fixture
def fleet_key(tmp_path: Path) -> FleetKey:
    return FleetKey.load_or_create(tmp_path / "fleet.key")


def test_what_was_sealed_is_opened(fleet_key: FleetKey) -> None:
    sealed = seal(fleet_key.public.hex(), CIRCUIT, InputKind.WITNESS, SECRET)
    assert SECRET not in sealed
    assert len(sealed) == len(SECRET) + OVERHEAD_BYTES
    assert fleet_key.unseal(sealed, CIRCUIT, InputKind.WITNESS) == SECRET


def test_sealing_twice_does_not_show_that_it_is_the_same(fleet_key: FleetKey) -> None:
    key = fleet_key.public.hex()
    assert seal(key, CIRCUIT, InputKind.INPUTS, SECRET) != seal(key, CIRCUIT, InputKind.INPUTS, SECRET)


def test_a_witness_is_not_opened_for_another_circuit_or_kind(fleet_key: FleetKey) -> None:
    sealed = seal(fleet_key.public.hex(), CIRCUIT, InputKind.WITNESS, SECRET)
    with pytest.raises(MalformedInput, match="circuit"):
        fleet_key.unseal(sealed, "cd" * 32, InputKind.WITNESS)
    with pytest.raises(MalformedInput, match="inputs"):
        fleet_key.unseal(sealed, CIRCUIT, InputKind.INPUTS)


def test_every_flipped_byte_is_refused(fleet_key: FleetKey) -> None:
    sealed = seal(fleet_key.public.hex(), CIRCUIT, InputKind.WITNESS, SECRET)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(MalformedInput):
            fleet_key.unseal(bytes(changed), CIRCUIT, InputKind.WITNESS)
    for short in (b"", sealed[:47], sealed[:-1]):
        with pytest.raises(MalformedInput):
            fleet_key.unseal(short, CIRCUIT, InputKind.WITNESS)


def test_another_fleet_cannot_open_it(fleet_key: FleetKey, tmp_path: Path) -> None:
    other = FleetKey.load_or_create(tmp_path / "other.key")
    with pytest.raises(MalformedInput, match="not sealed to this fleet"):
        other.unseal(seal(fleet_key.public.hex(), CIRCUIT, InputKind.WITNESS, SECRET), CIRCUIT, InputKind.WITNESS)


def test_the_key_stays_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "fleet.key"
    first = FleetKey.load_or_create(path)
    assert FleetKey.load_or_create(path).public == FleetKey.load(path).public == first.public
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["", "zz", "00" * 31, "ff" * 32])
def test_a_fleet_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(MalformedInput, match="fleet key"):
        seal(key, CIRCUIT, InputKind.WITNESS, SECRET)


def test_a_broken_key_file_is_refused_without_showing_it(tmp_path: Path) -> None:
    path = tmp_path / "fleet.key"
    path.write_text("deadbeef")
    with pytest.raises(MalformedInput) as refusal:
        FleetKey.load(path)
    assert "deadbeef" not in str(refusal.value)
