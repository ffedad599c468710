"""Asks: only newer ones replace, none lasts for ever."""

import pytest
from pydantic import ValidationError

from proofgrid.errors import Conflict, MalformedInput
from proofgrid.models.market import MAX_ASK_S, Ask, Hardware
from proofgrid.network.market import asks
from tests.network.market.bazaar import Bazaar, key_of


def publish(bazaar: Bazaar, **changes: object) -> Ask:
    values = {"base_lamports": 1, "expires_at": bazaar.world.now + 60, "sequence": 5, **changes}
    with bazaar.world.database.writing() as session:
        return asks.publish(session, key_of(1), Ask(**values), bazaar.world.now)  # type: ignore[arg-type]


def standing(bazaar: Bazaar) -> Ask | None:
    with bazaar.world.database.reading() as session:
        return asks.standing_ask(session, key_of(1))


def test_what_is_published_stands(bazaar: Bazaar) -> None:
    assert standing(bazaar) is None
    told = {"hardware": Hardware(kind="gpu", name="a card"), "circuits": ("a" * 64,), "capacity": 0}
    assert publish(bazaar, **told) == standing(bazaar)


def test_only_a_higher_sequence_replaces(bazaar: Bazaar) -> None:
    first = publish(bazaar)
    assert publish(bazaar) == first  # the same again
    for sequence in (4, 5):
        with pytest.raises(Conflict, match="sign a higher one"):
            publish(bazaar, base_lamports=2, sequence=sequence)
    assert standing(bazaar) == first
    assert publish(bazaar, base_lamports=2, sequence=6) == standing(bazaar)


@pytest.mark.parametrize("lasts_s", [-1.0, 0.0, MAX_ASK_S + 1])
def test_an_ask_must_end_and_not_have_ended(bazaar: Bazaar, lasts_s: float) -> None:
    with pytest.raises(MalformedInput, match="expires_at"):
        publish(bazaar, expires_at=bazaar.world.now + lasts_s)


@pytest.mark.parametrize(
    "changes",
    [
        {"base_lamports": -1},
        {"base_lamports": 1 << 60},
        {"per_unit_lamports": 1 << 42},
        {"capacity": 4097},
        {"sequence": 0},
        {"expires_at": float("nan")},
        {"circuits": ("short",)},
    ],
    ids=str,
)
def test_amounts_that_could_overflow_are_refused(bazaar: Bazaar, changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        publish(bazaar, **changes)
