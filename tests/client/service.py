"""A network whose every step the test takes itself: a real gateway, a worker in this process."""

import threading
import time
from dataclasses import dataclass

from proofgrid.kernels.backend import select
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.prover.worker.lease import LeaseClient
from proofgrid.prover.worker.proving import Workbench, carry_out
from tests.network.gateway import WORKER_TOKEN, fleet_key
from tests.network.world import World


@dataclass
class Service:
    """The world behind ``url``."""

    world: World
    url: str

    def work(self) -> None:
        """Dispatch, prove what is in the queue, verify, settle: once."""
        self.world.now = time.time()
        self.world.dispatch()
        leases = LeaseClient(self.url, "worker-1", WORKER_TOKEN)
        bench = Workbench(ArtifactStore(self.world.folder / "worker"), fleet_key(self.world), select(), leases)
        while self.world.broker.tasks:
            carry_out(bench, self.world.take())
        leases.close()
        self.world.coordinator.run_verify(time.time())
        self.world.coordinator.run_settle(time.time())

    def work_soon(self) -> threading.Thread:
        """:meth:`work` in a thread, after the caller had time to wait."""

        def later() -> None:
            time.sleep(0.1)
            self.work()

        thread = threading.Thread(target=later)
        thread.start()
        return thread
