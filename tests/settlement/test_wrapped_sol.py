"""A network whose token is wrapped SOL: what the token program moves are lamports, and nothing can burn them."""

import struct
from dataclasses import dataclass
from typing import Self

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.rent import Rent

from proofgrid.settlement.addresses import TOKEN_PROGRAM, vault_address
from proofgrid.settlement.instructions import config, provers
from tests.settlement.chains import Chain
from tests.settlement.jobs import CAP, FEE, FUNDS, PRICE, Job
from tests.settlement.network import Network, Person, name_upgrade_authority

NATIVE_MINT = Pubkey.from_string("So11111111111111111111111111111111111111112")
RENT = Rent.default().minimum_balance(165)
NATIVE_NOT_SUPPORTED = "Custom(10)"


@dataclass
class Wrapped(Network):
    """Its token accounts hold SOL."""

    @classmethod
    def before(cls, chain: Chain) -> Self:
        chain.forge(NATIVE_MINT, struct.pack("<I32xQBB36x", 0, 0, 9, 1), TOKEN_PROGRAM)
        network = cls(chain, NATIVE_MINT, chain.fund(60), Pubkey.default())
        network.treasury = network.token_account(chain.payer.pubkey())
        name_upgrade_authority(chain, chain.payer.pubkey())
        return network

    def token_account(self, owner: Pubkey, amount: int = 0, *, mint: Pubkey | None = None, state: int = 1) -> Pubkey:
        if mint is not None:
            return super().token_account(owner, amount, mint=mint, state=state)
        address = Pubkey.new_unique()
        data = struct.pack("<32s32sQ36xBIQ8x36x", bytes(NATIVE_MINT), bytes(owner), amount, state, 1, RENT)
        self.chain.svm.set_account(address, Account(RENT + amount, data, TOKEN_PROGRAM))
        return address

    def lamports(self, address: Pubkey) -> int:
        account = self.chain.svm.get_account(address)
        assert account is not None
        return account.lamports

    @property
    def vault_lamports(self) -> int:
        """SOL in the vault beyond what keeps it alive."""
        return self.lamports(vault_address(self.chain.program_id)[0]) - RENT


def unwrap(person: Person, to: Pubkey) -> Instruction:
    """The token program's CloseAccount: all of its SOL goes ``to``."""
    metas = [
        AccountMeta(person.tokens, False, True),
        AccountMeta(to, False, True),
        AccountMeta(person.key, True, False),
    ]
    return Instruction(TOKEN_PROGRAM, b"\x09", metas)


def test_sol_goes_the_whole_way(chain: Chain) -> None:
    network = Wrapped.on(chain)
    job = Job.over(network)
    job.assigned()
    assert network.vault == network.vault_lamports == 5_000 + CAP

    chain.send(job.fulfil())
    assert job.requester.balance == FUNDS - PRICE
    share = job.prover.pool.stake - 5_000
    chain.send(provers.collect_earnings(chain.program_id, job.prover.prover, job.prover.tokens))
    assert job.prover.balance == 10**9 - 5_000 + PRICE - FEE - share
    chain.send(job.prover.exit(job.prover, job.prover.position(job.prover).shares), signers=[job.prover.keypair])
    network.pass_time(1_001)
    chain.send(job.prover.withdraw(job.prover), signers=[job.prover.keypair])
    chain.send(config.collect_fees(chain.program_id, network.treasury))
    assert network.balance(network.treasury) == FEE
    assert network.vault == network.vault_lamports <= 1  # what the rounding of shares leaves

    somebody = Pubkey.new_unique()
    chain.send(unwrap(job.prover, somebody), signers=[job.prover.keypair])
    assert network.lamports(somebody) == RENT + 10**9 + PRICE - FEE - network.vault


def test_what_was_slashed_stays_in_the_vault(chain: Chain) -> None:
    network = Wrapped.on(chain)
    job = Job.over(network)
    job.assigned()
    network.pass_time(1_000)
    chain.send(job.slash())
    burned = network.config.burned
    assert burned > 0
    assert job.requester.balance == FUNDS + 160 - burned
    chain.refuses(NATIVE_NOT_SUPPORTED, config.burn(chain.program_id, network.mint))
    assert network.config.burned == burned
    assert network.vault == network.vault_lamports == job.prover.pool.stake + burned
