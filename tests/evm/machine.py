"""An EVM in memory (revm, by pyrevm) with contracts that answer by name, and words to call them with."""

import re
from dataclasses import dataclass
from typing import Any

from tests.evm.solidity import Compiled

GAS = 10_000_000
NOW = 1_800_000_000
_OUTPUT = re.compile(r"output: 0x([0-9a-f]*)")


class Reverted(Exception):
    """A call that was refused: by an error's name, by ``Panic``, or by a halt such as ``OutOfGas``."""

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(name)
        self.name, self.data = name, data


@dataclass(frozen=True)
class Landed:
    """A call's return data, the gas of the whole transaction (21,000 and calldata included), and its events."""

    data: bytes
    gas: int
    events: list[tuple[str, list[bytes], bytes]]


class Machine:
    """A chain of one fork with a clock that tests set; state stays from call to call."""

    def __init__(self, compiled: Compiled, fork: str = "CANCUN") -> None:
        import pyrevm  # has wheels for Python 3.11 and 3.12 only

        self.compiled = compiled
        self._block = pyrevm.BlockEnv
        self._evm = pyrevm.EVM(spec_id=fork)
        self.now = NOW

    @property
    def now(self) -> int:
        """The block's time in Unix seconds."""
        return self._now

    @now.setter
    def now(self, seconds: int) -> None:
        self._now = seconds
        self._evm.set_block_env(self._block(timestamp=seconds, gas_limit=10**9, number=1))

    def fund(self, account: str, wei: int) -> None:
        self._evm.set_balance(account, wei)

    def balance(self, account: str) -> int:
        return self._evm.get_balance(account)

    def deploy(self, name: str, *arguments: bytes, by: str, value: int = 0) -> "Deployed":
        """A new contract; its constructor's encoded arguments follow its code."""
        code = self.compiled.contracts[name].creation + b"".join(arguments)
        return Deployed(self, self._named(lambda: self._evm.deploy(by, code, value=value)), self._evm.result.gas_used)

    def call(self, to: str, data: bytes, *, by: str, gas: int = GAS, static: bool = False) -> Landed:
        """The transaction ``data`` sent to ``to``; raises :class:`Reverted`."""
        answer = self._named(lambda: self._evm.message_call(by, to, calldata=data, gas=gas, is_static=static))
        result = self._evm.result
        events = []
        for log in result.logs:
            topics, body = log.data
            digest = bytes.fromhex(log.topics[0].removeprefix("0x"))
            (name,) = {name for name, known in self.compiled.names.items() if known == digest}
            events.append((name, [bytes(topic) for topic in topics[1:]], bytes(body)))
        return Landed(bytes(answer), result.gas_used, events)

    def _named(self, act: Any) -> Any:
        try:
            return act()
        except RuntimeError as error:
            found = _OUTPUT.search(str(error))
            if found is None:
                raise Reverted(self._evm.result.reason.split("(")[0], b"") from error  # OutOfGas(Precompile)
            data = bytes.fromhex(found[1])
            raise Reverted(self.compiled.error(data[:4]) if data else "without a word", data) from error


@dataclass(frozen=True)
class Deployed:
    """A contract at its address."""

    machine: Machine
    address: str
    deployment_gas: int

    def view(self, function: str, *arguments: bytes, by: str | None = None, gas: int = GAS) -> bytes:
        """What a view function answers."""
        data = self.machine.compiled.names[function][:4] + b"".join(arguments)
        return self.machine.call(self.address, data, by=by or account(99), gas=gas, static=True).data

    def send(self, function: str, *arguments: bytes, by: str) -> Landed:
        """A transaction that calls ``function``."""
        data = self.machine.compiled.names[function][:4] + b"".join(arguments)
        return self.machine.call(self.address, data, by=by)

    @property
    def word(self) -> bytes:
        """The address as an argument."""
        return word(self.address)


def account(number: int) -> str:
    """An address that is no contract's and no precompile's."""
    return f"0x{0xACC0 << 16 | number:040x}"


def word(value: int | str | bytes) -> bytes:
    """32 bytes: a number, an address, or up to 32 bytes from the left (``bytes4``, ``bytes32``)."""
    if isinstance(value, bytes):
        return value.ljust(32, b"\0")
    return (int(value, 16) if isinstance(value, str) else value).to_bytes(32, "big")


def words(values: list[int] | list[bytes]) -> bytes:
    """A dynamic array: its length, then its words."""
    return word(len(values)) + b"".join(map(word, values))
