"""A network on a chain: a mint, the config, and people with tokens."""

import struct
from dataclasses import dataclass
from typing import Self

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement.accounts import ConfigAccount, PositionAccount, ProposalAccount, ProverAccount
from proofgrid.settlement.addresses import (
    LOADER,
    TOKEN_PROGRAM,
    config_address,
    position_address,
    program_data_address,
    proposal_address,
    prover_address,
    vault_address,
)
from proofgrid.settlement.forms import Value
from proofgrid.settlement.instructions import config, provers
from proofgrid.settlement.layout.config import CONFIG_ACCOUNT
from proofgrid.settlement.layout.provers import PROVER_ACCOUNT
from proofgrid.settlement.parameters import Parameters
from tests.settlement.chains import Chain

SUPPLY = 10**15
TOP = 2**64 - 1
WINDOWS = {
    "challenge_window_s": 100,
    "reveal_window_s": 50,
    "claim_window_s": 200,
    "exit_window_s": 1000,
    "vote_window_s": 300,
    "execute_delay_s": 60,
}
PARAMETERS = Parameters(min_stake=1000, leaf_bond=10, job_bond=20, demand_bond=30, **WINDOWS)


@dataclass
class Network:
    """The program initialised over a mint of its own; amounts are in the mint's units."""

    chain: Chain
    mint: Pubkey
    guardian: Keypair
    treasury: Pubkey

    @classmethod
    def before(cls, chain: Chain) -> Self:
        """Everything but the config: a mint, a treasury, and the payer as the program's upgrade authority."""
        mint = Pubkey.new_unique()
        authority = Pubkey.new_unique()
        head = struct.pack("<I32sQBB", 1, bytes(authority), SUPPLY, 6, 1)
        chain.forge(mint, head + bytes(36), TOKEN_PROGRAM)
        network = cls(chain, mint, chain.fund(60), Pubkey.default())
        network.treasury = network.token_account(chain.payer.pubkey())
        name_upgrade_authority(chain, chain.payer.pubkey())
        return network

    @classmethod
    def on(cls, chain: Chain, parameters: Parameters = PARAMETERS) -> Self:
        network = cls.before(chain)
        chain.send(network.initialize(parameters))
        return network

    def initialize(self, parameters: Parameters = PARAMETERS) -> Instruction:
        return config.initialize(
            self.chain.program_id,
            self.chain.payer.pubkey(),
            mint=self.mint,
            treasury=self.treasury,
            guardian=self.guardian.pubkey(),
            parameters=parameters,
        )

    def token_account(self, owner: Pubkey, amount: int = 0, *, mint: Pubkey | None = None, state: int = 1) -> Pubkey:
        """A token account that holds ``amount``."""
        address = Pubkey.new_unique()
        data = struct.pack("<32s32sQ36sB56x", bytes(mint or self.mint), bytes(owner), amount, bytes(36), state)
        self.chain.forge(address, data, TOKEN_PROGRAM)
        return address

    def balance(self, token_account: Pubkey) -> int:
        account = self.chain.svm.get_account(token_account)
        assert account is not None
        return int.from_bytes(account.data[64:72], "little")

    @property
    def vault(self) -> int:
        return self.balance(vault_address(self.chain.program_id)[0])

    @property
    def config(self) -> ConfigAccount:
        return ConfigAccount.decode(self.chain.data(config_address(self.chain.program_id)[0]))

    def proposal(self, number: int) -> ProposalAccount:
        return ProposalAccount.decode(self.chain.data(proposal_address(self.chain.program_id, number)[0]))

    def person(self, seed: int, tokens: int = 0) -> "Person":
        keypair = self.chain.fund(seed)
        return Person(self, keypair, self.token_account(keypair.pubkey(), tokens))

    def prover(self, seed: int, stake: int = 0, *, pool_bps: int = 0, tokens: int = 10**9) -> "Person":
        """A person who has registered as a prover and staked; its hot signer is ``hot(seed)``."""
        owner = self.person(seed, tokens)
        self.chain.send(owner.register(pool_bps=pool_bps), signers=[owner.keypair])
        if stake:
            owner.stake(owner, stake)
        return owner

    def pass_time(self, seconds: int) -> None:
        clock = self.chain.svm.get_clock()
        clock.unix_timestamp += seconds
        self.chain.svm.set_clock(clock)

    def committer(self, seed: int, stake: int = 50_000) -> "Person":
        """A prover whose hot signer can pay for batches."""
        committer = self.prover(seed, stake)
        self.chain.svm.airdrop(committer.hot.pubkey(), 10**10)
        return committer

    def edit_prover(self, prover: "Person", **values: int) -> None:
        self.chain.edit(prover.prover, PROVER_ACCOUNT, **values)

    def edit_config(self, **values: Value) -> None:
        self.chain.edit(config_address(self.chain.program_id)[0], CONFIG_ACCOUNT, **values)

    def owe(self, **amounts: int) -> None:
        """Fees or burned tokens in the config by hand, and as many tokens in the vault."""
        self.edit_config(**amounts)
        self.fill_vault(sum(amounts.values()))

    def fill_vault(self, amount: int) -> None:
        payer = self.person(77, amount)
        vault, _ = vault_address(self.chain.program_id)
        metas = [
            AccountMeta(payer.tokens, False, True),
            AccountMeta(vault, False, True),
            AccountMeta(payer.key, True, False),
        ]
        transfer = Instruction(TOKEN_PROGRAM, b"\3" + amount.to_bytes(8, "little"), metas)
        self.chain.send(transfer, signers=[payer.keypair])

    def pause(self, *, paused: bool = True) -> None:
        stop = config.set_paused(self.chain.program_id, self.guardian.pubkey(), paused=paused)
        self.chain.send(stop, signers=[self.guardian])


@dataclass
class Person:
    """A keypair with a token account, and perhaps a prover of its own."""

    network: Network
    keypair: Keypair
    tokens: Pubkey

    @property
    def key(self) -> Pubkey:
        return self.keypair.pubkey()

    @property
    def balance(self) -> int:
        return self.network.balance(self.tokens)

    @property
    def prover(self) -> Pubkey:
        return prover_address(self.network.chain.program_id, self.key)[0]

    @property
    def pool(self) -> ProverAccount:
        return ProverAccount.decode(self.network.chain.data(self.prover))

    @property
    def hot(self) -> Keypair:
        return Keypair.from_seed(bytes(self.key)[:31] + b"h")

    def register(self, *, pool_bps: int = 0, signer: Pubkey | None = None, payout: Pubkey | None = None) -> Instruction:
        return provers.register_prover(
            self.network.chain.program_id,
            self.key,
            signer=signer or self.hot.pubkey(),
            payout=payout or self.tokens,
            pool_bps=pool_bps,
        )

    def deposit(self, prover: "Person", amount: int) -> Instruction:
        return provers.deposit_stake(self.network.chain.program_id, prover.prover, self.key, self.tokens, amount)

    def stake(self, prover: "Person", amount: int) -> None:
        self.network.chain.send(self.deposit(prover, amount), signers=[self.keypair])

    def position(self, prover: "Person") -> PositionAccount:
        address, _ = position_address(self.network.chain.program_id, prover.prover, self.key)
        return PositionAccount.decode(self.network.chain.data(address))

    def exit(self, prover: "Person", shares: int) -> Instruction:
        return provers.request_exit(self.network.chain.program_id, prover.prover, self.key, shares)

    def withdraw(self, prover: "Person", destination: Pubkey | None = None) -> Instruction:
        return provers.withdraw_stake(
            self.network.chain.program_id, prover.prover, self.key, destination or self.tokens
        )


def name_upgrade_authority(chain: Chain, authority: Pubkey | None) -> None:
    """The loader's record of the program names this upgrade authority, or none."""
    address = program_data_address(chain.program_id)
    account = chain.svm.get_account(address)
    assert account is not None
    named = bytes([authority is not None]) + bytes(authority or Pubkey.default())
    data = account.data[:12] + named + account.data[45:]
    chain.svm.set_account(address, Account(account.lamports, data, LOADER))
