"""open_request: the cap goes into escrow on terms that can be kept."""

from dataclasses import replace

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import RequestAccount
from proofgrid.settlement.addresses import (
    permission_address,
    request_address,
    vault_address,
)
from proofgrid.settlement.instructions import config, governance
from proofgrid.settlement.layout.governance import (
    DENY_BATCHES,
    DENY_REQUESTS,
    PERMISSION_ACCOUNT,
)
from proofgrid.settlement.layout.requests import OPEN, OPEN_REQUEST
from proofgrid.verifier.receipts import digest_public_inputs
from tests.settlement.altered import with_account
from tests.settlement.jobs import CAP, FUNDS, Job
from tests.settlement.shape import keeps_its_shape


def test_opening_puts_the_cap_into_escrow(job: Job) -> None:
    result = job.chain.send(job.open(), signers=[job.requester.keypair])
    account = job.account
    assert (account.requester, account.refund_to) == (bytes(job.requester.key), bytes(job.requester.tokens))
    assert (account.key, account.inputs) == (job.given.digest, digest_public_inputs(job.given.inputs))
    assert (account.cap, account.state, account.price, account.prover) == (CAP, OPEN, 0, bytes(32))
    assert (account.pay_until_s, account.expire_s) == (job.terms.pay_until_s, job.terms.expire_s)
    assert (account.late_bps, account.direct_only, account.callback_due) == (2_500, 0, 0)
    assert job.requester.balance == FUNDS - CAP
    assert job.network.vault == job.owed()
    assert result.compute_units_consumed() < 40_000


def test_a_nonce_is_used_once(job: Job) -> None:
    job.opened()
    job.chain.refuses("RequestAlreadyOpen", job.open(), signers=[job.requester.keypair])
    job.nonce += 1
    job.opened()


@pytest.mark.parametrize(
    ("refusal", "change"),
    [
        ("AmountTooSmall", {"cap": 0}),
        ("Custom(1)", {"cap": FUNDS + 1}),  # SPL: insufficient funds
        ("ParameterOutOfRange", {"late_bps": 10_001}),
        ("WrongDeadline", {"pay_until_s": 0}),
        ("WrongDeadline", {"expire_s": 99}),
        ("WrongDeadline", {"expire_s": 365 * 24 * 3600 + 1}),
    ],
    ids=str,
)
def test_terms_that_cannot_be_are_refused(job: Job, refusal: str, change: dict[str, int]) -> None:
    now = job.chain.svm.get_clock().unix_timestamp
    change = {name: value + (now if name.endswith("_s") else 0) for name, value in change.items()}
    job.chain.refuses(refusal, job.open(replace(job.terms, **change)), signers=[job.requester.keypair])


def test_nothing_opens_while_the_network_is_stopped(job: Job) -> None:
    stop = config.set_paused(job.chain.program_id, job.network.guardian.pubkey(), paused=True)
    job.chain.send(stop, signers=[job.network.guardian])
    job.chain.refuses("Paused", job.open(), signers=[job.requester.keypair])


def test_a_denied_key_opens_nothing(job: Job) -> None:
    network = job.network
    for number, (denied, allowed) in enumerate(((DENY_REQUESTS, False), (DENY_BATCHES, True))):
        change = governance.propose_permission(job.chain.program_id, job.prover.key, number, job.given.digest, denied)
        ballot = governance.vote(job.chain.program_id, job.prover.key, number, in_favour=True)
        job.chain.send(change, ballot, signers=[job.prover.keypair])
        network.pass_time(360)
        job.chain.send(
            governance.execute(job.chain.program_id, job.chain.payer.pubkey(), number, digest=job.given.digest)
        )
        now = job.chain.svm.get_clock().unix_timestamp
        job.terms = replace(job.terms, pay_until_s=now + 100, expire_s=now + 150)
        if allowed:
            job.opened()
        else:
            job.chain.refuses("KeyDenied", job.open(), signers=[job.requester.keypair])
            elsewhere = with_account(job.open(), 3, Pubkey.new_unique())
            job.chain.refuses("WrongPermissionAddress", elsewhere, signers=[job.requester.keypair])


def test_opening_with_wrong_accounts_is_refused(job: Job) -> None:
    chain, signers = job.chain, [job.requester.keypair]
    honest = job.open()
    chain.refuses("WrongConfigAccount", with_account(honest, 1, job.requester.tokens), signers=signers)
    chain.refuses("WrongKeyAccount", with_account(honest, 2, job.requester.tokens), signers=signers)
    chain.refuses("WrongRequestAddress", with_account(honest, 4, Pubkey.new_unique()), signers=signers)
    chain.refuses("WrongVault", with_account(honest, 6, job.requester.tokens), signers=signers)
    chain.refuses("Custom(4)", with_account(honest, 5, job.prover.tokens), signers=signers)  # SPL: not the owner's
    vault, _ = vault_address(chain.program_id)
    for refund_to in (vault, job.network.mint, job.network.token_account(job.requester.key, mint=Pubkey.new_unique())):
        chain.refuses("WrongTokenAccount", job.open(refund_to=refund_to), signers=signers)
    at = OPEN_REQUEST.arguments.offset("direct_only")
    flagged = Instruction(chain.program_id, honest.data[:at] + b"\2" + honest.data[at + 1 :], honest.accounts)
    chain.refuses("MalformedFlag", flagged, signers=signers)


def test_terms_at_the_edge_are_accepted(job: Job) -> None:
    now = job.chain.svm.get_clock().unix_timestamp
    for change in (
        {"pay_until_s": now + 1, "expire_s": now + 1},
        {"expire_s": now + 365 * 24 * 3600},
        {"late_bps": 10_000},
        {"cap": 1},
    ):
        job.nonce += 1
        job.opened(replace(job.terms, **change))


def test_everything_asked_for_is_written_down(job: Job) -> None:
    terms = replace(job.terms, direct_only=True, callback_program=Pubkey.new_unique(), callback_units=77)
    job.opened(terms)
    _, bump = request_address(job.chain.program_id, job.requester.key, job.nonce)
    _, permission_bump = permission_address(job.chain.program_id, job.given.digest)
    assert job.account == RequestAccount(
        requester=bytes(job.requester.key),
        refund_to=bytes(job.requester.tokens),
        assigner=bytes(job.assigner.pubkey()),
        prover=bytes(32),
        callback_program=bytes(terms.callback_program),
        key=job.given.digest,
        inputs=digest_public_inputs(job.given.inputs),
        nonce=job.nonce,
        cap=CAP,
        price=0,
        bond=0,
        demand_bond=0,
        refund=0,
        assigned_s=0,
        pay_until_s=terms.pay_until_s,
        expire_s=terms.expire_s,
        settle_until_s=0,
        answer_until_s=0,
        callback_units=77,
        late_bps=2_500,
        state=OPEN,
        direct_only=1,
        callback_due=0,
        bump=bump,
        permission_bump=permission_bump,
    )


def test_the_vault_pays_nothing_into_itself(job: Job) -> None:
    """The requester would own the escrow for nothing, were the vault's owner to sign for anybody."""
    vault, _ = vault_address(job.chain.program_id)
    signers = [job.requester.keypair]
    job.chain.refuses("SameAccountTwice", with_account(job.open(), 5, vault), signers=signers)


def test_what_looks_like_a_permission_denies_nothing(job: Job) -> None:
    """A permission that the program does not own, or lamports sent to its address, are as good as none."""
    at, _ = permission_address(job.chain.program_id, job.given.digest)
    denying = PERMISSION_ACCOUNT.encode({"digest": job.given.digest, "denied": 3, "bump": 0})
    job.chain.forge(at, denying, Pubkey.new_unique())
    job.opened()


def test_it_keeps_its_shape(job: Job) -> None:
    keeps_its_shape(job.chain, OPEN_REQUEST, job.open(), [job.requester.keypair], creates=True)
