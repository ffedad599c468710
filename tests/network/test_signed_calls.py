"""Calls signed with an ed25519 key: one signature holds for one call, at one time, on one network."""

import dataclasses

import pytest
from nacl.signing import SigningKey

from proofgrid.errors import AccessDenied
from proofgrid.signed_calls import (
    GOOD_FOR_S,
    KEY_HEADER,
    NONCE_HEADER,
    SIGNATURE_HEADER,
    TIME_HEADER,
    Call,
    check_call,
    sign_call,
)

KEY = SigningKey(bytes(range(32)))
CALL = Call("proofgrid-devnet", "POST", "/v1/prover/work?wait=5", b'{"slots": 1}')
NOW = 1_700_000_000.0


def test_a_signed_call_names_its_signer() -> None:
    headers = sign_call(KEY, CALL, NOW)
    signed = check_call(headers, CALL, NOW)
    assert (signed.key, signed.time) == (bytes(KEY.verify_key).hex(), int(NOW))
    assert sign_call(KEY, CALL, NOW)[NONCE_HEADER] != signed.nonce


@pytest.mark.parametrize(
    "change", [{"audience": "other"}, {"method": "GET"}, {"target": "/v1/prover/work"}, {"body": b"{}"}]
)
def test_a_signature_holds_for_one_call_alone(change: dict[str, object]) -> None:
    headers = sign_call(KEY, CALL, NOW)
    with pytest.raises(AccessDenied, match="does not hold"):
        check_call(headers, dataclasses.replace(CALL, **change), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [KEY_HEADER, TIME_HEADER, NONCE_HEADER, SIGNATURE_HEADER])
def test_another_header_or_none_is_refused(name: str) -> None:
    headers = sign_call(KEY, CALL, NOW)
    for wrong in ("", headers[name][:-1], headers[name] + "0", headers[name].upper() + "é"):
        with pytest.raises(AccessDenied, match=f"{name} is missing|s off"):
            check_call(headers | {name: wrong}, CALL, NOW)
    other = headers[name][:-1] + ("1" if headers[name][-1] != "1" else "2")
    with pytest.raises(AccessDenied, match="does not hold"):
        check_call(headers | {name: other}, CALL, NOW)


@pytest.mark.parametrize("off", [GOOD_FOR_S, -GOOD_FOR_S])
def test_a_call_is_good_for_a_while(off: int) -> None:
    headers = sign_call(KEY, CALL, NOW)
    check_call(headers, CALL, NOW + off)
    with pytest.raises(AccessDenied, match="s off"):
        check_call(headers, CALL, NOW + off + (1 if off > 0 else -1))
