"""cancel_upload: the authority closes its upload and gets the rent back; keys are never closed."""

from solders.instruction import AccountMeta, Instruction

from proofgrid.settlement.accounts import UploadAccount
from proofgrid.settlement.addresses import upload_address
from proofgrid.settlement.instructions import keys, uploads
from proofgrid.settlement.layout.uploads import CANCEL_UPLOAD
from tests.settlement.chains import Chain
from tests.settlement.instances import instance
from tests.settlement.shape import keeps_its_shape


def build(chain: Chain) -> Instruction:
    return uploads.cancel_upload(chain.program_id, chain.payer.pubkey(), instance(1).digest)


def test_rent_comes_back(chain: Chain) -> None:
    given = instance(1)
    chain.upload(given)
    upload, _ = upload_address(chain.program_id, chain.payer.pubkey(), given.digest)
    rent, before = chain.svm.get_balance(upload) or 0, chain.svm.get_balance(chain.payer.pubkey()) or 0
    result = chain.send(build(chain))
    assert not chain.svm.get_balance(upload)
    assert chain.svm.get_balance(chain.payer.pubkey()) == before + rent - result.fee()


def test_upload_can_be_opened_again(chain: Chain) -> None:
    given = instance(1)
    chain.upload(given)
    reopen = uploads.init_upload(chain.program_id, chain.payer.pubkey(), given.digest, len(given.encoding))
    chain.send(build(chain), reopen)  # even in the same transaction
    upload, _ = upload_address(chain.program_id, chain.payer.pubkey(), given.digest)
    assert UploadAccount.decode(chain.data(upload)).content == bytes(len(given.encoding))


def test_cancelled_upload_cannot_be_used_in_the_same_transaction(chain: Chain) -> None:
    given = instance(1)
    chain.upload(given)
    finalize = keys.finalize_key(chain.program_id, chain.payer.pubkey(), given.digest)
    chain.refuses("WrongUploadAccount", build(chain), finalize)


def test_refusals(chain: Chain) -> None:
    given = instance(1)
    key = chain.register(given)
    chain.refuses("WrongUploadAccount", build(chain))
    chain.upload(given)
    stranger = chain.fund(9)
    honest = build(chain)
    upload = honest.accounts[1]

    def with_accounts(*accounts: AccountMeta) -> Instruction:
        return Instruction(chain.program_id, honest.data, list(accounts))

    theirs = AccountMeta(stranger.pubkey(), True, True)
    chain.refuses("WrongAuthority", with_accounts(theirs, upload), signers=[stranger])
    unsigned = AccountMeta(chain.payer.pubkey(), False, True)
    chain.refuses("MissingSignature", with_accounts(unsigned, upload), signers=[stranger])
    chain.refuses("AccountNotWritable", with_accounts(honest.accounts[0], AccountMeta(upload.pubkey, False, False)))
    chain.refuses("WrongUploadAccount", with_accounts(honest.accounts[0], AccountMeta(key, False, True)))
    chain.refuses("MissingAccount", with_accounts(honest.accounts[0]))
    chain.refuses("MalformedInstruction", Instruction(chain.program_id, honest.data + b"\0", honest.accounts))


def test_it_keeps_its_shape(chain: Chain) -> None:
    chain.upload(instance(1))
    keeps_its_shape(chain, CANCEL_UPLOAD, build(chain), [chain.payer])
