"""The law of every instruction: its accounts are what layout declares of them, its data as long as it must be."""

import struct
from collections.abc import Iterator, Sequence

from solders.account import Account
from solders.instruction import Instruction as Built
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.rent import Rent

from proofgrid.settlement.forms import SIGNER, WRITABLE, Instruction, Layout
from tests.settlement.altered import read_only, unsigned, with_account, with_data
from tests.settlement.chains import Chain

PROGRAMS = {"system_program": "WrongSystemProgram", "token_program": "WrongTokenProgram"}


def keeps_its_shape(
    chain: Chain, declared: Instruction, honest: Built, signers: Sequence[Keypair] = (), *, creates: bool = False
) -> None:
    """Every single departure from the declaration is refused by its name, and then the honest instruction passes.

    ``honest`` must be acceptable; ``signers`` sign it, beside a payer of the fee who is nobody to the instruction.
    ``creates``: it makes an account, so that rent of an unknown kind is refused.
    """
    payer = chain.fund(250)
    for refusal, altered in departures(chain, declared, honest):
        wanted = {meta.pubkey for meta in altered.accounts if meta.is_signer}
        chain.refuses(refusal, altered, signers=[payer, *(one for one in signers if one.pubkey() in wanted)])
    if creates:
        usual = chain.svm.get_rent()
        chain.svm.set_rent(rent(usual.lamports_per_byte, 3.0))
        chain.refuses("UnsupportedRent", honest, signers=[payer, *signers])
        chain.svm.set_rent(usual)
    chain.send(honest, signers=[payer, *signers])


def rent(lamports: int, threshold: float) -> Rent:
    """What a byte costs, and for how many years one pays to be exempt."""
    return Rent.from_bytes(struct.pack("<QdB", lamports, threshold, 50))


def departures(chain: Chain, declared: Instruction, honest: Built) -> Iterator[tuple[str, Built]]:
    """(the refusal, an instruction with one thing wrong), for all that the declaration says."""
    for index, use in enumerate(declared.accounts):
        if use.flags & SIGNER:
            yield "MissingSignature", unsigned(honest, index)
        if use.flags & WRITABLE:
            yield "AccountNotWritable", read_only(honest, index)
        if isinstance(use.of, str):
            yield PROGRAMS[use.of], with_account(honest, index, chain.program_id)
        elif use.of:
            refusal = "Wrong" + use.of.name.title().replace("_", "")
            for wrong in impostors(chain, use.of, honest.accounts[index].pubkey):
                yield refusal, with_account(honest, index, wrong)
    size = declared.arguments.size
    for count in range(len(declared.accounts)):
        yield "MissingAccount", Built(honest.program_id, honest.data, honest.accounts[:count])
    if size > 1:
        yield "MalformedInstruction", with_data(honest, honest.data[: size - 1])
    if not declared.tail:
        yield "MalformedInstruction", with_data(honest, honest.data + b"\0")


def impostors(chain: Chain, record: Layout, true: Pubkey) -> Iterator[Pubkey]:
    """Accounts that are almost the true one: of another owner, of another kind, too short."""
    account = chain.svm.get_account(true)
    assert account is not None
    data = bytes(account.data)
    for owner, bytes_ in (
        (Pubkey.new_unique(), data),
        (chain.program_id, bytes([data[0] ^ 1]) + data[1:]),
        (chain.program_id, data[: record.size - 1]),
    ):
        address = Pubkey.new_unique()
        chain.svm.set_account(address, Account(10**9, bytes_, owner))
        yield address
