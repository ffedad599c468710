"""The backends under test: the reference and every instruction set of the native one."""

import os
from functools import cache
from unittest import mock

import pytest

from proofgrid.errors import BackendUnavailable
from proofgrid.kernels.backend import Backend, select

NATIVE = ("native-portable", "native-adx", "native-ifma")
ALL = ("reference", *NATIVE)


@cache
def named(name: str) -> Backend:
    """The backend, or a skip that says why this machine cannot run it (portable may not be missing)."""
    if name == "reference":
        return select("reference")
    from proofgrid.kernels import native

    isa = name.removeprefix("native-")
    try:
        with mock.patch.dict(os.environ, PROOFGRID_ISA=isa):
            return native.load()
    except BackendUnavailable as error:
        if isa == "portable":
            raise
        pytest.skip(f"{name}: {error}")
