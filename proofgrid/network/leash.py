"""Run a command that dies with its parent: ``python leash.py PARENT_PID COMMAND …``. Imports nothing of the package.

On Linux the kernel is asked for SIGTERM at the parent's death (PR_SET_PDEATHSIG, kept across exec; it is the death of
the *thread* that started the child, so that thread must live as long as the child should).
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def leashed(command: list[str]) -> list[str]:
    """The command line that runs ``command`` on a leash held by this process."""
    return [sys.executable, "-I", "-S", os.path.abspath(__file__), str(os.getpid()), *command]  # noqa: PTH100


def _main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the leash was on
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    _main()
