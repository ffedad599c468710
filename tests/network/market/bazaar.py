"""A world in which other operators' provers bid, too."""

from dataclasses import dataclass, field
from typing import Any

from nacl.signing import SigningKey

from proofgrid.models import ProofRequest
from proofgrid.models.market import Ask
from proofgrid.network import dispatch, leases, requests
from proofgrid.network.database import AttemptRow, RequestRow
from proofgrid.network.market import asks, usage
from proofgrid.network.market.board import Board, Fleet, load_board
from proofgrid.network.market.standings import Standing
from tests.network.world import PROVER, World, true_submission

FLEET = PROVER.hex()


def signing_key(number: int) -> SigningKey:
    return SigningKey(bytes([number]) * 32)


def key_of(number: int) -> str:
    return bytes(signing_key(number).verify_key).hex()


@dataclass
class Bazaar:
    """``world`` and who stands how."""

    world: World
    standings: dict[str, Standing] = field(default_factory=dict)
    _sequence: int = 0

    def admit(self, number: int, **changes: Any) -> str:
        """A prover in good standing; its key."""
        values = {"admitted": True, "reputation": 0.9, "units_per_s": 100.0, "stake": 10**9, **changes}
        self.standings[key_of(number)] = Standing(**values)
        return key_of(number)

    def ask(self, number: int, base: int, per_unit: int = 0, **changes: Any) -> Ask:
        """Admit a prover, if it is not yet, and publish its ask."""
        if key_of(number) not in self.standings:
            self.admit(number)
        self._sequence += 1
        values = {"expires_at": self.world.now + 3600, "sequence": self._sequence, "capacity": 4, **changes}
        with self.world.database.writing() as session:
            ask = Ask(base_lamports=base, per_unit_lamports=per_unit, **values)
            return asks.publish(session, key_of(number), ask, self.world.now)

    def place(self, *, requester: str = "local", to: tuple[str, ...] | None = None, **changes: Any) -> str:
        """A request that the fleet and ``to`` (everybody who is admitted) can open."""
        body: ProofRequest = self.world.body(**changes)
        with self.world.database.writing() as session:
            request_id = requests.place(
                session, requester, body, ask_lamports=self.world.config.ask_lamports, now=self.world.now
            )
            row = session.query(RequestRow).filter_by(id=request_id).one()
            row.recipients = [FLEET, *(self.standings if to is None else to)]
        return request_id

    def dispatch(self) -> int:
        self.world.pulse("worker-1")  # of the fleet
        return self.world.dispatch()

    def attempts(self, request_id: str) -> list[AttemptRow]:
        with self.world.database.reading() as session:
            rows = session.query(AttemptRow).filter_by(request_id=request_id).order_by(AttemptRow.number).all()
            session.expunge_all()
            return rows

    def last(self, request_id: str) -> AttemptRow:
        return self.attempts(request_id)[-1]

    def claim(self, request_id: str, worker: str = "other-1") -> AttemptRow:
        attempt, world = self.last(request_id), self.world
        leases.claim(world.database, world.config, attempt.id, attempt.token, worker, world.now, attempt.prover)
        return attempt

    def prove(self, request_id: str, seconds: float = 3.0) -> None:
        """Claim, prove for so long, submit, verify, close the usage."""
        attempt, world = self.claim(request_id), self.world
        world.now += seconds
        proof = true_submission()
        leases.submit(world.database, world.store, attempt.id, attempt.token, proof, world.now, attempt.prover)
        world.coordinator.run_verify(world.now)
        usage.close_ended(world.database, world.now)

    def board(self) -> Board:
        self.world.pulse("worker-1")
        with self.world.database.reading() as session:
            return load_board(session, self.world.config, Fleet(FLEET, dispatch.MAX_OUTSTANDING), self.world.now)
