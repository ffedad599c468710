"""The embedded network's chain: a devnet with a memory, our program on it, and a committer with lamports."""

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.errors import ChainUnavailable
from proofgrid.network.chain import SolanaChain
from proofgrid.settlement.deploy import deploy
from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.program import program_bytes
from proofgrid.settlement.rpc import ask
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.wallet import load_or_create_keypair

LAMPORTS_PER_SOL = 1_000_000_000
WANTED_LAMPORTS = 10 * LAMPORTS_PER_SOL
_AIRDROP_TIMEOUT_S = 20.0


class Localnet:
    """A devnet over a folder; a context manager. What it knew before is there again after a restart."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        journal = folder / "devnet.jsonl"
        self.chain_id = _chain_id(folder / "chain-id", is_new=not journal.exists())
        self._devnet = Devnet.start(port=port, state_file=journal)
        self.url = self._devnet.url

    def __enter__(self) -> "Localnet":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._devnet.stop()

    def deploy(self, on_progress: Callable[[int, int], None] | None = None) -> Pubkey:
        """Fund the committer and make our program run, as far as that is not done; the program's address."""
        committer = load_or_create_keypair(self.folder / "committer.json")
        program = load_or_create_keypair(self.folder / "program.json")
        return asyncio.run(_deploy(self.url, committer, program, on_progress))

    def connect(self, program_id: Pubkey) -> SolanaChain:
        """The committer's log on this devnet."""
        committer = load_or_create_keypair(self.folder / "committer.json")
        return SolanaChain(self.url, program_id, committer, chain_id=self.chain_id)


def _chain_id(path: Path, *, is_new: bool) -> str:
    """The devnet's own name: its genesis hash changes with each start, its accounts do not."""
    if is_new or not path.exists():
        path.write_text("devnet-" + secrets.token_hex(16) + "\n")
    return path.read_text().strip()


async def _deploy(
    url: str, committer: Keypair, program: Keypair, on_progress: Callable[[int, int], None] | None
) -> Pubkey:
    async with AsyncClient(url) as client:
        await fund(client, committer.pubkey())
        return await deploy(Sender(client, committer), program_bytes(), program, on_progress=on_progress)


async def fund(client: AsyncClient, address: Pubkey) -> None:
    """Ask the faucet until the address has enough."""
    ends_at = time.monotonic() + _AIRDROP_TIMEOUT_S
    if (await ask(client.get_balance(address, Confirmed))).value >= WANTED_LAMPORTS:
        return
    await ask(client.request_airdrop(address, WANTED_LAMPORTS, Confirmed))
    while (await ask(client.get_balance(address, Confirmed))).value < WANTED_LAMPORTS:
        if time.monotonic() > ends_at:
            raise ChainUnavailable("the devnet's faucet does not pay")
        await asyncio.sleep(0.05)
