"""A hot key can never move stake: what each instruction of the program does when the prover's hot key alone signs it.

Three kinds: those in which somebody else's signature decides, and the hot key is refused in its place; those that ask
for nobody's, and send tokens only where the accounts say already; and the hot key's own two, which lock stake.
"""

from collections.abc import Callable, Sequence

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement import layout
from proofgrid.settlement.forms import SIGNER
from proofgrid.settlement.instructions import batches, config, governance, keys, provers, uploads
from tests.settlement.ballots import CHEAPER
from tests.settlement.batches import Batch, Entry
from tests.settlement.instances import instance
from tests.settlement.jobs import Job
from tests.settlement.network import PARAMETERS

Try = tuple[Instruction, Sequence[Keypair]]
OTHER = instance(4)


def _pool(job: Job) -> tuple[Pubkey, Pubkey, Pubkey]:
    return job.chain.program_id, job.prover.prover, job.prover.key


def _upload(job: Job) -> None:
    opening = uploads.init_upload(job.chain.program_id, job.requester.key, OTHER.digest, len(OTHER.encoding))
    job.chain.send(opening, signers=[job.requester.keypair])


def _init_upload(job: Job) -> Try:
    opening = uploads.init_upload(job.chain.program_id, job.requester.key, OTHER.digest, len(OTHER.encoding))
    return opening, [job.requester.keypair]


def _write_upload(job: Job) -> Try:
    _upload(job)
    return uploads.write_upload(job.chain.program_id, job.requester.key, OTHER.digest, 0, b"k"), [job.requester.keypair]


def _finalize_key(job: Job) -> Try:
    _upload(job)
    for at in range(0, len(OTHER.encoding), 500):
        chunk = OTHER.encoding[at : at + 500]
        written = uploads.write_upload(job.chain.program_id, job.requester.key, OTHER.digest, at, chunk)
        job.chain.send(written, signers=[job.requester.keypair])
    return keys.finalize_key(job.chain.program_id, job.requester.key, OTHER.digest), [job.requester.keypair]


def _cancel_upload(job: Job) -> Try:
    _upload(job)
    return uploads.cancel_upload(job.chain.program_id, job.requester.key, OTHER.digest), [job.requester.keypair]


def _propose(job: Job) -> Try:
    proposal = governance.propose_parameters(job.chain.program_id, job.prover.key, 0, CHEAPER)
    return proposal, [job.prover.keypair]


def _vote(job: Job) -> Try:
    job.chain.send(_propose(job)[0], signers=[job.prover.keypair])
    return governance.vote(job.chain.program_id, job.prover.key, 0, in_favour=True), [job.prover.keypair]


def _set_paused(job: Job) -> Try:
    return config.set_paused(job.chain.program_id, job.network.guardian.pubkey(), paused=True), [job.network.guardian]


def _register_prover(job: Job) -> Try:
    return job.requester.register(), [job.requester.keypair]


def _update_prover(job: Job) -> Try:
    program, _, owner = _pool(job)
    other = Keypair.from_seed(bytes([99]) * 32).pubkey()
    return provers.update_prover(program, owner, signer=other, payout=job.prover.tokens), [job.prover.keypair]


def _deposit_stake(job: Job) -> Try:
    return job.prover.deposit(job.prover, 10), [job.prover.keypair]


def _request_exit(job: Job) -> Try:
    return job.prover.exit(job.prover, 1_000), [job.prover.keypair]


def _withdraw_stake(job: Job) -> Try:
    job.chain.send(job.prover.exit(job.prover, 1_000), signers=[job.prover.keypair])
    job.network.pass_time(PARAMETERS.exit_window_s)
    return job.prover.withdraw(job.prover), [job.prover.keypair]


def _open_request(job: Job) -> Try:
    return job.open(), [job.requester.keypair]


def _close_request(job: Job) -> Try:
    return job.opened().close(signed=True), [job.requester.keypair]


def _demand_reveal(job: Job) -> Try:
    return job.assigned().demand(), [job.requester.keypair]


def _demand_leaf(job: Job) -> Try:
    batch = _batch(job).committed()
    demand = batches.demand_leaf(job.chain.program_id, job.requester.key, batch.address, 0, job.requester.tokens)
    return demand, [job.requester.keypair]


SOMEBODY_ELSES: dict[str, tuple[Callable[[Job], Try], str]] = {
    "init_upload": (_init_upload, "WrongUploadAddress"),
    "write_upload": (_write_upload, "WrongAuthority"),
    "finalize_key": (_finalize_key, "WrongAuthority"),
    "cancel_upload": (_cancel_upload, "WrongAuthority"),
    "propose": (_propose, "NotOwner"),
    "vote": (_vote, "NotOwner"),
    "set_paused": (_set_paused, "NotGuardian"),
    "register_prover": (_register_prover, "WrongProverAddress"),
    "update_prover": (_update_prover, "NotOwner"),
    "deposit_stake": (_deposit_stake, "NotStaker"),
    "request_exit": (_request_exit, "NotStaker"),
    "withdraw_stake": (_withdraw_stake, "NotStaker"),
    "open_request": (_open_request, "WrongRequestAddress"),
    "close_request": (_close_request, "WrongRequester"),
    "demand_reveal": (_demand_reveal, "WrongRequester"),
    "demand_leaf": (_demand_leaf, "Custom(4)"),  # the token program's: not the owner of the bond's source
}
"""What is honest when its rightful signers sign, and the refusal when the hot key signs in their place."""
ITS_OWN = {"commit_batch", "assign_request"}
NOBODYS = {
    *("verify_groth16", "verify_receipt"),  # answer
    *("execute", "collect_fees", "burn", "collect_earnings", "release_batch", "call_back"),  # what was decided before
    *("fulfil_request", "claim_leaf", "answer_leaf"),  # pay the prover, whose payout account the owner named
    *("slash_missed", "challenge_leaf", "void_leaf"),  # cost the prover what it locked
}
ONCE = {"initialize"}  # before there is any stake; by the upgrade authority


def _batch(job: Job) -> Batch:
    return Batch(job.network, job.prover, [Entry(job.given, bytes([i]) * 32, b"p" * 32) for i in range(3)])


def _signed_by_hot(job: Job, honest: Instruction) -> Instruction:
    """The hot key in the place of everybody who signs."""
    hot = job.prover.hot.pubkey()
    metas = [AccountMeta(hot, True, one.is_writable) if one.is_signer else one for one in honest.accounts]
    return Instruction(honest.program_id, honest.data, metas)


def test_every_instruction_is_of_one_kind() -> None:
    """A new instruction must be sorted in before it lands."""
    kinds = [set(SOMEBODY_ELSES), ITS_OWN, NOBODYS, ONCE]
    assert sum(map(len, kinds)) == len(set().union(*kinds))
    assert set().union(*kinds) == {form.name for form in layout.INSTRUCTIONS}
    for form in layout.INSTRUCTIONS:
        signers = [use.name for use in form.accounts if use.flags & SIGNER]
        if form.name in NOBODYS:
            assert signers in ([], ["payer"]), form.name
        if "signer" in signers:
            assert form.name in ITS_OWN, form.name


@pytest.mark.parametrize("name", SOMEBODY_ELSES)
def test_the_hot_key_is_refused_in_anothers_place(job: Job, name: str) -> None:
    prepare, refusal = SOMEBODY_ELSES[name]
    honest, rightful = prepare(job)
    job.chain.refuses(refusal, _signed_by_hot(job, honest), signers=[job.prover.hot])
    # nor does it help to name the rightful ones and leave their signatures out
    unsigned = [AccountMeta(one.pubkey, False, one.is_writable) for one in honest.accounts]
    if name != "close_request":  # unsigned that is anybody's, when the request is over
        without = Instruction(honest.program_id, honest.data, unsigned)
        job.chain.refuses("MissingSignature", without, signers=[job.prover.hot])
    # and it was the signature that decided
    job.chain.send(honest, signers=list(rightful))


@pytest.mark.parametrize("name", sorted(ITS_OWN))
def test_the_hot_keys_own_instructions_lock_and_move_nothing(job: Job, name: str) -> None:
    job.opened()
    pool, vault, own, total = job.prover.pool, job.network.vault, job.prover.balance, job.network.config.total_stake
    if name == "commit_batch":
        _batch(job).committed()
        locked = 3 * PARAMETERS.leaf_bond
    else:
        job.chain.send(job.assign(), signers=[job.assigner, job.prover.hot])
        locked = job.account.bond
    after = job.prover.pool
    assert locked > 0
    work = {"locked": pool.locked + locked, "next_number": after.next_number, "latest_root": after.latest_root}
    assert after == pool.model_copy(update=work)
    assert (job.network.vault, job.prover.balance, job.network.config.total_stake) == (vault, own, total)


def test_nobodys_instructions_send_nothing_to_a_hot_keys_account(job: Job) -> None:
    chain, program = job.chain, job.chain.program_id
    hot = job.prover.hot
    thief = job.network.token_account(hot.pubkey())
    job.assigned()
    chain.send(job.fulfil())
    assert job.prover.pool.earned > 0
    assert job.network.config.fees > 0
    pool, signers = job.prover.prover, [hot]
    chain.refuses("WrongTokenAccount", provers.collect_earnings(program, pool, thief), signers=signers)
    chain.refuses("WrongTokenAccount", config.collect_fees(program, thief), signers=signers)
    # a request missed: its bond is not the hot key's either
    job.nonce += 1
    job.assigned()
    job.network.pass_time(10_000)
    slash = job.slash()
    slash.accounts = [*slash.accounts[:4], AccountMeta(thief, False, True), *slash.accounts[5:]]
    chain.refuses("WrongTokenAccount", slash, signers=signers)
    assert job.network.balance(thief) == 0


def test_a_stolen_hot_key_is_worth_less_than_what_it_locks(job: Job) -> None:
    """What is left to a thief: lies under the stolen key, shown by an accomplice. A part of each bond is burned."""
    thief = job.network.token_account(job.prover.hot.pubkey())
    lie = job.given.with_points(c=job.given.a)
    batch = Batch(job.network, job.prover, [Entry(lie, b"r" * 32, b"p" * 32, key=job.given.digest)]).committed()
    before = job.prover.pool.stake
    challenge = batches.challenge_leaf(job.chain.program_id, batch.address, job.prover.prover, batch.shown(0), thief)
    job.chain.send(challenge, signers=[job.prover.hot])
    lost = before - job.prover.pool.stake
    assert lost == PARAMETERS.leaf_bond
    assert job.network.balance(thief) == lost * (10_000 - PARAMETERS.burn_bps) // 10_000
    # the owner takes the key away, and it is worth nothing more
    other = Keypair.from_seed(bytes([98]) * 32).pubkey()
    program, _, owner = _pool(job)
    change = provers.update_prover(program, owner, signer=other, payout=job.prover.tokens)
    job.chain.send(change, signers=[job.prover.keypair])
    job.chain.refuses("NotSigner", _batch(job).commit(), signers=[job.prover.hot])
