"""Layouts and readers: what is written is what is read, and nothing else is read."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.kernels.backend import select
from proofgrid.kernels.curves import BN254
from proofgrid.settlement.accounts import (
    BatchAccount,
    ConfigAccount,
    DemandAccount,
    KeyAccount,
    PermissionAccount,
    PositionAccount,
    ProposalAccount,
    ProverAccount,
    RequestAccount,
    UploadAccount,
    VoteAccount,
    key_encoding_size,
)
from proofgrid.settlement.addresses import batch_address, batch_addresses, derivations, key_address
from proofgrid.settlement.forms import Layout
from proofgrid.settlement.layout import ACCOUNTS, INSTRUCTIONS, RECORDS, SEEDS
from proofgrid.settlement.layout.batches import (
    BATCH_ACCOUNT,
    DEMAND_ACCOUNT,
    LEAF_DEMANDED,
    LEAF_PAID,
    LEAF_UNPAID,
    LEAF_VOID,
    MAX_LEAVES,
)
from proofgrid.settlement.layout.config import CONFIG_ACCOUNT
from proofgrid.settlement.layout.governance import PERMISSION_ACCOUNT, PROPOSAL_ACCOUNT, VOTE_ACCOUNT
from proofgrid.settlement.layout.keys import KEY_ACCOUNT
from proofgrid.settlement.layout.provers import POSITION_ACCOUNT, PROVER_ACCOUNT
from proofgrid.settlement.layout.requests import REQUEST_ACCOUNT
from proofgrid.settlement.layout.uploads import UPLOAD_ACCOUNT
from proofgrid.settlement.parameters import Parameters
from proofgrid.verifier.keys import VerifyingKey
from tests.settlement.instances import instance


def example(record: Layout) -> dict:
    return {
        field.name: b"x" * field.kind if isinstance(field.kind, int) else 1
        for field in record.fields
        if field.name != "reserved"
    }


READERS = [
    (
        KeyAccount,
        KEY_ACCOUNT,
        {"digest": bytes(32), "registered_s": 5, "n_public": 0, "bump": 255},
        bytes(key_encoding_size(0)),
    ),
    (
        UploadAccount,
        UPLOAD_ACCOUNT,
        {"authority": bytes(32), "digest": bytes(32), "size": 512, "bump": 1},
        bytes(512),
    ),
    (
        BatchAccount,
        BATCH_ACCOUNT,
        {
            "committer": b"c" * 32,
            "number": 7,
            "prev_root": b"p" * 32,
            "root": b"r" * 32,
            "slot": 9,
            "unix_time_s": -1,
            "challenge_until_s": 2**63 - 1,
            "leaf_bond": 2**64 - 1,
            "locked": 0,
            "leaf_count": 33,
            "open_demands": 33,
            "bump": 3,
        },
        bytes(range(16)),
    ),
    *(
        (reader, record, example(record), b"")
        for reader, record in (
            (ConfigAccount, CONFIG_ACCOUNT),
            (ProposalAccount, PROPOSAL_ACCOUNT),
            (VoteAccount, VOTE_ACCOUNT),
            (PermissionAccount, PERMISSION_ACCOUNT),
            (ProverAccount, PROVER_ACCOUNT),
            (PositionAccount, POSITION_ACCOUNT),
            (RequestAccount, REQUEST_ACCOUNT),
            (DemandAccount, DEMAND_ACCOUNT),
        )
    ),
]
ADDRESSES = {"authority", "committer", "batch", "demander", "refund_to", "mint", "vault", "guardian", "treasury"}
ADDRESSES |= {"proposer", "prover", "owner", "signer", "payout", "staker", "requester", "assigner", "callback_program"}
each_reader = pytest.mark.parametrize(
    ("reader", "record", "values", "tail"), READERS, ids=lambda value: getattr(value, "name", "")
)


@each_reader
def test_written_is_read(reader: type, record: Layout, values: dict, tail: bytes) -> None:
    decoded = reader.decode(record.encode(values) + tail)
    assert {name: getattr(decoded, name) for name in values} == values


@each_reader
def test_json_shows_addresses_as_wallets_do(reader: type, record: Layout, values: dict, tail: bytes) -> None:
    if "parameters" in values:
        values = values | {"parameters": Parameters().encode()}
    shown = json.loads(reader.decode(record.encode(values) + tail).model_dump_json())
    for name, value in shown.items():
        if name in ADDRESSES:
            assert Pubkey.from_string(value) == Pubkey(values[name])
        elif name == "parameters":
            assert Parameters.model_validate(value) == Parameters()
        elif isinstance(values.get(name), bytes):
            assert bytes.fromhex(value) == values[name]


@each_reader
def test_other_lengths_are_refused(reader: type, record: Layout, values: dict, tail: bytes) -> None:
    data = record.encode(values) + tail
    for wrong in (data[:-1], data + b"\0", b"", data[: record.size - 1]):
        with pytest.raises(MalformedInput):
            reader.decode(wrong)


@each_reader
def test_other_types_are_refused(reader: type, record: Layout, values: dict, tail: bytes) -> None:
    data = record.encode(values) + tail
    for position in range(8):
        flipped = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        with pytest.raises(MalformedInput, match="first bytes"):
            reader.decode(flipped)


@each_reader
def test_reserved_bytes_must_be_zero(reader: type, record: Layout, values: dict, tail: bytes) -> None:
    data, at = record.encode(values) + tail, record.offset("reserved")
    with pytest.raises(MalformedInput, match="reserved"):
        reader.decode(data[:at] + b"\1" + data[at + 1 :])


@each_reader
@given(data=st.binary(max_size=700))
def test_hostile_bytes_are_refused(reader: type, record: Layout, values: dict, tail: bytes, data: bytes) -> None:
    for candidate in (data, (record.discriminator or b"") + data):
        with contextlib.suppress(MalformedInput):
            assert record.encode(vars(reader.decode(candidate)) | {}) == candidate[: record.size]


def test_key_of_an_impossible_size_is_refused() -> None:
    for n_public, size in ((1, key_encoding_size(0)), (65, key_encoding_size(65)), (2**32 - 1, 512)):
        head = KEY_ACCOUNT.encode({"digest": bytes(32), "registered_s": 0, "n_public": n_public, "bump": 0})
        with pytest.raises(MalformedInput):
            KeyAccount.decode(head + bytes(size))


def test_batch_of_an_impossible_size_is_refused() -> None:
    for leaf_count, size in ((0, 0), (1, 0), (1, 16), (32, 16), (33, 8), (MAX_LEAVES + 1, MAX_LEAVES // 4 + 8)):
        head = BATCH_ACCOUNT.encode(example(BATCH_ACCOUNT) | {"leaf_count": leaf_count})
        with pytest.raises(MalformedInput):
            BatchAccount.decode(head + bytes(size))


def test_leaf_states_are_two_bits_each() -> None:
    data = BATCH_ACCOUNT.encode(example(BATCH_ACCOUNT) | {"leaf_count": 33}) + bytes([0b11100100]) + bytes(7) + b"\2"
    batch = BatchAccount.decode(data + bytes(7))
    assert [batch.state(leaf) for leaf in (0, 1, 2, 3, 4, 32)] == [
        LEAF_UNPAID,
        LEAF_PAID,
        LEAF_VOID,
        LEAF_DEMANDED,
        LEAF_UNPAID,
        LEAF_VOID,
    ]
    for leaf in (-1, 33):
        with pytest.raises(MalformedInput):
            batch.state(leaf)


def test_names_and_numbers_are_unique() -> None:
    assert len({record.discriminator for record in ACCOUNTS}) == len(ACCOUNTS)
    assert sorted(one.arguments.tag or 0 for one in INSTRUCTIONS) == list(range(len(INSTRUCTIONS)))
    assert len({len(seed) and seed for seed in SEEDS.values()}) == len(SEEDS)


def test_layouts_are_naturally_aligned() -> None:
    """The program reads them in place; codegen's static assertions say the same to the C compiler."""
    sizes = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i64": 8}
    for record in (*ACCOUNTS, *RECORDS, *(one.arguments for one in INSTRUCTIONS)):
        for field in record.members:
            if isinstance(field.kind, str):
                assert record.offset(field.name) % sizes[field.kind] == 0, (record.name, field.name)


def test_values_that_do_not_fit_are_refused() -> None:
    good = example(PROVER_ACCOUNT)
    for wrong in ({"next_number": 2**64}, {"next_number": -1}, {"bump": 256}, {"latest_root": bytes(31)}):
        with pytest.raises(MalformedInput):
            PROVER_ACCOUNT.encode(good | wrong)


def test_digest_is_the_verifiers() -> None:
    """The chain names a key as VerifyingKey.digest() does, so that a leaf's key is the account's."""
    given_ = instance(4)
    verifying_key = VerifyingKey.decode(BN254, given_.encoding, backend=select("reference"))
    assert verifying_key.encode() == given_.encoding
    assert verifying_key.digest() == given_.digest


def test_addresses_agree_with_solders() -> None:
    program, committer = Pubkey.new_unique(), Pubkey.new_unique()
    pairs = batch_addresses(program, committer, 258)
    assert pairs[0] == batch_address(program, committer, 258)
    assert pairs[0] == Pubkey.find_program_address([b"batch", bytes(committer), b"\2\1" + bytes(6)], program)
    for address, bump in pairs[:20]:
        seeds = [b"batch", bytes(committer), b"\2\1" + bytes(6), bytes([bump])]
        assert Pubkey.create_program_address(seeds, program) == address
    assert derivations(program, b"key", bytes(32))[0] == key_address(program, bytes(32))
    with pytest.raises(MalformedInput):
        key_address(program, bytes(31))
    for number in (-1, 2**64):
        with pytest.raises(MalformedInput):
            batch_address(program, committer, number)
