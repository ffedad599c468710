"""``python -m proofgrid.settlement.devnet``: prints its URL when it listens, ends on SIGINT or SIGTERM."""

import argparse
import os
import sys
from pathlib import Path

from proofgrid.errors import ProofgridError
from proofgrid.settlement.devnet.faults import Plan
from proofgrid.settlement.devnet.ledger import Delays, Ledger
from proofgrid.settlement.devnet.server import bind, server
from proofgrid.settlement.devnet.timeline import SLOT_S

FAULTS_VARIABLE = "PROOFGRID_DEVNET_FAULTS"


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        delays = Delays(options.confirmed_after, options.finalized_after)
        sockets = bind(options.port)
        ledger = Ledger(
            state_file=options.state_file, slot_s=options.slot_s, delays=delays, faults=Plan.parse(options.faults)
        )
    except ProofgridError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for listener in sockets:
        listener.listen(128)  # the kernel queues what arrives before the loop runs
    ports = [listener.getsockname()[1] for listener in sockets]
    sys.stdout.write(f"devnet listening on http://127.0.0.1:{ports[0]}\n")
    sys.stdout.write(f"subscriptions at ws://127.0.0.1:{ports[-1]}\n")
    sys.stdout.flush()
    server(ledger, options.allow_host, options.allow_origin).run(sockets)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="proofgrid.settlement.devnet", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=8899, help="port on 127.0.0.1, the next one for WebSocket; 0 takes free ones"
    )
    parser.add_argument("--state-file", type=Path, help="remember accounts across restarts in this file")
    parser.add_argument("--slot-s", type=float, default=SLOT_S, help="seconds per slot; inf: only warps pass time")
    parser.add_argument("--confirmed-after", type=int, default=Delays.confirmed, help="slots until confirmed")
    parser.add_argument("--finalized-after", type=int, default=Delays.finalized, help="slots until finalized")
    parser.add_argument(
        "--faults",
        default=os.environ.get(FAULTS_VARIABLE, ""),
        help=f"what shall go wrong, as drop=0.1,late=1:2,late_slots=8,seed=7; or by {FAULTS_VARIABLE}",
    )
    parser.add_argument("--allow-host", action="append", default=[], help="answer this Host too; * answers all")
    parser.add_argument(
        "--allow-origin", action="append", default=[], help="answer pages of this origin too, as https://app.example"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
