"""The lease API from the worker's side: claim, heartbeat, submit, fail, over HTTP under a fencing token."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from pydantic import BaseModel

from proofgrid.errors import ProofgridError, QueueError
from proofgrid.models import (
    Claim,
    Failure,
    Heartbeat,
    HeartbeatAnswer,
    Lease,
    ProveTask,
    Submission,
    WorkerPulse,
    error_of_answer,
)
from proofgrid.prover.worker.signing import CallSigner

TOKEN_HEADER = "Fencing-Token"  # noqa: S105  # a header's name
CHUNK_BYTES = 1 << 20


class LeaseClient:
    """Speaks for one worker to one gateway; safe for several threads."""

    def __init__(
        self,
        gateway_url: str,
        worker: str,
        token: str,
        *,
        transport: httpx.BaseTransport | None = None,
        signer: CallSigner | None = None,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        """``signer`` signs each call for a prover of another operator; ``verify`` knows a private certificate."""
        self.worker = worker
        self._token = token
        # Never by a proxy of the environment: the gateway is named by the operator.
        self._http = httpx.Client(
            base_url=gateway_url,
            timeout=httpx.Timeout(10.0, connect=3.0),
            transport=transport,
            trust_env=False,
            auth=signer,
            verify=verify,
        )

    def pulse(self, pulse: WorkerPulse) -> None:
        """Say that this worker lives."""
        headers = {"Authorization": f"Bearer {self._token}"}
        self._send("POST", f"/v1/workers/{self.worker}/pulse", pulse, headers, attempts=1)

    def claim(self, task: ProveTask) -> Lease:
        """Raises :class:`~proofgrid.errors.Conflict` if the task must be dropped."""
        answer = self._lease(task, "claim", Claim(worker=self.worker), attempts=5)
        return Lease.model_validate_json(answer)

    def heartbeat(self, task: ProveTask, progress: float) -> HeartbeatAnswer:
        answer = self._lease(task, "heartbeat", Heartbeat(progress=progress), attempts=1)
        return HeartbeatAnswer.model_validate_json(answer)

    def submit(self, task: ProveTask, submission: Submission) -> None:
        """Hand in a proof; a gateway that is away for a minute does not lose it."""
        self._lease(task, "submit", submission, attempts=12)

    def fail(self, task: ProveTask, failure: Failure) -> None:
        self._lease(task, "fail", failure, attempts=5)

    @contextmanager
    def artifact(self, task: ProveTask, digest: str) -> Iterator[Iterator[bytes]]:
        """The bytes of one of the task's artifacts, in pieces."""
        headers = {TOKEN_HEADER: task.token}
        try:
            with self._http.stream("GET", f"/v1/leases/{task.attempt_id}/artifacts/{digest}", headers=headers) as reply:
                if reply.status_code != httpx.codes.OK:
                    raise error_of_answer(reply.status_code, reply.read())
                yield reply.iter_bytes(CHUNK_BYTES)
        except httpx.HTTPError as error:
            raise QueueError(f"the gateway broke off while sending an artifact: {error}") from error

    def close(self) -> None:
        self._http.close()

    def _lease(self, task: ProveTask, verb: str, body: BaseModel, attempts: int) -> bytes:
        return self._send(
            "POST", f"/v1/leases/{task.attempt_id}/{verb}", body, {TOKEN_HEADER: task.token}, attempts=attempts
        )

    def _send(self, method: str, path: str, body: BaseModel, headers: dict[str, str], attempts: int) -> bytes:
        """Send until answered, waiting 0.2 s, then twice as long up to 8 s; the coordinator takes repeats as one."""
        content = body.model_dump_json().encode()
        headers = {**headers, "Content-Type": "application/json"}
        for attempt in range(attempts):
            error: ProofgridError
            try:
                reply = self._http.request(method, path, content=content, headers=headers)
            except httpx.HTTPError as trouble:
                error = QueueError(f"the gateway does not answer: {type(trouble).__name__}: {trouble}")
            else:
                if reply.is_success:
                    return reply.content
                error = error_of_answer(reply.status_code, reply.content)
                if not error.retryable:
                    raise error
            if attempt + 1 == attempts:
                raise error
            time.sleep(min(8.0, 0.2 * 2**attempt))
        raise QueueError("no attempt was allowed")
