"""/v1/prover/challenges: a prover shows what its machine can do. Every call is signed with the prover's hot key."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.responses import FileResponse

from proofgrid.errors import NotFound
from proofgrid.gateway.services import Services, Serving
from proofgrid.gateway.signed import SignedCall
from proofgrid.models.challenges import (
    MAX_ANSWER_BYTES,
    ChallengeAnswer,
    ChallengeCall,
    ChallengeOffer,
    ChallengeOutcome,
)
from proofgrid.network.admission import challenges
from proofgrid.network.admission.examiner import Examiner

router = APIRouter(tags=["provers"])

MAX_BODY_BYTES = 2 * MAX_ANSWER_BYTES + 1024

ChallengePath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
DigestPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


async def arrived_at() -> float:
    """When the call was here, whole: what waits for a thread afterwards is not the prover's time."""
    return time.time()


Arrived = Annotated[float, Depends(arrived_at)]


@router.post("/v1/prover/challenges")
def ask(body: ChallengeCall, call: SignedCall, services: Serving) -> ChallengeOffer:
    """The challenge that is due, if one is; else when to ask again and what to download until then."""
    return challenges.offer(services.database, _examiner(services), call.key, body, time.time())


@router.post("/v1/prover/challenges/{challenge_id}/answer")
def answer(
    challenge_id: ChallengePath, body: ChallengeAnswer, call: SignedCall, now: Arrived, services: Serving
) -> ChallengeOutcome:
    """Judge an answer; the same twice is once."""
    content = bytes.fromhex(body.content)
    return challenges.answer(services.database, _examiner(services), call.key, challenge_id, content, now)


@router.get("/v1/challenges/artifacts/{digest}")
def artifact(digest: DigestPath, services: Serving) -> FileResponse:
    """A set of points or the known-answer circuit's proving key: public, and nothing else is served here."""
    if not _examiner(services).publishes(services.database, digest):
        raise NotFound(f"no challenge needs an artifact named {digest}")
    return FileResponse(services.store.path(digest), media_type="application/octet-stream")


def _examiner(services: Services) -> Examiner:
    if services.examiner is None:
        raise NotFound("this network admits no provers of other operators")
    return services.examiner
