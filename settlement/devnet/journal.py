"""The devnet's memory across restarts: a line that names the cluster, then one for each transaction.

Lines are JSON; a transaction's holds the accounts as it left them, a fork's the accounts as they were before what it
undid. A line cut short by a crash is the last one and is dropped. Opening a journal rewrites it as one line with the
newest state of each account. The details of old transactions (logs, messages) are not kept, nor what they overwrote:
a restart makes everything final.
"""

import base64
import json
import math
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.settlement.devnet.landed import Landed
from proofgrid.settlement.devnet.machine import put_accounts
from proofgrid.settlement.devnet.values import Json


@dataclass(frozen=True)
class Moment:
    """Where the chain's time stood: the slot, the seconds its clock was ahead, and the wall clock's (Unix seconds)."""

    slot: int
    ahead_s: float
    wall_s: float

    def slot_now(self, slot_s: float) -> int:
        """The slot of a chain that went on meanwhile; always a later one."""
        passed_s = max(time.time() - self.wall_s, 0.0)
        return self.slot + 1 + (0 if math.isinf(slot_s) else int(passed_s / slot_s))


class Journal:
    """An append-only file of account states and transactions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.genesis = secrets.token_hex(32)
        """The cluster's name, kept from the first start on."""

    def restore(self, svm: LiteSVM) -> tuple[Moment | None, list[Landed]]:
        """Put every remembered account into the machine; returns when that was, None for a new file, and transactions.

        Raises MalformedInput for a file that is not a journal.
        """
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(self._line({}, [], None))
            return None, []
        accounts: dict[str, Json] = {}
        landed: dict[str, Landed] = {}
        moment: Moment | None = None
        lines = self._path.read_text().splitlines()
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                landed |= {one.signature: one for one in map(_landed, entry["landed"])}
                for signature in entry.get("undone", []):
                    landed.pop(signature, None)
                accounts.update(entry["accounts"])
                moment = _moment(entry.get("moment")) or moment
                self.genesis = _genesis(entry.get("genesis", self.genesis))
            except (ValueError, KeyError, TypeError):
                if number == len(lines) and number > 1:
                    break
                raise MalformedInput(f"{self._path}:{number} is not a devnet journal: move it away") from None
        self._put(svm, accounts)
        fresh = self._path.with_suffix(self._path.suffix + ".new")
        fresh.write_text(self._line(accounts, landed.values(), moment))
        fresh.replace(self._path)
        if moment is None and landed:  # a journal from before moments were written
            moment = Moment(max(one.slot for one in landed.values()), 0.0, time.time())
        return moment, list(landed.values())

    def append(
        self,
        accounts: Mapping[Pubkey, Account | None],
        landed: Sequence[Landed],
        moment: Moment,
        undone: Sequence[str] = (),
    ) -> None:
        """Remember accounts as they are now, transactions that landed, and those that a fork undid."""
        forms = {str(address): _form(account) for address, account in accounts.items()}
        more = {"undone": list(undone)} if undone else {}
        with self._path.open("a") as file:
            file.write(_line(forms, landed, moment=_moment_form(moment), **more))

    def _line(self, accounts: Mapping[str, Json], landed: Iterable[Landed], moment: Moment | None) -> str:
        return _line(accounts, landed, genesis=self.genesis, moment=_moment_form(moment))

    def _put(self, svm: LiteSVM, accounts: Mapping[str, Json]) -> None:
        try:
            present = {Pubkey.from_string(address): _account(form) for address, form in accounts.items() if form}
            put_accounts(svm, present)
        except (ValueError, KeyError, TypeError) as error:
            raise MalformedInput(f"{self._path} holds an account that is none ({error}): move it away") from None


def _line(accounts: Mapping[str, Json], landed: Iterable[Landed], **more: Json) -> str:
    transactions = [[one.signature, one.slot, one.unix_time_s, one.error, list(one.addresses)] for one in landed]
    return json.dumps({"accounts": accounts, "landed": transactions, **more}, separators=(",", ":")) + "\n"


def _genesis(form: Json) -> str:
    if len(bytes.fromhex(form)) != 32:
        raise ValueError("a cluster's name is a hash")
    return str(form)


def _moment(form: Json) -> Moment | None:
    if form is None:
        return None
    slot, ahead_s, wall_s = form
    return Moment(int(slot), float(ahead_s), float(wall_s))


def _moment_form(moment: Moment | None) -> Json:
    return None if moment is None else [moment.slot, moment.ahead_s, moment.wall_s]


def _landed(form: Json) -> Landed:
    signature, slot, unix_time_s, error, addresses = form
    return Landed(str(signature), int(slot), int(unix_time_s), error, tuple(map(str, addresses)))


def _form(account: Account | None) -> Json:
    """Null for an account that is gone."""
    if account is None or not account.lamports:
        return None
    return {
        "lamports": account.lamports,
        "owner": str(account.owner),
        "data": base64.b64encode(account.data).decode(),
        "executable": account.executable,
    }


def _account(form: Json) -> Account:
    data = base64.b64decode(form["data"])
    return Account(form["lamports"], data, Pubkey.from_string(form["owner"]), executable=form["executable"])
