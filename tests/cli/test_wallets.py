"""The commands on chain: cold owners who sign without a network, two signers, escrow, governance, the guardian."""

import asyncio
import base64
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey

from proofgrid.cli.main import main
from proofgrid.settlement import tokens
from proofgrid.settlement.accounts import PositionAccount, ProverAccount
from proofgrid.settlement.addresses import position_address, prover_address
from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.instructions import requests
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.tokens import associated_address
from tests.cli.test_files import VECTORS
from tests.settlement.cluster import FOUNDERS, PAYER, PROGRAM, PROVER, STAKE, founded
from tests.settlement.network import PARAMETERS

MINT = FOUNDERS.mint.pubkey()
UNIT = 10**9
STEPS = VECTORS / "bn254"
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
    heard: list[str] = field(default_factory=list)

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
        out, err = self.capsys.readouterr()
        self.heard += [out, err]
        (line,) = out.splitlines()
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


def test_one_visit_to_a_cold_key_signs_the_way_out(shell: Shell) -> None:
    """Exit and withdrawal are signed together, each on a nonce of its own; the second is sent when it may be."""
    payer, owner = shell.key(PAYER), FOUNDERS.owner
    out = shell.give(owner.pubkey(), 1)
    files = [shell.folder / "exit.json", shell.folder / "withdraw.json"]
    for file, words in zip(files, (["exit", "all"], ["withdraw", "--untried"]), strict=True):
        nonce = shell.does("nonce", "create", "--keypair", payer, "--authority", owner.pubkey())["nonce"]
        later = ["--payer", payer, "--build", file, "--nonce", nonce]
        shell.does("stake", *words, "--keypair", owner.pubkey(), *later)
    for file in files:
        shell.signs(file, owner)
    shell.sends(files[0])
    told = shell.refuses("transaction", "send", files[1], "--rpc", shell.devnet.url, chain=False)
    assert "ExitWindowOpen" in told  # in the simulation: nothing was sent, and the nonce is whole
    shell.warp(PARAMETERS.exit_window_s)
    shell.sends(files[1])
    assert shell.balance(out) == 1 + STAKE
    assert "--build" in shell.refuses("stake", "withdraw", "--untried", "--keypair", shell.key(owner))


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


def test_a_draft_expires_with_its_blockhash(shell: Shell) -> None:
    payer, file = shell.key(PAYER), shell.folder / "draft.json"
    built = shell.does("network", "pause", "--keypair", payer, "--build", file)
    assert built["missing"] == []
    shell.warp(1_000)
    assert "expired" in shell.refuses("transaction", "send", file, "--rpc", shell.devnet.url, chain=False)
    assert shell.does("network", "show")["paused"] == 0


def test_a_nonce_serves_one_of_two_drafts(shell: Shell) -> None:
    payer, one, two = shell.key(PAYER), shell.folder / "one.json", shell.folder / "two.json"
    nonce = shell.does("nonce", "create", "--keypair", payer)["nonce"]
    for verb, file in (("pause", one), ("resume", two)):
        shell.does("network", verb, "--keypair", payer, "--build", file, "--nonce", nonce)
    assert shell.sends(one)["sent_now"]
    told = shell.refuses("transaction", "send", two, "--rpc", shell.devnet.url, chain=False)
    assert "spent by another transaction" in told
    # and a closed one says so
    shell.does("network", "resume", "--keypair", payer, "--build", shell.folder / "three.json", "--nonce", nonce)
    shell.does("nonce", "close", nonce, "--keypair", payer, "--yes")
    told = shell.refuses("transaction", "send", shell.folder / "three.json", "--rpc", shell.devnet.url, chain=False)
    assert "closed" in told
    assert shell.does("network", "show")["paused"] == 1


def test_a_draft_for_another_network_is_not_sent(shell: Shell) -> None:
    file = shell.folder / "draft.json"
    shell.does("network", "pause", "--keypair", shell.key(PAYER), "--build", file)
    document = json.loads(file.read_text())
    document["network"] = str(Hash.default())
    file.write_text(json.dumps(document))
    assert "genesis" in shell.refuses("transaction", "send", file, "--rpc", shell.devnet.url, chain=False)


def test_nothing_is_sent_unasked(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["network", "pause", "--keypair", shell.key(PAYER)]
    for typed in ("", "\n", "n\n", "no way\n"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        assert "nothing was signed" in shell.refuses(*words)
    assert shell.does("network", "show")["paused"] == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert shell.does(*words)["paused"] is True
    assert shell.does("network", "show")["paused"] == 1


def test_the_guardian_alone_pauses(shell: Shell) -> None:
    told = shell.refuses("network", "pause", "--keypair", shell.key(FOUNDERS.owner), "--yes")
    assert "NotGuardian" in told
    assert "`network show`" in told


def test_an_owner_replaces_a_hot_key_that_was_stolen(shell: Shell) -> None:
    owner = shell.key(FOUNDERS.owner)
    assert "nothing to change" in shell.refuses("prover", "update", "--keypair", owner, "--yes")
    before = shell.does("prover", "show", FOUNDERS.owner.pubkey())
    shell.does("prover", "update", "--keypair", owner, "--signer", HOT, "--yes")
    after = shell.does("prover", "show", PROVER)
    assert (after["signer"], after["payout"]) == (str(HOT), before["payout"])
    # the thief cannot change it back
    told = shell.refuses("prover", "update", "--keypair", shell.key(PAYER), "--signer", PAYER.pubkey(), "--yes")
    assert "is no prover" in told


def test_the_stake_changes_a_parameter(shell: Shell) -> None:
    owner = ["--keypair", shell.key(FOUNDERS.owner), "--yes"]
    assert shell.does("governance", "propose", "fee_bps=50", "min_stake=0.5", *owner)["proposal"] == 0
    change = shell.does("governance", "show", 0)["change"]
    assert change["parameters.fee_bps"] == "0.5 %"
    assert change["parameters.min_stake"] == "0.5 tokens (500000000 units)"
    assert "NotYetExecutable" in shell.refuses("governance", "execute", 0, *owner)
    shell.does("governance", "vote", 0, "--for", *owner)
    assert "AlreadyVoted" in shell.refuses("governance", "vote", 0, "--against", *owner)
    shell.warp(PARAMETERS.vote_window_s + PARAMETERS.execute_delay_s)
    shell.does("governance", "execute", 0, *owner)
    rules = shell.does("network", "show")["parameters"]
    assert (rules["fee_bps"], rules["min_stake"]) == (50, UNIT // 2)
    # roles and permissions take effect the same way
    shell.does("governance", "propose", "--guardian", HOT, *owner)
    shell.does("governance", "propose", "--key", "ab" * 32, "--deny", "requests", *owner)
    for number in (1, 2):
        shell.does("governance", "vote", number, "--for", *owner)
    shell.warp(PARAMETERS.vote_window_s + PARAMETERS.execute_delay_s)
    for number in (1, 2):
        shell.does("governance", "execute", number, *owner)
    assert shell.does("network", "show")["guardian"] == str(HOT)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fee_bps=0.5"], "basis points"),
        (["price=1"], "is no parameter"),
        (["fee_bps=5000"], "less than or equal"),
        (["exit_window_s=1"], "stake must outlast"),
        (["fee_bps=1", "--guardian", str(HOT)], "propose one thing"),
        ([], "propose one thing"),
        (["--key", "ab"], "64 hexadecimal"),
        (["--key", "ab" * 32, "--deny", "all"], "--deny takes one of"),
    ],
    ids=str,
)
def test_a_proposal_that_is_none_is_refused_in_words(shell: Shell, words: Sequence[str], said: str) -> None:
    told = shell.refuses("governance", "propose", *words, "--keypair", shell.key(FOUNDERS.owner), "--yes")
    assert said in told


def test_an_escrow_opens_and_is_cancelled(shell: Shell) -> None:
    requester = Keypair.from_seed(bytes([34]) * 32)
    own, me = shell.give(requester.pubkey(), 5 * UNIT), ["--keypair", shell.key(requester), "--yes"]
    key = STEPS / "verification_key.json"
    assert "there is no verifying key" in shell.refuses("key", "show", key)
    registered = shell.does("key", "register", key, "--keypair", shell.key(PAYER))
    assert shell.does("key", "register", key, "--keypair", shell.key(PAYER)) == registered
    assert shell.does("key", "show", key)["address"] == registered["address"]
    files = ["--verifying-key", STEPS / "verification_key.json", "--public", STEPS / "public.json"]
    words = ["escrow", "open", "1.25", *files, "--assigner", PAYER.pubkey(), "--payer", shell.key(PAYER)]
    opened = shell.does(*words, *me)
    assert shell.balance(own) == 3.75 * UNIT
    shown = shell.does("escrow", "show", opened["request"])
    assert (shown["cap"], shown["requester"]) == (str(int(1.25 * UNIT)), str(requester.pubkey()))
    assert shown["expire_s"] - shown["pay_until_s"] == 3600
    assert "RequestNotAssigned" in shell.refuses("escrow", "demand", opened["request"], *me)
    stranger = ["--keypair", shell.key(PAYER), "--yes"]
    assert "WrongRequester" in shell.refuses("escrow", "cancel", opened["request"], *stranger)
    shell.does("escrow", "cancel", opened["request"], *me)
    assert shell.balance(own) == 5 * UNIT
    assert "there is no request" in shell.refuses("escrow", "show", opened["request"])
    for wrong, said in (("0", "above 0"), ("1e3", "like 12.5"), ("1.0000000001", "9 decimals"), ("1,5", "like 12.5")):
        assert said in shell.refuses(*words[:2], wrong, *words[3:], *me)


def test_a_requester_gets_back_what_a_prover_missed(shell: Shell) -> None:
    requester = Keypair.from_seed(bytes([35]) * 32)
    own, me = shell.give(requester.pubkey(), 5 * UNIT), ["--keypair", shell.key(requester), "--yes"]
    key = STEPS / "verification_key.json"
    shell.does("key", "register", key, "--keypair", shell.key(PAYER))
    files = ["--verifying-key", key, "--public", STEPS / "public.json"]
    words = ["escrow", "open", "1", *files, "--assigner", PAYER.pubkey(), "--direct-only"]
    request = shell.does(*words, *me)["request"]

    async def assign(client: AsyncClient) -> None:  # the coordinator and the prover, who here share a key
        signer = {"assigner": PAYER.pubkey(), "owner": FOUNDERS.owner.pubkey(), "signer": PAYER.pubkey()}
        made = requests.assign_request(PROGRAM.pubkey(), Pubkey.from_string(request), **signer, price=UNIT)
        await Sender(client, PAYER, poll_s=0.01).send([made])

    shell.ask(assign)
    assert shell.does("escrow", "show", request)["prover"] == str(PROVER)
    assert "NotYetMissed" in shell.refuses("escrow", "slash", request, *me)
    assert "RequestNotOver" in shell.refuses("escrow", "cancel", request, *me)
    shell.warp(3 * 3600)
    shell.does("escrow", "slash", request, *me)
    # half of the bond, a fifth of the price, is burned; the other half comes with the escrow
    assert shell.balance(own) == 5.1 * UNIT
    shell.does("escrow", "cancel", request, *me)
    assert shell.does("network", "burn", "--keypair", shell.key(PAYER))["burned"] == "0.1 tokens"


def test_a_stake_larger_than_what_is_there_is_refused_in_words(shell: Shell) -> None:
    owner = ["--keypair", shell.key(FOUNDERS.owner), "--yes"]
    assert "name less, or all" in shell.refuses("stake", "exit", "1000", *owner)
    source = ["--source", FOUNDERS.tokens.pubkey()]
    assert "holds too little" in shell.refuses("stake", "deposit", "1000", *source, *owner)
    assert "NothingToWithdraw" in shell.refuses("stake", "withdraw", *owner)
    assert "NothingToCollect" in shell.refuses("prover", "collect", *owner)


def test_a_vaults_transaction_is_exported_for_its_multisig(shell: Shell) -> None:
    vault = Pubkey.find_program_address([b"vault"], Pubkey.new_unique())[0]
    shell.give(vault, UNIT)
    file = shell.folder / "vault.json"
    words = ["stake", "deposit", "1", "--prover", PROVER, "--build", file]
    shell.does(*words, "--keypair", vault)
    trusted = ["--program", PROGRAM.pubkey()]
    exported = shell.does("transaction", "export", file, *trusted, chain=False)
    message = Message.from_bytes(base64.b64decode(exported["base64"]))
    assert message.account_keys[0] == vault
    assert message.header.num_required_signatures == 1
    assert [message.account_keys[one.program_id_index] for one in message.instructions] == [PROGRAM.pubkey()]
    file.unlink()
    shell.does(*words, "--keypair", vault, "--payer", shell.key(PAYER))
    assert "vault" in shell.refuses("transaction", "export", file, *trusted, chain=False)


def test_no_secret_is_said(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given in a wrong place, a secret comes back in no message."""
    secret, listed = str(COLD), json.dumps(list(bytes(COLD)))
    monkeypatch.setenv("PROOFGRID_TEST_KEY", secret[:-1])
    shell.does("network", "show")
    said = [
        shell.refuses("network", "pause", "--keypair", given, "--payer", also)
        for given, also in ((secret, HOT), (listed, HOT), (HOT, secret), ("env:PROOFGRID_TEST_KEY", HOT))
    ]
    said.append(shell.refuses("prover", "show", secret))
    said.append(shell.refuses("prover", "register", "--keypair", shell.key(PAYER), "--signer", secret))
    for text in [*said, *shell.heard]:
        assert secret[:16] not in text
        assert listed[:40] not in text
    assert "PROOFGRID_TEST_KEY" not in os.environ
