"""Random kernels on random layers: ``python -m tests.fuzz.kernels --seconds 3600 --seed 1``.

Each case draws an operation with its inputs (:mod:`tests.fuzz.kernel_cases`) and two layers of the native backend
that this CPU runs, and expects equal bits or equal refusals. A case depends on the seed and its number alone. At the
first difference, or if a layer takes the process down, the line that repeats it is printed and the exit status is 1.
The last line is an object of JSON.
"""

import argparse
import itertools
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from proofgrid.errors import MalformedInput
from proofgrid.kernels.native.backend import NativeBackend
from tests.fuzz.kernel_cases import LAYERS, Case, draw, layers

Answer = tuple[np.ndarray, ...] | str


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
    if not tally.difference:
        kinds = f"{len(tally.kinds)} kinds of calls, {tally.refused} refused by both"
        print(f"no difference in {tally.cases} cases: {kinds}, on {', '.join(found)}, in {tally.seconds:.0f} s")
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
