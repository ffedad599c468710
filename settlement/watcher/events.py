"""What the watcher says: one event for each finding and for each action, for people and as JSON."""

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal[
    "checked",  # all leaves with data were checked; `false` and `unknown` count the others
    "no_data",  # no source has the batch's data, or only data of another batch
    "too_late",  # the challenge window is over
    "challenged",  # a false leaf is void, and this watcher was paid
    "settled",  # a false leaf is void, or under a demand, by somebody else's doing
    "demanded",
    "answered",
    "voided",
    "would",  # what --dry-run holds back
    "skipped",  # what is not worth it, or cannot be done: `detail` says why
    "refused",  # the program said no where the watcher expected a yes: a defect of one of them
    "rolled_back",  # the chain forgot a batch
    "trouble",  # the chain or a source does not answer; tried again
]


class Event(BaseModel):
    """``batch`` is the account's address, ``committer`` the prover's account; ``signature`` that of the transaction."""

    model_config = ConfigDict(frozen=True)

    event: Kind
    committer: str | None = None
    number: int | None = None
    batch: str | None = None
    leaf: int | None = None
    leaves: int | None = None
    false: int | None = None
    unknown: int | None = None
    reward: int | None = None
    signature: str | None = None
    detail: str | None = None

    def words(self) -> str:
        """One line for a person, whatever an endpoint said."""
        subject = "" if self.number is None else f"batch {self.number} of {self.committer}"
        if self.leaf is not None:
            subject += f", leaf {self.leaf}"
        parts = [self.event.replace("_", " "), subject]
        if self.leaves is not None:
            parts.append(f"{self.leaves} leaves, {self.false or 0} false, {self.unknown or 0} without data")
        if self.reward is not None:
            parts.append(f"reward {self.reward}")
        parts += [self.detail or "", self.signature or ""]
        line = "  ".join(part for part in parts if part)
        return "".join(letter if letter.isprintable() else " " for letter in line)


OnEvent = Callable[[Event], None]
