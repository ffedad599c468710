"""The least time this machine's multipliers allow for a kernel: what ``share_of_limit`` is a share of.

Counted are the multiplier's instructions alone. Additions, loads, carries and everything else are taken to issue
beside them for nothing, every lane to be full, and every thread to have a multiplier of its own. So the limit is no
forecast; it says how much there is left to gain without a better algorithm or another machine.

**The instruction.** ``vpmadd52`` of 512 bits where the CPU has AVX-512 IFMA, at its measured rate (2 per cycle on Zen
5 and on Intel servers, 1 on Zen 4), with 8 elements in the lanes; else the 64 x 64 -> 128 bit product, 1 element.

**A multiplication in Fp** of L 52-bit limbs: the product takes 2 L^2 (a low and a high half for each pair of limbs);
of the L rounds of Montgomery's reduction L - 1 add a multiple of p that is read directly off the lowest limb (p = -1
mod 2^52 after scaling; Orup, ARITH 1995), 2 L each, and the last one 2 L + 1. In all 4 L^2 + 1: 101 for L = 5, 257
for L = 8. A squaring saves the pairs that are equal, L (L - 1), of which our five-limb code spends 4 on doubling: 85
and 201. A multiplication by a constant with five precomputed shifted multiples takes 61 for L = 5. With 64-bit words
of which there are W: 2 W^2 + W and W^2 + W (W + 1) / 2 + W, constants not cheaper.

**In Fp2**: three products and two reductions, 10 L^2 + 2 (Karatsuba; 5 W^2 + 2 W), and two multiplications for a
squaring ((a + b)(a - b), 2ab).

**A bucket addition** is affine with the inversion shared by a batch: 5 M + 1 S (Montgomery 1987), 590 in BN254's G1.

**MSM** of n points, scalars of b bits, windows of c bits: n ceil((b + 1) / c) additions into buckets and 2 * 2^(c-1)
for each window's sum, at the c that makes it least; no endomorphism, no precomputed multiples. For a witness the
scalars' own lengths count: a 0 costs nothing, a 1 one addition, b bits ceil((b + 1) / c).

**NTT** of n = 2^k: n / 2 * k multiplications by constants.

**A Groth16 proof** over a domain of 2^k: six NTTs, one multiplication for each coefficient of the key, two for each
point of the domain, the MSMs A, B1, B2, C over the witness (bases at infinity left out) and H over full-size scalars.
The points that A and B1 share count twice, though ours adds them up once.

**Setup** for a domain and wires: fixed-base multiplications, 3 for each wire and 1 for each point of the domain in
G1, 1 for each wire in G2: ceil(b / c) additions from a table of 2^c multiples for each of the ceil(b / c) windows,
made by additions.

**Verification** of m proofs at once, in multiplications of Fq (Fp2: 3, squaring 2; Fp12: 54, squaring 36, in the
cyclotomic subgroup 18; Granger and Scott, eprint 2009/565): the Miller loop squares once an iteration for all pairs,
and each pair costs 24 + 39 for a doubling's line and its sparse product, 41 + 39 for an addition's (Costello et al.,
eprint 2010/354); m + 3 pairs. Final exponentiation: three powers of the seed (five for BLS12) and 20 products. For m
> 1 each proof's A and C are multiplied by 128-bit weights (A: 128 doublings of 7 and 26 additions of 11; C by buckets
of 16 bits). The subgroup check of B: one power of the seed in G2, 30 for a doubling. Inputs are not counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from proofgrid.kernels.curves import Curve, Field, Group
from proofgrid.kernels.native.rates import Rates

_WEIGHT_BITS = 128
_MAX_WINDOW = 24


@dataclass(frozen=True)
class Costs:
    """Instructions of the multiplier for one element's operation."""

    multiply: float
    square: float
    multiply_by_constant: float

    @property
    def bucket_addition(self) -> float:
        return 5 * self.multiply + self.square


def field_costs(field: Field, rates: Rates) -> Costs:
    """What a multiplication costs in the field with this CPU's instruction (see the module)."""
    if rates.vpmadd52:
        limbs = -(-(field.bits + 2) // 52)  # two bits of room for sums that are not reduced
        doubling = 4 if limbs == 5 else 0
        multiply = 4 * limbs**2 + 1
        return Costs(
            multiply / 8, (multiply - limbs * (limbs - 1) + doubling) / 8, (61 if limbs == 5 else multiply) / 8
        )
    words = field.limbs
    multiply = 2 * words**2 + words
    return Costs(multiply, words**2 + words * (words + 1) / 2 + words, multiply)


def group_costs(group: Group, rates: Rates) -> Costs:
    """The same for the field of the group's coordinates: Fq for G1, Fq2 for G2."""
    base = field_costs(group.coordinate, rates)
    if group.name == "g1":
        return base
    if rates.vpmadd52:
        limbs = -(-(group.coordinate.bits + 2) // 52)
        multiply = (10 * limbs**2 + 2) / 8
    else:
        multiply = 5 * group.coordinate.limbs**2 + 2 * group.coordinate.limbs
    return Costs(multiply, 2 * base.multiply, multiply)


def seconds(instructions: float, rates: Rates, threads: int) -> float:
    """The time of that many instructions of the multiplier, spread over threads."""
    return instructions / (rates.vpmadd52 or rates.mul64) / threads


def msm_additions(lengths: Iterable[tuple[int, int]]) -> int:
    """Additions of the cheapest window for scalars given as (bits, how many have so many)."""
    counts = [(bits, count) for bits, count in lengths if bits and count]
    ones = sum(count for bits, count in counts if bits == 1)
    longer = [(bits, count) for bits, count in counts if bits > 1]
    if not longer:
        return ones
    most = max(bits for bits, _ in longer)

    def with_window(c: int) -> int:
        into_buckets = sum(count * _ceil(bits + 1, c) for bits, count in longer)
        return into_buckets + 2 * (1 << (c - 1)) * _ceil(most + 1, c)

    return ones + min(with_window(c) for c in range(2, _MAX_WINDOW + 1))


def msm_instructions(group: Group, lengths: Iterable[tuple[int, int]], rates: Rates) -> float:
    return msm_additions(lengths) * group_costs(group, rates).bucket_addition


def ntt_instructions(field: Field, log_n: int, rates: Rates) -> float:
    return (1 << log_n) / 2 * log_n * field_costs(field, rates).multiply_by_constant


@dataclass(frozen=True)
class ProofSize:
    """What a key and a witness make a prover do; ``lengths`` maps A, B1, B2, C to (bits, count) of their scalars."""

    log_domain: int
    coefficients: int
    lengths: dict[str, list[tuple[int, int]]]


def proof_instructions(curve: Curve, size: ProofSize, rates: Rates) -> float:
    domain, multiply = 1 << size.log_domain, field_costs(curve.Fr, rates).multiply
    total = 6 * ntt_instructions(curve.Fr, size.log_domain, rates)
    total += (size.coefficients + 2 * domain) * multiply
    total += msm_instructions(curve.g1, [(curve.Fr.bits, domain)], rates)
    for name, lengths in size.lengths.items():
        total += msm_instructions(curve.g2 if name == "b2" else curve.g1, lengths, rates)
    return total


def fixed_base_additions(bits: int, n: int) -> int:
    """Additions of the cheapest window for n multiples of one point by scalars of ``bits``."""
    return min(_ceil(bits, c) * (n + (1 << c)) for c in range(1, _MAX_WINDOW + 1))


def setup_instructions(curve: Curve, log_domain: int, n_wires: int, rates: Rates) -> float:
    bits, domain = curve.Fr.bits, 1 << log_domain
    in_g1 = fixed_base_additions(bits, 3 * n_wires + domain) * group_costs(curve.g1, rates).bucket_addition
    return in_g1 + fixed_base_additions(bits, n_wires) * group_costs(curve.g2, rates).bucket_addition


def verification_multiplications(curve: Curve, n_proofs: int) -> float:
    """Multiplications in Fq for ``n_proofs`` of one key, as counted at the top of the module."""
    loop, seed = curve.ate_loop, abs(curve.seed)
    doublings, additions = loop.bit_length() - 1, _signed_weight(loop) - 1 + (2 if curve.family == "bn" else 0)
    powers = (3 if curve.family == "bn" else 5) * ((seed.bit_length() - 1) * 18 + (_signed_weight(seed) - 1) * 54)
    total: float = (n_proofs + 3) * (doublings * (24 + 39) + additions * (41 + 39))
    total += doublings * 36 + powers + 20 * 54
    total += n_proofs * ((seed.bit_length() - 1) * 30)
    if n_proofs > 1:
        total += n_proofs * (_WEIGHT_BITS * 7 + 26 * 11)
        total += msm_additions([(_WEIGHT_BITS, n_proofs)]) * 6
    return total


def verification_instructions(curve: Curve, n_proofs: int, rates: Rates) -> float:
    return verification_multiplications(curve, n_proofs) * field_costs(curve.Fq, rates).multiply


def _signed_weight(n: int) -> int:
    """Digits that are not zero in the shortest form with digits -1, 0, 1."""
    return (3 * n ^ n).bit_count()


def _ceil(a: int, b: int) -> int:
    return -(-a // b)
