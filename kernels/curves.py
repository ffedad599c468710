"""The curves: one declaration each, everything else is derived.

A :class:`Curve` is declared by its seed, the polynomials that give ``q`` and ``r`` in the seed, the curve
coefficient, the sextic twist and one generator per group. Field constants (Montgomery radix, two-adicity,
roots of unity), cofactors and encodings follow from these. ``codegen`` renders the same facts for C++.

Sources: BN254 (alt_bn128): EIP-196, EIP-197; Beuchat et al., eprint 2010/354. BLS12-381: Barreto, Lynn,
Scott, eprint 2002/088; draft-irtf-cfrg-pairing-friendly-curves-11, section 4.2.1. Security estimates: Guillevic and
Singh, eprint 2019/885.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Fq2 = tuple[int, int]


@dataclass(frozen=True)
class Field:
    """A prime field; elements are ``uint64[..., limbs]``, little-endian limbs, canonical."""

    name: str
    modulus: int

    @property
    def bits(self) -> int:
        return self.modulus.bit_length()

    @property
    def limbs(self) -> int:
        """Number of 64-bit limbs."""
        return -(-self.bits // 64)

    @property
    def n_bytes(self) -> int:
        return 8 * self.limbs

    @property
    def montgomery_radix(self) -> int:
        """R = 2^(64 * limbs) mod p: the Montgomery form of x is x * R mod p."""
        return (1 << (64 * self.limbs)) % self.modulus

    @cached_property
    def two_adicity(self) -> int:
        """The largest s with 2^s dividing p - 1: NTT domains reach 2^s."""
        return ((self.modulus - 1) & -(self.modulus - 1)).bit_length() - 1

    @cached_property
    def non_residue(self) -> int:
        """The smallest quadratic non-residue; generates the 2^s-th roots of unity (snarkjs' convention)."""
        n = 2
        while pow(n, (self.modulus - 1) // 2, self.modulus) != self.modulus - 1:
            n += 1
        return n

    def root_of_unity(self, log_n: int) -> int:
        """A primitive 2^log_n-th root of unity; squaring it gives that of log_n - 1."""
        if not 0 <= log_n <= self.two_adicity:
            raise ValueError(f"{self.name} has roots of unity of order 2^0..2^{self.two_adicity}, not 2^{log_n}")
        odd = (self.modulus - 1) >> self.two_adicity
        return pow(self.non_residue, odd << (self.two_adicity - log_n), self.modulus)


@dataclass(frozen=True)
class Group:
    """G1 or G2 of a curve: points are ``uint64[n, 2, limbs]`` or ``uint64[n, 2, 2, limbs]``, infinity all zeros."""

    curve_name: str
    name: Literal["g1", "g2"]
    coordinate: Field
    scalar: Field

    @property
    def point_shape(self) -> tuple[int, ...]:
        """Shape of one affine point: (x, y) or ((x.c0, x.c1), (y.c0, y.c1))."""
        limbs = self.coordinate.limbs
        return (2, limbs) if self.name == "g1" else (2, 2, limbs)

    @property
    def curve(self) -> "Curve":
        return CURVES[self.curve_name]


@dataclass(frozen=True)
class Curve:
    """A pairing-friendly curve y^2 = x^3 + b of embedding degree 12.

    Tower: Fq2 = Fq[u]/(u^2 + 1), Fq6 = Fq2[v]/(v^3 - xi), Fq12 = Fq6[w]/(w^2 - v).
    The twist is y^2 = x^3 + b/xi (type D) or y^2 = x^3 + b*xi (type M).
    """

    name: str
    family: Literal["bn", "bls12"]
    seed: int
    b: int
    xi: Fq2
    twist: Literal["D", "M"]
    g1_generator: tuple[int, int]
    g2_generator: tuple[Fq2, Fq2]
    security_bits: int

    @cached_property
    def r(self) -> int:
        x = self.seed
        return 36 * x**4 + 36 * x**3 + 18 * x**2 + 6 * x + 1 if self.family == "bn" else x**4 - x**2 + 1

    @cached_property
    def q(self) -> int:
        x = self.seed
        if self.family == "bn":
            return 36 * x**4 + 36 * x**3 + 24 * x**2 + 6 * x + 1
        return (x - 1) ** 2 * self.r // 3 + x

    @cached_property
    def Fr(self) -> Field:  # noqa: N802 - the field's own name
        return Field(f"{self.name}.Fr", self.r)

    @cached_property
    def Fq(self) -> Field:  # noqa: N802
        return Field(f"{self.name}.Fq", self.q)

    @cached_property
    def g1(self) -> Group:
        return Group(self.name, "g1", self.Fq, self.Fr)

    @cached_property
    def g2(self) -> Group:
        return Group(self.name, "g2", self.Fq, self.Fr)

    @cached_property
    def b2(self) -> Fq2:
        """The twist's coefficient: b / xi (D) or b * xi (M)."""
        c0, c1 = self.xi
        if self.twist == "M":
            return (self.b * c0 % self.q, self.b * c1 % self.q)
        norm_inverse = pow(c0 * c0 + c1 * c1, -1, self.q)
        return (self.b * c0 * norm_inverse % self.q, -self.b * c1 * norm_inverse % self.q)

    @cached_property
    def ate_loop(self) -> int:
        """The Miller loop's length: |6x + 2| (bn) or |x| (bls12); its sign is the seed's."""
        return abs(6 * self.seed + 2) if self.family == "bn" else abs(self.seed)


BN254 = Curve(
    name="bn254",
    family="bn",
    seed=4965661367192848881,
    b=3,
    xi=(9, 1),
    twist="D",
    g1_generator=(1, 2),
    g2_generator=(
        (
            10857046999023057135944570762232829481370756359578518086990519993285655852781,
            11559732032986387107991004021392285783925812861821192530917403151452391805634,
        ),
        (
            8495653923123431417604973247489272438418190587263600148770280649306958101930,
            4082367875863433681332203403145435568316851327593401208105741076214120093531,
        ),
    ),
    security_bits=103,
)

BLS12_381 = Curve(
    name="bls12_381",
    family="bls12",
    seed=-0xD201000000010000,
    b=4,
    xi=(1, 1),
    twist="M",
    g1_generator=(
        0x17F1D3A73197D7942695638C4FA9AC0FC3688C4F9774B905A14E3A3F171BAC586C55E83FF97A1AEFFB3AF00ADB22C6BB,
        0x08B3F481E3AAA0F1A09E30ED741D8AE4FCF5E095D5D00AF600DB18CB2C04B3EDD03CC744A2888AE40CAA232946C5E7E1,
    ),
    g2_generator=(
        (
            0x024AA2B2F08F0A91260805272DC51051C6E47AD4FA403B02B4510B647AE3D1770BAC0326A805BBEFD48056C8C121BDB8,
            0x13E02B6052719F607DACD3A088274F65596BD0D09920B61AB5DA61BBDC7F5049334CF11213945D57E5AC7D055D042B7E,
        ),
        (
            0x0CE5D527727D6E118CC9CDC6DA2E351AADFD9BAA8CBDD3A76D429A695160D12C923AC9CC3BACA289E193548608B82801,
            0x0606C4A02EA734CC32ACD2B02BC28B99CB3E287E85A763AF267492AB572E99AB3F370D275CEC1DA1AAA9075FF05F79BE,
        ),
    ),
    security_bits=126,
)

CURVES: dict[str, Curve] = {curve.name: curve for curve in (BN254, BLS12_381)}
