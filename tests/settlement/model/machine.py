"""One sequence: words of random bytes, each read as what somebody does next, played on the chain and on the ledger."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from tests.settlement.model import asking, batching, staking
from tests.settlement.model.cast import CAST
from tests.settlement.model.invariants import check
from tests.settlement.model.ledger import refusals
from tests.settlement.model.play import Play
from tests.settlement.model.records import Demand, Prover, Request
from tests.settlement.model.scene import Reader, Scene
from tests.settlement.model.world import Disagreement, World

WORD_SIZE = 24

Make = Callable[[Scene, Reader], Play | None]
WEIGHTS: dict[Make, int] = {
    staking.set_paused: 2,
    staking.collect_fees: 4,
    staking.burn: 3,
    staking.register_prover: 3,
    staking.update_prover: 3,
    staking.deposit_stake: 4,
    staking.request_exit: 2,
    staking.withdraw_stake: 8,
    staking.collect_earnings: 4,
    staking.propose: 1,
    staking.vote: 6,
    staking.execute: 10,
    asking.open_request: 6,
    asking.close_request: 3,
    asking.assign_request: 10,
    asking.fulfil_request: 4,
    asking.call_back: 4,
    asking.slash_missed: 8,
    asking.demand_reveal: 3,
    batching.commit_batch: 5,
    batching.challenge_leaf: 4,
    batching.demand_leaf: 3,
    batching.answer_leaf: 4,
    batching.void_leaf: 5,
    batching.claim_leaf: 14,
    batching.release_batch: 5,
}
_STAKES = (staking.deposit_stake, staking.request_exit, staking.withdraw_stake)
_JOBS = (asking.open_request, asking.assign_request, asking.close_request)
_PROOFS = (asking.fulfil_request, asking.demand_reveal, asking.slash_missed, asking.call_back)
_CLAIMS = (batching.commit_batch, batching.claim_leaf, batching.release_batch)
_LEAVES = (batching.challenge_leaf, batching.demand_leaf, batching.answer_leaf, batching.void_leaf)
_MONEY = (staking.collect_fees, staking.collect_earnings, staking.burn)
_VOTES = (staking.propose, staking.vote, staking.execute)


def _deck(*groups: tuple[Make, ...]) -> list[Make]:
    return [make for group in groups for make in group for _ in range(WEIGHTS[make])]


DECKS = (
    *[_deck(tuple(WEIGHTS))] * 3,
    _deck(_JOBS, _CLAIMS, _LEAVES),
    _deck(_JOBS, _PROOFS, _CLAIMS, _MONEY),
    _deck(_CLAIMS, _LEAVES, _STAKES, _MONEY),
    _deck(_STAKES, _JOBS, _PROOFS),
    _deck(_STAKES, _VOTES, _CLAIMS),
    _deck(_VOTES, _JOBS, _CLAIMS),
)
"""A sequence of few kinds of steps goes deeper than one of all kinds: mostly a sequence has a subject."""


@dataclass
class Tally:
    """What was played, over any number of sequences."""

    sequences: int = 0
    steps: int = 0
    events: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    refused: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By the instruction, then by the refusal."""

    alone: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Refusals of an instruction that had nothing else wrong with it."""

    def count(self, instruction: str, answer: str, is_alone: bool) -> None:
        self.steps += 1
        if answer:
            self.refused[instruction][answer] += 1
            self.alone[instruction, answer] += is_alone
        else:
            self.accepted[instruction] += 1


@dataclass
class Machine:
    """A world in which sequences are played one after another, each from the same beginning."""

    world: World = field(default_factory=World)
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        """Two of the three owners have registered and staked before the first step."""
        scene = Scene(self.world)
        for who, bps in ((0, 1_000), (1, 0)):
            owner, purse = CAST.owners[who], CAST.purse(CAST.owners[who])
            prover = scene.place(b"prover", owner)
            register = {"owner": owner, "prover": prover, "payout": purse}
            arguments = {"pool_bps": bps, "signer": CAST.hot[who]}
            stake = {"staker": owner, "prover": prover, "position": scene.place(b"position", prover, owner)}
            deposit = scene.play(staking.DEPOSIT_STAKE, stake | {"source": purse}, {"amount": 6_000})
            for play in (scene.play(staking.REGISTER_PROVER, register, arguments), deposit):
                answer, _ = self.world.send(play)
                assert not answer
        self.world.begin()

    def run(self, words: Iterable[bytes]) -> None:
        """Plays a sequence: the first word chooses its deck, each other is a step, or a rest if it is all zeros.

        Raises Disagreement, with what was played until then.
        """
        self.world.reset()
        scene, story = Scene(self.world), list[str]()
        self._last: Play | None = None
        self._deck = DECKS[0]
        try:
            for number, word in enumerate(words):
                if number == 0:
                    self._deck = Reader(word).pick(DECKS)
                elif any(word):
                    self._step(scene, Reader(word), story)
            self.world.agree()
        except AssertionError as error:
            lines = [f"  {number:3} {line}" for number, line in enumerate(story)]
            raise Disagreement("\n".join([str(error), "after:", *lines])) from error
        self.tally.sequences += 1

    def _step(self, scene: Scene, read: Reader, story: list[str]) -> None:
        if read.seldom(6):
            event = read.pick(_EVENTS)
            event(scene, read)
            self.tally.events[event.__name__] += 1
            story.append(f"{event.__name__}: it is {scene.ledger.now_s}")
            return
        play = self._last if self._last and read.seldom(30) else _choice(scene, read, self._deck)
        if play is None:
            return
        if read.seldom(6):
            play = _bent(scene, read, play)
        story.append(str(play))
        answer, is_alone = self.world.send(play)
        name = play.instruction.name
        story[-1] = f"{name}: {answer or 'accepted'}"
        self.tally.count(name, answer, is_alone)
        if not answer:
            check(self.world.ledger)
            self._last = play


def _choice(scene: Scene, read: Reader, deck: Sequence[Make]) -> Play | None:
    """What somebody does: mostly something that the model would accept."""
    play = None
    for _ in range(4):
        play = read.pick(deck)(scene, read) or play
        if play is not None and (read.seldom(5) or not refusals(scene.ledger, play.given())):
            break
    return play


def _bent(scene: Scene, read: Reader, play: Play) -> Play:
    """The same but for one account, or whether it signs or may be written, or an account or a byte too few or many."""
    places = [use.name for use in play.instruction.accounts]
    place, how = read.pick(places), read.below(12)
    if how == 0:
        return replace(play, silent=place)
    if how == 1:
        return replace(play, read_only=place)
    if how == 2:
        return replace(play, is_short=True)
    if how == 3:
        return replace(play, is_long=not play.instruction.tail)
    ledger = scene.ledger
    others = (*ledger.records, *ledger.tokens, *CAST.wallets, *CAST.forged, ledger.network.mint)
    alike = _alike(scene, play.places[place])
    return replace(play, places={**play.places, place: read.pick(alike if how < 9 and alike else others)})


def _alike(scene: Scene, address: bytes) -> tuple[bytes, ...]:
    """The accounts of the same kind: they pass for this one until somebody looks closer."""
    ledger = scene.ledger
    if address in ledger.tokens:
        return tuple(other for other in ledger.tokens if other != address)
    if address in ledger.records:
        return tuple(other for other, _ in ledger.all(type(ledger.records[address])) if other != address)
    return CAST.wallets if address in CAST.wallets else ()


# what happens to the world without the program


def wait(scene: Scene, read: Reader) -> None:
    """Until something ends, or just before or after; else some time."""
    now_s, edges = scene.ledger.now_s, scene.edges_of_time()
    moment = now_s + read.pick((1, 10, 60))
    if edges and not read.seldom(5):
        moment = (edges[0] if not read.seldom(4) else read.pick(edges)) + read.pick((1, 0, 1, -1))
    scene.world.pass_time(max(now_s, moment))


def freeze(scene: Scene, read: Reader) -> None:
    """The mint's owner freezes a token account, or thaws it."""
    ledger = scene.ledger
    named = [record.refund_to for record in ledger.records.values() if isinstance(record, (Request, Demand))]
    purse = read.pick(named) if named and read.seldom(2) else read.pick((*CAST.purses,))
    ledger.tokens[purse].frozen = not ledger.tokens[purse].frozen
    scene.world.change_outside(purse)


def donate(scene: Scene, read: Reader) -> None:
    """Somebody sends tokens into the vault by the token program alone."""
    ledger, purse = scene.ledger, CAST.purse(CAST.stranger)
    amount = min(read.pick((1, 100)), ledger.tokens[purse].amount)
    ledger.move(purse, ledger.network.vault, amount)
    ledger.donated += amount
    scene.world.change_outside(purse, ledger.network.vault)


def dust(scene: Scene, read: Reader) -> None:
    """Somebody sends lamports to where an account of the program will be made."""
    ledger = scene.ledger
    requester, prover = CAST.requesters[0], scene.place(b"prover", CAST.owners[2])
    places = (
        prover,
        scene.place(b"proposal", ledger.network.next_proposal.to_bytes(8, "little")),
        scene.place(b"position", prover, CAST.stakers[0]),
        *(scene.place(b"request", requester, nonce.to_bytes(8, "little")) for nonce in range(4)),
        *(
            scene.place(b"batch", address, record.next_number.to_bytes(8, "little"))
            for address, record in ledger.all(Prover)
        ),
    )
    place = read.pick(places)
    if place not in ledger.records and place not in ledger.lamports:
        ledger.lamports[place] = read.pick((890_880, 10**9))
        scene.world.change_outside(place)


_EVENTS = (*[wait] * 15, freeze, freeze, donate, dust)
