"""A vault that a program signs for may own a prover: what was exported for its multisig is carried out as it stands."""

from functools import cache
from pathlib import Path

import pytest
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import PositionAccount, ProverAccount
from proofgrid.settlement.addresses import position_address, prover_address
from proofgrid.settlement.instructions import provers
from proofgrid.settlement.offline import Draft, compile_message
from proofgrid.settlement.program import build, linker
from tests.settlement.chains import Chain
from tests.settlement.network import PARAMETERS, Network

MULTISIG = Keypair.from_seed(bytes([81]) * 32).pubkey()
VAULT, BUMP = Pubkey.find_program_address([b"vault"], MULTISIG)
HOT = Keypair.from_seed(bytes([82]) * 32).pubkey()


@cache
def multisig() -> bytes:
    source = Path(__file__).parent / "programs" / "multisig.c"
    return linker.link(build.compile_object(source, ("-I", str(build.FOLDER / "src"), "-Wno-unused-function")))


def exported(step: Instruction) -> Message:
    """What members import, after a trip through its bytes."""
    draft = Draft(Hash.default(), compile_message([step], VAULT, Hash.default()))
    return Message.from_bytes(bytes(draft.exported()))


def carried_out(message: Message) -> Instruction:
    """The multisig's own instruction, once enough members agreed; none of them is a signer of the inner one."""
    (step,), keys = message.instructions, message.account_keys
    metas = [AccountMeta(keys[at], False, _is_writable(message, at)) for at in step.accounts]
    program = AccountMeta(keys[step.program_id_index], False, False)
    return Instruction(MULTISIG, bytes([BUMP]) + bytes(step.data), [*metas, program])


def _is_writable(message: Message, at: int) -> bool:
    head = message.header
    if at < head.num_required_signatures:
        return at < head.num_required_signatures - head.num_readonly_signed_accounts
    return at < len(message.account_keys) - head.num_readonly_unsigned_accounts


@pytest.fixture
def network(chain: Chain) -> Network:
    network = Network.on(chain)
    chain.svm.add_program(MULTISIG, multisig())
    chain.svm.airdrop(VAULT, 10**9)
    return network


def test_a_vault_registers_stakes_leaves_and_withdraws(network: Network) -> None:
    chain, program = network.chain, network.chain.program_id
    tokens = network.token_account(VAULT, 5_000)
    prover, _ = prover_address(program, VAULT)
    position, _ = position_address(program, prover, VAULT)
    chain.send(carried_out(exported(provers.register_prover(program, VAULT, signer=HOT, payout=tokens))))
    assert ProverAccount.decode(chain.data(prover)).owner == bytes(VAULT)
    chain.send(carried_out(exported(provers.deposit_stake(program, prover, VAULT, tokens, 4_000))))
    assert (network.balance(tokens), network.vault) == (1_000, 4_000)
    shares = PositionAccount.decode(chain.data(position)).shares
    chain.send(carried_out(exported(provers.request_exit(program, prover, VAULT, shares))))
    network.pass_time(PARAMETERS.exit_window_s)
    chain.send(carried_out(exported(provers.withdraw_stake(program, prover, VAULT, tokens))))
    assert network.balance(tokens) == 5_000


def test_nobody_signs_for_a_vault_but_its_program(network: Network) -> None:
    """The same instruction without the multisig around it."""
    step = provers.register_prover(network.chain.program_id, VAULT, signer=HOT, payout=network.token_account(VAULT))
    unsigned = [AccountMeta(one.pubkey, False, one.is_writable) for one in step.accounts]
    network.chain.refuses("MissingSignature", Instruction(step.program_id, step.data, unsigned))
