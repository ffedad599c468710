"""The cases of the kernels' fuzzer: every kernel, on inputs that hurt, as a call that any layer can answer."""

import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from unittest import mock

import numpy as np

from proofgrid.errors import BackendUnavailable
from proofgrid.kernels import native
from proofgrid.kernels.backend import COEFFICIENT
from proofgrid.kernels.control import Control
from proofgrid.kernels.curves import CURVES, Curve, Group
from proofgrid.kernels.native.backend import NativeBackend
from proofgrid.kernels.prepared import MsmJob
from tests.fuzz import kernel_inputs as inputs

LAYERS = ("portable", "adx", "ifma")


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


def _multiples(rng: random.Random) -> int:
    return rng.choice((1, 1, 2, 3, 6, rng.randrange(1, 18)))


def msm(rng: random.Random) -> Case:
    group = _group(rng)
    n = _size(rng, 12, rarely=16)
    (p, bases), (s, scalars) = inputs.points(group, n, rng), inputs.scalars(group.scalar, n, rng)
    form, window = rng.choice(("canonical", "mont", "prepared")), rng.choice((0, 0, 0, rng.randrange(2, 17)))
    threads, multiples = _threads(rng), _multiples(rng)
    if form != "canonical":
        bases = _to_mont(group, bases)

    def call(backend: NativeBackend) -> list[np.ndarray]:
        control = Control(threads)
        if form == "prepared":
            ready = backend.prepare(group, bases, multiples=multiples, control=Control(threads))
            return backend.msm_many([MsmJob(group, ready, scalars)], control=control, window=window)
        return [backend.msm(group, bases, scalars, bases_mont=form == "mont", window=window, control=control)]

    how = f"{form} multiples={multiples} window={window} threads={threads}"
    return Case(f"msm {group.curve_name}.{group.name} n={n} points={p} scalars={s} {how}", call, n)


def _to_mont(group: Group, points: np.ndarray) -> np.ndarray:
    elements = np.ascontiguousarray(points).reshape(-1, group.coordinate.limbs)
    return next(iter(layers().values())).to_mont(group.coordinate, elements).reshape(points.shape)


def msm_many(rng: random.Random) -> Case:
    """Jobs over parts of one array of scalars, as a proof's, their bases in any form; a prepared one serves twice."""
    curve = _curve(rng)
    n, jobs = _size(rng, 9, rarely=13), []
    s, scalars = inputs.scalars(curve.Fr, n, rng)
    for group in rng.choices((curve.g1, curve.g1, curve.g2), k=rng.randrange(6)):
        first = rng.randrange(n + 1)
        p, bases = inputs.points(group, n - first, rng)
        form = rng.choice(("canonical", "mont", "prepared"))
        bases = bases if form == "canonical" else _to_mont(group, bases)
        bits = np.frombuffer(rng.randbytes(-(-(n - first) // 8)), np.uint8)
        job = MsmJob(group, bases, scalars[first:], form != "canonical", chosen=rng.choice((None, bits)))
        jobs.append((form, p, job))
    window, threads, multiples = rng.choice((0, 0, 0, rng.randrange(2, 17))), _threads(rng), _multiples(rng)

    def call(backend: NativeBackend) -> list[np.ndarray]:
        def ready(form: str, job: MsmJob) -> MsmJob:
            if form != "prepared":
                return job
            bases = backend.prepare(job.group, job.bases, multiples=multiples, control=Control(threads))
            return job._replace(bases=bases, bases_mont=False)

        many = [ready(form, job) for form, _, job in jobs]
        return [sum for _ in range(2) for sum in backend.msm_many(many, control=Control(threads), window=window)]

    how = ", ".join(f"{job.group.name} {form} {p} x{len(job.scalars)}" for form, p, job in jobs)
    what = (
        f"msm_many {curve.name} n={n} scalars={s} jobs=[{how}] multiples={multiples} window={window} threads={threads}"
    )
    return Case(what, call, n * len(jobs))


def ntt(rng: random.Random) -> Case:
    fr = _curve(rng).Fr
    log_n = 16 if rng.random() < 1 / 300 else rng.randrange(13)
    name, values = inputs.scalars(fr, 1 << log_n, rng)
    inverse = rng.random() < 0.5
    shift = rng.choice((1, 1, fr.modulus - 1, fr.non_residue, rng.randrange(1, fr.modulus)))
    threads, times = _threads(rng), rng.choice((1, 1, 2, 4))

    def call(backend: NativeBackend) -> list[np.ndarray]:
        found = [values]
        for turn in range(times):  # to and fro in one size: tables kept from the first are used by the next
            way = inverse != (turn % 2 == 1)
            found.append(backend.ntt(fr, found[-1], inverse=way, shift=shift, control=Control(threads)))
        return found[1:]

    how = f"inverse={inverse} shift={shift} times={times} threads={threads}"
    return Case(f"ntt {fr.name} 2^{log_n} values={name} {how}", call, times << log_n)


def quotient(rng: random.Random) -> Case:
    fr = _curve(rng).Fr
    log_n, signals, threads = rng.randrange(11), rng.randrange(1, 300), _threads(rng)
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
        f"quotient {fr.name} 2^{log_n} entries={entries} witness={name} threads={threads}",
        lambda b: [b.quotient(fr, records, witness, log_n, control=Control(threads))],
        4 << log_n,
    )


def scale(rng: random.Random) -> Case:
    """One base and many scalars, as a setup's: often the generator, in either form."""
    group = _group(rng)
    n, mont, threads = _size(rng, 9, rarely=12), rng.random() < 0.5, _threads(rng)
    (p, base), (s, scalars) = inputs.points(group, 1, rng), inputs.scalars(group.scalar, n, rng)
    if rng.random() < 0.5:
        p, base = "generator", inputs.pool(group)[:1]
    return Case(
        f"scale {group.curve_name}.{group.name} n={n} base={p} scalars={s} result_mont={mont} threads={threads}",
        lambda b: [b.scale(group, base[0], scalars, result_mont=mont, control=Control(threads))],
        n,
    )


def scale_each(rng: random.Random) -> Case:
    group = _group(rng)
    n, threads = _size(rng, 8, rarely=11), _threads(rng)
    (p, bases), (s, scalars) = inputs.points(group, n, rng), inputs.scalars(group.scalar, n, rng)
    if rng.random() < 0.5:  # weights of a batch of proofs
        scalars = np.array(scalars)
        scalars[:, 2:], s = 0, f"128 bits of {s}"
    return Case(
        f"scale_each {group.curve_name}.{group.name} n={n} points={p} scalars={s} threads={threads}",
        lambda b: [b.scale_each(group, bases, scalars, control=Control(threads))],
        8 * n,
    )


def checksum(rng: random.Random) -> Case:
    n, threads = _size(rng, 16, rarely=23), _threads(rng)
    data = inputs.placed(np.frombuffer(rng.randbytes(-(-n // 8) * 8), np.uint64), rng).view(np.uint8)[:n]
    return Case(
        f"checksum n={n} threads={threads}",
        lambda b: [np.array([b.checksum(data, control=Control(threads))], np.uint64)],
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


def _of_order_r(group: Group, n: int, rng: random.Random) -> tuple[str, np.ndarray]:
    name, drawn = inputs.points(group, n, rng, ("different", "P and -P", "pairs", "few", "infinity in between"))
    ok = layers()["portable"].check_points(group, drawn)
    return name, np.where(ok.reshape(-1, *(1,) * (drawn.ndim - 1)), drawn, np.uint64(0))


def pairings(rng: random.Random) -> Case:
    """A product of pairings; or a batch of proofs' check, where the first points get weights and the product is one."""
    curve = _curve(rng)
    n, batch = _size(rng, 5, rarely=8), rng.random() < 0.5
    (p, g1), (q, g2) = _of_order_r(curve.g1, n, rng), _of_order_r(curve.g2, n, rng)
    s, weights = inputs.scalars(curve.Fr, n, rng)

    def call(backend: NativeBackend) -> list[np.ndarray]:
        if not batch or not n:
            lines = backend.pairing_lines(curve, g2)
            return [backend.pairing_product(curve, g1, g2), backend.pairing_of_lines(curve, g1, [lines]), lines.valid]
        total = backend.msm(curve.g1, g1, weights)[None]
        minus = np.concatenate([total[:, :1], backend.field(curve.Fq, "neg", total[:, 1])[:, None]], axis=1)
        firsts = np.concatenate([backend.scale_each(curve.g1, g1, weights), minus])
        return [backend.pairing_product(curve, firsts, np.repeat(g2[:1], n + 1, axis=0)), firsts]

    how = f"batch weights={s}" if batch else "product"
    return Case(f"pairing_product {curve.name} n={n} g1={p} g2={q} {how}", call, 200 * n)


Kind = Callable[[random.Random], Case]
KINDS: dict[Kind, int] = {
    msm: 8,
    msm_many: 2,
    ntt: 4,
    quotient: 2,
    scale: 2,
    scale_each: 2,
    checksum: 1,
    points: 2,
    elements: 3,
    pairings: 2,
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
