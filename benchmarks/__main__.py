"""Everything at once: ``python -m benchmarks [--full] [--peer NAME=COMMAND] [--rapidsnark PATH]``; see README.md here.

Prints the caveats and then a line for each case: our median, the share of the limit, each peer's ratio to ours, all of
one interleaved run. Writes ``results/<date>-<machine>.json`` and, beside it, the plot. A peer that refuses a case is
left out of it, with its reason.
"""

import argparse
import importlib.util
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks import plan, provers
from benchmarks.plot import draw
from benchmarks.results import write_results
from proofgrid.bench.cases import Question, open_case
from proofgrid.bench.machine import describe
from proofgrid.bench.measure import available_cores, measure
from proofgrid.bench.peers import PeerFailed, parse_peers
from proofgrid.bench.report import CAVEATS, facts
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.native import load

PROVERS = Path(provers.__file__)


def main() -> None:
    options = _options()
    backend, threads = load(), options.threads or sorted({1, available_cores()})
    whole_provers, named = _found_peers(options.rapidsnark), parse_peers(options.peer)
    questions = plan.full(threads) if options.full else plan.modest(threads)
    print("Caveats\n" + "\n".join(f"- {caveat}" for caveat in CAVEATS.values()) + "\n", flush=True)
    rows, refused = [], set[tuple[str, ...]]()
    for question in questions:
        if options.kinds and question.kind not in options.kinds:
            continue
        peers = whole_provers | named if _is_for_provers(question) else named
        rows.append(_measure(question, backend, peers, options.runs, refused))
        print(line(rows[-1]), flush=True)
    command = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
    written = write_results(describe(backend.name, backend.isa), command, rows, options.output)
    plot = written.with_suffix(".svg")
    plot.write_text(draw(rows))
    print(f"{written}\n{plot}")


def line(row: dict[str, Any]) -> str:
    """One case in one line."""
    what = " ".join(str(row[name]) for name in ("kind", "circuit", "group", "curve") if row[name])
    ratios = "".join(f"  {name} {ratio:.2f}x" for name, ratio in row["ratios"].items())
    share = f"{100 * row['share_of_limit']:.0f} % of the limit"
    return f"{what:<24} 2^{row['log_n']:<2} {row['threads']}T {1000 * row['seconds']:11.3f} ms  {share}{ratios}"


def _measure(
    question: Question, backend: Backend, peers: dict[str, str], runs: int, refused: set[tuple[str, ...]]
) -> dict[str, Any]:
    """One row. ``refused`` remembers which peer cannot do which kind of case, so that each is asked once."""
    sort = (question.kind, question.curve.name, question.group)
    remaining = {name: command for name, command in peers.items() if (name, *sort) not in refused}
    with open_case(question, backend) as case:
        while True:
            try:
                measured = measure(
                    case, runs=runs, threads=question.threads, peers=remaining, on_progress=lambda text: None
                )
            except PeerFailed as error:
                print(f"  {' '.join(sort)} without {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
                del remaining[error.name]
                refused.add((error.name, *sort))
            else:
                return facts(question, measured, backend.isa)


def _is_for_provers(question: Question) -> bool:
    return (question.kind, question.curve.name) == ("groth16", "bn254")


def _found_peers(rapidsnark: Path | None) -> dict[str, str]:
    """The provers that are on this machine, as commands; the others with the reason on stderr."""
    script = shlex.join([sys.executable, str(PROVERS)])
    found = {"proofgrid-cli": f"{script} proofgrid-cli"}
    reasons = {
        "snarkjs": None
        if provers.SNARKJS.exists() and shutil.which("node")
        else "needs node and tests/interop's npm ci",
        "groth16py": None if importlib.util.find_spec("groth16py") else "needs pip install groth16py",
        "rapidsnark": None if rapidsnark else "needs --rapidsnark PATH",
    }
    for name, reason in reasons.items():
        if reason:
            print(f"without {name}: {reason}", file=sys.stderr, flush=True)
        else:
            path = f" {shlex.quote(str(rapidsnark))}" if name == "rapidsnark" else ""
            found[name] = f"{script} {name}{path}"
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the documents' whole table: an hour with all peers")
    parser.add_argument("--kinds", nargs="+", choices=["msm", "ntt", "groth16", "setup", "verify"], help="only these")
    parser.add_argument("--threads", type=int, nargs="+", help="default: 1 and one for each core")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--rapidsnark", type=Path, help="a rapidsnark `prover` binary")
    parser.add_argument("--output", type=Path, help="file to write instead of results/<date>-<machine>.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
