"""``python -m tests.faults --count 500 --seconds 240 --seed 1``; the last line is JSON, the exit code 1 if anything is
lost, duplicated or unbalanced."""

import argparse
import json
import sys
import time

from tests.faults.bugs import BUGS
from tests.faults.ordeal import Plan, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.faults", description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="requests")
    parser.add_argument("--seconds", type=float, default=200.0, help="of faults, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=0.8, help="seconds between two faults, on average")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--patience", type=float, default=120.0, help="seconds for the rest to end when all is healed")
    parser.add_argument("--bug", choices=sorted(BUGS), help="put this bug into the network: the run must fail")
    options = parser.parse_args()
    plan = Plan(
        options.count, options.seconds, options.seed, options.every, options.workers, options.patience, options.bug
    )
    begun = time.monotonic()
    outcome = run(plan, lambda text: print(f"{time.monotonic() - begun:6.1f} s  {text}", flush=True))
    for line in outcome.verdict.lines()[:40]:
        print(line)
    last = {
        "requests": plan.count,
        "faults": outcome.faults,
        "lost": len(outcome.verdict.lost),
        "duplicated": len(outcome.verdict.duplicated),
        "unbalanced": len(outcome.verdict.unbalanced),
        "endings": outcome.endings,
        "seed": plan.seed,
        "seconds": round(outcome.seconds, 1),
    }
    print(json.dumps(last))
    return 0 if outcome.verdict.is_perfect else 1


if __name__ == "__main__":
    sys.exit(main())
