"""The commands on chain: a cold owner who signs without a network, two signers, exits, escrow, governance, the guardian."""

import asyncio
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.cli.main import main
from proofgrid.settlement import tokens
from proofgrid.settlement.accounts import PositionAccount, ProverAccount
from proofgrid.settlement.addresses import position_address, prover_address
from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.tokens import associated_address
from tests.settlement.cluster import FOUNDERS, PAYER, PROGRAM, PROVER, founded
from tests.settlement.network import PARAMETERS

MINT = FOUNDERS.mint.pubkey()
UNIT = 10**9
COLD = Keypair.from_seed(bytes([31]) * 32)
HOT = Keypair.from_seed(bytes([32]) * 32).pubkey()
NO_NETWORK = """
import socket, sys
def refused(*_, **__):
    raise AssertionError("the network was asked for")
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refused
from proofgrid.cli.main import main
sys.exit(main())
"""


@dataclass
class Shell:
    """A person at a terminal beside a devnet on which only warps pass time."""

    devnet: Devnet
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def key(self, keypair: Keypair) -> Path:
        """The file of this key."""
        path = self.folder / f"{keypair.pubkey()}.json"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(json.dumps(list(bytes(keypair))))
        return path

    def run(self, *words: object, chain: bool = True) -> tuple[int, dict[str, Any]]:
        options = ["--rpc", self.devnet.url, "--program", PROGRAM.pubkey()] if chain else []
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*map(str, (*words, *options)), "--json"])
        (line,) = self.capsys.readouterr().out.splitlines()
        return int(ended.value.code or 0), json.loads(line)

    def does(self, *words: object, **options: bool) -> dict[str, Any]:
        code, answer = self.run(*words, **options)
        assert code == 0, answer
        return answer

    def refuses(self, *words: object, **options: bool) -> str:
        code, answer = self.run(*words, **options)
        assert code != 0, answer
        return str(answer["error"]["message"])

    def signs(self, file: Path, keypair: Keypair, *words: object) -> dict[str, Any]:
        """`transaction sign` in a process that cannot open a connection."""
        command = ["transaction", "sign", file, "--keypair", self.key(keypair), "--program", PROGRAM.pubkey(), "--yes"]
        done = subprocess.run(
            [sys.executable, "-c", NO_NETWORK, *map(str, (*command, *words)), "--json"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer | {"shown": done.stderr}

    def sends(self, file: Path) -> dict[str, Any]:
        return self.does("transaction", "send", file, "--rpc", self.devnet.url, chain=False)

    def warp(self, seconds: int) -> None:
        body = {"jsonrpc": "2.0", "id": 1, "method": "devnet_warp", "params": [{"seconds": seconds}]}
        assert "result" in httpx.post(self.devnet.url, json=body, trust_env=False).json()

    def ask(self, question: Callable[[AsyncClient], Any]) -> Any:
        async def run() -> Any:
            async with AsyncClient(self.devnet.url, commitment=Confirmed, timeout=10) as client:
                return await question(client)

        return asyncio.run(run())

    def data(self, address: Pubkey) -> bytes:
        found = self.ask(lambda client: client.get_account_info(address)).value
        assert found is not None
        return bytes(found.data)

    def balance(self, token_account: Pubkey) -> int:
        return int.from_bytes(self.data(token_account)[64:72], "little")

    def give(self, owner: Pubkey, amount: int) -> Pubkey:
        """Tokens in the owner's own account, and a little SOL."""
        account = associated_address(owner, MINT)

        async def send(client: AsyncClient) -> None:
            made = tokens.create_associated_account(PAYER.pubkey(), owner, MINT)
            minted = tokens.mint_to(MINT, account, PAYER.pubkey(), amount)
            await client.request_airdrop(owner, UNIT // 100)  # for the rent of its accounts
            await Sender(client, PAYER, poll_s=0.01).send([made, minted])

        self.ask(send)
        return account


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    state = tmp_path / "devnet.jsonl"
    state.write_bytes(founded())
    with Devnet.start(state_file=state, slot_s=math.inf) as devnet:
        yield Shell(devnet, tmp_path, capsys)


def test_a_cold_owner_registers_stakes_and_leaves_without_a_network(shell: Shell) -> None:
    # Given a cold key whose file only `transaction sign` reads, a payer, a nonce, and 20 tokens
    cold, payer = COLD.pubkey(), shell.key(PAYER)
    own = shell.give(cold, 20 * UNIT)
    nonce = shell.does("nonce", "create", "--keypair", payer, "--authority", cold)["nonce"]
    prover, _ = prover_address(PROGRAM.pubkey(), cold)

    def journey(name: str, *words: object) -> dict[str, Any]:
        file = shell.folder / f"{name}.json"
        later = ["--payer", payer, "--build", file, "--nonce", nonce]
        built = shell.does(*words, "--keypair", cold, *later)
        assert built["missing"] == [str(cold)]
        shell.warp(10_000)  # far beyond any blockhash
        assert shell.signs(file, COLD)["missing"] == []
        sent = shell.sends(file)
        assert sent["sent_now"]
        # Sent again, it lands no second time
        again = shell.sends(file)
        assert (again["sent_now"], again["signature"]) == (False, sent["signature"])
        return built

    # When it registers, stakes, leaves and withdraws
    assert journey("register", "prover", "register", "--signer", HOT)["payout"] == str(own)
    account = ProverAccount.decode(shell.data(prover))
    assert (account.owner, account.signer) == (bytes(cold), bytes(HOT))
    journey("deposit", "stake", "deposit", "12.5")
    assert ProverAccount.decode(shell.data(prover)).stake == 12.5 * UNIT
    assert shell.balance(own) == 7.5 * UNIT
    journey("exit", "stake", "exit", "2.5")
    shown = shell.does("stake", "show", cold)
    assert (shown["worth"], shown["exiting_worth"]) == (str(10 * UNIT), str(int(2.5 * UNIT)))
    assert "ExitWindowOpen" in shell.refuses(
        "stake", "withdraw", "--keypair", cold, "--payer", payer, "--build", shell.folder / "early.json"
    )
    shell.warp(PARAMETERS.exit_window_s)
    journey("withdraw", "stake", "withdraw")
    # Then what left the pool is in its account, and the rest is still staked
    assert shell.balance(own) == 10 * UNIT
    assert ProverAccount.decode(shell.data(prover)).stake == 10 * UNIT
    # and the nonce's SOL comes back
    file = shell.folder / "close.json"
    shell.does("nonce", "close", nonce, "--keypair", cold, "--payer", payer, "--build", file)
    shell.signs(file, COLD)
    shell.sends(file)
    assert "no nonce account" in shell.refuses("nonce", "show", nonce)


def test_two_signers_stake_together(shell: Shell) -> None:
    staker, second = Keypair.from_seed(bytes([33]) * 32), FOUNDERS.owner
    shell.give(staker.pubkey(), UNIT)
    file, one, two, both = (shell.folder / name for name in ("draft", "one", "two", "both"))
    words = ["stake", "deposit", "1", "--prover", PROVER, "--keypair", staker.pubkey(), "--payer", second.pubkey()]
    built = shell.does(*words, "--build", file)
    assert set(built["missing"]) == {str(staker.pubkey()), str(second.pubkey())}
    # each signs a copy
    shown = shell.signs(file, staker, "--output", one)["shown"]
    assert "deposit_stake" in shown
    assert "1 tokens (1000000000 units)" in shown
    shell.signs(file, second, "--output", two)
    # one signature is not enough
    assert str(second.pubkey()) in shell.refuses("transaction", "send", one, "--rpc", shell.devnet.url, chain=False)
    merged = shell.does("transaction", "merge", one, two, "--output", both, "--program", PROGRAM.pubkey(), chain=False)
    assert merged["missing"] == []
    shell.sends(both)
    position, _ = position_address(PROGRAM.pubkey(), PROVER, staker.pubkey())
    assert PositionAccount.decode(shell.data(position)).shares > 0


def test_an_address_cannot_send(shell: Shell) -> None:
    told = shell.refuses("stake", "exit", "all", "--keypair", FOUNDERS.owner.pubkey(), "--payer", shell.key(PAYER))
    assert str(FOUNDERS.owner.pubkey()) in told
    assert "--build" in told


def test_a_draft_expires_with_its_blockhash_and_a_spent_nonce_says_so(shell: Shell) -> None:
    payer, file, other = shell.key(PAYER), shell.folder / "a.json", shell.folder / "b.json"
    shell.does("prover", "collect", "--prover", PROVER, "--keypair", payer, "--build", file, *_earning(shell))
