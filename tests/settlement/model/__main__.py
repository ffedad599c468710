"""The long run: ``python -m tests.settlement.model`` plays 20,000 sequences, about 800,000 instructions, in 10 minutes.

Progress goes to stderr; the last line is JSON. It fails when the program and the model disagree, or when an instruction
was accepted or refused too seldom for the run to say much about it.
"""

import argparse
import json
import sys
import time
from collections import Counter

from tests.settlement.model.campaign import campaign
from tests.settlement.model.ledger import RULES
from tests.settlement.model.machine import Machine, Tally


def report(tally: Tally, seconds: float, least: int) -> dict[str, object]:
    refusals = sum((Counter(names) for names in tally.refused.values()), Counter())
    rare = [
        name for name in RULES if tally.accepted[name] < least or tally.refused.get(name, Counter()).total() < least
    ]
    return {
        "sequences": tally.sequences,
        "steps": tally.steps,
        "accepted": tally.accepted.total(),
        "refused": refusals.total(),
        "seconds": round(seconds, 1),
        "least": least,
        "too_rare": rare,
        "instructions": {name: [tally.accepted[name], tally.refused[name].total()] for name in sorted(RULES)},
        "refusals": dict(refusals.most_common()),
        "alone": {f"{name}: {refusal}": count for (name, refusal), count in sorted(tally.alone.items())},
        "events": dict(tally.events.most_common()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.settlement.model", description=__doc__)
    parser.add_argument("--sequences", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=60, help="of a sequence, at most")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    machine, began = Machine(), time.monotonic()

    def progress(tally: Tally) -> None:
        if tally.sequences % 500 == 0:
            seconds = time.monotonic() - began
            sys.stderr.write(f"{tally.sequences:,} sequences, {tally.steps:,} steps, {seconds:.0f} s\n")

    campaign(machine, options.sequences, options.steps, number=options.seed, after_each=progress)
    found = report(machine.tally, time.monotonic() - began, least=options.sequences // 200)
    sys.stdout.write(json.dumps(found) + "\n")
    return int(bool(found["too_rare"]))


if __name__ == "__main__":
    sys.exit(main())
