"""The embedded network's chain: a devnet with a memory, our program on it, and a prover with stake who commits."""

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
from proofgrid.settlement.bootstrap import Founders, found
from proofgrid.settlement.deploy import deploy
from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.layout.batches import MAX_LEAVES
from proofgrid.settlement.parameters import Parameters
from proofgrid.settlement.program import program_bytes
from proofgrid.settlement.rpc import ask
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.wallet import load_or_create_keypair

LAMPORTS_PER_SOL = 1_000_000_000
WANTED_LAMPORTS = 10 * LAMPORTS_PER_SOL
BATCHES_AT_ONCE = 1_000
"""As many of the largest batches may wait for the end of their windows: nobody adds stake to a devnet."""
QUICK = {"challenge_window_s": 60, "reveal_window_s": 60, "claim_window_s": 600}
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

    def connect(self, on_progress: Callable[[int, int], None] | None = None) -> SolanaChain:
        """Make our program run and a prover commit to it, as far as that is not done; its log of batches."""
        signer, program = self._key("committer"), self._key("program")
        founders = Founders(*(self._key(name) for name in ("owner", "mint", "tokens", "treasury")))
        prover = asyncio.run(_found(self.url, signer, program, founders, on_progress))
        return SolanaChain(self.url, program.pubkey(), prover, signer, chain_id=self.chain_id)

    def _key(self, name: str) -> Keypair:
        return load_or_create_keypair(self.folder / f"{name}.json")


def _chain_id(path: Path, *, is_new: bool) -> str:
    """The devnet's own name: its genesis hash changes with each start, its accounts do not."""
    if is_new or not path.exists():
        path.write_text("devnet-" + secrets.token_hex(16) + "\n")
    return path.read_text().strip()


async def _found(
    url: str,
    signer: Keypair,
    program: Keypair,
    founders: Founders,
    on_progress: Callable[[int, int], None] | None,
) -> Pubkey:
    async with AsyncClient(url, commitment=Confirmed) as client:
        sender = Sender(client, signer)
        await fund(client, signer.pubkey())
        await fund(client, founders.owner.pubkey())
        await deploy(sender, program_bytes(), program, on_progress=on_progress)
        parameters = Parameters(**QUICK)
        stake = parameters.min_stake + BATCHES_AT_ONCE * MAX_LEAVES * parameters.leaf_bond
        return await found(sender, program.pubkey(), founders, signer.pubkey(), parameters=parameters, stake=stake)


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
