"""The prover's Celery app. One process, one task at a time (pool ``solo``): the kernels have their own threads."""

import logging
import time
from functools import cache
from typing import Any

from celery import Celery, bootsteps  # type: ignore[import-untyped]
from pydantic import ValidationError

from proofgrid import __version__
from proofgrid.errors import ProofgridError
from proofgrid.kernels.backend import select
from proofgrid.models import ProveTask, WorkerPulse
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.prover.groth16.key_cache import KeyCache, default_folder
from proofgrid.prover.sealing import FleetKey
from proofgrid.prover.worker.lease import LeaseClient
from proofgrid.prover.worker.proving import Workbench, carry_out
from proofgrid.prover.worker.queue import PROVE_TASK, celery_settings
from proofgrid.prover.worker.settings import WorkerSettings

PULSE_S = 2.0
STARTED_AT = time.time()

log = logging.getLogger(__name__)


class Pulse(bootsteps.StartStopStep):  # type: ignore[misc]
    """Says every two seconds that the worker lives, from the loop that takes tasks: a loop that hangs falls silent."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        send_pulse()
        self._timer = consumer.timer.call_repeatedly(PULSE_S, send_pulse)

    def stop(self, consumer: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def introduce() -> None:
    """The first sign of life. Raises :class:`~proofgrid.errors.AccessDenied` if the network refuses this worker."""
    try:
        _pulse()
    except ProofgridError as error:
        if not error.retryable:
            raise


def send_pulse() -> None:
    """One sign of life; a gateway that is away is no reason to stop."""
    try:
        _pulse()
    except ProofgridError as error:
        log.warning("the gateway does not hear that this worker lives: %s", error)


def _pulse() -> None:
    tools = bench()
    tools.leases.pulse(
        WorkerPulse(
            backend=f"{tools.backend.name} {tools.backend.isa}"[:64],
            version=__version__,
            fleet_key=tools.fleet_key.public.hex(),
            started_at=STARTED_AT,
        )
    )


@cache
def bench() -> Workbench:
    """This process' workbench, made from the environment on first use."""
    settings = WorkerSettings.from_environment()
    return Workbench(
        store=ArtifactStore(settings.store_folder),
        fleet_key=FleetKey.load(settings.fleet_key),
        backend=select(settings.backend),
        leases=LeaseClient(settings.gateway_url, settings.worker_name, settings.token),
        threads=settings.threads,
        cache=KeyCache(settings.prepared_folder or default_folder(), settings.prepared_bytes),
    )


def make_app(redis_url: str) -> Celery:
    """The app with its one task."""
    app = Celery("proofgrid.prover")
    app.conf.update(celery_settings(redis_url))
    app.steps["consumer"].add(Pulse)
    app.task(_prove, name=PROVE_TASK)
    return app


def _prove(task: dict[str, Any]) -> None:
    """Make the proof that a message asks for."""
    try:
        message = ProveTask.model_validate(task)
    except ValidationError:
        log.error("a message in the queue is not a prove task; dropped")
        return
    carry_out(bench(), message)
