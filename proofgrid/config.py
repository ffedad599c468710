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
    max_account_bytes: int = 256 << 30
    """What one account's artifacts may take, uploads under way among them."""
    max_store_bytes: int = 1 << 40
    max_open_uploads: int = 16
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
    artifact_retention_s: float = 7 * 86400.0
    """How long an artifact stays that no circuit and no request names."""
    upload_expiry_s: float = 86400.0


class MarketRules(_Section):
    """How provers are chosen and paid; docs/market.md says why."""

    rise_s: Annotated[float, Field(gt=0)] = 60.0
    """Within so many seconds an offer that nobody takes has risen to its request's cap."""
    slack: Annotated[float, Field(ge=1)] = 1.25
    """A prover must be so much faster than the deadline, by its measured speed."""
    min_reputation: Annotated[float, Field(ge=0, le=1)] = 0.3
    min_stake_lamports: Lamports = 1
    stake_share: Annotated[float, Field(gt=0, le=1)] = 0.9
    """The prices that a prover has not yet earned stay within this share of its stake."""
    late_bps: Annotated[int, Field(ge=0, le=10_000)] = 5_000
    """Of the price, for a proof between a request's two deadlines."""
    claim_s: Annotated[float, Field(gt=0)] = 30.0
    """A prover that has not claimed what it won within so many seconds loses it to another."""


class AdmissionRules(_Section):
    """What a prover must show, how fast, and how often; docs/admission.md says why."""

    log_n: Annotated[int, Field(ge=4, le=18)] = 14
    """2^log_n points in a set."""
    ntt_log_n: Annotated[int, Field(ge=4, le=15)] = 13
    proof_log_n: Annotated[int, Field(ge=4, le=16)] = 12
    passes: Annotated[int, Field(ge=1, le=100)] = 6
    """Challenges in a row that admit a prover: each kind twice, the second time as long as the first one shows."""
    target_s: Annotated[float, Field(gt=0)] = 2.0
    """A challenge is made so long that it takes so many seconds at the speed measured so far."""
    grace_s: Annotated[float, Field(gt=0)] = 5.0
    """For the way there and back, over every time bound."""
    min_msm_per_s: Annotated[float, Field(gt=0)] = 50_000.0
    min_ntt_per_s: Annotated[float, Field(gt=0)] = 500_000.0
    proof_s: Annotated[float, Field(gt=0)] = 10.0
    repeat_mean_s: Annotated[float, Field(gt=0)] = 3600.0
    wave_s: Annotated[float, Field(gt=0)] = 300.0
    """Repeats come in waves: several keys on one machine are often asked at once."""
    fetch_s: Annotated[float, Field(gt=0)] = 120.0
    """A prover without work must come for a repeat within so many seconds."""
    suspension_s: Annotated[float, Field(gt=0)] = 600.0
    """Of the first suspension; each further one is twice as long, up to a day."""
    rotate_after: Annotated[int, Field(ge=1)] = 4096
    """Challenges over one set of points."""


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
    market: MarketRules = MarketRules()
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 5
    batch_size: Annotated[int, Field(ge=1, le=1 << 14)] = 256  # settlement.layout.batches.MAX_LEAVES
    ask_lamports: Lamports = 0
    prepared_bytes: Annotated[int, Field(ge=0)] = DEFAULT_PREPARED_BYTES
    admission: AdmissionRules = AdmissionRules()

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
