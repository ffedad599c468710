"""Random kernels on random layers: ``python -m tests.fuzz.kernels --seconds 3600 --seed 1``.

Each case draws an operation, its inputs (:mod:`tests.fuzz.kernel_inputs`) and two layers of the native backend
that this CPU runs, and expects equal bits or equal refusals. A case depends on the seed and its number alone. At the
first difference, or if a layer takes the process down, the line that repeats it is printed and the exit status is 1.
The last line is an object of JSON.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from unittest import mock

import numpy as np

from proofgrid.errors import BackendUnavailable, MalformedInput
from proofgrid.kernels import native
from proofgrid.kernels.backend import COEFFICIENT
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import CURVES, Curve, Group
from proofgrid.kernels.native.backend import NativeBackend
from proofgrid.kernels.prepared import MsmJob
from tests.fuzz import kernel_inputs as inputs

LAYERS = ("portable", "adx", "ifma")
Answer = tuple[np.ndarray, ...] | str


@dataclass(frozen=True)
class Case:
    """One call: what it is, for a person, and how a backend answers it."""

    what: str
    call: Callable[[NativeBackend], Iterable[np.ndarray]]
    size: int = 0


def layers(names: Iterable[str] = LAYERS) -> dict[str, NativeBackend]:
    """Those that this machine runs; a name that it does not is left out."""
    found: dict[str, NativeBackend] = {}
    for name in names:
        with mock.patch.dict(os.environ, PROOFGRID_ISA=name):
            try:
                found[name] = native.load()
            except BackendUnavailable:
                continue
    return found


def _size(rng: random.Random, log_most: int, rarely: int = 0) -> int:
    """Mostly small, else even over the magnitudes up to 2^log_most; once in 300 times 2^rarely."""
    if rarely and rng.random() < 1 / 300:
        return (1 << rarely) + rng.randrange(-1, 2)
    if rng.random() < 0.3:
        return rng.randrange(20)
    size = int(2 ** rng.uniform(0, log_most))
    return rng.choice((size, 1 << size.bit_length() - 1, size // 8 * 8, size // 8 * 8 + 1))


def _group(rng: random.Random) -> Group:
    curve = _curve(rng)
    return rng.choice((curve.g1, curve.g1, curve.g2))


def _curve(rng: random.Random) -> Curve:
    return rng.choice(list(CURVES.values()))


def _threads(rng: random.Random) -> int:
    return rng.choice((0, 1, 1, 2, 3))


def msm(rng: random.Random) -> Case:
    group = _group(rng)
    n = _size(rng, 12, rarely=16)
    (p, bases), (s, scalars) = inputs.points(group, n, rng), inputs.scalars(group.scalar, n, rng)
    form, window = rng.choice(("canonical", "mont", "prepared")), rng.choice((0, 0, 0, rng.randrange(2, 17)))
    threads = _threads(rng)
    if form != "canonical":
        bases = _to_mont(group, bases)

    def call(backend: NativeBackend) -> list[np.ndarray]:
        control = Control(threads)
        if form == "prepared":
            ready = backend.prepare(group, bases, control=Control(threads))
            return backend.msm_many([MsmJob(group, ready, scalars)], control=control, window=window)
        return [backend.msm(group, bases, scalars, bases_mont=form == "mont", window=window, control=control)]

    how = f"{form} window={window} threads={threads}"
    return Case(f"msm {group.curve_name}.{group.name} n={n} points={p} scalars={s} {how}", call, n)


def _to_mont(group: Group, points: np.ndarray) -> np.ndarray:
    elements = np.ascontiguousarray(points).reshape(-1, group.coordinate.limbs)
    return next(iter(layers().values())).to_mont(group.coordinate, elements).reshape(points.shape)


def msm_many(rng: random.Random) -> Case:
    curve = _curve(rng)
    n, jobs = _size(rng, 9), []
    _, scalars = inputs.scalars(curve.Fr, n, rng)
    for group in rng.choices((curve.g1, curve.g1, curve.g2), k=rng.randrange(6)):
        first = rng.randrange(n + 1)
        _, bases = inputs.points(group, n - first, rng)
        bits = np.frombuffer(rng.randbytes(-(-(n - first) // 8)), np.uint8)
        jobs.append(MsmJob(group, bases, scalars[first:], chosen=rng.choice((None, bits))))
    return Case(f"msm_many {curve.name} n={n} jobs={len(jobs)}", lambda b: b.msm_many(jobs), n * len(jobs))


def ntt(rng: random.Random) -> Case:
    fr = _curve(rng).Fr
    log_n = 16 if rng.random() < 1 / 300 else rng.randrange(13)
    name, values = inputs.scalars(fr, 1 << log_n, rng)
    inverse = rng.random() < 0.5
    shift = rng.choice((1, 1, fr.modulus - 1, fr.non_residue, rng.randrange(1, fr.modulus)))
    threads = _threads(rng)
    return Case(
        f"ntt {fr.name} 2^{log_n} values={name} inverse={inverse} shift={shift} threads={threads}",
        lambda b: [b.ntt(fr, values, inverse=inverse, shift=shift, control=Control(threads))],
        1 << log_n,
    )


def quotient(rng: random.Random) -> Case:
    fr = _curve(rng).Fr
    log_n, signals = rng.randrange(11), rng.randrange(1, 300)
    name, witness = inputs.scalars(fr, signals, rng)
    entries = rng.randrange(4 << log_n)
    records = np.zeros(entries, COEFFICIENT)
    records["matrix"] = [rng.randrange(2) for _ in range(entries)]
    records["constraint"] = [rng.randrange(1 << log_n) for _ in range(entries)]
    if rng.random() < 0.5:
        records.sort(order=("matrix", "constraint"))
    records["signal"] = [rng.randrange(signals) for _ in range(entries)]
    records["value"] = inputs.scalars(fr, entries, rng)[1]
    return Case(
        f"quotient {fr.name} 2^{log_n} entries={entries} witness={name}",
        lambda b: [b.quotient(fr, records, witness, log_n, control=Control(1))],
        4 << log_n,
    )


def scale(rng: random.Random) -> Case:
    group = _group(rng)
    n = _size(rng, 9)
    (p, base), (s, scalars) = inputs.points(group, 1, rng), inputs.scalars(group.scalar, n, rng)
    return Case(
        f"scale {group.curve_name}.{group.name} n={n} base={p} scalars={s}",
        lambda b: [b.scale(group, base[0], scalars, control=Control(1))],
        n,
    )


def points(rng: random.Random) -> Case:
    group = _group(rng)
    n = _size(rng, 9)
    (p, a), (q, b) = inputs.points(group, n, rng), inputs.points(group, n, rng)
    broken = np.array(a)
    if n and rng.random() < 0.5:
        broken.reshape(-1)[rng.randrange(broken.size)] ^= np.uint64(1 << rng.randrange(64))
    return Case(
        f"add_points and check_points {group.curve_name}.{group.name} n={n} a={p} b={q}",
        lambda backend: [backend.add_points(group, a, b), backend.check_points(group, broken[:32])],
        n,
    )


def elements(rng: random.Random) -> Case:
    curve = _curve(rng)
    chosen = rng.choice((curve.Fq, curve.Fr))
    n = _size(rng, 10)
    (s, a), (t, b) = inputs.scalars(chosen, n, rng), inputs.scalars(chosen, n, rng)
    op = rng.choice(("add", "sub", "mul", "neg", "square", "inv", "to_mont", "from_mont"))

    def call(backend: NativeBackend) -> list[np.ndarray]:
        if op in ("to_mont", "from_mont"):
            return [getattr(backend, op)(chosen, a)]
        return [backend.field(chosen, op, a, b if op in ("add", "sub", "mul") else None)]

    return Case(f"{op} {chosen.name} n={n} a={s} b={t}", call, n)


def pairings(rng: random.Random) -> Case:
    curve = _curve(rng)
    n = _size(rng, 5)
    among = ("different", "P and -P", "pairs", "few", "infinity in between")
    sides = []
    for group in (curve.g1, curve.g2):  # of order r, as the contract asks
        name, drawn = inputs.points(group, n, rng, among)
        ok = layers()["portable"].check_points(group, drawn)
        sides.append((name, np.where(ok.reshape(-1, *(1,) * (drawn.ndim - 1)), drawn, np.uint64(0))))
    (left, g1), (right, g2) = sides

    def call(backend: NativeBackend) -> list[np.ndarray]:
        lines = backend.pairing_lines(curve, g2)
        return [backend.pairing_product(curve, g1, g2), backend.pairing_of_lines(curve, g1, [lines]), lines.valid]

    return Case(f"pairing_product {curve.name} n={n} g1={left} g2={right}", call, 200 * n)


Kind = Callable[[random.Random], Case]
KINDS: dict[Kind, int] = {
    msm: 8,
    msm_many: 2,
    ntt: 4,
    quotient: 2,
    scale: 2,
    points: 2,
    elements: 3,
    pairings: 1,
}


def _generator(seed: int, number: int) -> tuple[Kind, random.Random]:
    rng = random.Random(f"{seed}/{number}")
    return rng.choices(list(KINDS), list(KINDS.values()))[0], rng


def kind_of(seed: int, number: int) -> Kind:
    return _generator(seed, number)[0]


def draw(seed: int, number: int) -> tuple[Case, random.Random]:
    """Case ``number`` of ``seed``, and the generator that goes on to choose the layers."""
    kind, rng = _generator(seed, number)
    return kind(rng), rng


def answer(case: Case, backend: NativeBackend) -> Answer:
    try:
        return tuple(np.asarray(array) for array in case.call(backend))
    except MalformedInput:
        return "MalformedInput"


def equal(a: Answer, b: Answer) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str) and a == b
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@dataclass
class Tally:
    """What was tried; ``difference`` repeats the first that was found."""

    seed: int
    cases: int = 0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    pairs: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    difference: str = ""


def run(
    numbers: Iterable[int],
    seed: int,
    seconds: float,
    backends: dict[str, NativeBackend],
    report: Callable[[str], None] = print,
    about_to: Callable[[int], None] = lambda number: None,
) -> Tally:
    """Cases in turn until the seconds are over or two layers differ."""
    tally, started = Tally(seed), time.monotonic()
    reported = started
    for number in numbers:
        tally.seconds = time.monotonic() - started
        if tally.seconds > seconds:
            break
        if time.monotonic() - reported > 10:
            reported = time.monotonic()
            report(f"{tally.seconds:.0f} s: {tally.cases} cases, no difference")
        about_to(number)
        case, rng = draw(seed, number)
        candidates = [name for name in backends if case.size < 1 << 14 or name != "portable"]
        first, second = rng.sample(candidates if len(candidates) > 1 else list(backends), 2)
        one, other = answer(case, backends[first]), answer(case, backends[second])
        tally.cases += 1
        tally.kinds[case.what.split()[0]] += 1
        tally.pairs[f"{min(first, second)} {max(first, second)}"] += 1
        tally.refused += isinstance(one, str)
        if not equal(one, other):
            refusal = " (one refuses)" if isinstance(one, str) != isinstance(other, str) else ""
            tally.difference = f"seed {seed}, case {number}: {first} and {second} differ{refusal}: {case.what}"
            report(f"{tally.difference}\nrepeat: {command(seed, number)}")
            break
    return tally


def command(seed: int, number: int) -> str:
    return f"python -m tests.fuzz.kernels --seed {seed} --case {number}"


def _child(arguments: argparse.Namespace, number: "multiprocessing.sharedctypes.Synchronized[int]") -> None:
    def about_to(case: int) -> None:
        number.value = case

    numbers = itertools.count() if arguments.case is None else [arguments.case]
    found = layers(arguments.layers.split(","))
    if len(found) < 2:
        sys.exit(f"there is nothing to compare: this machine runs {', '.join(found) or 'none'} of {arguments.layers}")
    tally = run(numbers, arguments.seed, arguments.seconds, found, lambda line: print(line, flush=True), about_to)
    summary = {"seed": tally.seed, "cases": tally.cases, "seconds": round(tally.seconds, 1), "layers": list(found)}
    print(
        json.dumps(
            summary
            | {"kinds": tally.kinds, "pairs": tally.pairs, "refused": tally.refused, "difference": tally.difference}
        )
    )
    sys.exit(1 if tally.difference else 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="this case alone")
    parser.add_argument("--layers", default=",".join(LAYERS))
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    number = context.Value("q", -1)
    child = context.Process(target=_child, args=(arguments, number))
    child.start()
    child.join()
    if child.exitcode not in (0, 1):
        print(f"seed {arguments.seed}, case {number.value}: the process ended with status {child.exitcode}")
        print(f"repeat: {command(arguments.seed, number.value)}")
        print(json.dumps({"seed": arguments.seed, "difference": f"case {number.value}: status {child.exitcode}"}))
    return 0 if child.exitcode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
