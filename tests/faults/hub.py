"""``python -m tests.faults.hub CONFIG.json [BUG]``: gateway and coordinator in a process that may be killed."""

import sys
from pathlib import Path

from proofgrid.config import NetworkConfig
from proofgrid.errors import ProofgridError
from proofgrid.gateway.embedded import WorkerOptions
from proofgrid.gateway.up import run_network
from tests.faults import bugs


def main() -> int:
    config = NetworkConfig.model_validate_json(Path(sys.argv[1]).read_bytes())
    if len(sys.argv) > 2:
        bugs.BUGS[sys.argv[2]]()
    try:
        run_network(config, worker=WorkerOptions(count=0))
    except ProofgridError as error:  # Redis or the chain is away: whoever keeps this process starts it again
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
