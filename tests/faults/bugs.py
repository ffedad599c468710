"""Bugs that the suite must notice: ``python -m tests.faults.bugs`` runs it once with each and once without."""

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from proofgrid.models import AttemptState
from proofgrid.network import dispatch, leases, settle
from proofgrid.network.chain import Chain, CommittedBatch
from proofgrid.network.database import AttemptRow, BatchRow, Database
from proofgrid.network.transitions import move_attempt


def any_token_will_do() -> None:
    """Whoever submits is believed: neither the token nor the state of the attempt fences off the late."""
    from sqlalchemy import update

    def submit(
        database: Database, store: Any, attempt_id: str, token: str, submission: Any, now: float, prover: str | None
    ) -> None:
        digest = store.put(submission.model_dump_json().encode())
        with database.writing() as session:
            attempt = session.get_one(AttemptRow, attempt_id)
            values = {"result_digest": digest, "state": AttemptState.ACCEPTED, "submitted_at": now}
            session.execute(update(AttemptRow).where(AttemptRow.id == attempt_id).values(**values))
            _fulfil(session, attempt, now)

    leases.submit = submit


def _fulfil(session: Any, attempt: AttemptRow, now: float) -> None:
    from proofgrid.models import Fulfilment, Verification

    request = attempt.request
    request.fulfilment, request.verification = Fulfilment.FULFILLED, Verification.VALID
    request.fulfilled_at, request.price_lamports = now, 500


def sent_before_sending() -> None:
    """Tasks are marked as sent before Redis has them, and nobody looks whether they are still there."""
    right = dispatch.send

    class Marking:
        def __init__(self, broker: Any, database: Database, now: float) -> None:
            self._broker, self._database, self._now = broker, database, now

        def send(self, task: Any) -> None:
            with self._database.writing() as session:
                states = (AttemptState.QUEUED, AttemptState.SENT)
                move_attempt(session, task.attempt_id, task.token, *states, sent_at=self._now)
            self._broker.send(task)

    def send(database: Database, broker: Any, gateway_url: str, fleet: str, now: float) -> int:
        return right(database, Marking(broker, database, now), gateway_url, fleet, now)

    dispatch.send = send
    dispatch.put_back_lost = lambda *_: 0


def paid_twice() -> None:
    """After a batch is committed it is committed again, under the next number."""

    def commit(chain: Chain, batch: BatchRow) -> CommittedBatch:
        done = chain.commit(batch.number, bytes.fromhex(batch.root), batch.n_leaves)
        if batch.number % 4 == 0:
            chain.commit(batch.number + 1, bytes.fromhex(batch.root), batch.n_leaves)
        return done

    settle.commit = commit


def receipts_before_the_chain() -> None:
    """Receipts are given for a root that nobody has sent."""
    right = settle.commit

    def commit(chain: Chain, batch: BatchRow) -> CommittedBatch:
        done = right(chain, batch)
        return dataclasses.replace(done, address="1" * 32) if batch.number % 4 == 0 else done

    settle.commit = commit


BUGS: dict[str, Callable[[], None]] = {
    bug.__name__: bug for bug in (any_token_will_do, sent_before_sending, paid_twice, receipts_before_the_chain)
}


def main() -> int:
    unnoticed = []
    for name in BUGS:
        begun = time.monotonic()
        command = [sys.executable, "-m", "tests.faults", "--count", "60", "--seconds", "30", "--patience", "30"]
        run = subprocess.run([*command, "--bug", name], stdout=subprocess.PIPE, text=True, check=False)
        last = json.loads(run.stdout.splitlines()[-1])
        found = {kind: last[kind] for kind in ("lost", "duplicated", "unbalanced")}
        print(f"{name}: exit {run.returncode}, {found}, {time.monotonic() - begun:.0f} s", flush=True)
        unnoticed += [name] * (run.returncode == 0)
    print(json.dumps({"bugs": len(BUGS), "unnoticed": unnoticed}))
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
