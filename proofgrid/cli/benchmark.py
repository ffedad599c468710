"""``proofgrid bench``: a kernel, a proof or a verification beside named peers and beside this machine's limit."""

from enum import StrEnum
from typing import Annotated

import typer

from proofgrid.cli.files import AsJson
from proofgrid.cli.output import Output


class _Kind(StrEnum):
    MSM = "msm"
    NTT = "ntt"
    GROTH16 = "groth16"
    SETUP = "setup"
    VERIFY = "verify"


class _Curve(StrEnum):
    BN254 = "bn254"
    BLS12_381 = "bls12_381"


class _Group(StrEnum):
    G1 = "g1"
    G2 = "g2"


class _Circuit(StrEnum):
    DENSE = "dense"
    SHA = "sha"
    POS = "pos"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(rich_help_panel="On files")(bench)


def bench(
    kind: Annotated[_Kind, typer.Argument(help="What to measure.")],
    log_n: Annotated[
        int | None,
        typer.Option(help="log2 of points, values, domain, or proofs verified at once.  [default: 16; verify: 10]"),
    ] = None,
    threads: Annotated[int, typer.Option(min=0, max=1024, help="Threads to use; 0 means one for each core.")] = 1,
    curve: Annotated[_Curve, typer.Option(help="The curve.")] = _Curve.BN254,
    group: Annotated[_Group, typer.Option(help="The MSM's group.")] = _Group.G1,
    circuit: Annotated[_Circuit, typer.Option(help="The proof's circuit.")] = _Circuit.DENSE,
    runs: Annotated[int, typer.Option(min=1, max=10_000, help="Runs after the warm-up; times are medians.")] = 5,
    peer: Annotated[
        list[str] | None,
        typer.Option(help="NAME=COMMAND to measure beside ours; see benchmarks/README.md. Repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure kernels, proofs, setup or verification on this CPU, beside named peers and beside the machine's limit."""
    from proofgrid.bench.cases import USUAL, Question, open_case
    from proofgrid.bench.measure import available_cores, measure
    from proofgrid.bench.peers import parse_peers
    from proofgrid.bench.report import facts, table
    from proofgrid.kernels.curves import CURVES
    from proofgrid.kernels.native import load

    out = Output(as_json)
    question = Question(
        kind.value,
        USUAL[kind.value] if log_n is None else log_n,
        threads or available_cores(),
        CURVES[curve.value],
        group.value,
        circuit.value,
    )
    peers, backend = parse_peers(peer or []), load()
    out.note(f"preparing {kind.value} 2^{question.log_n} on {backend.isa}")
    with open_case(question, backend) as case:
        measured = measure(case, runs=runs, threads=question.threads, peers=peers, on_progress=out.note)
    found = facts(question, measured, backend.isa)
    out.result(found, table(found))
