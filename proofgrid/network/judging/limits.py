"""What a child gives up before it looks at what strangers sent. Called in the child."""

import contextlib
import ctypes
import math
import resource
import sys
import time

from proofgrid.errors import BackendUnavailable
from proofgrid.kernels.backend import Backend, select

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38


def choose_backend() -> Backend:
    """The native core, else the reference; never a GPU, whose driver maps more memory than the limit."""
    try:
        return select("native")
    except BackendUnavailable:
        return select("reference")


def limit(memory_bytes: int) -> None:
    """No more address space than that, no core file (it would hold proofs), no new privileges, no file written."""
    amounts = {resource.RLIMIT_AS: memory_bytes, resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0}
    for which, amount in amounts.items():
        with contextlib.suppress(ValueError, OSError):  # some systems do not know a limit, or have a lower one
            resource.setrlimit(which, (amount, amount))
    if sys.platform.startswith("linux"):
        kernel = ctypes.CDLL(None)
        kernel.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def close_the_doors() -> None:
    """From here on no file, no socket and no pipe can be opened: the descriptors that exist are all there will be."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def allow_cpu(seconds: int) -> None:
    """So much more processor time, then SIGXCPU: a loop ends even where nobody is left to kill it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + seconds, hard))
