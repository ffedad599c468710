"""The model notices what it is there to notice: `make ledger-bugs` tries every bug."""

from tests.settlement.model.bugs import BUGS, noticed_after


def test_stake_that_stays_locked_is_noticed() -> None:
    bug = next(bug for bug in BUGS if bug.name == "a release forgets to unlock")
    assert noticed_after(bug, sequences=100) is not None
