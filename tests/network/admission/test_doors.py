"""The doors over HTTP: signed calls, sizes, and a prover that gets itself admitted through them."""

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from nacl.signing import SigningKey

from proofgrid.config import AdmissionRules
from proofgrid.errors import MalformedInput, ProofgridError, TooLarge
from proofgrid.gateway.app import create_app
from proofgrid.gateway.server import GatewayServer, bind
from proofgrid.kernels.backend import select
from proofgrid.models import error_of_answer
from proofgrid.models.challenges import Admission, Challenge, ChallengeKind, ChallengeState
from proofgrid.network.admission.examiner import Examiner
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.prover.worker.challenges import Challenger, solve
from proofgrid.signed_calls import Call, sign_call
from tests.network.gateway import services_of
from tests.network.world import World

KEY = SigningKey(bytes(range(32)))
BACKEND = select("native")
RULES = AdmissionRules(log_n=5, ntt_log_n=4, proof_log_n=4)
ASK = "/v1/prover/challenges"


@dataclasses.dataclass
class SignedDoor:
    """Signs each call with a key, for one audience."""

    http: httpx.Client
    audience: str
    key: SigningKey = KEY

    def post(self, path: str, body: bytes) -> bytes:
        headers = sign_call(self.key, Call(self.audience, "POST", path, body), time.time())
        reply = self.http.post(path, content=body, headers={**headers, "Content-Type": "application/json"})
        if not reply.is_success:
            raise error_of_answer(reply.status_code, reply.content)
        return reply.content

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[bytes]]:
        with self.http.stream("GET", path) as reply:
            if not reply.is_success:
                raise error_of_answer(reply.status_code, reply.read())
            yield reply.iter_bytes()


@pytest.fixture
def door(world: World) -> Iterator[SignedDoor]:
    world.config = world.config.model_copy(update={"admission": RULES})
    examiner = Examiner.open(world.config, world.store, BACKEND)
    listener = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    services = dataclasses.replace(services_of(world), examiner=examiner)
    with GatewayServer(create_app(services), listener), httpx.Client(base_url=url, trust_env=False) as http:
        yield SignedDoor(http, services.info.audience)


def test_a_prover_gets_itself_admitted(door: SignedDoor, tmp_path: Path) -> None:
    challenger = Challenger(door, ArtifactStore(tmp_path / "prover"), BACKEND, threads=1)
    outcomes = [challenger.turn()[1] for _ in range(RULES.passes)]
    assert [outcome and outcome.state for outcome in outcomes] == [ChallengeState.PASSED] * RULES.passes
    offer, outcome = challenger.turn()
    assert outcome is None
    assert offer.standing.admission is Admission.ADMITTED


def test_a_call_without_a_signature_of_another_network_or_made_twice_is_refused(door: SignedDoor) -> None:
    assert door.http.post(ASK, content=b"{}").status_code == 401
    with pytest.raises(ProofgridError, match="does not hold"):
        dataclasses.replace(door, audience="another").post(ASK, b"{}")
    headers = sign_call(KEY, Call(door.audience, "POST", ASK, b"{}"), time.time())
    headers["Content-Type"] = "application/json"
    assert door.http.post(ASK, content=b"{}", headers=headers).status_code == 200
    again = door.http.post(ASK, content=b"{}", headers=headers)
    assert (again.status_code, again.json()["code"]) == (401, "access_denied")
    assert door.http.post(ASK, content=b"{ }", headers=headers).status_code == 401


def test_only_what_challenges_need_is_served(door: SignedDoor, world: World) -> None:
    secret = world.store.put(b"a sealed witness")
    assert door.http.get(f"/v1/challenges/artifacts/{secret}").status_code == 404
    assert door.http.get(f"/v1/challenges/artifacts/{'../' * 3}secrets").status_code in (404, 422, 400)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"content": "0"}', b'{"content": "zz"}', b'{"content": ""}'])
def test_an_answer_that_is_none_is_malformed(door: SignedDoor, body: bytes) -> None:
    with pytest.raises(MalformedInput):
        door.post(f"{ASK}/{'0' * 32}/answer", body)


def test_an_answer_that_is_too_large_is_refused_before_it_is_read(door: SignedDoor) -> None:
    with pytest.raises(TooLarge):
        door.post(f"{ASK}/{'0' * 32}/answer", b'{"content": "' + b"00" * (1 << 20) + b'0000"' + b" " * 2048 + b"}")


def hostile(kind: ChallengeKind, **changes: object) -> Challenge:
    values = {"id": "0" * 32, "kind": kind, "seed": "0" * 64, "log_n": 5, "steps": 1, "artifact": "0" * 64}
    return Challenge.model_validate({**values, "issued_at": 0.0, "answer_until": 1.0, **changes})


def test_a_hostile_coordinator_cannot_make_a_prover_allocate_what_it_likes(tmp_path: Path) -> None:
    for changes in ({"log_n": 19}, {"log_n": 0}, {"steps": 1 << 13}, {"seed": "0"}, {"artifact": "../x"}):
        with pytest.raises(ValueError, match="validation error"):
            hostile(ChallengeKind.MSM, **changes)
    short = tmp_path / "points"
    short.write_bytes(bytes(64))
    with pytest.raises(TooLarge):
        solve(hostile(ChallengeKind.NTT, log_n=16), lambda _: short, backend=BACKEND)
    with pytest.raises(TooLarge):
        solve(hostile(ChallengeKind.PROOF, log_n=17), lambda _: short, backend=BACKEND)
    with pytest.raises(MalformedInput, match="2048 bytes, not 64"):
        solve(hostile(ChallengeKind.MSM), lambda _: short, backend=BACKEND)
    with pytest.raises(MalformedInput, match="names no artifact"):
        solve(hostile(ChallengeKind.MSM, artifact=None), lambda _: short, backend=BACKEND)


def test_points_that_lie_on_no_curve_are_not_worked_on(door: SignedDoor, tmp_path: Path) -> None:
    challenger = Challenger(door, ArtifactStore(tmp_path / "prover"), BACKEND)
    digest = challenger.store.put(bytes(range(1, 65)) * 32)
    with pytest.raises(MalformedInput, match="on the curve"):
        challenger._solve(hostile(ChallengeKind.MSM, artifact=digest))


def test_a_challenge_that_cannot_be_done_in_its_time_is_given_up(door: SignedDoor, tmp_path: Path) -> None:
    challenger = Challenger(door, ArtifactStore(tmp_path / "prover"), BACKEND, threads=1)
    endless = hostile(ChallengeKind.NTT, log_n=15, steps=1 << 12, artifact=None, answer_until=0.05)
    began = time.monotonic()
    with pytest.raises(ProofgridError, match="was not done within"):
        challenger._solve(endless)
    assert time.monotonic() - began < 2
