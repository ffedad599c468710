"""Feed broken files to every decoder: ``python -m tests.fuzz.decoders --count 100000 --seed 1``.

Each answer must be a value or :class:`MalformedInput`, in bounded time and memory. Anything else is printed with
what repeats it, and the exit status is 1. The verifier's point checks are switched off here (a stub says yes):
the decoders are meant, and without native kernels one subgroup check costs more than a thousand decodings.
"""

import argparse
import random
import resource
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from proofgrid.errors import MalformedInput
from proofgrid.kernels.arrays import Array
from proofgrid.kernels.curves import Group
from proofgrid.prover.formats.r1cs import read_r1cs
from proofgrid.prover.formats.wtns import read_wtns
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.verifier import keys
from proofgrid.verifier.snarkjs import parse_json
from tests.fuzz import mutations

VECTORS = Path(__file__).parents[1] / "vectors" / "circom"
MEMORY_BYTES = 2 << 30
SLOW_S = 5.0


class _NoPointChecks:
    """Stands in for a backend: all points are well."""

    def check_points(self, group: Group, points: Array) -> np.ndarray:
        return np.ones(len(points), dtype=np.bool_)


@dataclass(frozen=True)
class Target:
    """A decoder, a valid file for it, and the ways to break that file."""

    name: str
    decode: Callable[[bytes], object]
    valid: bytes
    kinds: tuple[mutations.Mutation, ...]


def targets() -> list[Target]:
    """Every decoder, with a valid file of each curve."""
    found = []
    for curve in ("bn254", "bls12_381"):
        folder = VECTORS / curve
        for file, decode in (("steps.r1cs", read_r1cs), ("steps.wtns", read_wtns), ("steps.zkey", _zkey)):
            found.append(Target(f"{curve}/{file}", decode, (folder / file).read_bytes(), mutations.BINARY))
        for file, decode in (("verification_key.json", _key), ("proof.json", _proof), ("public.json", _inputs)):
            found.append(Target(f"{curve}/{file}", decode, (folder / file).read_bytes(), mutations.JSON))
    return found


def _zkey(data: bytes) -> object:
    zkey = read_zkey(data)
    zkey.check()
    return zkey


def _key(data: bytes) -> object:
    key = keys.VerifyingKey.from_json(parse_json(data, keys.MAX_KEY_BYTES, "key"), backend=_NoPointChecks())
    return keys.VerifyingKey.decode(key.curve, key.encode(), backend=_NoPointChecks())


def _proof(data: bytes) -> object:
    proof = keys.Proof.from_json(parse_json(data, keys.MAX_PROOF_BYTES, "proof"))
    return keys.Proof.decode(proof.curve, proof.encode())


def _inputs(data: bytes) -> object:
    return keys.public_inputs_from_json(parse_json(data, keys.MAX_INPUTS_BYTES, "public inputs"))


@dataclass
class Tally:
    """What became of the mutated files."""

    accepted: int = 0
    refused: int = 0
    crashes: int = 0
    slow: int = 0

    def __str__(self) -> str:
        total = self.accepted + self.refused + self.crashes
        words = f"{total} mutated files, {self.accepted} accepted, {self.refused} refused, {self.crashes} crashes"
        return words + (f", {self.slow} slow" if self.slow else "")


def run(count: int, seed: int, report: Callable[[str], None] = print) -> Tally:
    """Break ``count`` files, each once to three times over; a file depends on the seed and its number alone."""
    tally, all_targets = Tally(), targets()
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        target = rng.choice(all_targets)
        data, kinds = target.valid, []
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            kind = rng.choice(target.kinds if not kinds else mutations.ANY)
            kinds.append(kind.__name__)
            data = kind(data, rng) if data else data
        started, trouble = time.perf_counter(), ""
        try:
            target.decode(data)
            tally.accepted += 1
        except MalformedInput:
            tally.refused += 1
        except Exception:  # noqa: BLE001 - that there is no other is what we are here to find out
            tally.crashes += 1
            trouble = traceback.format_exc()
        if (seconds := time.perf_counter() - started) > SLOW_S:
            tally.slow += 1
            trouble += f"took {seconds:.1f} s"
        if trouble:
            report(f"seed {seed}, file {number}: {target.name} after {', '.join(kinds)}: {trouble}")
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    started = time.perf_counter()
    tally = run(arguments.count, arguments.seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{tally} (seed {arguments.seed}, {time.perf_counter() - started:.0f} s, peak {peak} MB)")
    return 1 if tally.crashes or tally.slow else 0


if __name__ == "__main__":
    sys.exit(main())
