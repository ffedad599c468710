"""initialize: the upgrade authority begins the network, once, within the bounds of its parameters."""

import pytest
from pydantic import ValidationError
from solders.account import Account
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.addresses import (
    TOKEN_PROGRAM,
    config_address,
    program_data_address,
    vault_address,
)
from proofgrid.settlement.layout.config import INITIALIZE
from proofgrid.settlement.layout.config import PARAMETERS as RECORD
from proofgrid.settlement.parameters import Parameters
from tests.settlement.altered import with_account
from tests.settlement.chains import Chain
from tests.settlement.network import PARAMETERS, WINDOWS, Network, name_upgrade_authority
from tests.settlement.shape import keeps_its_shape


def test_the_upgrade_authority_begins_the_network(chain: Chain) -> None:
    network = Network.before(chain)
    chain.send(network.initialize())
    made = network.config
    assert (made.mint, made.treasury) == (bytes(network.mint), bytes(network.treasury))
    assert made.guardian == bytes(network.guardian.pubkey())
    assert made.vault == bytes(vault_address(chain.program_id)[0])
    assert made.rules == PARAMETERS
    assert (made.total_stake, made.fees, made.burned, made.next_proposal, made.paused) == (0, 0, 0, 0, 0)
    assert network.vault == 0
    vault = chain.svm.get_account(vault_address(chain.program_id)[0])
    assert vault is not None
    assert vault.owner == TOKEN_PROGRAM
    assert vault.data[32:64] == bytes(config_address(chain.program_id)[0])


def test_it_begins_once(chain: Chain) -> None:
    network = Network.on(chain)
    chain.refuses("AlreadyInitialized", network.initialize())


def test_nobody_else_begins_it(chain: Chain) -> None:
    network = Network.before(chain)
    name_upgrade_authority(chain, Pubkey.new_unique())
    chain.refuses("NotUpgradeAuthority", network.initialize())
    name_upgrade_authority(chain, None)
    chain.refuses("NotUpgradeAuthority", network.initialize())
    # nor an authority that gave itself up, whose key the loader leaves standing behind its no
    name_upgrade_authority(chain, chain.payer.pubkey())
    at = program_data_address(chain.program_id)
    record = chain.svm.get_account(at)
    assert record is not None
    chain.svm.set_account(at, Account(record.lamports, record.data[:12] + b"\0" + record.data[13:], record.owner))
    chain.refuses("NotUpgradeAuthority", network.initialize())


@pytest.mark.parametrize("size", [44, 45])
def test_the_loaders_record_is_read_whole_or_not_at_all(chain: Chain, size: int) -> None:
    network, at = Network.before(chain), program_data_address(chain.program_id)
    record = chain.svm.get_account(at)
    assert record is not None
    chain.forge(at, record.data[:size], owner=record.owner)
    if size == 45:
        chain.send(network.initialize())
    else:
        chain.refuses("WrongProgramData", network.initialize())


def test_another_programs_data_does_not_count(chain: Chain) -> None:
    network = Network.before(chain)
    data = chain.svm.get_account(program_data_address(chain.program_id))
    assert data is not None
    elsewhere = Pubkey.new_unique()
    chain.svm.set_account(elsewhere, data)
    chain.refuses("WrongProgramData", with_account(network.initialize(), 5, elsewhere))
    chain.forge(program_data_address(chain.program_id), data.data, owner=Pubkey.new_unique())
    chain.refuses("WrongProgramData", network.initialize())


def test_wrong_accounts_are_refused(chain: Chain) -> None:
    network = Network.before(chain)
    honest = network.initialize()
    chain.refuses("WrongConfigAddress", with_account(honest, 1, Pubkey.new_unique()))
    chain.refuses("WrongVault", with_account(honest, 2, Pubkey.new_unique()))
    not_a_mint = Pubkey.new_unique()
    chain.forge(not_a_mint, bytes(82), Pubkey.new_unique())
    chain.refuses("WrongMint", with_account(honest, 3, not_a_mint))
    chain.refuses("WrongMint", with_account(honest, 3, network.treasury))
    other_mint = Pubkey.new_unique()
    owner = chain.payer.pubkey()
    for treasury in (
        network.token_account(owner, mint=other_mint),
        network.token_account(owner, state=0),
        network.token_account(owner, state=2),
        network.mint,
        Pubkey.new_unique(),
    ):
        chain.refuses("WrongTokenAccount", with_account(honest, 4, treasury))
    chain.refuses("WrongSystemProgram", with_account(honest, 6, TOKEN_PROGRAM))
    chain.refuses("WrongTokenProgram", with_account(honest, 7, chain.program_id))
    chain.refuses("MissingAccount", Instruction(chain.program_id, honest.data, honest.accounts[:7]))
    chain.refuses("MalformedInstruction", Instruction(chain.program_id, honest.data + b"\0", honest.accounts))
    chain.refuses("MalformedInstruction", Instruction(chain.program_id, honest.data[:-1], honest.accounts))


OUT_OF_RANGE = [
    {"fee_bps": 1_001},
    {"burn_bps": 1_999},
    {"burn_bps": 9_001},
    {"job_bond_bps": 10_001},
    {"quorum_bps": 999},
    {"quorum_bps": 10_001},
    {"min_stake": 0},
    {"leaf_bond": 0},
    {"job_bond": 0},
    {"demand_bond": 0},
    *({name: 0} for name in WINDOWS),
    *({name: 365 * 24 * 3600 + 1} for name in WINDOWS),
    {"exit_window_s": 349},
    {"exit_window_s": 659},
    {"exit_window_s": 349, "vote_window_s": 1},
]


@pytest.mark.parametrize("wrong", OUT_OF_RANGE, ids=str)
def test_parameters_out_of_range_are_refused_by_both_sides(chain: Chain, wrong: dict[str, int]) -> None:
    values = PARAMETERS.model_dump() | wrong
    with pytest.raises(ValidationError):
        Parameters(**values)
    network = Network.before(chain)
    honest = network.initialize()
    at = INITIALIZE.arguments.offset("parameters")
    data = honest.data[:at] + RECORD.encode(values)
    chain.refuses("ParameterOutOfRange", Instruction(chain.program_id, data, honest.accounts))


@pytest.mark.parametrize(
    "edge",
    [
        {"fee_bps": 0},
        {"fee_bps": 1_000},
        {"burn_bps": 2_000},
        {"burn_bps": 9_000},
        {"quorum_bps": 1_000, "job_bond_bps": 10_000},
        {"exit_window_s": 660},
        {"exit_window_s": 350, "vote_window_s": 1, "execute_delay_s": 1},
        {"challenge_window_s": 1, "reveal_window_s": 1, "claim_window_s": 1},
        {"exit_window_s": 365 * 24 * 3600, "vote_window_s": (365 * 24 * 3600 - 60) // 2},
        {"quorum_bps": 10_000},
        {"exit_window_s": 365 * 24 * 3600},
        {"min_stake": 1, "leaf_bond": 1, "job_bond": 1, "demand_bond": 1},
    ],
    ids=str,
)
def test_parameters_at_the_edge_are_accepted(chain: Chain, edge: dict[str, int]) -> None:
    parameters = Parameters(**(PARAMETERS.model_dump() | edge))
    assert Network.on(chain, parameters).config.rules == parameters


def test_defaults_are_acceptable(chain: Chain) -> None:
    network = Network.on(chain, Parameters())
    assert network.config.rules == Parameters()


def test_it_keeps_its_shape(chain: Chain) -> None:
    keeps_its_shape(chain, INITIALIZE, Network.before(chain).initialize(), [chain.payer], creates=True)
