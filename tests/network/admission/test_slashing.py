"""The outbox of slashes over the program itself (LiteSVM), with crashes, rivals, expiries; once over a devnet."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from proofgrid.errors import ChainUnavailable, ProgramRefused
from proofgrid.kernels.curves import CURVES
from proofgrid.network.admission import slashing
from proofgrid.network.admission.slashing import SlashState
from proofgrid.network.chain import SolanaChain
from proofgrid.network.database import Database
from proofgrid.network.tables.admission import SlashRow
from proofgrid.settlement.accounts import RequestAccount
from proofgrid.settlement.addresses import request_address
from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.instructions import requests
from proofgrid.settlement.layout.requests import ASSIGNED, DEMANDED, MISSED
from proofgrid.settlement.registry import upload_key
from proofgrid.settlement.rpc import fetch_owned
from proofgrid.settlement.sender import Sender, Signed, TransactionExpired
from proofgrid.settlement.tokens import mint_to
from proofgrid.settlement.transactions import refusal_of, sign
from proofgrid.verifier.keys import VerifyingKey
from tests.settlement.chains import Chain
from tests.settlement.cluster import FOUNDERS, PAYER, PROGRAM, PROVER, founded, rpc
from tests.settlement.instances import instance
from tests.settlement.jobs import Job


@dataclass
class Court:
    """The program on a machine of its own. ``lost`` swallows transactions, ``crash`` dies where it is told."""

    job: Job
    sent: list[bytes] = field(default_factory=list)
    landed: dict[Signature, str | None] = field(default_factory=dict)
    is_lossy: bool = False
    expired: bool = False
    crash: str = ""

    def prepare_slash(self, request: str) -> Signed | None:
        assert request == str(self.job.address)
        if self.job.is_gone() or self.job.account.state not in (ASSIGNED, DEMANDED):
            return None
        svm: LiteSVM = self.job.chain.svm
        svm.expire_blockhash()
        payer = self.job.chain.payer
        transaction = sign([self.job.slash()], [payer], svm.latest_blockhash(), compute_units=100_000)
        tried = svm.simulate_transaction(transaction)
        if isinstance(tried, FailedTransactionMetadata):
            raise refusal_of(tried.err(), tried.meta().logs())
        return Signed(transaction.signatures[0], bytes(transaction), 1)

    def bring_slash(self, signed: Signed) -> bool:
        self._die("before")
        if signed.signature in self.landed:
            if (name := self.landed[signed.signature]) is not None:
                raise ProgramRefused(name)
            return True
        if self.expired:
            self.expired = False
            raise TransactionExpired("the test's transaction expired", 1)
        self.sent.append(signed.raw)
        if self.is_lossy:
            return False
        result = self.job.chain.svm.send_transaction(VersionedTransaction.from_bytes(signed.raw))
        failed = isinstance(result, FailedTransactionMetadata)
        self.landed[signed.signature] = "RequestNotAssigned" if failed else None
        self._die("after")
        return False

    def _die(self, where: str) -> None:
        if self.crash == where:
            self.crash = ""
            raise ChainUnavailable(f"the test's process dies {where} sending")


@dataclass
class Docket:
    database: Database
    court: Court
    now: float = 1000.0

    def step(self) -> int:
        return slashing.send_due(self.database, self.court, self.now)

    @property
    def row(self) -> SlashRow:
        with self.database.reading() as session:
            return session.get_one(SlashRow, str(self.court.job.address))


@pytest.fixture
def docket(tmp_path: Path, database_url: str | None) -> Iterator[Docket]:
    job = Job.on(Chain.under("mainnet")).assigned()
    made = Docket(Database(database_url or f"sqlite:///{tmp_path / 'db.sqlite'}", durable=False), Court(job))
    with made.database.writing() as session:
        slashing.watch(session, str(job.address), "r" * 64, "a" * 64, made.now, made.now)
        slashing.watch(session, str(job.address), "other", None, 0.0, 0.0)  # a second call changes nothing
    yield made
    made.database.close()


def test_a_missed_deadline_is_slashed_once(docket: Docket) -> None:
    docket.court.job.network.pass_time(451)
    assert [docket.step() for _ in range(4)] == [0, 1, 0, 0]  # sent, seen, nothing more
    assert docket.row.state == SlashState.SLASHED
    assert docket.row.request_id == "r" * 64
    assert docket.court.job.account.state == MISSED
    assert docket.court.job.prover.pool.missed == 1
    assert len(docket.court.sent) == 1


def test_before_the_time_it_waits_and_asks_again(docket: Docket) -> None:
    docket.court.job.network.pass_time(450)
    assert docket.step() == 0
    assert (docket.row.state, docket.row.due_at) == (SlashState.DUE, docket.now + slashing.RETRY_S)
    docket.court.job.network.pass_time(1)
    assert docket.step() == 0
    assert not docket.court.sent  # not asked before its time
    docket.now += slashing.RETRY_S
    assert [docket.step(), docket.step()] == [0, 1]


def test_a_request_that_was_proven_or_cleaned_up_is_over(docket: Docket) -> None:
    job = docket.court.job
    job.chain.send(job.fulfil())
    job.network.pass_time(1000)
    assert docket.step() == 0
    assert docket.row.state == SlashState.OVER
    assert job.prover.pool.missed == 0


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_crash_around_sending_sends_the_same_bytes_or_none(docket: Docket, where: str) -> None:
    docket.court.job.network.pass_time(451)
    docket.court.crash = where
    with pytest.raises(ChainUnavailable):
        docket.step()
    assert docket.row.state == SlashState.SIGNED
    assert sum(docket.step() for _ in range(3)) == 1
    assert len(set(docket.court.sent)) == 1
    assert docket.court.job.prover.pool.missed == 1


def test_lost_transactions_are_sent_again_and_an_expired_one_is_made_anew(docket: Docket) -> None:
    docket.court.job.network.pass_time(451)
    docket.court.is_lossy = True
    assert [docket.step() for _ in range(3)] == [0, 0, 0]
    assert len(docket.court.sent) == 3
    assert len(set(docket.court.sent)) == 1
    docket.court.is_lossy, docket.court.expired = False, True
    assert docket.step() == 0
    assert docket.row.state == SlashState.DUE
    docket.now += slashing.RETRY_S
    assert [docket.step(), docket.step()] == [0, 1]
    assert len(set(docket.court.sent)) == 2


def test_somebody_elses_slash_ends_it(docket: Docket) -> None:
    job = docket.court.job
    job.network.pass_time(451)
    docket.court.is_lossy = True
    docket.step()
    docket.court.is_lossy = False
    rival = sign([job.slash()], [job.assigner], job.chain.svm.latest_blockhash(), compute_units=100_000)
    assert not isinstance(job.chain.svm.send_transaction(rival), FailedTransactionMetadata)
    docket.step()  # lands and fails
    docket.step()
    docket.now += slashing.RETRY_S
    docket.step()
    assert docket.row.state == SlashState.OVER
    assert job.prover.pool.missed == 1


def test_over_json_rpc_it_is_the_same(tmp_path: Path) -> None:
    state_file = tmp_path / "devnet.jsonl"
    state_file.write_bytes(founded())
    with Devnet.start(state_file=state_file, slot_s=0.02) as devnet:
        request = asyncio.run(_assigned(devnet.url))
        outbox = tmp_path / "outbox.sqlite"
        database = Database(f"sqlite:///{tmp_path / 'db.sqlite'}", durable=False)
        with database.writing() as session:
            slashing.watch(session, str(request), "r" * 64, None, 0.0, 0.0)
        with SolanaChain(devnet.url, PROGRAM.pubkey(), PROVER, PAYER, outbox=outbox, chain_id="devnet") as chain:
            assert isinstance(chain, slashing.Court)
            assert slashing.send_due(database, chain, 1.0) == 0
            asyncio.run(_pass(devnet.url, 1_000))
            for now in range(10, 400, 10):
                if slashing.send_due(database, chain, float(now)):
                    break
        state = asyncio.run(_state(devnet.url, request))
    with database.reading() as session:
        assert session.get_one(SlashRow, str(request)).state == SlashState.SLASHED
    assert state == MISSED


async def _assigned(url: str) -> Pubkey:
    """A request on chain, assigned to the network's prover."""
    given, owner, program = instance(1), FOUNDERS.owner.pubkey(), PROGRAM.pubkey()
    request = request_address(program, owner, 7)[0]
    async with AsyncClient(url, commitment=Confirmed, timeout=5) as client:
        sender = Sender(client, PAYER, poll_s=0.01)
        await upload_key(sender, program, VerifyingKey.decode(CURVES["bn254"], given.encoding))
        clock = await rpc(client, "getBlockTime", (await client.get_slot(Confirmed)).value)
        terms = requests.Terms(
            key_digest=given.digest,
            inputs=given.inputs,
            cap=1_000,
            pay_until_s=clock["result"] + 100,
            expire_s=clock["result"] + 150,
            assigner=PAYER.pubkey(),
        )
        tokens = FOUNDERS.tokens.pubkey()
        opened = requests.open_request(program, owner, 7, terms, source=tokens, refund_to=tokens)
        paid = mint_to(FOUNDERS.mint.pubkey(), tokens, PAYER.pubkey(), 1_000)
        await sender.send([paid, opened], signers=[FOUNDERS.owner])
        assigned = requests.assign_request(
            program, request, assigner=PAYER.pubkey(), owner=owner, signer=PAYER.pubkey(), price=800
        )
        await sender.send([assigned])
    return request


async def _pass(url: str, seconds: int) -> None:
    async with AsyncClient(url) as client:
        await rpc(client, "devnet_warp", {"seconds": seconds})


async def _state(url: str, request: Pubkey) -> int:
    async with AsyncClient(url, commitment=Confirmed) as client:
        data = await fetch_owned(client, request, PROGRAM.pubkey())
        assert data is not None
        return RequestAccount.decode(data).state
