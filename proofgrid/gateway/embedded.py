"""The whole network on one machine. Everything it remembers lies in one state folder, and it resumes from there."""

import fcntl
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid import __version__
from proofgrid.config import NetworkConfig
from proofgrid.errors import Conflict, MalformedInput, QueueError
from proofgrid.gateway.app import create_app
from proofgrid.gateway.nonces import RecordedNonces
from proofgrid.gateway.server import GatewayServer, bind
from proofgrid.gateway.services import Services
from proofgrid.kernels.backend import Name, select
from proofgrid.models import NetworkInfo
from proofgrid.network.admission.examiner import Examiner
from proofgrid.network.broker import CeleryBroker
from proofgrid.network.chain import Chain, SolanaChain
from proofgrid.network.coordinator import Coordinator, Loops, components
from proofgrid.network.database import Database
from proofgrid.network.judging.cases import Judge
from proofgrid.network.judging.process import JudgeProcess
from proofgrid.network.judging.reading import KeyReader
from proofgrid.network.localnet import Localnet
from proofgrid.network.redis_server import RedisServer
from proofgrid.network.secret_files import load_or_create_token, make_private_folder
from proofgrid.network.settle import enter_epoch
from proofgrid.network.supervisor import WorkerSupervisor
from proofgrid.network.workers import heard_of
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.prover.sealing import FleetKey
from proofgrid.prover.worker.settings import WorkerSettings, name_of_process
from proofgrid.settlement.wallet import load_signer

READY_TIMEOUT_S = 60.0
HANGS_AFTER_S = 60.0
LEFT_AFTER_S = 3600.0
"""An upload that has not grown for so long is nobody's."""
WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # named, not bound


@dataclass(frozen=True)
class Station:
    """One component is ready: how long that took, and where it is."""

    component: str
    seconds: float
    detail: str


OnStation = Callable[[Station], None]


@dataclass(frozen=True)
class WorkerOptions:
    """The supervised workers; ``count`` 0 starts none (they come by ``proofgrid worker``)."""

    count: int = 1
    backend: Name = "auto"
    threads: int = 0


ONE_WORKER = WorkerOptions()


@dataclass(frozen=True)
class _NamedChain:
    """A chain of the operator's own: where it is, and who commits there."""

    rpc_url: str
    program_id: Pubkey
    prover: Pubkey
    signer: Keypair = field(repr=False)


class Network:
    """An embedded network; a context manager that returns when every part works and stops them in reverse order.

    ``on_station`` hears of each component when it is really ready. Raises :class:`Conflict` if another network runs
    on the same state folder, and whatever a component raises that cannot start.
    """

    def __init__(
        self, config: NetworkConfig, *, worker: WorkerOptions = ONE_WORKER, on_station: OnStation | None = None
    ) -> None:
        self.config, self._options, self._on_station = config, worker, on_station
        self._stack = ExitStack()
        self._redis_url = ""
        self.url = self.rpc_url = self.program_id = ""
        self.workers: list[WorkerSupervisor] = []

    def __enter__(self) -> "Network":
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    @property
    def secrets_folder(self) -> Path:
        return self.config.state_folder / "secrets"

    @property
    def api_token(self) -> str | None:
        """What requesters must show; None where the gateway listens to this machine alone."""
        return None if self.config.is_loopback else load_or_create_token(self.secrets_folder / "api-token")

    def worker_settings(self) -> WorkerSettings:
        """What a worker of this network's fleet needs; it holds secrets."""
        return WorkerSettings(
            redis_url=self._redis_url,
            gateway_url=self.url,
            store_folder=self.config.store_folder,
            fleet_key=self.secrets_folder / "fleet.key",
            token=load_or_create_token(self.secrets_folder / "worker-token"),
            backend=self._options.backend,
            threads=self._options.threads,
            prepared_folder=self.config.prepared_folder,
            prepared_bytes=self.config.prepared_bytes,
        )

    def _start(self, stack: ExitStack) -> None:
        config = self.config
        if self._options.count:
            select(self._options.backend)  # a backend that cannot run is said now, not by a worker that ends
        named = _named_chain(config)  # before any process starts that could inherit the key's environment variable
        make_private_folder(self.secrets_folder)
        stack.enter_context(_locked(config.state_folder / "lock"))
        listener = bind(config.host, config.port)
        stack.callback(listener.close)
        host = WILDCARD_HOSTS.get(config.host, config.host)
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"

        with self._station("database") as place:
            self.database = Database(config.resolved_database_url)
            stack.callback(self.database.close)
            self.store = ArtifactStore(config.store_folder)
            self.store.sweep(older_than_s=LEFT_AFTER_S)
            place.append(config.resolved_database_url.rpartition("@")[2])
        with self._station("redis") as place:
            broker = self._start_redis(stack)
            place.append(self._redis_url.rpartition("@")[2])
        with self._station("chain") as place:
            chain = self._connect_chain(stack, named)
            self.program_id = chain.program_id
            place.append(f"{self.rpc_url} (program {chain.program_id})")
        with self._station("verifier") as place:
            judge = stack.enter_context(JudgeProcess.of(config))
            place.append(judge.detail)
        with self._station("gateway") as place:
            self._serve(stack, broker, chain, judge, listener)
            place.append(self.url)
        door = self.secrets_folder / "worker.json"
        self.worker_settings().save(door)
        stack.callback(door.unlink, missing_ok=True)
        with self._station("worker") as place:
            place.append(self._start_workers(stack))

    @contextmanager
    def _station(self, component: str) -> Iterator[list[str]]:
        started_at, place = time.monotonic(), list[str]()
        yield place
        if self._on_station is not None:
            self._on_station(Station(component, time.monotonic() - started_at, place[0]))

    def _start_redis(self, stack: ExitStack) -> CeleryBroker:
        if self.config.redis_url is None:
            self._redis_url = stack.enter_context(RedisServer(self.config.state_folder / "redis")).url
        else:
            self._redis_url = self.config.redis_url
        broker = CeleryBroker(self._redis_url)
        stack.callback(broker.close)
        broker.waiting()  # it answers
        return broker

    def _connect_chain(self, stack: ExitStack, named: _NamedChain | None) -> SolanaChain:
        config = self.config
        if named is None:
            localnet = stack.enter_context(Localnet(config.state_folder / "devnet"))
            self.rpc_url = localnet.url
            chain = localnet.connect(config.outbox_file)
        else:
            self.rpc_url = named.rpc_url
            chain = SolanaChain(named.rpc_url, named.program_id, named.prover, named.signer, outbox=config.outbox_file)
        stack.callback(chain.close)
        enter_epoch(self.database, chain, time.time())
        return chain

    def _serve(
        self, stack: ExitStack, broker: CeleryBroker, chain: Chain, judge: Judge, listener: socket.socket
    ) -> None:
        config, settings = self.config, self.worker_settings()
        fleet_key = FleetKey.load_or_create(settings.fleet_key).public
        coordinator = Coordinator(
            self.database, self.store, broker, chain, config, fleet_key, self.url, judge=judge, clock=time.time
        )
        coordinator.examiner = examiner = Examiner.open(config, self.store)
        loops = stack.enter_context(Loops(coordinator))
        info = NetworkInfo(
            version=__version__,
            chain_id=chain.chain_id,
            program_id=chain.program_id,
            committer=chain.committer,
            rpc_url=self.rpc_url if config.rpc_url is None else None,
            fleet_key=fleet_key.hex(),
            ask_lamports=config.ask_lamports,
            limits=config.limits.model_dump(),
        )
        services = Services(
            self.database,
            self.store,
            config,
            info,
            settings.token,
            api_token=self.api_token,
            ring=loops.ring,
            examiner=examiner,
            nonces=RecordedNonces(self.database),
            read_key=KeyReader(config),
        )
        stack.enter_context(GatewayServer(create_app(services), listener))

    def _start_workers(self, stack: ExitStack) -> str:
        if not self._options.count:
            return "none asked for: proofgrid worker joins one"
        logs = self.config.state_folder / "logs"
        logs.mkdir(exist_ok=True)
        environment = self.worker_settings().to_environment()
        for number in range(1, self._options.count + 1):
            supervisor = WorkerSupervisor(environment, logs / f"worker-{number}.log", hangs=self._hangs)
            self.workers.append(stack.enter_context(supervisor))
        ends_at = time.monotonic() + READY_TIMEOUT_S
        while not self._is_ready():
            for supervisor in self.workers:
                if supervisor.starts > 3 or time.monotonic() > ends_at:
                    raise QueueError(f"the worker does not start; its log ends: {supervisor.last_words()}")
            time.sleep(0.05)
        pids = ", ".join(str(supervisor.pid) for supervisor in self.workers)
        return f"process {pids}, log {logs}"

    def _is_ready(self) -> bool:
        with self.database.reading() as session:
            heard = [
                supervisor.pid is not None and heard_of(session, name_of_process(supervisor.pid)) is not None
                for supervisor in self.workers
            ]
            return all(heard) and all(part.ready for part in components(session, self.config, time.time()))

    def _hangs(self, pid: int, started_at: float) -> bool:
        """Has this worker been silent for too long? Liveness is its heartbeat, not its process."""
        now = time.time()
        if now - started_at < HANGS_AFTER_S:
            return False
        with self.database.reading() as session:
            heard = heard_of(session, name_of_process(pid))
        return (heard or started_at) < now - HANGS_AFTER_S


def is_running(state_folder: Path) -> bool:
    """Does a network run on this state folder? Its lock says so, whatever files it left."""
    lock = state_folder / "lock"
    if not lock.exists():
        return False
    try:
        with _locked(lock):
            return False
    except Conflict:
        return True


def _named_chain(config: NetworkConfig) -> _NamedChain | None:
    """What the settings name instead of a devnet, its key loaded. Raises MalformedInput, NotFound."""
    if config.rpc_url is None:
        return None
    if config.program_id is None or config.prover is None or config.committer_key is None:
        raise MalformedInput("a chain of your own (rpc_url) needs program_id, prover and committer_key, too")
    program_id, prover = _address("program_id", config.program_id), _address("prover", config.prover)
    return _NamedChain(config.rpc_url, program_id, prover, load_signer(config.committer_key))


def _address(setting: str, text: str) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except ValueError as error:
        raise MalformedInput(f"{setting} {text!r} is not an address on Solana: 32 bytes in base58") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the state folder for this process alone; the kernel lets go if it dies."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(f"another network runs on {path.parent}; stop it or choose another state folder") from error
        yield
