"""Keys registered and proofs verified on chain, through the verifier's own types."""

from types import SimpleNamespace
from typing import cast

import pytest
from solders.keypair import Keypair

from proofgrid.errors import MalformedInput, ProgramRefused
from proofgrid.kernels.backend import select
from proofgrid.kernels.curves import BLS12_381, BN254
from proofgrid.settlement.addresses import key_address, upload_address
from proofgrid.settlement.instructions import uploads
from proofgrid.settlement.registry import read_key, upload_key, verify_on_chain
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.submitter import Submitter
from proofgrid.verifier.keys import Proof, VerifyingKey
from tests.settlement.cluster import PAYER, PROGRAM, on_devnet, rpc
from tests.settlement.instances import Instance, instance

PROGRAM_ID = PROGRAM.pubkey()


def key_of(given: Instance) -> VerifyingKey:
    return VerifyingKey.decode(BN254, given.encoding, backend=select("reference"))


def test_key_is_registered_once_and_verifies() -> None:
    async def journey(ready: Submitter) -> None:
        given = instance(8)
        key, sender = key_of(given), ready.sender
        # When a key is uploaded
        address = await upload_key(sender, PROGRAM_ID, key)
        # Then its account holds it, and uploading it again costs nothing
        assert address == key_address(PROGRAM_ID, key.digest())[0]
        account = await read_key(sender, PROGRAM_ID, key.digest())
        assert account is not None
        assert (account.encoding, account.n_public) == (key.encode(), 8)
        before = await ready.balance()
        assert await upload_key(sender, PROGRAM_ID, key) == address
        assert await ready.balance() == before
        # And proofs are verified against it
        proof = Proof.decode(BN254, given.proof)
        sent = await verify_on_chain(sender, PROGRAM_ID, key, given.inputs, proof)
        assert sent.compute_units < 130_000
        wrong = [given.inputs[0] + 1, *given.inputs[1:]]
        for name, inputs in (("InvalidProof", wrong), ("WrongInputCount", given.inputs[:-1])):
            with pytest.raises(ProgramRefused) as refused:
                await verify_on_chain(sender, PROGRAM_ID, key, inputs, proof)
            assert refused.value.name == name

    on_devnet(journey)


def test_unknown_key_is_told() -> None:
    async def journey(ready: Submitter) -> None:
        given = instance(1)
        with pytest.raises(ProgramRefused, match="upload_key") as refused:
            await verify_on_chain(
                ready.sender, PROGRAM_ID, key_of(given), given.inputs, Proof.decode(BN254, given.proof)
            )
        assert refused.value.name == "KeyNotFound"
        assert await read_key(ready.sender, PROGRAM_ID, given.digest) is None

    on_devnet(journey)


def test_interrupted_upload_goes_on() -> None:
    async def journey(ready: Submitter) -> None:
        given, payer = instance(8), PAYER.pubkey()
        await ready.sender.send([uploads.init_upload(PROGRAM_ID, payer, given.digest, len(given.encoding))])
        await ready.sender.send([uploads.write_upload(PROGRAM_ID, payer, given.digest, 0, b"half")])
        await upload_key(ready.sender, PROGRAM_ID, key_of(given))
        account = await read_key(ready.sender, PROGRAM_ID, given.digest)
        assert account is not None
        assert account.encoding == given.encoding

    on_devnet(journey)


def test_slower_uploader_gets_its_rent_back() -> None:
    async def journey(ready: Submitter) -> None:
        given, other = instance(1), Keypair()
        await ready.client.request_airdrop(other.pubkey(), 10**9)
        slow = Sender(ready.client, other, poll_s=0.02)
        faster = ready.sender

        class Overtaken(Sender):
            async def send(self, batch, **options):  # type: ignore[no-untyped-def]
                if batch[0].data[0] == 2:  # finalize_key
                    await upload_key(faster, PROGRAM_ID, key_of(given))
                return await slow.send(batch, **options)

        await upload_key(Overtaken(ready.client, other), PROGRAM_ID, key_of(given))
        upload, _ = upload_address(PROGRAM_ID, other.pubkey(), given.digest)
        assert (await rpc(ready.client, "getBalance", str(upload)))["result"]["value"] == 0

    on_devnet(journey)


def test_keys_the_program_cannot_use_are_told() -> None:
    async def journey(ready: Submitter) -> None:
        for wrong in (SimpleNamespace(curve=BLS12_381, n_public=1), SimpleNamespace(curve=BN254, n_public=65)):
            with pytest.raises(MalformedInput):
                await upload_key(ready.sender, PROGRAM_ID, cast(VerifyingKey, wrong))

    on_devnet(journey)
