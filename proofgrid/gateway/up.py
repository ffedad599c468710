"""What ``proofgrid up`` and ``proofgrid worker`` run: until SIGINT or SIGTERM, then down in order."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from proofgrid.config import NetworkConfig
from proofgrid.gateway.embedded import ONE_WORKER, Network, OnStation, WorkerOptions
from proofgrid.network.secret_files import make_private_folder
from proofgrid.prover.worker.settings import WorkerSettings

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_network(
    config: NetworkConfig,
    *,
    worker: WorkerOptions = ONE_WORKER,
    on_station: OnStation | None = None,
    on_ready: Callable[[Network], None] | None = None,
) -> None:
    """Run an embedded network until SIGINT or SIGTERM; for the main thread.

    ``on_station`` is called when a component is really ready, ``on_ready`` when all are. Raises what
    :class:`~proofgrid.gateway.embedded.Network` raises.
    """
    log_file = config.state_folder / "logs" / "network.log"
    network = Network(config, worker=worker, on_station=on_station)
    with logging_to(log_file), _until_signal() as stop, network:
        if on_ready is not None:
            on_ready(network)
        stop.wait()


def run_worker(settings: WorkerSettings) -> None:
    """Become a worker: replaces this process by ``python -m proofgrid.prover.worker``."""
    environment = {**os.environ, **settings.to_environment()}
    os.execve(sys.executable, [sys.executable, "-m", "proofgrid.prover.worker"], environment)  # noqa: S606


@contextmanager
def _until_signal() -> Iterator[threading.Event]:
    """An event that SIGINT or SIGTERM sets; a second one does what it did before (ends us at once)."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        stop.set()
        restore()

    for number in _SIGNALS:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        restore()


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Everything that the package and its HTTP servers log, in a file of the state folder."""
    make_private_folder(path.parent)
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in ("proofgrid", "uvicorn.error")]
    loggers[0].setLevel(logging.INFO)
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()
