"""Calldata of the contracts' functions, in Solidity's ABI: a selector, then words of 32 bytes, big-endian."""

from collections.abc import Sequence

from proofgrid.errors import MalformedInput
from proofgrid.kernels.curves import BN254
from proofgrid.settlement.evm.verifier import WORD, require_bn254, verifier_selector
from proofgrid.verifier.keys import Proof, VerifyingKey
from proofgrid.verifier.receipts import Receipt
from proofgrid.verifier.refusals import Reason, RefusedInput

# The first four bytes of the Keccak-256 of the names; the tests compare them with the compiler's.
VERIFY = bytes.fromhex("8f3308d9")
"""``verify(uint256[8],uint256[])`` of a verifier."""
VERIFY_SEAL = bytes.fromhex("7f374daa")
"""``verify(bytes32,bytes,uint256[])`` of the router."""
VERIFY_RECEIPT = bytes.fromhex("8666b841")
"""``verifyReceipt(bytes32,(bytes32,bytes32,bytes32,bytes32,bytes32,uint64),uint256,bytes32[])`` of the receipts."""

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def calldata(proof: Proof, inputs: Sequence[int]) -> bytes:
    """The call of a verifier's ``verify``: 4 + 256 + 64 + 32 n bytes. Raises as :func:`_require_words`."""
    encoded = _require_bn254_proof(proof)
    return VERIFY + encoded + _word(len(encoded) + WORD) + _words(inputs)


def encode_seal(key: VerifyingKey, proof: Proof) -> bytes:
    """A proof as the router takes it: the verifier's selector (4 bytes) and the proof (256)."""
    require_bn254(key)
    return verifier_selector(key) + _require_bn254_proof(proof)


def router_calldata(key: VerifyingKey, proof: Proof, inputs: Sequence[int]) -> bytes:
    """The call of the router's ``verify``: 4 + 96 + 320 + 32 + 32 n bytes."""
    seal = encode_seal(key, proof)
    padded = _word(len(seal)) + seal + bytes(-len(seal) % WORD)
    head = key.digest() + _word(3 * WORD) + _word(3 * WORD + len(padded))
    return VERIFY_SEAL + head + padded + _words(inputs)


def receipt_calldata(receipt: Receipt) -> bytes:
    """The call of the registry's ``verifyReceipt``; the receipt's path is checked first, as by ``check_path``."""
    receipt.check_path()
    leaf = receipt.leaf
    digests = (leaf.request_id, leaf.verifying_key_digest, leaf.public_inputs_digest, leaf.proof_digest, leaf.prover)
    fields = b"".join([*digests, _word(leaf.price_lamports)])
    batch = decode_address(receipt.batch_address)
    head = batch + fields + _word(receipt.index) + _word(len(batch) + len(fields) + 2 * WORD)
    return VERIFY_RECEIPT + head + _word(len(receipt.path)) + b"".join(receipt.path)


def decode_address(text: str) -> bytes:
    """A Solana address (base58) as its 32 bytes; raises :class:`MalformedInput`."""
    number = 0
    for character in text[:45]:
        digit = _BASE58.find(character)
        if digit < 0:
            raise MalformedInput(f"{text[:45]!r} is not an address on Solana: {character!r} is no digit of base58")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    data = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(data) != WORD:
        raise MalformedInput(f"{text[:45]!r} is not an address on Solana: it has {len(data)} bytes, not {WORD}")
    return data


def _require_bn254_proof(proof: Proof) -> bytes:
    if proof.curve != BN254:
        raise RefusedInput(f"the proof is of {proof.curve.name}; the EVM contracts are of bn254", Reason.WRONG_CURVE)
    return proof.encode()


def _words(values: Sequence[int]) -> bytes:
    """A ``uint256[]``: its length, then the values. Raises :class:`RefusedInput` for what is no input of BN254."""
    for index, value in enumerate(values):
        if type(value) is not int or not 0 <= value < BN254.r:
            raise RefusedInput(f"public input {index} is not an integer in [0, r)", Reason.INPUT_RANGE)
    return _word(len(values)) + b"".join(map(_word, values))


def _word(value: int) -> bytes:
    return value.to_bytes(WORD, "big")
