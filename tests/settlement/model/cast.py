"""Who takes part, with which keys and which tokens; always the same, so that a sequence can be played again."""

from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256

from solders.keypair import Keypair
from solders.pubkey import Pubkey

MEMO = bytes(Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"))
"""A program that takes any text from any signer: the model's requests are told to it."""


def keypair(name: str) -> Keypair:
    return Keypair.from_seed(sha256(f"proofgrid ledger model: {name}".encode()).digest())


@cache
def address(name: str) -> bytes:
    return bytes(keypair(name).pubkey())


@dataclass(frozen=True)
class Cast:
    """Wallets and token accounts by what their owners do here."""

    program: bytes = address("program")
    payer: bytes = address("payer")
    mint: bytes = address("mint")
    other_mint: bytes = address("another mint")
    treasury: bytes = address("treasury")
    other_treasury: bytes = address("another treasury")
    guardian: bytes = address("guardian")
    assigner: bytes = address("assigner")
    owners: tuple[bytes, ...] = (address("Ann"), address("Ben"), address("Cyd"))
    hot: tuple[bytes, ...] = (address("Ann's signer"), address("Ben's signer"), address("Cyd's signer"))
    spare: bytes = address("a spare signer")
    stakers: tuple[bytes, ...] = (address("Dan"), address("Eva"))
    requesters: tuple[bytes, ...] = (address("Fay"), address("Gus"))
    stranger: bytes = address("Hal")
    forged: tuple[bytes, ...] = (address("a forged prover"), address("a forged token account"))

    @cached_property
    def wallets(self) -> tuple[bytes, ...]:
        return (
            *(self.owners + self.hot + self.stakers + self.requesters),
            *(self.spare, self.stranger, self.assigner, self.guardian),
        )

    @cached_property
    def purses(self) -> dict[bytes, tuple[bytes, bytes, int]]:
        """Token accounts: the address, then the mint, the owner and what is in it before the first step."""
        amounts = {
            **dict.fromkeys((*self.owners, self.requesters[0]), 300_000),
            self.stakers[0]: 30_000,
            self.stakers[1]: 400,
            self.requesters[1]: 2_000,
            self.stranger: 5_000,
        }
        purses = {self.purse(owner): (self.mint, owner, amount) for owner, amount in amounts.items()}
        fay = self.requesters[0]
        purses[self.purse(fay, "second")] = (self.mint, fay, 100)
        purses[self.purse(fay, "foreign")] = (self.other_mint, fay, 10_000)
        purses[self.treasury] = purses[self.other_treasury] = (self.mint, self.guardian, 0)
        return purses

    def purse(self, owner: bytes, which: str = "") -> bytes:
        """The owner's token account: the only one, or the ``second`` or ``foreign`` one of the first requester."""
        return address(f"purse {owner.hex()} {which}")


CAST = Cast()
