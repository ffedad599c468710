"""``python -m proofgrid.prover.worker``: one worker, set up by ``PROOFGRID_WORKER_…`` (see ``settings``)."""

import logging
import sys

from proofgrid.errors import ProofgridError
from proofgrid.prover.worker.settings import WorkerSettings


def run() -> int:
    """Work until told to stop (SIGTERM finishes the proof at hand first); the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = WorkerSettings.from_environment()
        from proofgrid.prover.worker.app import bench, introduce, make_app

        name = bench().leases.worker
        introduce()  # before the first task: a worker that the network refuses takes none
    except ProofgridError as error:
        sys.stderr.write(f"proofgrid worker: {error}\n")
        return 2
    worker = make_app(settings.redis_url).Worker(
        hostname=f"prover@{name}",
        pool="solo",
        concurrency=1,
        loglevel="INFO",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(run())
