"""The program and the model of its ledger agree, whatever is played: `make ledger-model` plays eighty times as much."""

from tests.settlement.model.campaign import campaign
from tests.settlement.model.ledger import RULES
from tests.settlement.model.machine import Machine


def test_no_sequence_parts_the_program_from_its_model() -> None:
    # Given a network with two provers, and everybody who may have to do with it
    machine = Machine()
    # When they do what they like, by the rules or against them
    campaign(machine, sequences=300, steps=60)
    # Then every account was the model's after every step, and every instruction was tried with and without success
    tally = machine.tally
    assert tally.sequences >= 300
    assert [name for name in RULES if not tally.accepted[name]] == []
    assert tally.refused.keys() == RULES.keys()
