"""init_upload: opens an upload at its own address, paid and written by its authority alone."""

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from proofgrid.settlement.accounts import UploadAccount, key_encoding_size
from proofgrid.settlement.addresses import upload_address
from proofgrid.settlement.instructions import uploads
from proofgrid.settlement.layout.keys import MAX_PUBLIC_INPUTS
from proofgrid.settlement.layout.uploads import INIT_UPLOAD, MAX_UPLOAD_SIZE, UPLOAD_ACCOUNT
from tests.settlement import chains
from tests.settlement.chains import Chain
from tests.settlement.shape import keeps_its_shape, rent

DIGEST = bytes(range(32))
SIZE = key_encoding_size(1)


def build(chain: Chain, *, digest: bytes = DIGEST, size: int = SIZE) -> Instruction:
    return uploads.init_upload(chain.program_id, chain.payer.pubkey(), digest, size)


def test_upload_is_opened(chain: Chain) -> None:
    # When an authority opens an upload
    chain.send(build(chain))
    # Then it is there, empty, and its own
    address, bump = upload_address(chain.program_id, chain.payer.pubkey(), DIGEST)
    upload = UploadAccount.decode(chain.data(address))
    authority = bytes(chain.payer.pubkey())
    assert upload == UploadAccount(authority=authority, digest=DIGEST, size=SIZE, bump=bump, content=bytes(SIZE))


@pytest.mark.parametrize("lamports", [890_880, 10**9])
def test_lamports_sent_beforehand_do_not_stop_it(chain: Chain, lamports: int) -> None:
    address, _ = upload_address(chain.program_id, chain.payer.pubkey(), DIGEST)
    gift = TransferParams(from_pubkey=chain.payer.pubkey(), to_pubkey=address, lamports=lamports)
    chain.send(transfer(gift))
    chain.send(build(chain))
    assert UploadAccount.decode(chain.data(address)).digest == DIGEST
    account = chain.svm.get_account(address)
    assert account is not None
    assert account.lamports >= chain.svm.minimum_balance_for_rent_exemption(len(account.data))


@pytest.mark.parametrize("size", [0, MAX_UPLOAD_SIZE + 1, 2**32 - 1])
def test_nothing_and_too_much_are_refused(chain: Chain, size: int) -> None:
    chain.refuses("WrongUploadSize", build(chain, size=size))


@pytest.mark.parametrize("size", [1, key_encoding_size(MAX_PUBLIC_INPUTS), MAX_UPLOAD_SIZE])
def test_smallest_and_largest_uploads_are_taken(chain: Chain, size: int) -> None:
    chain.send(build(chain, size=size))


def test_second_upload_of_the_same_name_is_refused(chain: Chain) -> None:
    chain.send(build(chain))
    chain.refuses("UploadAlreadyExists", build(chain))


def test_another_authority_has_its_own_upload(chain: Chain) -> None:
    chain.send(build(chain))
    other = chain.fund(9)
    chain.send(uploads.init_upload(chain.program_id, other.pubkey(), DIGEST, SIZE), signers=[other])


def altered(chain: Chain, index: int, meta: AccountMeta) -> Instruction:
    honest = build(chain)
    accounts = list(honest.accounts)
    accounts[index] = meta
    return Instruction(chain.program_id, honest.data, accounts)


def test_wrong_address_is_refused(chain: Chain) -> None:
    for address in (Pubkey.new_unique(), upload_address(chain.program_id, chain.payer.pubkey(), bytes(32))[0]):
        chain.refuses("WrongUploadAddress", altered(chain, 1, AccountMeta(address, False, True)))


def test_missing_signature_is_refused(chain: Chain) -> None:
    stranger = Pubkey.new_unique()
    chain.refuses("MissingSignature", altered(chain, 0, AccountMeta(stranger, False, True)))


def test_read_only_upload_is_refused(chain: Chain) -> None:
    address, _ = upload_address(chain.program_id, chain.payer.pubkey(), DIGEST)
    chain.refuses("AccountNotWritable", altered(chain, 1, AccountMeta(address, False, False)))


def test_wrong_system_program_is_refused(chain: Chain) -> None:
    chain.refuses("WrongSystemProgram", altered(chain, 2, AccountMeta(chain.program_id, False, False)))


def test_missing_account_is_refused(chain: Chain) -> None:
    honest = build(chain)
    chain.refuses("MissingAccount", Instruction(chain.program_id, honest.data, honest.accounts[:2]))


@pytest.mark.parametrize("change", [-1, 1])
def test_data_of_another_length_is_refused(chain: Chain, change: int) -> None:
    honest = build(chain)
    data = (honest.data + bytes(1))[: len(honest.data) + change]
    chain.refuses("MalformedInstruction", Instruction(chain.program_id, data, honest.accounts))


def test_unknown_tag_and_no_tag_are_refused(chain: Chain) -> None:
    chain.refuses("MalformedInstruction", Instruction(chain.program_id, b"\xff", []))
    chain.refuses("MalformedInstruction", Instruction(chain.program_id, b"", []))


def test_more_accounts_than_the_program_reads_are_refused(chain: Chain) -> None:
    honest = build(chain)
    more = [AccountMeta(Pubkey.new_unique(), False, False) for _ in range(13)]
    chain.send(Instruction(chain.program_id, honest.data, [*honest.accounts, *more]))
    chain.refuses("TooManyAccounts", Instruction(chain.program_id, b"\x03", [*honest.accounts, *more, more[0]]))


@pytest.mark.parametrize(("lamports", "years"), [(3_480, 2.0), (6_960, 1.0)])
def test_rent_is_paid_as_the_network_states_it(chain: Chain, lamports: int, years: float) -> None:
    """For two years, as it was; or by the byte, once and for all."""
    chain.svm.set_rent(rent(lamports, years))
    chain.send(build(chain))
    address, _ = upload_address(chain.program_id, chain.payer.pubkey(), DIGEST)
    assert chain.svm.get_balance(address) == (128 + UPLOAD_ACCOUNT.size + SIZE) * 6_960


def test_it_keeps_its_shape(chain: Chain) -> None:
    keeps_its_shape(chain, INIT_UPLOAD, build(chain), [chain.payer], creates=True)


def test_no_data_is_no_instruction_whatever_stands_behind_it(chain: Chain) -> None:
    """The program's own id follows the data: here it begins with a tag."""
    tagged = Pubkey(bytes([2]) * 32)
    chain.svm.add_program(tagged, chains.program_bytes())
    chain.refuses("MalformedInstruction", Instruction(tagged, b"", []))
