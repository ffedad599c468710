"""The devnet's memory across restarts: a line that names the cluster, then one for each transaction.

Lines are JSON; a transaction's holds the accounts as it left them. A line cut short by a crash is the last one and
is dropped. Opening a journal rewrites it as one line with the newest state of each account. The details of old
transactions (logs, messages) are not kept.
"""

import base64
import json
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput
from proofgrid.settlement.devnet.landed import Landed
from proofgrid.settlement.devnet.values import Json


class Journal:
    """An append-only file of account states and transactions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.genesis = secrets.token_hex(32)
        """The cluster's name, kept from the first start on."""

    def restore(self, svm: LiteSVM) -> tuple[int, list[Landed]]:
        """Put every remembered account into the machine; returns the last slot, -1 for a new file, and transactions.

        Raises MalformedInput for a file that is not a journal.
        """
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(self._line({}, []))
            return -1, []
        accounts: dict[str, Json] = {}
        landed: list[Landed] = []
        lines = self._path.read_text().splitlines()
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                landed += [_landed(form) for form in entry["landed"]]
                accounts.update(entry["accounts"])
                self.genesis = _genesis(entry.get("genesis", self.genesis))
            except (ValueError, KeyError, TypeError):
                if number == len(lines) and number > 1:
                    break
                raise MalformedInput(f"{self._path}:{number} is not a devnet journal: move it away") from None
        self._put(svm, accounts)
        fresh = self._path.with_suffix(self._path.suffix + ".new")
        fresh.write_text(self._line(accounts, landed))
        fresh.replace(self._path)
        return max((one.slot for one in landed), default=-1), landed

    def append(self, accounts: Mapping[Pubkey, Account | None], landed: Landed) -> None:
        """Remember a transaction and the accounts as they are now."""
        with self._path.open("a") as file:
            file.write(_line({str(address): _form(account) for address, account in accounts.items()}, [landed]))

    def _line(self, accounts: Mapping[str, Json], landed: Iterable[Landed]) -> str:
        return _line(accounts, landed, genesis=self.genesis)

    def _put(self, svm: LiteSVM, accounts: Mapping[str, Json]) -> None:
        present = [(address, form) for address, form in accounts.items() if form is not None]
        try:
            for address, form in sorted(
                present, key=lambda item: bool(item[1]["executable"])
            ):  # programs after their data
                svm.set_account(Pubkey.from_string(address), _account(form))
        except (ValueError, KeyError, TypeError) as error:
            raise MalformedInput(f"{self._path} holds an account that is none ({error}): move it away") from None


def _line(accounts: Mapping[str, Json], landed: Iterable[Landed], **more: Json) -> str:
    transactions = [[one.signature, one.slot, one.unix_time_s, one.error, list(one.addresses)] for one in landed]
    return json.dumps({"accounts": accounts, "landed": transactions, **more}, separators=(",", ":")) + "\n"


def _genesis(form: Json) -> str:
    if len(bytes.fromhex(form)) != 32:
        raise ValueError("a cluster's name is a hash")
    return str(form)


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
