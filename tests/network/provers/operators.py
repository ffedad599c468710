"""Provers of other operators, over real HTTP: each signs its calls, honestly or not."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from nacl.signing import SigningKey
from pydantic import BaseModel

from proofgrid.models import Claim, Heartbeat, ProveTask, Submission
from proofgrid.models.provers import Work, WorkCall
from proofgrid.signed_calls import Call, sign_call
from tests.network.market.bazaar import key_of, signing_key
from tests.network.world import true_submission


@dataclass
class Operator:
    """One prover; ``number`` is its key's."""

    http: httpx.Client
    audience: str
    number: int
    clock: Callable[[], float] = time.time

    @property
    def key(self) -> str:
        return key_of(self.number)

    @property
    def signing_key(self) -> SigningKey:
        return signing_key(self.number)

    def headers(self, method: str, path: str, body: bytes, token: str | None = None) -> dict[str, str]:
        signed = sign_call(self.signing_key, Call(self.audience, method, path, body), self.clock())
        return {
            **signed,
            "Content-Type": "application/json",
            **({} if token is None else {"Fencing-Token": token}),
        }

    def post(self, path: str, message: BaseModel | dict[str, Any], token: str | None = None) -> httpx.Response:
        body = (message if isinstance(message, BaseModel) else _Loose(**message)).model_dump_json().encode()
        return self.http.post(path, content=body, headers=self.headers("POST", path, body, token))

    def lease(self, task: ProveTask, verb: str, message: BaseModel | dict[str, Any]) -> httpx.Response:
        return self.post(f"/v1/leases/{task.attempt_id}/{verb}", message, task.token)

    def work(self, **call: Any) -> tuple[ProveTask, ...]:
        reply = self.post("/v1/prover/work", WorkCall(**call))
        assert reply.status_code == 200, reply.text
        return Work.model_validate_json(reply.content).tasks

    def claim(self) -> ProveTask:
        """The next task, claimed."""
        (task,) = self.work()
        assert self.lease(task, "claim", Claim(worker="w")).status_code == 200
        return task

    def beat(self, task: ProveTask) -> httpx.Response:
        return self.lease(task, "heartbeat", Heartbeat(progress=0.5))

    def submit(self, task: ProveTask, submission: Submission | None = None) -> httpx.Response:
        return self.lease(task, "submit", submission or true_submission())

    def artifact(self, task: ProveTask) -> httpx.Response:
        path = f"/v1/leases/{task.attempt_id}/artifacts/{task.zkey_digest}"
        return self.http.get(path, headers=self.headers("GET", path, b"", task.token))


class _Loose(BaseModel, extra="allow"):
    pass
