"""Instructions with evidence that no packet holds: as transactions that each fit one, sent, resumed and closed."""

import asyncio
import math

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput, ProgramRefused
from proofgrid.settlement.addresses import upload_address
from proofgrid.settlement.devnet import Devnet
from proofgrid.settlement.evidence import show, split
from proofgrid.settlement.instructions import keys, uploads
from proofgrid.settlement.program import program_bytes
from proofgrid.settlement.sender import Sender
from proofgrid.settlement.transactions import fits
from proofgrid.settlement.uploads import CHUNK_SIZE, upload
from tests.settlement.chains import Chain
from tests.settlement.instances import instance
from tests.settlement.network import Network, Person
from tests.settlement.test_uploads import LIE, WIDE, challenge, evidence, filled

PROGRAM, PAYER = Pubkey.new_unique(), Keypair.from_seed(bytes([7]) * 32)


def test_what_fits_a_packet_is_one_transaction(network: Network) -> None:
    chain, narrow = network.chain, instance(1)
    plain = keys.verify_groth16(chain.program_id, narrow.digest, narrow.inputs, narrow.proof)
    parts = evidence(chain, plain)
    assert (parts.transactions, parts.close, parts.digest) == ([[plain]], None, None)


def test_every_part_fits_a_packet(network: Network, committer: Person) -> None:
    parts = evidence(network.chain, challenge(filled(committer, LIE)))
    assert len(parts.prepare) == 1 + math.ceil(len(parts.tail) / CHUNK_SIZE) == 4
    payer = network.chain.payer.pubkey()
    assert all(fits(transaction, payer) for transaction in parts.transactions)
    assert not fits([challenge(filled(committer, LIE))], payer)


def test_what_reads_no_upload_is_refused(chain: Chain) -> None:
    payer = chain.payer.pubkey()
    large = uploads.write_upload(chain.program_id, payer, bytes(32), 0, bytes(1232))
    with pytest.raises(MalformedInput, match="reads no upload"):
        evidence(chain, large)
    endless = keys.verify_groth16(chain.program_id, bytes(32), [0] * 318, bytes(256))
    with pytest.raises(MalformedInput, match="10176 bytes"):
        evidence(chain, endless)


def test_evidence_is_sent_resumed_and_closed() -> None:
    async def journey(url: str) -> None:
        async with AsyncClient(url, commitment=Confirmed, timeout=5) as client:
            sender = Sender(client, PAYER, poll_s=0.02, rebroadcast_s=0.02)
            await client.request_airdrop(PAYER.pubkey(), 10**11)
            await upload(sender, PROGRAM, WIDE.digest, WIDE.encoding)
            await sender.send([keys.finalize_key(PROGRAM, PAYER.pubkey(), WIDE.digest)])
            plain = keys.verify_groth16(PROGRAM, WIDE.digest, WIDE.inputs, WIDE.proof)
            parts = split(PROGRAM, PAYER.pubkey(), plain)
            assert parts.digest is not None
            for one in parts.prepare[:2]:  # an interrupted upload
                await sender.send([one])
            before = (await client.get_balance(PAYER.pubkey())).value
            await show(sender, PROGRAM, plain)
            assert (await client.get_balance(PAYER.pubkey())).value > before
            # a refusal closes the upload as well
            false = keys.verify_groth16(PROGRAM, WIDE.digest, WIDE.inputs, LIE.proof)
            with pytest.raises(ProgramRefused, match="InvalidProof"):
                await show(sender, PROGRAM, false)
            address = upload_address(PROGRAM, PAYER.pubkey(), parts.digest)[0]
            assert (await client.get_account_info(address)).value is None
            # one of another size under the same name makes way
            await sender.send([uploads.init_upload(PROGRAM, PAYER.pubkey(), parts.digest, 5)])
            await show(sender, PROGRAM, plain)
            assert (await client.get_account_info(address)).value is None

    with Devnet.start(programs={PROGRAM: program_bytes()}, slot_s=0.02) as devnet:
        asyncio.run(journey(devnet.url))
