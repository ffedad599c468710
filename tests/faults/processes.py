"""The network's processes, each of which can be killed, paused or starved alone, and is started again."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from proofgrid.config import NetworkConfig, Timing
from proofgrid.gateway.server import bind
from proofgrid.network.leash import leashed
from proofgrid.network.redis_server import RedisServer
from proofgrid.prover.worker.settings import WorkerSettings
from tests.faults import chain
from tests.faults.proxy import Proxy

TIMING = Timing(
    heartbeat_s=0.3,
    heartbeat_timeout_s=2.0,
    worker_timeout_s=4.0,
    loop_interval_s=0.2,
    resend_after_s=2.0,
    batch_age_s=0.3,
)
MAX_ATTEMPTS = 100
"""A true request must never run out of them, however many workers die."""
ASK = 500
STOP_S = 30.0


@dataclass
class Daemon:
    """A process that is to run until it is stopped; it dies with ours."""

    name: str
    command: list[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def start(self) -> None:
        self.starts += 1
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                leashed(self.command),
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        if self.process is not None and self.is_alive:
            self.process.send_signal(number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(STOP_S)

    def stop(self) -> bool:
        """SIGTERM; False if it had to be killed."""
        if self.process is None or not self.is_alive:
            return True
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_S)
            return True
        self.kill()
        return False

    def limit_files(self, n_bytes: int) -> None:
        """No file that this process writes may grow beyond so many bytes; -1 for any size."""
        if self.process is not None and self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (n_bytes, -1))


@dataclass
class Cluster:
    """One network: devnet, Redis, hub (gateway and coordinator), workers, and two proxies in front of the hub."""

    folder: Path
    config: NetworkConfig
    url: str
    rpc_url: str
    redis: RedisServer
    hub: Daemon
    workers: list[Daemon]
    lease_proxy: Proxy
    call_proxy: Proxy

    def daemons(self) -> list[Daemon]:
        return [self.hub, *self.workers]


@contextmanager
def cluster(folder: Path, *, seed: int, workers: int, bug: str | None = None) -> Iterator[Cluster]:
    """A network that works; some ten seconds."""
    with ExitStack() as stack:
        rpc_url = _start_devnet(stack, folder)
        chain.establish(rpc_url)
        redis = stack.enter_context(RedisServer(folder / "redis", port=_free_port()))
        redis.stop()
        redis.start()
        port = _free_port()
        key = folder / "committer.json"
        key.touch(mode=0o600)
        key.write_text(str(list(bytes(chain.COMMITTER))))
        config = NetworkConfig(
            state_folder=folder / "state",
            port=port,
            redis_url=redis.url,
            rpc_url=rpc_url,
            program_id=str(chain.PROGRAM.pubkey()),
            prover=str(chain.PROVER),
            committer_key=key,
            timing=TIMING,
            max_attempts=MAX_ATTEMPTS,
            batch_size=32,
            ask_lamports=ASK,
        )
        config.state_folder.mkdir()
        (folder / "config.json").write_text(config.model_dump_json())
        command = [sys.executable, "-m", "tests.faults.hub", str(folder / "config.json"), *([bug] if bug else [])]
        hub = Daemon("hub", command, folder / "hub.log")
        stack.callback(hub.stop)
        hub.start()
        url = f"http://127.0.0.1:{port}"
        _until_answers(url, hub)
        leases = stack.enter_context(Proxy("lease", port, seed))
        calls = stack.enter_context(Proxy("call", port, seed))
        found = [_worker(folder, config, leases.url, number) for number in range(workers)]
        for worker in found:
            stack.callback(worker.stop)
            worker.start()
        yield Cluster(folder, config, url, rpc_url, redis, hub, found, leases, calls)


def _worker(folder: Path, config: NetworkConfig, gateway_url: str, number: int) -> Daemon:
    """One shares the network's store, the next has its own and fetches; each proves in one thread."""
    settings = WorkerSettings.load(config.state_folder / "secrets" / "worker.json")
    settings = replace(settings, gateway_url=gateway_url, threads=1)
    if number % 2:
        settings = replace(settings, store_folder=folder / f"store-{number}")
    command = [sys.executable, "-m", "proofgrid.prover.worker"]
    return Daemon(f"worker-{number}", command, folder / f"worker-{number}.log", settings.to_environment())


def _start_devnet(stack: ExitStack, folder: Path) -> str:
    command = [sys.executable, "-m", "proofgrid.settlement.devnet", "--port", "0", "--slot-s", str(chain.SLOT_S)]
    devnet = subprocess.Popen(leashed(command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    stack.callback(_end, devnet)
    assert devnet.stdout is not None
    return devnet.stdout.readline().split()[-1]


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(STOP_S)
    if process.stdout is not None:
        process.stdout.close()


def _until_answers(url: str, hub: Daemon) -> None:
    ends_at = time.monotonic() + STOP_S
    with httpx.Client(trust_env=False) as http:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if http.get(f"{url}/v1/network").is_success:
                    return
            if not hub.is_alive or time.monotonic() > ends_at:
                raise RuntimeError(f"the hub does not start: {hub.log.read_text()[-2000:]}")
            time.sleep(0.05)


def _free_port() -> int:
    probe = bind("127.0.0.1", 0)
    with probe:
        return int(probe.getsockname()[1])
