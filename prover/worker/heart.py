"""A lease's heartbeat: it beats while a proof is made, and stops the proof when there is no more use for it."""

import logging
import threading
import time
from types import TracebackType

from proofgrid.errors import Conflict, NotFound, ProofgridError
from proofgrid.kernels.control import Control
from proofgrid.models import Lease, ProveTask
from proofgrid.prover.worker.lease import LeaseClient

log = logging.getLogger(__name__)


class Heart:
    """Beats in a thread of its own inside a ``with`` block.

    It cancels ``control`` when the coordinator says that the lease is lost, when no beat got through for the
    lease's time-out (somebody else may have it by now), and at the request's deadline.
    """

    def __init__(self, leases: LeaseClient, task: ProveTask, lease: Lease, control: Control) -> None:
        self._leases, self._task, self._lease, self._control = leases, task, lease, control
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)
        self.lost = False
        self.late = False

    def __enter__(self) -> "Heart":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(timeout=15)

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._stop.wait(self._lease.heartbeat_s):
            try:
                self._leases.heartbeat(self._task, self._control.fraction)
                last = time.monotonic()
            except (Conflict, NotFound) as error:
                if not self._stop.is_set():
                    log.warning("attempt %s: %s", self._task.attempt_id, error)
                    self._give_up(lost=True)
                return
            except ProofgridError as error:
                log.warning("attempt %s: a heartbeat did not get through: %s", self._task.attempt_id, error)
                if time.monotonic() - last > self._lease.timeout_s:
                    self._give_up(lost=True)
                    return
            if time.time() > self._lease.deadline_at:
                self._give_up(lost=False)
                return

    def _give_up(self, *, lost: bool) -> None:
        self.lost, self.late = lost, not lost
        self._control.cancel()
