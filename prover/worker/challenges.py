"""The prover's side of capacity challenges: ask, fetch what is needed, compute, answer.

A coordinator may be hostile: sizes, steps and downloads are capped before anything is allocated, and a computation ends
when its answer would come too late. Nothing secret goes into an answer.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Protocol

from proofgrid.errors import Cancelled, MalformedInput, ProofgridError, TooLarge
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.control import Control
from proofgrid.models.challenges import (
    MAX_ANSWER_BYTES,
    Challenge,
    ChallengeAnswer,
    ChallengeCall,
    ChallengeKind,
    ChallengeOffer,
    ChallengeOutcome,
)
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.prover.challenges import squares
from proofgrid.prover.challenges.expansion import ELEMENT_BYTES
from proofgrid.prover.challenges.kernels import CURVE, POINT_BYTES, chain_msm, chain_ntt, decode_points
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.prover.groth16.prove import prove

log = logging.getLogger(__name__)

MAX_ARTIFACT_BYTES = 64 << 20
MAX_SECONDS = 120.0
"""No challenge is worked on for longer, whatever time its coordinator gives."""
MAX_PROOF_LOG_N = 16


class Door(Protocol):
    """Signed calls to one coordinator; raises what it answers as :class:`ProofgridError`."""

    def post(self, path: str, body: bytes) -> bytes: ...

    def stream(self, path: str) -> AbstractContextManager[Iterator[bytes]]: ...


def solve(
    challenge: Challenge, path_of: Callable[[str], Path], *, backend: Backend, control: Control | None = None
) -> bytes:
    """The answer's bytes. ``path_of`` gives an artifact's file. Raises MalformedInput for what is beyond the caps."""
    seed, steps, log_n = bytes.fromhex(challenge.seed), challenge.steps, challenge.log_n
    if challenge.kind is ChallengeKind.NTT:
        if ELEMENT_BYTES << log_n > MAX_ANSWER_BYTES:
            raise TooLarge(f"a challenge's answer has at most {MAX_ANSWER_BYTES} bytes, this one 2^{log_n} elements")
        return chain_ntt(seed, log_n, steps, backend=backend, control=control)
    if challenge.artifact is None:
        raise MalformedInput(f"a challenge of kind {challenge.kind} names no artifact")
    path = path_of(challenge.artifact)
    if path.stat().st_size > MAX_ARTIFACT_BYTES:
        raise TooLarge(f"a challenge's artifact has at most {MAX_ARTIFACT_BYTES} bytes")
    if challenge.kind is ChallengeKind.MSM:
        return chain_msm(_points(path, log_n), seed, steps, backend=backend, control=control)
    if log_n > MAX_PROOF_LOG_N:
        raise TooLarge(f"a known-answer circuit has at most 2^{MAX_PROOF_LOG_N} constraints, this one 2^{log_n}")
    witness = squares.witness(squares.start(seed), log_n)
    proof, _ = prove(read_zkey(path), witness, backend=backend, control=control)
    return proof.encode()


def _points(path: Path, log_n: int) -> Array:
    if path.stat().st_size != POINT_BYTES << log_n:
        raise MalformedInput(f"a set of 2^{log_n} points has {POINT_BYTES << log_n} bytes, not {path.stat().st_size}")
    return decode_points(path.read_bytes())


@dataclass
class Challenger:
    """Keeps a prover admitted: call :meth:`turn` now and then, from one thread. ``threads`` 0 takes every core."""

    door: Door
    store: ArtifactStore
    backend: Backend
    threads: int = 0
    _checked: set[str] = field(default_factory=set)

    def turn(self) -> tuple[ChallengeOffer, ChallengeOutcome | None]:
        """Ask, and do what is due; when to ask again stands in the offer's standing.

        Raises ProofgridError where the coordinator cannot be reached or refuses; the next turn goes on.
        """
        offer = self._ask(())
        if offer.challenge is None:
            for digest in offer.artifacts:
                self._fetch(digest)
            offer = self._ask(offer.artifacts)
        if offer.challenge is None:
            return offer, None
        answer = self._solve(offer.challenge)
        body = ChallengeAnswer(content=answer.hex()).model_dump_json().encode()
        reply = self.door.post(f"/v1/prover/challenges/{offer.challenge.id}/answer", body)
        outcome = ChallengeOutcome.model_validate_json(reply)
        log.info("challenge %s (%s): %s", offer.challenge.id, offer.challenge.kind, outcome.state)
        if outcome.cause is not None:
            log.warning("%s; %s", outcome.cause.message, outcome.cause.advice)
        return offer, outcome

    def _ask(self, artifacts: tuple[str, ...]) -> ChallengeOffer:
        body = ChallengeCall(artifacts=artifacts).model_dump_json().encode()
        return ChallengeOffer.model_validate_json(self.door.post("/v1/prover/challenges", body))

    def _fetch(self, digest: str) -> None:
        if digest in self._checked:
            return
        if self.store.exists(digest):
            self.store.verify(digest)
        else:
            with self.door.stream(f"/v1/challenges/artifacts/{digest}") as chunks:
                self.store.put_stream(chunks, max_bytes=MAX_ARTIFACT_BYTES, expected_digest=digest)
        self._checked.add(digest)

    def _solve(self, challenge: Challenge) -> bytes:
        if challenge.artifact is not None:
            self._fetch(challenge.artifact)
            if challenge.kind is ChallengeKind.MSM:
                self._require_points(challenge.artifact, challenge.log_n)
        control = Control(self.threads)
        # By the coordinator's own clock, so that a machine whose clock is off works all the same.
        allowed = min(MAX_SECONDS, challenge.answer_until - challenge.issued_at)
        watch = Timer(allowed, control.cancel)
        watch.daemon = True
        watch.start()
        try:
            return solve(challenge, self.store.path, backend=self.backend, control=control)
        except Cancelled as error:
            raise ProofgridError(f"a challenge ({challenge.kind}) was not done within {allowed:.0f} s") from error
        finally:
            watch.cancel()

    def _require_points(self, digest: str, log_n: int) -> None:
        if f"{digest} points" in self._checked:
            return
        if not self.backend.check_points(CURVE.g1, _points(self.store.path(digest), log_n)).all():
            raise MalformedInput("the network's points for challenges are not all on the curve")
        self._checked.add(f"{digest} points")
