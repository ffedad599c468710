"""``python -m proofgrid.settlement.devnet``: prints its URL when it listens, ends on SIGINT or SIGTERM."""

import argparse
import sys
from pathlib import Path

from proofgrid.errors import ProofgridError
from proofgrid.settlement.devnet.ledger import SLOT_S, Ledger
from proofgrid.settlement.devnet.server import bind, server


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="proofgrid.settlement.devnet", description=__doc__)
    parser.add_argument("--port", type=int, default=8899, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--state-file", type=Path, help="remember accounts across restarts in this file")
    parser.add_argument("--slot-s", type=float, default=SLOT_S, help="seconds per slot")
    options = parser.parse_args(arguments)
    try:
        listener = bind(options.port)
        ledger = Ledger(state_file=options.state_file, slot_s=options.slot_s)
    except ProofgridError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    listener.listen(128)  # the kernel queues what arrives before the loop runs
    sys.stdout.write(f"devnet listening on http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    server(ledger).run([listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
