"""finalize_key: only what hashes to its name, and is a key, becomes a key; once, and for ever."""

from dataclasses import replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from proofgrid.settlement.accounts import KeyAccount, key_encoding_size
from proofgrid.settlement.addresses import key_address, upload_address
from proofgrid.settlement.instructions import keys, uploads
from proofgrid.settlement.layout.keys import FINALIZE_KEY, G1_SIZE, G2_SIZE, KEY_ACCOUNT
from proofgrid.settlement.layout.uploads import UPLOAD_ACCOUNT
from tests.settlement.chains import Chain
from tests.settlement.instances import OUTSIDE_SUBGROUP, Instance, instance, q, words
from tests.settlement.shape import keeps_its_shape


def build(chain: Chain, of: Instance) -> Instruction:
    return keys.finalize_key(chain.program_id, chain.payer.pubkey(), of.digest)


@pytest.mark.parametrize("n_public", [0, 1, 8, 22])
def test_upload_becomes_a_key(chain: Chain, n_public: int) -> None:
    # Given a complete upload
    given = instance(n_public)
    key = chain.upload(given)
    before = chain.svm.get_balance(chain.payer.pubkey())
    # When it is finalised
    result = chain.send(build(chain, given))
    # Then the key holds it, the upload is gone, and its rent is back
    _, bump = key_address(chain.program_id, given.digest)
    assert KeyAccount.decode(chain.data(key)) == KeyAccount(
        digest=given.digest,
        registered_s=chain.svm.get_clock().unix_timestamp,
        n_public=n_public,
        bump=bump,
        encoding=given.encoding,
    )
    upload, _ = upload_address(chain.program_id, chain.payer.pubkey(), given.digest)
    assert not chain.svm.get_balance(upload)
    rent = chain.svm.minimum_balance_for_rent_exemption
    size = len(given.encoding)
    paid = (before or 0) - (chain.svm.get_balance(chain.payer.pubkey()) or 0)
    assert paid == rent(KEY_ACCOUNT.size + size) - rent(UPLOAD_ACCOUNT.size + size) + result.fee()
    assert result.compute_units_consumed() < 100_000


def test_lamports_sent_beforehand_do_not_stop_it(chain: Chain) -> None:
    given = instance(1)
    key = chain.upload(given)
    chain.send(transfer(TransferParams(from_pubkey=chain.payer.pubkey(), to_pubkey=key, lamports=10**6)))
    chain.send(build(chain, given))
    assert KeyAccount.decode(chain.data(key)).digest == given.digest


def test_incomplete_upload_is_refused(chain: Chain) -> None:
    given = instance(1)
    authority = chain.payer.pubkey()
    chain.send(uploads.init_upload(chain.program_id, authority, given.digest, len(given.encoding)))
    chain.send(uploads.write_upload(chain.program_id, authority, given.digest, 0, given.encoding[:-1]))
    chain.refuses("KeyDigestMismatch", build(chain, given))
    chain.send(uploads.write_upload(chain.program_id, authority, given.digest, 575, given.encoding[-1:]))
    chain.send(build(chain, given))


@pytest.mark.parametrize(
    "size",
    [1, key_encoding_size(0) - 64, key_encoding_size(1) - 1, key_encoding_size(1) + 1, key_encoding_size(65), 10_160],
)
def test_size_of_no_key_is_refused(chain: Chain, size: int) -> None:
    authority, digest = chain.payer.pubkey(), bytes(32)
    chain.send(uploads.init_upload(chain.program_id, authority, digest, size))
    chain.refuses("WrongKeySize", keys.finalize_key(chain.program_id, authority, digest))


def test_one_changed_bit_is_refused(chain: Chain) -> None:
    given = instance(1)
    chain.upload(given)
    flipped = bytes([given.encoding[300] ^ 1])
    chain.send(uploads.write_upload(chain.program_id, chain.payer.pubkey(), given.digest, 300, flipped))
    chain.refuses("KeyDigestMismatch", build(chain, given))


IC = G1_SIZE + 3 * G2_SIZE
MALFORMED = {
    "alpha_at_infinity": (0, bytes(G1_SIZE)),
    "beta_at_infinity": (G1_SIZE, bytes(G2_SIZE)),
    "gamma_at_infinity": (G1_SIZE + G2_SIZE, bytes(G2_SIZE)),
    "delta_at_infinity": (G1_SIZE + 2 * G2_SIZE, bytes(G2_SIZE)),
    "alpha_off_the_curve": (0, words(1, 3)),
    "alpha_not_canonical": (0, words(1 + q, 2)),
    "alpha_disguised_infinity": (0, words(1, 2 | 1 << 254)),
    "beta_disguised_infinity": (G1_SIZE, words(1, 2, 3 | 1 << 254, 4)),
    "last_ic_not_canonical": (IC + G1_SIZE, words(1, 2 | 1 << 255)),
    "last_ic_off_the_curve": (IC + G1_SIZE, words(1, 3)),
    "gamma_off_the_curve": (G1_SIZE + G2_SIZE, words(1, 2, 3, 4)),
    "delta_outside_the_subgroup": (G1_SIZE + 2 * G2_SIZE, words(*OUTSIDE_SUBGROUP)),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_key_is_refused(chain: Chain, name: str) -> None:
    offset, point = MALFORMED[name]
    given = instance(1)
    encoding = given.encoding[:offset] + point + given.encoding[offset + len(point) :]
    malformed = replace(given, encoding=encoding)  # under its own, true digest
    chain.upload(malformed)
    chain.refuses("MalformedKey", build(chain, malformed))


@pytest.mark.parametrize("negated", [False, True])
def test_key_without_a_contribution_is_refused(chain: Chain, negated: bool) -> None:
    """With delta = gamma anybody could forge: A = alpha, B = beta, C = -IC. The verifier refuses such keys, too."""
    given = instance(1)
    at = G1_SIZE + G2_SIZE
    gamma = given.encoding[at : at + G2_SIZE]
    y = [int.from_bytes(gamma[i : i + 32], "big") for i in (64, 96)]
    delta = gamma[:64] + words(*((-c % q) if negated else c for c in y))
    forgeable = replace(given, encoding=given.encoding[: at + G2_SIZE] + delta + given.encoding[IC:])
    chain.upload(forgeable)
    chain.refuses("ForgeableKey", build(chain, forgeable))


def test_infinity_among_ic_is_a_key(chain: Chain) -> None:
    """An input that the circuit does not use has the point at infinity."""
    given = instance(1)
    unused = replace(given, encoding=given.encoding[: IC + G1_SIZE] + bytes(G1_SIZE))
    chain.register(unused)


def test_registering_twice_is_refused(chain: Chain) -> None:
    given = instance(1)
    chain.register(given)
    chain.upload(given)
    chain.refuses("KeyAlreadyRegistered", build(chain, given))


def test_finalising_twice_is_refused(chain: Chain) -> None:
    given = instance(1)
    chain.register(given)
    chain.refuses("WrongUploadAccount", build(chain, given))


def altered(chain: Chain, of: Instance, index: int, meta: AccountMeta) -> Instruction:
    honest = build(chain, of)
    accounts = list(honest.accounts)
    accounts[index] = meta
    return Instruction(chain.program_id, honest.data, accounts)


def test_wrong_key_address_is_refused(chain: Chain) -> None:
    given = instance(1)
    chain.upload(given)
    for address in (Pubkey.new_unique(), key_address(chain.program_id, bytes(32))[0]):
        chain.refuses("WrongKeyAddress", altered(chain, given, 2, AccountMeta(address, False, True)))


def test_another_authority_is_refused(chain: Chain) -> None:
    given = instance(1)
    chain.upload(given)
    stranger = chain.fund(9)
    meta = AccountMeta(stranger.pubkey(), True, True)
    chain.refuses("WrongAuthority", altered(chain, given, 0, meta), signers=[stranger])


def test_flags_are_demanded(chain: Chain) -> None:
    given = instance(1)
    chain.upload(given)
    upload, _ = upload_address(chain.program_id, chain.payer.pubkey(), given.digest)
    key, _ = key_address(chain.program_id, given.digest)
    stranger = chain.fund(9)
    unsigned = AccountMeta(chain.payer.pubkey(), False, True)
    chain.refuses("MissingSignature", altered(chain, given, 0, unsigned), signers=[stranger])
    chain.refuses("AccountNotWritable", altered(chain, given, 1, AccountMeta(upload, False, False)))
    chain.refuses("AccountNotWritable", altered(chain, given, 2, AccountMeta(key, False, False)))
    chain.refuses("WrongSystemProgram", altered(chain, given, 3, AccountMeta(chain.program_id, False, False)))
    honest = build(chain, given)
    chain.refuses("MissingAccount", Instruction(chain.program_id, honest.data, honest.accounts[:3]))
    chain.refuses("MalformedInstruction", Instruction(chain.program_id, honest.data + b"\0", honest.accounts))


def test_it_keeps_its_shape(chain: Chain) -> None:
    given = instance(1)
    chain.upload(given)
    keeps_its_shape(chain, FINALIZE_KEY, build(chain, given), [chain.payer], creates=True)
