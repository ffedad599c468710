"""Envelopes: only their recipients open them, for their circuit and kind alone."""

from collections.abc import Callable

import pytest
from nacl.public import SealedBox
from nacl.secret import SecretBox
from nacl.signing import SigningKey, VerifyKey

from proofgrid.client.market import recipients
from proofgrid.errors import MalformedInput
from proofgrid.models import MAX_RECIPIENTS, InputKind
from proofgrid.prover.sealing import OVERHEAD_BYTES, SEALED_KEY_BYTES, Envelope, FleetKey, envelop

CIRCUIT, OTHER = "ab" * 32, "cd" * 32
SECRET = b"the witness"
FLEET, ANN, BOB = (FleetKey(SigningKey(bytes([number]) * 32)) for number in (1, 2, 3))
PAIR = (FLEET.public.hex(), ANN.public.hex())
KIND = InputKind.WITNESS


def made(circuit: str = CIRCUIT, kind: InputKind = KIND) -> Envelope:
    return envelop(PAIR, circuit, kind, SECRET)


def opened(by: FleetKey, one: Envelope, sealed_key: str | None = None, circuit: str = CIRCUIT) -> bytes:
    return by.open(one.content, sealed_key or one.keys[by.public.hex()], circuit, KIND)


@pytest.mark.parametrize("recipient", [FLEET, ANN])
def test_each_recipient_opens_it(recipient: FleetKey) -> None:
    one = made()
    assert opened(recipient, one) == SECRET
    assert SECRET not in one.content


def test_who_is_no_recipient_opens_nothing() -> None:
    one = made()
    assert BOB.public.hex() not in one.keys
    for sealed_key in one.keys.values():
        with pytest.raises(MalformedInput, match="not sealed to this prover"):
            opened(BOB, one, sealed_key)
    with pytest.raises(MalformedInput):
        BOB.unseal(one.content, CIRCUIT, KIND)


def test_sizes_do_not_depend_on_the_number_of_recipients() -> None:
    one, many = (
        made(),
        envelop([SigningKey.generate().verify_key.encode().hex() for _ in range(32)], CIRCUIT, KIND, b""),
    )
    assert len(one.content) - len(SECRET) == len(many.content) <= OVERHEAD_BYTES
    assert {len(key) for key in many.keys.values()} == {2 * SEALED_KEY_BYTES} == {270}
    assert len(many.keys) == MAX_RECIPIENTS


Swap = Callable[[], bytes]
SWAPS: dict[str, Swap] = {
    "the circuit": lambda: opened(ANN, made(), circuit=OTHER),
    "the kind": lambda: ANN.open((one := made()).content, one.keys[PAIR[1]], CIRCUIT, InputKind.INPUTS),
    "another request's key": lambda: opened(ANN, made(), made().keys[PAIR[1]]),
    "another circuit's key": lambda: opened(ANN, made(), made(OTHER).keys[PAIR[1]]),
    "another circuit's content": lambda: ANN.open((one := made(OTHER)).content, one.keys[PAIR[1]], CIRCUIT, KIND),
    "another recipient's key": lambda: opened(ANN, (one := made()), one.keys[PAIR[0]]),
    "a key that is none": lambda: opened(ANN, made(), "zz"),
    "the way before envelopes": lambda: ANN.unseal(made().content, CIRCUIT, KIND),
}


@pytest.mark.parametrize("swap", SWAPS.values(), ids=SWAPS)
def test_nothing_can_be_swapped(swap: Swap) -> None:
    with pytest.raises(MalformedInput):
        swap()


def test_every_flipped_byte_is_refused() -> None:
    one = made()
    content, sealed_key = one.content, bytes.fromhex(one.keys[PAIR[1]])
    for position in range(len(content)):
        with pytest.raises(MalformedInput):
            ANN.open(_flipped(content, position), sealed_key.hex(), CIRCUIT, KIND)
    for position in range(len(sealed_key)):
        for bit in (1, 0x80):
            with pytest.raises(MalformedInput):
                ANN.open(content, _flipped(sealed_key, position, bit).hex(), CIRCUIT, KIND)
    for short in (b"", content[:39], content[:-1]):
        with pytest.raises(MalformedInput):
            ANN.open(short, sealed_key.hex(), CIRCUIT, KIND)


def _flipped(content: bytes, position: int, bit: int = 1) -> bytes:
    changed = bytearray(content)
    changed[position] ^= bit
    return bytes(changed)


@pytest.mark.parametrize("keys", [[], ["zz"], ["ff" * 32], [PAIR[0], ""]])
def test_recipients_that_are_none_are_refused(keys: list[str]) -> None:
    with pytest.raises(MalformedInput):
        envelop(keys, CIRCUIT, KIND, SECRET)


def test_the_fleet_is_a_recipient_unless_it_is_shut_out() -> None:
    fleet, ann, bob = "1" * 64, "2" * 64, "3" * 64
    assert recipients(fleet, (ann, bob), None, ()) == [fleet, ann, bob]
    assert recipients(fleet, (ann, bob), None, (fleet, bob)) == [ann]
    assert recipients(fleet, (ann,), (bob, ann), ()) == [ann, bob]
    assert recipients(fleet, (), (fleet,), ()) == [fleet]
    assert recipients(fleet, (ann,), (), ()) == []
    assert len(recipients(fleet, [f"{n:064x}" for n in range(40)], None, ())) == MAX_RECIPIENTS


def test_a_key_is_bound_to_its_circuit_whatever_the_content_says() -> None:
    """Whoever knows a content's key can seal it again, but not as another circuit's."""
    secret, about = bytes(range(32)), bytes.fromhex(OTHER) + b"W"
    content = bytes(SecretBox(secret).encrypt(b"proofgrid.sealed.v1\0" + bytes.fromhex(CIRCUIT) + b"W" + SECRET))
    receiver = SealedBox(VerifyKey(ANN.public).to_curve25519_public_key())
    for head, opens in ((about, False), (bytes.fromhex(CIRCUIT) + b"W", True)):
        sealed_key = bytes(receiver.encrypt(b"proofgrid.envelope.v1\0" + head + secret)).hex()
        if opens:
            assert ANN.open(content, sealed_key, CIRCUIT, KIND) == SECRET
        else:
            with pytest.raises(MalformedInput, match="key is not for"):
                ANN.open(content, sealed_key, CIRCUIT, KIND)
