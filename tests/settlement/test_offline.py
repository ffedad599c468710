"""Transaction files: what they say is computed, what was tampered with is refused, and signatures add up."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from proofgrid.errors import Conflict, MalformedInput, TooLarge
from proofgrid.settlement.base58 import encode_base58
from proofgrid.settlement.instructions import provers
from proofgrid.settlement.offline import (
    MAX_FILE_BYTES,
    Draft,
    compile_message,
    load_draft,
    parse_draft,
    save_draft,
)

OWNER, PAYER, STRANGER = (Keypair.from_seed(bytes([seed]) * 32) for seed in (61, 62, 63))
PROGRAM, PROVER, TOKENS = (Pubkey(sha256(name).digest()) for name in (b"program", b"prover", b"tokens"))
NETWORK, BLOCKHASH = Hash(sha256(b"genesis").digest()), Hash(sha256(b"block").digest())
DEPOSIT = provers.deposit_stake(PROGRAM, PROVER, OWNER.pubkey(), TOKENS, 12_500_000)


def draft(*steps: Instruction) -> Draft:
    message = compile_message(steps or (set_compute_unit_limit(30_000), DEPOSIT), PAYER.pubkey(), BLOCKHASH)
    return Draft(NETWORK, message, 6, 1_000)


def document(made: Draft, **changes: Any) -> dict[str, Any]:
    return json.loads(made.dump(PROGRAM)) | changes  # type: ignore[no-any-return]


def parsed(made: Draft, **changes: Any) -> Draft:
    return parse_draft(json.dumps(document(made, **changes)).encode())


def test_a_file_round_trips(tmp_path: Path) -> None:
    made = draft().sign(OWNER)
    save_draft(tmp_path / "draft.json", made, PROGRAM)
    assert load_draft(tmp_path / "draft.json") == made
    assert [entry.name for entry in tmp_path.iterdir()] == ["draft.json"]


def test_a_file_is_not_overwritten_unasked(tmp_path: Path) -> None:
    save_draft(tmp_path / "draft.json", draft(), PROGRAM)
    with pytest.raises(Conflict, match="exists"):
        save_draft(tmp_path / "draft.json", draft().sign(OWNER), PROGRAM)
    assert load_draft(tmp_path / "draft.json").signatures == {}
    save_draft(tmp_path / "draft.json", draft().sign(OWNER), PROGRAM, replaced=True)
    assert len(load_draft(tmp_path / "draft.json").signatures) == 1


def test_signatures_add_up_in_any_order() -> None:
    made = draft()
    assert made.required == [PAYER.pubkey(), OWNER.pubkey()]
    with pytest.raises(Conflict, match=str(PAYER.pubkey())):
        made.sign(OWNER).signed()
    one, other = made.sign(OWNER), made.sign(PAYER)
    assert one.merge(other) == other.merge(one) == made.sign(OWNER, PAYER)
    assert all(one.merge(other).signed().verify_with_results())


def test_only_who_must_signs_and_once() -> None:
    with pytest.raises(MalformedInput, match="need not sign"):
        draft().sign(STRANGER)
    with pytest.raises(Conflict, match="has signed already"):
        draft().sign(OWNER).sign(OWNER)


def test_copies_of_other_transactions_are_not_merged() -> None:
    made = draft()
    other_message = draft(DEPOSIT).sign(OWNER)
    other_network = Draft(BLOCKHASH, made.message, 6).sign(OWNER)
    for other in (other_message, other_network):
        with pytest.raises(Conflict, match="different transactions"):
            made.merge(other)


# What it says


def test_the_summary_names_everything() -> None:
    lines = "\n".join(draft().summary(PROGRAM).lines())
    for words in ("deposit_stake", "12.5 tokens (12500000 units)", str(TOKENS), str(PROVER), "vault", "30000"):
        assert words in lines
    assert "must sign: " + f"{PAYER.pubkey()}, {OWNER.pubkey()}" in lines


def test_the_summary_comes_from_the_bytes_and_not_from_the_file() -> None:
    lie = ["1. deposit_stake", "     amount              1 tokens"]
    read = parsed(draft(), summary=lie)
    assert "12500000 units" in "\n".join(read.summary(PROGRAM).lines())
    # decimals are the file's word, so that the units are shown, too
    assert "0.0125 tokens (12500000 units)" in "\n".join(parsed(draft(), decimals=9).summary(PROGRAM).lines())


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (Instruction(Pubkey(sha256(b"other").digest()), b"\x0f", []), "not known here"),
        (Instruction(PROGRAM, b"\xff", []), "none that is known here"),
        (Instruction(PROGRAM, b"", []), "none that is known here"),
        (Instruction(PROGRAM, bytes(DEPOSIT.data) + b"\0", DEPOSIT.accounts), "takes 16 bytes"),
        (Instruction(PROGRAM, bytes(DEPOSIT.data)[:-1], DEPOSIT.accounts), "takes 16 bytes"),
        (Instruction(PROGRAM, DEPOSIT.data, DEPOSIT.accounts[:-1]), "takes 8 accounts"),
        (Instruction(PROGRAM, DEPOSIT.data, [*DEPOSIT.accounts, AccountMeta(TOKENS, False, True)]), "takes 8 accounts"),
        (
            Instruction(PROGRAM, bytes([7, 9]) + bytes(70), [AccountMeta(TOKENS, False, True)] * 5),
            "no change of kind 9",
        ),
        (Instruction(Pubkey.default(), bytes([8, 0, 0, 0]) + bytes(8), []), "none that is known here"),
        (Instruction(Pubkey.default(), bytes([2, 1, 0, 0]) + bytes(8), []), "must be zero"),
    ],
    ids=["program", "tag", "empty", "long", "short", "few", "many", "change", "system", "system tag"],
)
def test_what_is_not_understood_to_the_last_byte_is_not_shown(step: Instruction, told: str) -> None:
    with pytest.raises(MalformedInput, match=told):
        draft(DEPOSIT, step).summary(PROGRAM)


def test_the_program_is_the_readers_and_not_the_files() -> None:
    with pytest.raises(MalformedInput, match="--program"):
        draft().summary(None)
    with pytest.raises(MalformedInput, match="--program"):
        draft().summary(PROVER)
    pay = transfer(TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=TOKENS, lamports=1_500_000_000))
    assert "1.5 SOL" in "\n".join(draft(pay).summary(None).lines())


# What was tampered with


def tampered_message(made: Draft, old: bytes, new: bytes) -> str:
    data = to_bytes_versioned(made.message)
    assert old in data
    return base64.b64encode(data.replace(old, new)).decode()


def test_a_message_that_was_changed_after_signing_is_refused() -> None:
    made = draft().sign(OWNER)
    changed = tampered_message(made, (12_500_000).to_bytes(8, "little"), (99_500_000).to_bytes(8, "little"))
    with pytest.raises(MalformedInput, match="changed after signing"):
        parsed(made, message=changed)


def test_a_foreign_signature_is_refused() -> None:
    made = draft()
    signature = str(STRANGER.sign_message(to_bytes_versioned(made.message)))
    with pytest.raises(MalformedInput, match="need not sign"):
        parsed(made, signatures={str(STRANGER.pubkey()): signature})
    with pytest.raises(MalformedInput, match="changed after signing"):
        parsed(made, signatures={str(OWNER.pubkey()): signature})


SMALL = to_bytes_versioned(draft().message)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"message": base64.b64encode(SMALL + b"\0").decode()}, "not one of a Solana transaction"),
        ({"message": base64.b64encode(SMALL[:-1]).decode()}, "not one of a Solana transaction"),
        ({"message": base64.b64encode(b"\x01" + SMALL[1:]).decode()}, "not one of a Solana transaction"),
        ({"message": base64.b64encode(b"\x80\xff" + SMALL[2:]).decode()}, "not one of a Solana transaction"),
        ({"message": base64.b64encode(SMALL).decode() + "\n"}, "not one of a Solana transaction"),
        ({"message": ""}, "not one of a Solana transaction"),
        ({"message": "A" * 10_000}, "message"),
        ({"message": 7}, "message"),
        ({"network": "abc"}, "hash"),
        ({"network": "1" * 100}, "network"),
        ({"version": 2}, "version"),
        ({"format": "other"}, "format"),
        ({"more": 1}, "more"),
        ({"decimals": -1}, "decimals"),
        ({"decimals": 256}, "decimals"),
        ({"decimals": 6.0}, "decimals"),
        ({"last_valid_block_height": 1 << 64}, "last_valid_block_height"),
        ({"signatures": {"abc": "abc"}}, "pubkey"),
        ({"signatures": {str(OWNER.pubkey()): "abc"}}, "signature"),
        ({"signatures": {str(Pubkey(bytes([i]) * 32)): "abc" for i in range(30)}}, "signatures"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(MalformedInput, match=told):
        parsed(draft(), **changes)


def test_a_huge_or_deep_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(b" " * (MAX_FILE_BYTES + 1))
    with pytest.raises(TooLarge):
        load_draft(path)
    path.write_bytes(b"[" * 50_000)
    with pytest.raises(MalformedInput, match="nested deeper"):
        load_draft(path)
    path.write_bytes(b'{"format": "proofgrid-transaction", "format": "proofgrid-transaction"}')
    with pytest.raises(MalformedInput, match="same key twice"):
        load_draft(path)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_changed_byte_is_refused_or_changes_nothing_that_was_signed(data: st.DataObject) -> None:
    made = draft().sign(OWNER, PAYER)
    raw = bytearray(made.dump(PROGRAM).encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255))
    try:
        read = parse_draft(bytes(raw))
    except MalformedInput:
        return
    assert read.message == made.message
    assert read.signatures.items() <= made.signatures.items()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_message_is_read_or_refused(raw: bytes) -> None:
    for candidate in (raw, b"\x80" + raw, SMALL[: len(raw)] + raw):
        with suppress(MalformedInput):
            parsed(draft(), message=base64.b64encode(candidate).decode(), summary=[]).summary(PROGRAM)


def test_what_does_not_fit_a_packet_is_refused() -> None:
    pay = transfer(TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=TOKENS, lamports=1))
    with pytest.raises(MalformedInput, match="packet"):
        draft(*[pay] * 80)


@pytest.mark.parametrize("check", [lambda one: one.signed(), lambda one: one.exported()])
def test_a_vaults_message_has_no_other_signer(check: Callable[[Draft], object]) -> None:
    with pytest.raises((Conflict, MalformedInput), match=str(OWNER.pubkey())):
        check(draft())


def test_base58_agrees_with_the_one_of_addresses() -> None:
    for raw in (bytes(32), bytes(OWNER.pubkey()), b"\0\0" + bytes(range(30))):
        assert encode_base58(raw) == str(Pubkey(raw))
    assert encode_base58(b"") == ""
