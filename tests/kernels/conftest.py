"""Fixtures over backends x curves x groups x fields."""

import pytest

from proofgrid.kernels.backend import Backend
from proofgrid.kernels.curves import BLS12_381, BN254, Curve, Field, Group
from tests.kernels import backends

CURVES = (BN254, BLS12_381)
GROUPS = [group for curve in CURVES for group in (curve.g1, curve.g2)]
SCALAR_FIELDS = [curve.Fr for curve in CURVES]
FIELDS = [field for curve in CURVES for field in (curve.Fr, curve.Fq)]


@pytest.fixture(params=backends.ALL)
def backend(request: pytest.FixtureRequest) -> Backend:
    return backends.named(request.param)


@pytest.fixture(params=backends.NATIVE)
def native(request: pytest.FixtureRequest) -> Backend:
    return backends.named(request.param)


@pytest.fixture(scope="session")
def reference() -> Backend:
    return backends.named("reference")


@pytest.fixture(params=CURVES, ids=lambda curve: curve.name)
def curve(request: pytest.FixtureRequest) -> Curve:
    return request.param


@pytest.fixture(params=GROUPS, ids=lambda group: f"{group.curve_name}.{group.name}")
def group(request: pytest.FixtureRequest) -> Group:
    return request.param


@pytest.fixture(params=FIELDS, ids=lambda field: field.name)
def field(request: pytest.FixtureRequest) -> Field:
    return request.param


@pytest.fixture(params=SCALAR_FIELDS, ids=lambda field: field.name)
def scalar_field(request: pytest.FixtureRequest) -> Field:
    return request.param
