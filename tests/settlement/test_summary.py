"""Every instruction of the program can be shown to whoever signs it, field by field."""

import pytest
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.settlement import layout
from proofgrid.settlement.advice import advice
from proofgrid.settlement.amounts import parse_amount, show_amount
from proofgrid.settlement.forms import SIGNER, WRITABLE
from proofgrid.settlement.forms import Instruction as Form
from proofgrid.settlement.layout.config import PARAMETERS
from proofgrid.settlement.layout.governance import CHANGE_PARAMETERS
from proofgrid.settlement.offline import compile_message
from proofgrid.settlement.refusals import Refusal
from proofgrid.settlement.summary import ADDRESSES, AMOUNTS, summarize

PROGRAM, PAYER = Pubkey(bytes([1]) * 32), Pubkey(bytes([2]) * 32)
DIGESTS = {"digest", "root", "prev_root", "inputs", "proof_digest", "key", "proof"}


@pytest.mark.parametrize("form", layout.INSTRUCTIONS, ids=lambda form: form.name)
def test_every_instruction_is_shown_with_every_field_and_account(form: Form) -> None:
    fields = [field for field in form.arguments.fields if not field.name.startswith("reserved")]
    values = {field.name: bytes(field.size) if isinstance(field.kind, int) else 1 for field in fields}
    if "parameters" in values:
        values["parameters"] = bytes(PARAMETERS.size)
    data = form.arguments.encode(values) + b"tail" * form.tail
    metas = [
        AccountMeta(Pubkey(bytes([10 + at]) * 32), bool(use.flags & SIGNER), bool(use.flags & WRITABLE))
        for at, use in enumerate(form.accounts)
    ]
    message = compile_message([Instruction(PROGRAM, data, metas)], PAYER, Hash.default())
    (step,) = summarize(message, PROGRAM, 6).steps
    assert step.name == form.name
    assert [role.name for role in step.accounts] == [use.name for use in form.accounts]
    assert [(role.is_signer, role.is_writable) for role in step.accounts] == [
        (meta.is_signer, meta.is_writable) for meta in metas
    ]
    shown = {name.partition(".")[0] for name in step.arguments}
    assert {field.name for field in fields} - {"change"} <= shown
    assert ("then" in shown) == form.tail


def test_every_field_of_an_address_size_is_known_as_one_or_as_a_digest() -> None:
    """A new field of 32 bytes must be sorted in before anybody is shown it."""
    records = [form.arguments for form in layout.INSTRUCTIONS] + list(layout.RECORDS)
    wide = {field.name for record in records for field in record.fields if field.kind == 32}
    assert wide <= ADDRESSES | DIGESTS
    assert not ADDRESSES & DIGESTS


def test_every_amount_is_shown_in_tokens() -> None:
    records = [form.arguments for form in layout.INSTRUCTIONS] + list(layout.RECORDS)
    wide = {field.name for record in records for field in record.fields if field.kind == "u64"}
    assert wide - AMOUNTS == {"nonce", "number", "shares"}


def test_a_change_of_parameters_is_shown_in_full() -> None:
    propose = next(form for form in layout.INSTRUCTIONS if form.name == "propose")
    change = bytearray(PARAMETERS.size)
    change[PARAMETERS.offset("fee_bps")] = 25
    data = propose.arguments.encode({"kind": CHANGE_PARAMETERS, "change": bytes(change)})
    metas = [AccountMeta(PAYER, True, True)] * len(propose.accounts)
    (step,) = summarize(compile_message([Instruction(PROGRAM, data, metas)], PAYER, Hash.default()), PROGRAM).steps
    assert step.arguments["parameters.fee_bps"] == "0.25 %"
    assert {f"parameters.{field.name}" for field in PARAMETERS.fields} <= set(step.arguments)


@pytest.mark.parametrize(
    ("text", "decimals", "units"),
    [
        ("12.5", 6, 12_500_000),
        ("0.000001", 6, 1),
        (".5", 1, 5),
        ("5.", 0, 5),
        ("18446744073709.551615", 6, 2**64 - 1),
        ("0.10", 1, 1),
        ("9007199254740993", 0, 2**53 + 1),
    ],
)
def test_an_amount_is_exact(text: str, decimals: int, units: int) -> None:
    assert parse_amount(text, decimals) == units
    assert parse_amount(show_amount(units, decimals), decimals) == units


NO_AMOUNTS = ["", ".", "0", "-1", "+1", "1e3", "1,5", "1 000", "NaN", "Infinity", "0x10", "٣", "1.2.3"]
TOO_FINE_OR_MUCH = ["1.0000001", "18446744073709.551616", "9" * 65]


@pytest.mark.parametrize("text", [*NO_AMOUNTS, *TOO_FINE_OR_MUCH])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        parse_amount(text, 6)


def test_every_refusal_has_advice() -> None:
    for refusal in Refusal:
        assert advice(refusal.name).strip(), f"say in settlement/advice.py what to do about {refusal.name}"
    assert advice("Custom(99)") == ""
