"""The native backend: C++20 kernels for CPUs, the GIL released, one code path per instruction set.

``PROOFGRID_ISA`` (``portable``, ``adx`` or ``ifma``) forces a layer; without it the fastest that runs here is taken.
Arrays may be memory-mapped and need no alignment; they are read in place. See kernels/README.md.
"""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from proofgrid.errors import BackendUnavailable
from proofgrid.kernels.native.backend import NativeBackend
from proofgrid.kernels.native.rates import Rates


def load() -> NativeBackend:
    """The native backend for this machine.

    Raises :class:`~proofgrid.errors.BackendUnavailable` if the core is not built, or if ``PROOFGRID_ISA`` names a
    layer that is not compiled in or that this CPU lacks.
    """
    return _backend(os.environ.get("PROOFGRID_ISA", ""))


def measure_rates() -> Rates:
    """This core's rates, each the best of a few bursts of one instruction; cost: 40 ms. Raises as :func:`load` does."""
    return Rates(*_import_core().probe())


@cache
def _backend(isa: str) -> NativeBackend:
    layers = {layer.name: layer for layer in _import_core().layers}
    if isa and isa not in layers:
        raise BackendUnavailable(f"PROOFGRID_ISA={isa}: this build has {', '.join(layers)}")
    for layer in [layers[isa]] if isa else layers.values():
        if layer.runs_here:
            return NativeBackend(layer)
    raise BackendUnavailable(f"PROOFGRID_ISA={isa}: this CPU lacks the instructions; unset it or choose portable")


def _import_core() -> ModuleType:
    """The compiled module. In an editable install this import first rebuilds it, by the environment's own cmake."""
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
    try:
        from proofgrid.kernels.native import _core
    except (ImportError, OSError, subprocess.CalledProcessError) as error:
        raise BackendUnavailable(
            f"the native core is not built: {error}; run `pip install .` or `make setup`"
        ) from error
    finally:
        os.environ["PATH"] = path
    return _core
