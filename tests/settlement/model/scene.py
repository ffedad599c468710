"""How a word of random bytes is read as what somebody does: choices among what the ledger holds at that moment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from proofgrid.settlement.forms import Instruction
from proofgrid.settlement.layout.batches import LEAF_UNPAID
from proofgrid.verifier.merkle import MerkleTree
from tests.settlement.batches import Entry
from tests.settlement.model.ledger import MOST, Kind, Ledger
from tests.settlement.model.play import Play
from tests.settlement.model.records import Batch, Demand, Proposal, Prover, Request
from tests.settlement.model.world import World

Thing = TypeVar("Thing")


class Reader:
    """Choices read from a word; one of zeros makes the first choice every time."""

    def __init__(self, word: bytes) -> None:
        self._rest = int.from_bytes(word, "little")

    def below(self, count: int) -> int:
        self._rest, choice = divmod(self._rest, count)
        return choice

    def pick(self, things: Sequence[Thing]) -> Thing:
        return things[self.below(len(things))]

    def seldom(self, one_in: int) -> bool:
        return self.below(one_in) == one_in - 1

    def mostly(self, usual: Thing, *odd: Thing) -> Thing:
        """The usual, but for one in twelve."""
        return self.pick(odd) if self.seldom(12) else usual


@dataclass
class Contents:
    """The leaves of a batch, which the chain does not hold."""

    entries: Sequence[Entry]

    def __post_init__(self) -> None:
        self.tree = MerkleTree([entry.leaf().encode() for entry in self.entries])


@dataclass
class Scene:
    """A world within a sequence; `contents` are the batches' leaves by root."""

    world: World
    contents: dict[bytes, Contents] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        return self.world.ledger

    def play(
        self,
        instruction: Instruction,
        places: Mapping[str, bytes],
        arguments: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Play:
        """The instruction with those places filled that are the same for everybody."""
        ledger, network = self.ledger, self.ledger.network
        same = {"config": ledger.config, "vault": network.vault, "mint": network.mint, "treasury": network.treasury}
        given = {**ledger.programs, **same, **places}
        given_arguments = {
            member.name: bytes(member.size)
            for member in instruction.arguments.fields
            if member.name.startswith("reserved")
        } | dict(arguments or {})
        return Play(instruction, {use.name: given[use.name] for use in instruction.accounts}, given_arguments, **more)

    def target(
        self, read: Reader, kind: type[Kind], ready: Callable[[Kind], bool] = lambda record: True
    ) -> tuple[bytes, Kind] | None:
        """One of the records of this kind, mostly one that is ready; None if there is none."""
        records = list(self.ledger.all(kind))
        fit = [one for one in records if ready(one[1])]
        if fit and not read.seldom(4):
            return read.pick(fit)
        return read.pick(records) if records else None

    def place(self, *seeds: bytes) -> bytes:
        return self.ledger.find(*seeds)[0]

    def balance(self, purse: bytes) -> int:
        return self.ledger.tokens[purse].amount

    def amount(self, read: Reader, *edges: int) -> int:
        """One of the amounts that matter, seldom its neighbour, nothing, or all there can be."""
        amount = read.mostly(read.pick(edges), 0, MOST) + read.pick((0, 0, 0, 0, 1, -1))
        return min(max(amount, 0), MOST)

    def edges_of_time(self) -> list[int]:
        """The moments to come at which something ends."""
        ledger, found = self.ledger, set()
        for record in ledger.records.values():
            if isinstance(record, Request):
                found |= {record.pay_until_s, record.expire_s, record.settle_until_s, record.answer_until_s}
            elif isinstance(record, Batch):
                found.add(record.challenge_until_s)
            elif isinstance(record, Demand):
                found.add(record.answer_until_s)
            elif isinstance(record, Proposal) and not record.executed:
                found |= {record.vote_until_s, record.execute_from_s, record.execute_until_s}
            elif hasattr(record, "exit_from_s"):
                found.add(record.exit_from_s)
        return sorted(edge for edge in found if edge >= ledger.now_s - 1)


def unpaid(batch: Batch) -> list[int]:
    return [leaf for leaf, state in enumerate(batch.leaves[:16]) if state == LEAF_UNPAID]


def able_provers(scene: Scene, read: Reader) -> list[tuple[bytes, Prover]]:
    """Those who have the stake to work; seldom all."""
    provers, least = list(scene.ledger.all(Prover)), scene.ledger.network.rules.min_stake
    able = [one for one in provers if one[1].active >= least]
    return able if able and not read.seldom(8) else provers
