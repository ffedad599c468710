"""Forks on the devnet: what landed in the slots that lost is undone exactly, and may land again."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solana.rpc.commitment import Finalized, Processed
from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM_PROGRAM
from solders.system_program import CreateAccountParams, create_account
from solders.transaction_status import TransactionErrorFieldless

from proofgrid.settlement.accounts import key_encoding_size
from proofgrid.settlement.deploy import deploy
from proofgrid.settlement.devnet import Delays
from proofgrid.settlement.devnet.ledger import Ledger, Refused
from proofgrid.settlement.devnet.machine import missing_program, put_accounts, strict_svm
from proofgrid.settlement.instructions import uploads
from proofgrid.settlement.program import program_bytes
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.transactions import error_name, sign
from tests.settlement.cluster import PAYER, PROGRAM
from tests.settlement.frozen import FUNDS, Frozen, on_frozen, payment, stranger

BPF_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
PEOPLE = [Keypair.from_seed(bytes([100 + n]) * 32) for n in range(4)]


def snapshot(ledger: Ledger, owners: Iterable[Pubkey] = (SYSTEM_PROGRAM, BPF_LOADER)) -> dict[Pubkey, Account]:
    """Every account of the machine that these programs own, but none that is as good as absent."""
    owned = [entry for owner in (*owners, PROGRAM.pubkey()) for entry in ledger.svm.get_program_accounts(owner)]
    return {address: account for address, account in owned if account.lamports}


def still_ledger(**options: object) -> Ledger:
    ledger = Ledger(slot_s=float("inf"), programs={PROGRAM.pubkey(): program_bytes()}, **options)
    for person in (PAYER, *PEOPLE):
        ledger.airdrop(person.pubkey(), FUNDS)
    ledger.warp(slots=100, seconds=0)
    return ledger


def land(ledger: Ledger, *batch: Instruction, by: Keypair = PAYER, signers: Iterable[Keypair] = ()) -> str:
    transaction = sign(batch, [by, *signers], ledger.blockhashes.of(ledger.slot))
    ledger.receive(transaction)
    return str(transaction.signatures[0])


def upload(name: bytes, size: int = key_encoding_size(0)) -> Instruction:
    return uploads.init_upload(PROGRAM.pubkey(), PAYER.pubkey(), name, size)


def test_state_before_and_after_a_fork_is_equal() -> None:
    ledger = still_ledger()
    land(ledger, upload(b"0" * 32))
    ledger.warp(slots=1, seconds=0)
    before, fork_at = snapshot(ledger), ledger.slot
    # When accounts are written, created, closed, emptied, and fees paid for nothing
    ledger.warp(slots=1, seconds=0)
    made = Keypair()
    rent = ledger.svm.minimum_balance_for_rent_exemption(10)
    signatures = [
        land(ledger, upload(b"1" * 32)),
        land(ledger, upload(b"7" * 32, 1)),  # refused by the program: lands failed
        land(ledger, payment(stranger())),
        land(
            ledger,
            create_account(
                CreateAccountParams(
                    from_pubkey=PAYER.pubkey(),
                    to_pubkey=made.pubkey(),
                    lamports=rent,
                    space=10,
                    owner=PROGRAM.pubkey(),
                )
            ),
            signers=[made],
        ),
    ]
    ledger.warp(slots=1, seconds=0)
    signatures.append(str(ledger.airdrop(PEOPLE[0].pubkey(), 5)))
    after = snapshot(ledger)
    assert len(after) > len(before)
    assert after != before
    # Then a fork brings back every account, in every field, and no more
    assert sorted(ledger.fork(ledger.slot - fork_at)) == sorted(signatures)
    assert snapshot(ledger) == before
    assert all(ledger.landed(signature) is None for signature in signatures)
    assert ledger.signatures_of(str(PEOPLE[0].pubkey()))[0].slot < fork_at
    assert ledger.slot > fork_at


actions = st.lists(
    st.tuples(
        st.sampled_from(["pay", "fail", "drain", "airdrop", "slot", "slot"]), st.integers(0, 3), st.integers(0, 3)
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(before=actions, after=actions)
def test_any_history_is_undone_and_can_be_replayed(
    before: list[tuple[str, int, int]], after: list[tuple[str, int, int]]
) -> None:
    ledger = still_ledger(delays=Delays(confirmed=2, finalized=64))
    play(ledger, before)
    at, state = ledger.slot, snapshot(ledger)
    ledger.warp(slots=1, seconds=0)
    sent = play(ledger, after)
    landed = [transaction for transaction in sent if ledger.landed(str(transaction.signatures[0]))]
    outcome = snapshot(ledger)
    # a commitment that lags sees the same as a fork restores
    lagging = {address: ledger.account(address, at) for address in {*state, *outcome}}
    ledger.fork(ledger.slot - at)
    assert snapshot(ledger) == state
    assert {address: account for address, account in lagging.items() if account} == state
    # the very same transactions land again and lead to the same state
    for transaction in landed:
        ledger.receive(transaction)
    assert snapshot(ledger) == outcome


def play(ledger: Ledger, moves: list[tuple[str, int, int]]) -> list:
    sent = []
    for number, (move, source, target) in enumerate(moves):
        by, to = PEOPLE[source], PEOPLE[target].pubkey()
        if move == "slot":
            ledger.warp(slots=1, seconds=0)
            continue
        lamports = {"pay": 1_000_000 + number, "fail": 10**15, "drain": 0, "airdrop": 0}[move]
        if move == "drain":
            lamports = max((ledger.svm.get_balance(by.pubkey()) or 0) - 5000, 0)
        batch = [one for one in [transfer_from(by, to, lamports)] if move != "airdrop"]
        if not batch:
            continue  # an airdrop is signed by the faucet: it cannot be sent again
        transaction = sign(batch, [by], ledger.blockhashes.of(ledger.slot))
        try:
            ledger.receive(transaction)
        except Refused:
            continue  # twice the same, or no money for the fee
        sent.append(transaction)
    return sent


def transfer_from(by: Keypair, to: Pubkey, lamports: int) -> Instruction:
    one = payment(to, lamports)
    return Instruction(one.program_id, one.data, [type(one.accounts[0])(by.pubkey(), True, True), one.accounts[1]])


@pytest.mark.parametrize("keep", [True, False])
def test_undone_transaction_may_land_again_while_its_blockhash_lives(keep: bool) -> None:
    async def journey(frozen: Frozen) -> None:
        to = stranger()
        await frozen.warp(5)
        transaction = await frozen.signed(payment(to))
        sent = await frozen.send(transaction)
        await frozen.warp(2)
        assert (await frozen.status(sent)) is not None
        # When the slots with it lose
        assert await frozen.call("devnet_fork", 4, {"keepBlockhashes": keep}) == [str(sent)]
        # Then nothing is known of it, and the money is back
        assert await frozen.status(sent, history=True) is None
        assert (await frozen.client.get_transaction(sent, max_supported_transaction_version=0)).value is None
        assert await frozen.balance(to) == 0
        assert await frozen.balance(PAYER.pubkey()) == FUNDS
        assert (await frozen.client.get_signatures_for_address(to)).value == []
        # and the same bytes land again, unless the fork took their blockhash along
        await frozen.send(transaction)
        assert (await frozen.balance(to) > 0) == keep
        valid = await frozen.call("isBlockhashValid", str(transaction.message.recent_blockhash))
        assert not valid["value"]  # at finalized it was never known
        await frozen.warp(151)
        assert (await frozen.balance(to) > 0) == keep

    on_frozen(journey)


def test_what_is_final_stays() -> None:
    async def journey(frozen: Frozen) -> None:
        final, undone = stranger(), stranger()
        await frozen.pay(final)
        await frozen.warp(10)
        await frozen.pay(undone)
        gone = await frozen.call("devnet_fork", 1000)
        assert len(gone) == 1
        assert (await frozen.balance(final, Finalized), await frozen.balance(undone, Processed)) == (10**7, 0)

    on_frozen(journey, delays=Delays(confirmed=1, finalized=10))


def test_lagging_commitment_never_sees_what_a_fork_undid() -> None:
    ledger, to = still_ledger(delays=Delays(confirmed=5, finalized=10)), stranger()
    first = ledger.slot
    for lamports in (10**6, 10**7):
        land(ledger, payment(to, lamports))
        ledger.warp(slots=1, seconds=0)
    assert ledger.account(to, first) is not None
    ledger.fork(ledger.slot - first + 1)
    for slot in range(first, ledger.slot + 1):
        assert ledger.account(to, slot) is None


def test_undo_log_forgets_what_is_final() -> None:
    ledger = still_ledger(delays=Delays(finalized=10))
    assert not ledger._undo
    land(ledger, payment(stranger()))
    ledger.warp(slots=9, seconds=0)
    assert ledger._undo
    ledger.warp(slots=1, seconds=0)
    assert not ledger._undo


def test_programs_are_put_after_their_data() -> None:
    source, target, program = strict_svm(), strict_svm(), stranger()
    source.add_program(program, program_bytes())
    account = source.get_account(program)
    assert account is not None
    data_address = Pubkey.from_bytes(account.data[4:36])
    for _ in range(2):  # also over a program that was taken away
        put_accounts(target, {program: account, data_address: source.get_account(data_address)})
        target.airdrop(PAYER.pubkey(), FUNDS)
        transaction = sign([Instruction(program, b"\xff", [])], [PAYER], target.latest_blockhash())
        assert error_name(target.simulate_transaction(transaction).err()) == "MalformedInstruction"  # our program's no
        put_accounts(target, {program: None, data_address: None})
        assert missing_program(target, transaction) == TransactionErrorFieldless.ProgramAccountNotFound


def test_deployed_program_disappears_and_is_deployed_again() -> None:
    async def journey(frozen: Frozen) -> None:
        sender, program = Sender(frozen.client, PAYER, poll_s=0.01), Keypair.from_seed(bytes([9]) * 32)
        before = await frozen.call("getSlot", {"commitment": "processed"})
        await frozen.warp(1)
        for _ in range(2):
            await deploy(sender, program_bytes(), program)
            simulated = await simulate_call(frozen, program.pubkey())
            assert "InstructionError" in str(simulated)  # it runs, and refuses what we ask
            now = await frozen.warp(1)
            await frozen.call("devnet_fork", now - before)
            assert await simulate_call(frozen, program.pubkey()) == "ProgramAccountNotFound"
            assert (await frozen.client.get_account_info(program.pubkey())).value is None

    # deploying waits for a slot, and all of it must still be undone
    on_frozen(journey, programs={}, slot_s=0.02, delays=Delays(finalized=5000))


async def simulate_call(frozen: Frozen, program: Pubkey) -> object:
    transaction = await frozen.signed(Instruction(program, b"\xff", []))
    answer = (await frozen.client.simulate_transaction(transaction)).value
    is_missing = answer.err == TransactionErrorFieldless.ProgramAccountNotFound
    return "ProgramAccountNotFound" if is_missing else repr(answer.err)


def test_fork_outlives_a_restart(tmp_path) -> None:
    state = tmp_path / "devnet.jsonl"
    kept, undone = stranger(), stranger()

    async def first(frozen: Frozen) -> tuple[str, int]:
        signature = await frozen.pay(kept)
        await frozen.warp(1)
        await frozen.pay(undone)
        await frozen.call("devnet_fork", 1)
        return str(signature), await frozen.call("getSlot", {"commitment": "processed"})

    async def second(frozen: Frozen) -> None:
        assert (await frozen.balance(kept), await frozen.balance(undone)) == (10**7, 0)
        history = await frozen.call("getSignaturesForAddress", str(kept))
        assert [entry["signature"] for entry in history] == [signature]
        assert await frozen.call("getSignaturesForAddress", str(undone)) == []
        assert await frozen.call("getSlot") > slot  # time does not go back

    signature, slot = on_frozen(first, state_file=state)
    on_frozen(second, state_file=state)


def test_blockhash_and_clock_outlive_a_restart(tmp_path) -> None:
    state = tmp_path / "devnet.jsonl"
    first = still_ledger(state_file=state)
    first.warp(slots=5, seconds=10**6)
    blockhash, slot, unix_s = first.blockhashes.of(first.slot), first.slot, first.time.unix_time_s()
    second = Ledger(slot_s=float("inf"), state_file=state)
    assert second.genesis == first.genesis
    assert second.slot == slot + 1
    assert second.blockhashes.is_valid(blockhash, second.slot)
    assert 0 <= second.time.unix_time_s() - unix_s <= 2
    second.warp(slots=149, seconds=0)
    assert second.blockhashes.is_valid(blockhash, second.slot)
    second.warp(slots=1, seconds=0)
    assert not second.blockhashes.is_valid(blockhash, second.slot)
