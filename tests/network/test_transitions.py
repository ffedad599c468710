"""The table of moves, and that nothing moves without it."""

import itertools
from enum import StrEnum

import pytest
from sqlalchemy.exc import IntegrityError

from proofgrid.models import AttemptState, BatchState, Fulfilment, Settlement, Verification
from proofgrid.models.statuses import LIVE_ATTEMPTS
from proofgrid.network.database import AttemptRow
from proofgrid.network.transitions import MOVES, move_attempt, move_fulfilment, require_allowed
from tests.network.world import World

MACHINES: list[type[StrEnum]] = [Fulfilment, Verification, Settlement, AttemptState, BatchState]
PAIRS = [pair for machine in MACHINES for pair in itertools.product(machine, machine)]


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=lambda state: str(state))
def test_only_the_moves_of_the_table_are_allowed(old: StrEnum, new: StrEnum) -> None:
    if new in MOVES[type(old)].get(old, frozenset()):
        require_allowed(old, new)
    else:
        with pytest.raises(ValueError, match="may not move"):
            require_allowed(old, new)


def test_equal_words_of_two_machines_are_not_one_state() -> None:
    assert str(Settlement.COMMITTED) == str(BatchState.COMMITTED)
    with pytest.raises(ValueError, match="may not move"):
        require_allowed(Settlement.UNSETTLED, BatchState.COMMITTED)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__)
def test_moves_stay_in_their_machine(machine: type[StrEnum]) -> None:
    for old, targets in MOVES[machine].items():
        assert type(old) is machine
        assert all(type(new) is machine for new in targets)


def test_terminal_states_have_no_way_out() -> None:
    assert all((state in MOVES[Fulfilment]) != state.is_terminal for state in Fulfilment)
    assert set(MOVES[AttemptState]) == LIVE_ATTEMPTS


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__)
def test_every_state_can_be_reached(machine: type[StrEnum]) -> None:
    first = next(iter(machine))
    reached, todo = {first}, [first]
    while todo:
        for new in MOVES[machine].get(todo.pop(), frozenset()) - reached:
            reached.add(new)
            todo.append(new)
    assert reached == set(machine)


def test_a_move_from_a_state_that_was_left_changes_nothing(world: World) -> None:
    request_id = world.place()
    with world.database.writing() as session:
        assert move_fulfilment(session, request_id, Fulfilment.REQUESTED, Fulfilment.ASSIGNED)
        assert not move_fulfilment(session, request_id, Fulfilment.REQUESTED, Fulfilment.CANCELLED)
    assert world.status(request_id).fulfilment is Fulfilment.ASSIGNED


def test_an_attempt_moves_only_under_its_own_token(world: World) -> None:
    world.place()
    world.dispatch()
    task = world.take()
    with world.database.writing() as session:
        assert not move_attempt(session, task.attempt_id, "0" * 64, AttemptState.SENT, AttemptState.RUNNING)
        assert move_attempt(session, task.attempt_id, task.token, AttemptState.SENT, AttemptState.RUNNING)


def test_a_request_never_has_two_live_attempts(world: World) -> None:
    request_id = world.place()
    world.dispatch()
    with pytest.raises(IntegrityError), world.database.writing() as session:
        session.add(
            AttemptRow(id="f" * 32, request_id=request_id, number=2, token="e" * 64, created_at=0.0, not_before=0.0)
        )
