"""Lagrange polynomials of a multiplicative domain at one point, vectorised over a backend's field arithmetic."""

import numpy as np

from proofgrid.kernels.arrays import Array, encode_elements
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.curves import Field


def constant(field: Field, value: int, n: int) -> Array:
    """``value`` mod p, n times: ``[n, limbs]``."""
    return np.repeat(encode_elements(field, [value % field.modulus]), n, axis=0)


def scaled(field: Field, values: Array, factor: int, backend: Backend) -> Array:
    """values[i] * factor."""
    return backend.field(field, "mul", values, constant(field, factor, len(values)))


def geometric(field: Field, first: int, ratio: int, log_n: int, backend: Backend) -> Array:
    """first * ratio^i for i below 2^log_n: ``[2^log_n, limbs]``. Cost: n multiplications, by doubling."""
    values = encode_elements(field, [first % field.modulus])
    for _ in range(log_n):
        values = np.concatenate([values, scaled(field, values, ratio, backend)])
        ratio = ratio * ratio % field.modulus
    return values


def lagrange_at(field: Field, tau: int, log_n: int, backend: Backend) -> Array:
    """L_i(tau) for the domain <w> of 2^log_n: ``[2^log_n, limbs]``.

    With Z(x) = x^n - 1: L_i(tau) = Z(tau) / n * w^i / (tau - w^i). ``tau`` must lie outside the domain. Cost: one
    inversion and three multiplications for each.
    """
    return _at(field, tau, 1 << log_n, geometric(field, 1, field.root_of_unity(log_n), log_n, backend), backend)


def odd_lagrange_at(field: Field, tau: int, log_n: int, backend: Backend) -> Array:
    """Every second Lagrange polynomial of the domain twice as large, L_1, L_3, ..., at tau: ``[2^log_n, limbs]``."""
    v = field.root_of_unity(log_n + 1)
    return _at(field, tau, 2 << log_n, geometric(field, v, v * v, log_n, backend), backend)


def _at(field: Field, tau: int, order: int, roots: Array, backend: Backend) -> Array:
    p = field.modulus
    differences = backend.field(field, "sub", constant(field, tau, len(roots)), roots)
    terms = backend.field(field, "mul", roots, backend.field(field, "inv", differences))
    return scaled(field, terms, (pow(tau, order, p) - 1) * pow(order, -1, p), backend)
