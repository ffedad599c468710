"""Verifying keys, proofs and public inputs, and their files: snarkjs' JSON and our fixed-width bytes."""

import hashlib
from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field
from pathlib import Path

import numpy as np

from proofgrid.kernels.arrays import Array
from proofgrid.kernels.backend import Backend, select
from proofgrid.kernels.curves import CURVES, Curve
from proofgrid.verifier.points import (
    decode_point_be,
    encode_point_be,
    is_infinity,
    point_size,
    refusal_of_points,
    require_point,
)
from proofgrid.verifier.refusals import Reason, RefusedInput
from proofgrid.verifier.snarkjs import (
    curve_name,
    curve_of,
    decimal,
    malformed,
    member,
    point_from_json,
    point_to_json,
    read_json,
    require_list,
    require_members,
    require_protocol,
    write_json,
)

MAX_KEY_BYTES = 64 << 20
MAX_PROOF_BYTES = 64 << 10
MAX_INPUTS_BYTES = 16 << 20
MAX_PUBLIC_INPUTS = 1 << 18

_KEY_MEMBERS = frozenset(
    ("protocol", "curve", "nPublic", "vk_alpha_1", "vk_beta_2", "vk_gamma_2", "vk_delta_2", "vk_alphabeta_12", "IC")
)
_PROOF_MEMBERS = frozenset(("pi_a", "pi_b", "pi_c", "protocol", "curve"))
_KEY_TAG = b"proofgrid.verifying-key.v1".ljust(32, b"\0")
_PROOF_TAG = b"proofgrid.proof.v1".ljust(32, b"\0")


@dataclass(frozen=True, eq=False)
class VerifyingKey:
    """A Groth16 verifying key that has been checked; its arrays are canonical affine points, read-only.

    alpha1 ``[2, limbs]``; beta2, gamma2, delta2 ``[2, 2, limbs]``; ic ``[n_public + 1, 2, limbs]``.
    Construction raises :class:`RefusedInput` for a coordinate >= q, a point off the curve or outside the
    subgroup, alpha, beta, gamma or delta at infinity (each would make the equation trivial or free a term of
    it), delta equal to gamma or its negative (a key without a contribution: A = alpha, B = beta, C = -IC would
    pass for any inputs), and an empty ic. Cost: three subgroup checks in G2, n_public + 2 points in G1.
    """

    curve: Curve
    alpha1: Array
    beta2: Array
    gamma2: Array
    delta2: Array
    ic: Array
    backend: InitVar[Backend | None] = field(default=None, kw_only=True)

    def __post_init__(self, backend: Backend | None) -> None:
        g1, g2 = self.curve.g1, self.curve.g2
        if self.ic.ndim != 3 or not 1 <= len(self.ic) <= MAX_PUBLIC_INPUTS + 1:
            raise malformed("verifying key: ic must have n_public + 1 points, at least one")
        for name, group in (("alpha1", g1), ("beta2", g2), ("gamma2", g2), ("delta2", g2)):
            point = require_point(group, getattr(self, name), f"verifying key: {name}")
            if is_infinity(point):
                raise RefusedInput(f"verifying key: {name} is the point at infinity", Reason.POINT_AT_INFINITY)
            object.__setattr__(self, name, point)
        ic = np.stack([require_point(g1, point, f"verifying key: ic[{i}]") for i, point in enumerate(self.ic)])
        ic.setflags(write=False)
        object.__setattr__(self, "ic", ic)
        self._check_groups(backend or select())
        if (self.gamma2[0] == self.delta2[0]).all():  # equal x: equal or opposite points
            raise RefusedInput(
                "verifying key: gamma and delta coincide, so anybody could forge proofs; the key lacks a contribution "
                "(snarkjs zkey contribute)",
                Reason.FORGEABLE_KEY,
            )

    def _check_groups(self, backend: Backend) -> None:
        in_g1 = (self.curve.g1, ("alpha1", "ic"), np.concatenate([self.alpha1[np.newaxis], self.ic]))
        in_g2 = (self.curve.g2, ("beta2", "gamma2", "delta2"), np.stack([self.beta2, self.gamma2, self.delta2]))
        for group, names, points in (in_g1, in_g2):
            for index, reason in refusal_of_points(group, points, backend).items():
                name = names[min(index, len(names) - 1)]
                raise RefusedInput(f"verifying key: {name} is refused: {reason.words}", reason)

    @property
    def n_public(self) -> int:
        return len(self.ic) - 1

    def encode(self) -> bytes:
        """alpha1, beta2, gamma2, delta2, ic[0..n_public], big-endian as EIP-197: what a key account stores.

        bn254: 64 + 3 * 128 + 64 * (n_public + 1) bytes; bls12_381: 96 + 3 * 192 + 96 * (n_public + 1).
        """
        g1, g2 = self.curve.g1, self.curve.g2
        parts = [encode_point_be(g1, self.alpha1)]
        parts += [encode_point_be(g2, point) for point in (self.beta2, self.gamma2, self.delta2)]
        parts += [encode_point_be(g1, point) for point in self.ic]
        return b"".join(parts)

    @classmethod
    def decode(cls, curve: Curve, data: bytes, *, backend: Backend | None = None) -> "VerifyingKey":
        """The inverse of :meth:`encode`, checked like every key."""
        g1, g2, one, two = curve.g1, curve.g2, point_size(curve.g1), point_size(curve.g2)
        head = one + 3 * two
        count, rest = divmod(len(data) - head, one)
        if rest or not 1 <= count <= MAX_PUBLIC_INPUTS + 1:
            raise malformed(f"verifying key: {len(data)} bytes are not {head} + {one} * (n_public + 1)")
        beta2, gamma2, delta2 = (
            decode_point_be(g2, data[one + i * two : one + (i + 1) * two], f"verifying key: {name}2")
            for i, name in enumerate(("beta", "gamma", "delta"))
        )
        ic = [
            decode_point_be(g1, data[head + i * one : head + (i + 1) * one], f"verifying key: ic[{i}]")
            for i in range(count)
        ]
        alpha1 = decode_point_be(g1, data[:one], "verifying key: alpha1")
        return cls(curve, alpha1, beta2, gamma2, delta2, np.stack(ic), backend=backend)

    def digest(self) -> bytes:
        """SHA-256 of tag (32 bytes) | curve name (16, zero-padded) | n_public (u32 big-endian) | :meth:`encode`.

        The tag is ``proofgrid.verifying-key.v1``, zero-padded. It names the key in leaves and on chain.
        """
        head = _KEY_TAG + self.curve.name.encode().ljust(16, b"\0") + self.n_public.to_bytes(4, "big")
        return hashlib.sha256(head + self.encode()).digest()

    def to_json(self) -> dict[str, object]:
        """snarkjs' ``verification_key.json``, without ``vk_alphabeta_12``, which no verifier reads."""
        g1, g2 = self.curve.g1, self.curve.g2
        return {
            "protocol": "groth16",
            "curve": curve_name(self.curve),
            "nPublic": self.n_public,
            "vk_alpha_1": point_to_json(g1, self.alpha1),
            "vk_beta_2": point_to_json(g2, self.beta2),
            "vk_gamma_2": point_to_json(g2, self.gamma2),
            "vk_delta_2": point_to_json(g2, self.delta2),
            "IC": [point_to_json(g1, point) for point in self.ic],
        }

    @classmethod
    def from_json(cls, document: object, *, backend: Backend | None = None) -> "VerifyingKey":
        """A key from snarkjs' parsed JSON; ``vk_alphabeta_12`` is not read. Raises :class:`RefusedInput`."""
        what = "verifying key"
        require_members(document, _KEY_MEMBERS, what)
        require_protocol(document, what)
        curve = curve_of(member(document, "curve", what), what)
        g1, g2 = curve.g1, curve.g2
        points = require_list(member(document, "IC", what), None, f"{what}: IC")
        n_public = member(document, "nPublic", what)
        if type(n_public) is not int or not 0 <= n_public <= MAX_PUBLIC_INPUTS:
            raise malformed(f"{what}: nPublic must be a number from 0 to {MAX_PUBLIC_INPUTS}")
        if len(points) != n_public + 1:
            raise RefusedInput(
                f"{what}: nPublic is {n_public}, so IC must have {n_public + 1} points, not {len(points)}",
                Reason.INPUT_COUNT,
            )
        alpha1 = point_from_json(g1, member(document, "vk_alpha_1", what), f"{what}: vk_alpha_1")
        beta2, gamma2, delta2 = (
            point_from_json(g2, member(document, name, what), f"{what}: {name}")
            for name in ("vk_beta_2", "vk_gamma_2", "vk_delta_2")
        )
        ic = [point_from_json(g1, point, f"{what}: IC[{i}]") for i, point in enumerate(points)]
        return cls(curve, alpha1, beta2, gamma2, delta2, np.stack(ic), backend=backend)


@dataclass(frozen=True, eq=False)
class Proof:
    """A Groth16 proof: a, c ``[2, limbs]`` in G1, b ``[2, 2, limbs]`` in G2; canonical affine, read-only.

    Construction checks shapes and that coordinates are below q; whether the points are on the curve and in
    the subgroup is for ``verify`` to say.
    """

    curve: Curve
    a: Array
    b: Array
    c: Array

    def __post_init__(self) -> None:
        for name, group in (("a", self.curve.g1), ("b", self.curve.g2), ("c", self.curve.g1)):
            object.__setattr__(self, name, require_point(group, getattr(self, name), f"proof: {name}"))

    def encode(self) -> bytes:
        """a, b, c, big-endian as EIP-197, G2 as x.c1, x.c0, y.c1, y.c0: 256 bytes for bn254, 384 for bls12_381.

        A is not negated (a verifier that wants -A negates it).
        """
        g1, g2 = self.curve.g1, self.curve.g2
        return encode_point_be(g1, self.a) + encode_point_be(g2, self.b) + encode_point_be(g1, self.c)

    @classmethod
    def decode(cls, curve: Curve, data: bytes) -> "Proof":
        """The inverse of :meth:`encode`; raises :class:`RefusedInput`."""
        one, two = point_size(curve.g1), point_size(curve.g2)
        if len(data) != 2 * one + two:
            raise malformed(f"proof: expected {2 * one + two} bytes for {curve.name}, got {len(data)}")
        return cls(
            curve,
            decode_point_be(curve.g1, data[:one], "proof: a"),
            decode_point_be(curve.g2, data[one : one + two], "proof: b"),
            decode_point_be(curve.g1, data[one + two :], "proof: c"),
        )

    def digest(self) -> bytes:
        """SHA-256 of tag (32 bytes, ``proofgrid.proof.v1``) | curve name (16, zero-padded) | :meth:`encode`."""
        return hashlib.sha256(_PROOF_TAG + self.curve.name.encode().ljust(16, b"\0") + self.encode()).digest()

    def to_json(self) -> dict[str, object]:
        """snarkjs' ``proof.json``."""
        g1, g2 = self.curve.g1, self.curve.g2
        return {
            "pi_a": point_to_json(g1, self.a),
            "pi_b": point_to_json(g2, self.b),
            "pi_c": point_to_json(g1, self.c),
            "protocol": "groth16",
            "curve": curve_name(self.curve),
        }

    @classmethod
    def from_json(cls, document: object) -> "Proof":
        """A proof from snarkjs' parsed JSON, in rapidsnark's (no ``curve``) of bn128. Raises :class:`RefusedInput`."""
        require_members(document, _PROOF_MEMBERS, "proof")
        require_protocol(document, "proof")
        named = isinstance(document, dict) and "curve" in document
        curve = curve_of(member(document, "curve", "proof"), "proof") if named else CURVES["bn254"]
        return cls(
            curve,
            point_from_json(curve.g1, member(document, "pi_a", "proof"), "proof: pi_a"),
            point_from_json(curve.g2, member(document, "pi_b", "proof"), "proof: pi_b"),
            point_from_json(curve.g1, member(document, "pi_c", "proof"), "proof: pi_c"),
        )


def public_inputs_from_json(document: object) -> list[int]:
    """The list of decimal strings of snarkjs' ``public.json``; ``verify`` checks each against r."""
    values = require_list(document, None, "public inputs")
    if len(values) > MAX_PUBLIC_INPUTS:
        raise malformed(f"public inputs: at most {MAX_PUBLIC_INPUTS}, got {len(values)}")
    return [decimal(value, f"public input {i}") for i, value in enumerate(values)]


def load_verifying_key(path: Path | str, *, backend: Backend | None = None) -> VerifyingKey:
    """A key from a snarkjs ``verification_key.json``; raises :class:`RefusedInput`."""
    return VerifyingKey.from_json(read_json(path, MAX_KEY_BYTES, "verifying key"), backend=backend)


def dump_verifying_key(verifying_key: VerifyingKey, path: Path | str) -> None:
    write_json(path, verifying_key.to_json())


def load_proof(path: Path | str) -> Proof:
    """A proof from a snarkjs ``proof.json``; raises :class:`RefusedInput`."""
    return Proof.from_json(read_json(path, MAX_PROOF_BYTES, "proof"))


def dump_proof(proof: Proof, path: Path | str) -> None:
    write_json(path, proof.to_json())


def load_public_inputs(path: Path | str) -> list[int]:
    """The inputs of a snarkjs ``public.json``; raises :class:`RefusedInput`."""
    return public_inputs_from_json(read_json(path, MAX_INPUTS_BYTES, "public inputs"))


def dump_public_inputs(public_inputs: Sequence[int], path: Path | str) -> None:
    write_json(path, [str(value) for value in public_inputs])
