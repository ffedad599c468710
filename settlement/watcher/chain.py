"""What the watcher reads of the chain.

``getProgramAccounts`` is asked twice a round, for the provers (not where they are named) and for open demands, filtered
by type and size; batches are read at their addresses, 100 a call.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Commitment, Confirmed
from solana.rpc.models import MemcmpOpts
from solders.pubkey import Pubkey

from proofgrid.errors import ChainUnavailable, MalformedInput, SettlementError
from proofgrid.settlement.accounts import BatchAccount, ConfigAccount, DemandAccount, KeyAccount, ProverAccount
from proofgrid.settlement.addresses import batch_address, batch_addresses, config_address, key_address
from proofgrid.settlement.forms import Layout
from proofgrid.settlement.layout.batches import DEMAND_ACCOUNT
from proofgrid.settlement.layout.provers import PROVER_ACCOUNT
from proofgrid.settlement.rpc import MAX_ACCOUNTS_PER_CALL, ask, fetch_account, fetch_many, fetch_owned

CLOCK = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
_UNIX_TIME_AT = 32
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@dataclass
class ChainView:
    """One program on one chain, at confirmed. Methods raise ChainUnavailable (retryable)."""

    client: AsyncClient
    program_id: Pubkey
    provers: Sequence[Pubkey] = field(default=())
    """The committers to watch; none: all."""

    async def name(self) -> str:
        """The chain and the program."""
        return f"{(await ask(self.client.get_genesis_hash())).value} {self.program_id}"

    async def now_s(self) -> int:
        """The chain's time, which its windows are measured by."""
        clock = await fetch_account(self.client, CLOCK)
        if clock is None or len(clock.data) < _UNIX_TIME_AT + 8:
            raise ChainUnavailable("the RPC endpoint does not show the chain's clock")
        return int.from_bytes(clock.data[_UNIX_TIME_AT : _UNIX_TIME_AT + 8], "little", signed=True)

    async def config(self) -> ConfigAccount:
        """The network. Raises SettlementError where the program has none."""
        data = await fetch_owned(self.client, config_address(self.program_id)[0], self.program_id)
        if data is None:
            raise SettlementError(f"program {self.program_id} has no network on this chain: check --rpc and --program")
        return ConfigAccount.decode(data)

    async def committers(self) -> dict[Pubkey, ProverAccount]:
        """The provers that are watched."""
        if not self.provers:
            return {at: ProverAccount.decode(data) for at, data in await self._all(PROVER_ACCOUNT)}
        found = {}
        for address, account in zip(self.provers, await fetch_many(self.client, self.provers), strict=True):
            if account is None or account.owner != self.program_id:
                raise SettlementError(f"{address} is no prover of program {self.program_id}")
            found[address] = ProverAccount.decode(bytes(account.data))
        return found

    async def demands(self) -> dict[Pubkey, DemandAccount]:
        """All demands that are open."""
        return {at: DemandAccount.decode(data) for at, data in await self._all(DEMAND_ACCOUNT)}

    async def committed(self, committer: Pubkey, numbers: range) -> list[tuple[Pubkey, BatchAccount] | None]:
        """A committer's batches of these numbers and their addresses, None for one the endpoint does not show.

        A batch at another bump than the canonical one is searched for: two calls more.
        """
        addresses = [batch_address(self.program_id, committer, number)[0] for number in numbers]
        found: list[tuple[Pubkey, BatchAccount] | None] = []
        for number, address, account in zip(numbers, addresses, await self.batches(addresses), strict=True):
            if account is not None:
                found.append((address, account))
            else:
                found.append(await self._elsewhere(committer, number))
        return found

    async def _elsewhere(self, committer: Pubkey, number: int) -> tuple[Pubkey, BatchAccount] | None:
        """The batch at another bump than the canonical one, which its committer may have chosen to hide it."""
        addresses = [address for address, _ in batch_addresses(self.program_id, committer, number)[1:]]
        found = zip(addresses, await self.batches(addresses), strict=True)
        return next(((address, account) for address, account in found if account is not None), None)

    async def batches(
        self, addresses: Sequence[Pubkey], commitment: Commitment = Confirmed
    ) -> list[BatchAccount | None]:
        """The batches at these addresses, None where there is none."""
        found: list[BatchAccount | None] = []
        for start in range(0, len(addresses), MAX_ACCOUNTS_PER_CALL):
            part = list(addresses[start : start + MAX_ACCOUNTS_PER_CALL])
            for account in (await ask(self.client.get_multiple_accounts(part, commitment=commitment))).value:
                ours = account is not None and account.owner == self.program_id
                found.append(BatchAccount.decode(bytes(account.data)) if account is not None and ours else None)
        return found

    async def keys(self, digests: Iterable[bytes]) -> dict[bytes, bytes]:
        """Encodings of those of these keys that are registered."""
        wanted = list(digests)
        addresses = [key_address(self.program_id, digest)[0] for digest in wanted]
        accounts = await fetch_many(self.client, addresses)
        found = {}
        for digest, account in zip(wanted, accounts, strict=True):
            if account is not None and account.owner == self.program_id:
                found[digest] = KeyAccount.decode(bytes(account.data)).encoding
        return found

    async def _all(self, record: Layout) -> list[tuple[Pubkey, bytes]]:
        """Every account of this type."""
        kind = record.discriminator or b""
        call = self.client.get_program_accounts(
            self.program_id,
            commitment=Confirmed,
            encoding="base64",
            filters=[record.size, MemcmpOpts(offset=0, bytes=_base58(kind))],
        )
        answer = (await ask(call)).value
        if any(one.account.owner != self.program_id or bytes(one.account.data[:8]) != kind for one in answer):
            raise MalformedInput("the RPC endpoint answers getProgramAccounts with accounts that were not asked for")
        return [(one.pubkey, bytes(one.account.data)) for one in answer]


def _base58(data: bytes) -> str:
    """For bytes that begin with no zero."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return text
