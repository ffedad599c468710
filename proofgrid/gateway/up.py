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
    with _log_file(log_file), _until_signal() as stop, network:
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
def _log_file(path: Path) -> Iterator[None]:
    """Everything that the package logs, in a file of the state folder."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("proofgrid")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
