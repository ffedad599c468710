"""The network's settings, in one place; everything has a default that suits one laptop."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from proofgrid.models.fields import Lamports

DEFAULT_PORT = 8645
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
DEFAULT_PREPARED_BYTES = 32 << 30
"""What prepared proving keys may take on a disk; those used longest ago make room."""
DEFAULT_MULTIPLES_BYTES = 256 << 20
"""What one prepared key may take with multiples of its points: enough for eight of each at 2^16 constraints."""
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Section):
    """Sizes in bytes that the gateway refuses to exceed."""

    max_artifact_bytes: int = 8 << 30
    max_json_bytes: int = 512 << 10
    max_submission_bytes: int = 512 << 10
    max_wait_s: int = 30


class Timing(_Section):
    """Seconds."""

    heartbeat_s: float = 2.0
    heartbeat_timeout_s: float = 10.0
    worker_timeout_s: float = 15.0
    loop_interval_s: float = 0.5
    resend_after_s: float = 5.0
    batch_age_s: float = 1.0
    sealed_retention_s: float = 3600.0


class NetworkConfig(_Section):
    """One network: where its state lies, where its services are, and its rules."""

    state_folder: Path
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = DEFAULT_PORT
    database_url: str | None = None
    redis_url: str | None = None
    rpc_url: str | None = None
    """A chain of one's own, one URL or several separated by commas; without it a devnet runs in the state folder."""
    program_id: str | None = None
    prover: str | None = None
    """The prover's account that commits batches; ``committer_key`` says where its hot key is."""
    committer_key: Path | str | None = None
    """A key file, or another source of ``settlement.wallet.load_signer``: ``env:NAME``, ``stdin:``, ``prompt:``."""
    limits: Limits = Limits()
    timing: Timing = Timing()
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 5
    batch_size: Annotated[int, Field(ge=1, le=1 << 14)] = 256  # settlement.layout.batches.MAX_LEAVES
    ask_lamports: Lamports = 0
    prepared_bytes: Annotated[int, Field(ge=0)] = DEFAULT_PREPARED_BYTES

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK_HOSTS

    @property
    def store_folder(self) -> Path:
        return self.state_folder / "artifacts"

    @property
    def prepared_folder(self) -> Path:
        return self.state_folder / "prepared"

    @property
    def outbox_file(self) -> Path:
        return self.state_folder / "outbox.sqlite"

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{self.state_folder / 'proofgrid.sqlite'}"


class WatcherConfig(_Section):
    """One watcher of committed batches; amounts are in the token's smallest unit."""

    poll_s: Annotated[float, Field(gt=0)] = 10.0
    min_reward: Annotated[int, Field(ge=0)] = 0
    """A false leaf whose challenge pays less is reported, and stands."""
    min_balance_lamports: Annotated[int, Field(ge=0)] = 20_000_000
    """Nothing is sent below it: enough to register a key of one input, open a token account, and send for months."""
    key_budget_lamports: Annotated[int, Field(ge=0)] = 50_000_000
    """Rent, for good, of keys that nobody registered before a leaf under them is challenged or answered."""
    demand_budget: Annotated[int, Field(ge=0)] = 0
    """Bonds of demands that are not back."""
