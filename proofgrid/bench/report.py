"""A measurement in words: the object for machines, and for people the caveats first and then the table."""

from statistics import median
from typing import Any

from proofgrid.bench.cases import Question
from proofgrid.bench.machine import describe
from proofgrid.bench.measure import Measurement

CAVEATS = {
    "all": "medians on this machine as it was: other load, clocks and shared cores move them, so trust the ratios",
    "limit": "the limit counts the multiplier's instructions alone (proofgrid/bench/limit.py); no code reaches it",
    "msm": "random full-size scalars, canonical; our points are prepared before the run as a key's are; a peer's "
    "points and scalars are its own, in its own form",
    "ntt": "ours writes over an array of an earlier result, in natural order; a peer may do it in place, in any order",
    "groth16": "ours is the prover alone inside a running process, over a key that is prepared and warm; a peer that "
    "is a whole process also pays for its start and for reading the key; wires whose points in A and B1 are equal or "
    "opposite are added up once, and the dense chain, which squares every wire, gains more by that than any circuit",
    "setup": "a development setup by one party, the key's file included; its limit counts the points alone",
    "verify": "the proofs are of one key, and not parsed; a peer that takes files also pays for reading them",
    "threads": "our threads and each peer are held to as many cores as threads",
}


def facts(question: Question, measured: Measurement, isa: str) -> dict[str, Any]:
    """Everything measured, as JSON has it; times in seconds."""
    proofs = {"seconds_each": measured.seconds / (1 << question.log_n)} if question.kind == "verify" else {}
    medians = {name: median(all_seconds) for name, all_seconds in measured.peers.items()}
    return {
        "kind": question.kind,
        "log_n": question.log_n,
        "threads": question.threads,
        "curve": question.curve.name,
        "group": question.group if question.kind == "msm" else None,
        "circuit": question.circuit if question.kind in ("groth16", "setup") else None,
        "isa": isa,
        "seconds": measured.seconds,
        "cpu_seconds": median(measured.cpu),
        **proofs,
        "limit_seconds": measured.limit_seconds,
        "share_of_limit": measured.share_of_limit,
        "peers": medians,
        "ratios": {name: seconds / measured.seconds for name, seconds in medians.items()},
        "n_runs": len(measured.ours),
        "all_seconds": measured.ours,
        "all_peer_seconds": measured.peers,
        "rates_per_second": {
            "cycles": measured.rates.cycles,
            "mul64": measured.rates.mul64,
            "vpmadd52": measured.rates.vpmadd52,
        },
        "machine": describe("native", isa),
        "caveats": caveats(question),
    }


def caveats(question: Question) -> list[str]:
    return [CAVEATS[name] for name in ("all", "threads", question.kind, "limit")]


def table(found: dict[str, Any]) -> str:
    """The caveats, then a line for us, each peer and the limit."""
    lines = [f"- {caveat}" for caveat in found["caveats"]]
    what = " ".join(str(found[name]) for name in ("kind", "circuit", "group", "curve") if found[name])
    threads = f"{found['threads']} thread{'s' if found['threads'] > 1 else ''}"
    rates = found["rates_per_second"]
    clock = f"{found['machine']['cpu']} at {rates['cycles'] / 1e9:.2f} GHz"
    multiplier = (
        f"{rates['vpmadd52'] / rates['cycles']:.2f} vpmadd52"
        if rates["vpmadd52"]
        else f"{rates['mul64'] / rates['cycles']:.2f} mulx"
    )
    lines += ["", f"{what}, 2^{found['log_n']}, {threads}, {found['n_runs']} runs; {clock}, {multiplier} a cycle"]
    rows = [(f"proofgrid ({found['isa']})", found["seconds"], "")]
    rows += [(name, s, f"{found['ratios'][name]:.2f} x ours") for name, s in found["peers"].items()]
    rows += [("the limit", found["limit_seconds"], f"we reach {100 * found['share_of_limit']:.0f} %")]
    width = max(len(name) for name, _, _ in rows)
    lines += [f"  {name:<{width}}  {1000 * seconds:11.4f} ms  {note}".rstrip() for name, seconds, note in rows]
    if "seconds_each" in found:
        lines.append(f"  each of the {1 << found['log_n']:,} proofs: {1000 * found['seconds_each']:.4f} ms")
    return "\n".join(lines)
