"""The reference backend: the living definition, on py_ecc (groups, pairings) and galois (fields, NTT).

Plain before fast: each function is the formula it names. Everything else is tested against it.
"""

from importlib.util import find_spec

from proofgrid.errors import BackendUnavailable
from proofgrid.kernels.backend import Backend

_LIBRARIES = ("py_ecc", "galois")


def load() -> Backend:
    """The reference backend; raises :class:`BackendUnavailable` where py_ecc or galois is not installed."""
    missing = [library for library in _LIBRARIES if find_spec(library) is None]
    if missing:
        raise BackendUnavailable(
            f"the reference backend needs {' and '.join(missing)}: pip install 'proofgrid[reference]'"
        )
    # py_ecc and galois take seconds to import; only those who ask for them wait.
    from proofgrid.kernels.reference.backend import ReferenceBackend

    return ReferenceBackend()
