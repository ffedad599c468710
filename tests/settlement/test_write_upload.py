"""write_upload: the authority writes within the upload, and nobody else anywhere."""

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import UploadAccount, key_encoding_size
from proofgrid.settlement.addresses import key_address, upload_address
from proofgrid.settlement.instructions import uploads
from proofgrid.settlement.layout.uploads import WRITE_UPLOAD
from tests.settlement.chains import Chain
from tests.settlement.instances import instance
from tests.settlement.shape import keeps_its_shape

DIGEST = bytes(range(32))
SIZE = key_encoding_size(1)


@pytest.fixture
def upload(chain: Chain) -> Pubkey:
    chain.send(uploads.init_upload(chain.program_id, chain.payer.pubkey(), DIGEST, SIZE))
    return upload_address(chain.program_id, chain.payer.pubkey(), DIGEST)[0]


def build(chain: Chain, offset: int, chunk: bytes) -> Instruction:
    return uploads.write_upload(chain.program_id, chain.payer.pubkey(), DIGEST, offset, chunk)


def test_chunks_land_where_they_belong(chain: Chain, upload: Pubkey) -> None:
    chain.send(build(chain, SIZE - 3, b"end"))
    chain.send(build(chain, 0, b"start"))
    chain.send(build(chain, 0, b"S"))
    content = UploadAccount.decode(chain.data(upload)).content
    assert content == b"Start" + bytes(SIZE - 8) + b"end"


@pytest.mark.parametrize(("offset", "size"), [(SIZE, 1), (SIZE - 1, 2), (0, SIZE + 1), (2**32 - 1, 1), (SIZE + 1, 0)])
def test_chunk_beyond_the_end_is_refused(chain: Chain, upload: Pubkey, offset: int, size: int) -> None:
    chain.refuses("ChunkOutOfBounds", build(chain, offset, bytes(size)))


def test_empty_chunk_at_the_end_changes_nothing(chain: Chain, upload: Pubkey) -> None:
    before = chain.data(upload)
    chain.send(build(chain, SIZE, b""))
    assert chain.data(upload) == before


def write_to(chain: Chain, target: Pubkey, authority: AccountMeta | None = None) -> Instruction:
    data = build(chain, 0, b"x").data
    first = authority or AccountMeta(chain.payer.pubkey(), True, True)
    return Instruction(chain.program_id, data, [first, AccountMeta(target, False, True)])


def test_another_authority_is_refused(chain: Chain, upload: Pubkey) -> None:
    stranger = chain.fund(9)
    meta = AccountMeta(stranger.pubkey(), True, True)
    chain.refuses("WrongAuthority", write_to(chain, upload, meta), signers=[stranger])


def test_authority_that_did_not_sign_is_refused(chain: Chain, upload: Pubkey) -> None:
    stranger = chain.fund(9)
    meta = AccountMeta(chain.payer.pubkey(), False, False)
    chain.refuses("MissingSignature", write_to(chain, upload, meta), signers=[stranger])


def test_finalised_key_cannot_be_written(chain: Chain) -> None:
    key = chain.register(instance(1))
    chain.refuses("WrongUploadAccount", write_to(chain, key))


def test_account_that_is_no_upload_is_refused(chain: Chain, upload: Pubkey) -> None:
    forged = Pubkey.new_unique()
    chain.forge(forged, chain.data(upload), owner=Pubkey.new_unique())
    chain.refuses("WrongUploadAccount", write_to(chain, forged))
    chain.refuses("WrongUploadAccount", write_to(chain, key_address(chain.program_id, DIGEST)[0]))


def test_read_only_upload_is_refused(chain: Chain, upload: Pubkey) -> None:
    honest = build(chain, 0, b"x")
    accounts = [honest.accounts[0], AccountMeta(upload, False, False)]
    chain.refuses("AccountNotWritable", Instruction(chain.program_id, honest.data, accounts))


def test_cut_arguments_are_refused(chain: Chain, upload: Pubkey) -> None:
    honest = build(chain, 0, b"")
    chain.refuses("MalformedInstruction", Instruction(chain.program_id, honest.data[:-1], honest.accounts))


def test_it_keeps_its_shape(chain: Chain, upload: Pubkey) -> None:
    keeps_its_shape(chain, WRITE_UPLOAD, build(chain, 0, b"x"), [chain.payer])
