"""Puts the program on a cluster through the upgradeable loader, with ordinary transactions.

Source: the loader's instructions, `UpgradeableLoaderInstruction` of solana-loader-v3-interface.
"""

import asyncio
import struct
from collections.abc import Callable

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from solders.sysvar import CLOCK, RENT

from proofgrid.errors import ChainUnavailable, SettlementError
from proofgrid.settlement.addresses import LOADER, SYSTEM_PROGRAM, program_data_address
from proofgrid.settlement.rpc import ask, fetch_account, fetch_owned
from proofgrid.settlement.sender import Sender

PROGRAM_SIZE, BUFFER_HEADER_SIZE, PROGRAM_DATA_HEADER_SIZE = 36, 37, 45
CHUNK_SIZE = 900
ROOM_FACTOR = 2
"""A program account is made this many times as large as the program, so that upgrades fit."""
_WRITES_AT_ONCE = 4
_SLOT_TIMEOUT_S = 30.0

Progress = Callable[[int, int], None]
"""Called with (bytes written, bytes in all)."""


async def deploy(
    sender: Sender, program: bytes, program_keypair: Keypair, *, on_progress: Progress | None = None
) -> Pubkey:
    """Make the program run at ``program_keypair``'s address; returns that address once it can be called.

    Deploys, upgrades (the payer must be the upgrade authority), or does nothing where these bytes already run.
    Costs rent for twice the program's size and one transaction for each 900 bytes. Raises SettlementError where
    the address is taken or too small, ProgramRefused, ChainUnavailable; an interrupted deployment leaves a buffer
    whose lamports `solana program close --buffers` returns.
    """
    program_id = program_keypair.pubkey()
    account = await fetch_account(sender.client, program_id)
    if account is not None and account.owner != LOADER:
        raise SettlementError(f"{program_id} is not a program's address: it belongs to {account.owner}")
    if account is not None:
        running = await fetch_owned(sender.client, program_data_address(program_id), LOADER) or b""
        room = running[PROGRAM_DATA_HEADER_SIZE:]
        if room[: len(program)] == program and not any(room[len(program) :]):
            return program_id
        if len(room) < len(program):
            raise SettlementError(f"{program_id} has room for {len(room)} bytes, the program has {len(program)}")
    buffer = await _write_buffer(sender, program, on_progress)
    if account is not None:
        sent = await sender.send([_upgrade(program_id, buffer, sender.payer.pubkey())])
    else:
        sent = await sender.send(
            [
                await _create(sender, program_id, PROGRAM_SIZE),
                _deploy(program_id, buffer, sender.payer.pubkey(), ROOM_FACTOR * len(program)),
            ],
            signers=[program_keypair],
        )
    await _wait_for_slot(sender.client, sent.slot + 1)  # a program runs from the slot after its deployment
    return program_id


async def _write_buffer(sender: Sender, program: bytes, on_progress: Progress | None) -> Pubkey:
    keypair, authority = Keypair(), sender.payer.pubkey()
    buffer = keypair.pubkey()
    initialize = Instruction(LOADER, struct.pack("<I", 0), [_meta(buffer, "w"), _meta(authority)])
    create = await _create(sender, buffer, BUFFER_HEADER_SIZE + len(program))
    await sender.send([create, initialize], signers=[keypair])
    gate, written = asyncio.Semaphore(_WRITES_AT_ONCE), 0

    async def write(offset: int) -> None:
        nonlocal written
        chunk = program[offset : offset + CHUNK_SIZE]
        data = struct.pack("<IIQ", 1, offset, len(chunk)) + chunk
        async with gate:
            await sender.send([Instruction(LOADER, data, [_meta(buffer, "w"), _meta(authority, "s")])])
        written += len(chunk)
        if on_progress is not None:
            on_progress(written, len(program))

    try:
        async with asyncio.TaskGroup() as group:
            for offset in range(0, len(program), CHUNK_SIZE):
                group.create_task(write(offset))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return buffer


async def _create(sender: Sender, address: Pubkey, size: int) -> Instruction:
    lamports = (await ask(sender.client.get_minimum_balance_for_rent_exemption(size, Confirmed))).value
    return create_account(
        CreateAccountParams(
            from_pubkey=sender.payer.pubkey(), to_pubkey=address, lamports=lamports, space=size, owner=LOADER
        )
    )


def _deploy(program_id: Pubkey, buffer: Pubkey, authority: Pubkey, room: int) -> Instruction:
    accounts = [
        _meta(authority, "sw"),
        _meta(program_data_address(program_id), "w"),
        _meta(program_id, "w"),
        _meta(buffer, "w"),
        _meta(RENT),
        _meta(CLOCK),
        _meta(SYSTEM_PROGRAM),
        _meta(authority, "s"),
    ]
    return Instruction(LOADER, struct.pack("<IQ", 2, room), accounts)


def _upgrade(program_id: Pubkey, buffer: Pubkey, authority: Pubkey) -> Instruction:
    accounts = [
        _meta(program_data_address(program_id), "w"),
        _meta(program_id, "w"),
        _meta(buffer, "w"),
        _meta(authority, "w"),  # the buffer's lamports go here
        _meta(RENT),
        _meta(CLOCK),
        _meta(authority, "s"),
    ]
    return Instruction(LOADER, struct.pack("<I", 3), accounts)


def _meta(address: Pubkey, flags: str = "") -> AccountMeta:
    return AccountMeta(address, is_signer="s" in flags, is_writable="w" in flags)


async def _wait_for_slot(client: AsyncClient, slot: int) -> None:
    for _ in range(int(_SLOT_TIMEOUT_S / 0.1)):
        if (await ask(client.get_slot(Confirmed))).value >= slot:
            return
        await asyncio.sleep(0.1)
    raise ChainUnavailable(f"the cluster did not reach slot {slot} within {_SLOT_TIMEOUT_S:.0f} s")
