"""The devnet's memory across restarts: one JSON line per transaction, with the accounts it wrote.

A line cut short by a crash is the last one and is dropped. Opening a journal rewrites it with only the newest state.
"""

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from proofgrid.errors import MalformedInput

Form = list[object] | None  # lamports, owner, data (base64), executable; or None for an account that is gone


class Journal:
    """An append-only file of account states."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def restore(self, svm: LiteSVM) -> int:
        """Put every remembered account into the machine; returns the last slot, or -1 for a new file.

        Raises MalformedInput for a file that is not a journal.
        """
        slot, accounts = self._read()
        ordered = sorted(accounts.items(), key=lambda item: bool(item[1] and item[1][3]))  # programs after their data
        for address, form in ordered:
            if form is not None:
                svm.set_account(Pubkey.from_string(address), _account(form))
        if accounts:
            fresh = self._path.with_suffix(self._path.suffix + ".new")
            fresh.write_text(json.dumps({"slot": slot, "accounts": accounts}) + "\n")
            os.replace(fresh, self._path)
        return slot

    def append(self, slot: int, accounts: Mapping[Pubkey, Account | None]) -> None:
        """Remember the accounts as they are now."""
        forms = {str(address): _form(account) for address, account in accounts.items()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps({"slot": slot, "accounts": forms}) + "\n")

    def _read(self) -> tuple[int, dict[str, Form]]:
        slot, accounts = -1, dict[str, Form]()
        if not self._path.exists():
            return slot, accounts
        lines = self._path.read_text().splitlines()
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                slot = max(slot, int(entry["slot"]))
                accounts.update(entry["accounts"])
            except (ValueError, KeyError, TypeError):
                if number == len(lines) and number > 1:
                    break
                raise MalformedInput(f"{self._path}:{number} is not a devnet journal: move it away or delete it") from None
        return slot, accounts


def _form(account: Account | None) -> Form:
    if account is None or not account.lamports:
        return None
    return [account.lamports, str(account.owner), base64.b64encode(account.data).decode(), account.executable]


def _account(form: list[object]) -> Account:
    lamports, owner, data, executable = form
    return Account(int(str(lamports)), base64.b64decode(str(data)), Pubkey.from_string(str(owner)), bool(executable))
