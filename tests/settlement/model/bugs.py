"""Bugs put into the program one at a time, to see that the model notices: ``python -m tests.settlement.model.bugs``."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from proofgrid.settlement.program import build, linker
from tests.settlement.model.campaign import campaign
from tests.settlement.model.machine import Machine, Tally
from tests.settlement.model.world import Disagreement, World


@dataclass(frozen=True)
class Bug:
    """Text of one file of the program that is replaced by another."""

    name: str
    file: str
    right: str
    wrong: str = ""

    def program(self) -> bytes:
        """The program with the bug. About a second."""
        with tempfile.TemporaryDirectory(prefix="proofgrid-bug-") as folder:
            source = Path(shutil.copytree(build.FOLDER / "src", Path(folder) / "src"))
            place = source / self.file
            text = place.read_text()
            if text.count(self.right) != 1:
                raise LookupError(f"{self.name}: {self.file} does not have this once: {self.right}")
            place.write_text(text.replace(self.right, self.wrong))
            return linker.link(build.compile_object(source / "program.c", ("-Wno-unused",)))


BUGS = (
    Bug(
        "a release forgets to unlock",
        "processor/release_batch.c",
        "TRY(take_amount(&((prover_account *)committer->data)->locked, head->locked));",
    ),
    Bug("a batch is released twice", "processor/release_batch.c", "head->locked = 0;"),
    Bug(
        "a release while a demand is open",
        "processor/release_batch.c",
        "REQUIRE(head->open_demands == 0, ERROR_DEMANDS_OPEN);",
    ),
    Bug(
        "the fee is paid twice",
        "payment.h",
        "TRY(add_amount(&network->fees, fee));",
        "TRY(add_amount(&network->fees, 2 * fee));",
    ),
    Bug(
        "shares are rounded up",
        "stake.h",
        "return multiply_divide(tokens, total, stake, shares);",
        "TRY(multiply_divide(tokens, total, stake, shares)); *shares += 1; return 0;",
    ),
    Bug(
        "what is locked is withdrawn",
        "processor/withdraw_stake.c",
        "REQUIRE(pool->stake - amount >= pool->locked, ERROR_STAKE_LOCKED);",
    ),
    Bug(
        "the exit window ends a second early",
        "processor/withdraw_stake.c",
        "now_s >= head->exit_from_s",
        "now_s + 1 >= head->exit_from_s",
    ),
    Bug(
        "a withdrawal stays in the total",
        "processor/withdraw_stake.c",
        "TRY(take_amount(&((config_account *)config->data)->total_stake, amount));",
    ),
    Bug(
        "a leaf is claimed and stays unpaid",
        "processor/claim_leaf.c",
        "set_leaf_state(batch_at, arguments->leaf, LEAF_PAID);",
    ),
    Bug(
        "a paid leaf is claimed again",
        "processor/claim_leaf.c",
        "REQUIRE(leaf_state(batch_at, arguments->leaf) == LEAF_UNPAID, ERROR_LEAF_SETTLED);",
    ),
    Bug(
        "a leaf from before the assignment is paid",
        "processor/claim_leaf.c",
        "batch->unix_time_s >= request->assigned_s && ",
    ),
    Bug("a request is settled and stays assigned", "payment.h", "  request->state = FULFILLED;\n"),
    Bug("a demand's bond is kept", "payment.h", "  TRY(add_amount(&pool->earned, request->demand_bond));\n"),
    Bug("a voided leaf's demander gets no reward", "processor/void_leaf.c", "&record->bond));", "&(u64){0}));"),
    Bug(
        "a demander's closed account keeps stake locked",
        "processor/void_leaf.c",
        "    if (!is_token_account(refund_to, ((const config_account *)config->data)->mint)) return 0;\n",
    ),
    Bug(
        "a void leaf is answered",
        "processor/answer_leaf.c",
        "  REQUIRE(leaf_state(batch, record->leaf) == LEAF_DEMANDED, ERROR_LEAF_SETTLED);\n",
    ),
    Bug(
        "more is slashed than was locked",
        "payment.h",
        "  TRY(take_amount(&pool->stake, amount));",
        "  TRY(take_amount(&pool->stake, amount + 1));",
    ),
    Bug("nothing of what is slashed is burned", "payment.h", "  TRY(add_amount(&network->burned, burned));\n"),
    Bug("a refund is sent twice", "payment.h", "  request->refund = 0;\n"),
    Bug(
        "a demand's bond is not refunded when the proof is missed",
        "processor/slash_missed.c",
        "  TRY(add_amount(&request->refund, request->demand_bond));\n",
    ),
    Bug(
        "the challenge window ends a second early",
        "processor/challenge_leaf.c",
        "now_s <= ((const batch_account *)batch->data)->challenge_until_s",
        "now_s < ((const batch_account *)batch->data)->challenge_until_s",
    ),
    Bug(
        "anybody's stake pays for a false leaf",
        "processor/challenge_leaf.c",
        "  TRY(require_committer(batch, committer));\n",
    ),
    Bug("what is locked backs more work", "stake.h", "active - pool->locked >= amount", "active >= amount"),
    Bug("exiting shares vote", "stake.h", "pool->shares - pool->exiting_shares", "pool->shares"),
    Bug(
        "a price over the cap",
        "processor/assign_request.c",
        "  REQUIRE(price <= request->cap, ERROR_PRICE_OVER_CAP);\n",
    ),
    Bug(
        "earnings go anywhere",
        "processor/collect_earnings.c",
        "  REQUIRE(equal32(prover->payout, payout->key), ERROR_WRONG_TOKEN_ACCOUNT);\n",
    ),
    Bug(
        "anybody takes an expired escrow",
        "processor/close_request.c",
        "    REQUIRE(equal32(head->refund_to, destination->key), ERROR_WRONG_TOKEN_ACCOUNT);\n",
    ),
    Bug(
        "a late proof is paid in full",
        "processor/fulfil_request.c",
        "now_s <= request->pay_until_s ? request->price :",
        "1 ? request->price :",
    ),
    Bug(
        "an accepted vote needs no quorum",
        "processor/execute.c",
        "  REQUIRE(head->votes_for >= quorum, ERROR_PROPOSAL_REJECTED);\n",
    ),
    Bug("a proposal is executed again", "processor/execute.c", "  head->executed = 1;\n"),
)


def noticed_after(bug: Bug, sequences: int, number: int = 1) -> int | None:
    """How many sequences agreed before one did not; None if all did."""
    tally = Tally()
    try:
        campaign(Machine(World(bug.program()), tally), sequences, 60, number=number, shrink=False)
    except Disagreement:
        return tally.sequences
    return None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.settlement.model.bugs", description=__doc__)
    parser.add_argument("--sequences", type=int, default=20_000, help="to wait for, at most")
    options = parser.parse_args()
    missed = 0
    for bug in BUGS:
        began = time.monotonic()
        after = noticed_after(bug, options.sequences)
        missed += after is None
        found = {
            "bug": bug.name,
            "file": bug.file,
            "sequences_before": after,
            "seconds": round(time.monotonic() - began, 1),
        }
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
    sys.stdout.write(json.dumps({"bugs": len(BUGS), "missed": missed}) + "\n")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
