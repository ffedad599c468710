"""``python -m proofgrid.network.judging MEMORY_BYTES CPU_S``: the judge's process; its standard input is the channel.

It loads the kernels, gives up what it needs no longer (memory beyond its limit, files, sockets), judges cases of its
own making to show that it works so, and says ready. It ends when the coordinator does.
"""

import contextlib
import ctypes
import math
import resource
import socket
import sys
import time

from proofgrid.errors import BackendUnavailable
from proofgrid.kernels.backend import Backend, select
from proofgrid.models import CauseCode
from proofgrid.network.judging.cases import Case, JudgeHere, Key
from proofgrid.network.judging.channel import BrokenChannel, Channel
from proofgrid.network.judging.rehearsal import known_cases

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38


def choose_backend() -> Backend:
    """The native core, else the reference; never a GPU, whose driver maps more memory than the limit."""
    try:
        return select("native")
    except BackendUnavailable:
        return select("reference")


def limit(memory_bytes: int) -> None:
    """No more address space than that, no core file (it would hold proofs), no new privileges, no file written."""
    for which, amount in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # some systems do not know a limit, or have a lower one
            resource.setrlimit(which, (amount, amount))
    if sys.platform.startswith("linux"):
        kernel = ctypes.CDLL(None)
        kernel.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def close_the_doors() -> None:
    """From here on no file, no socket and no pipe can be opened: the descriptors that exist are all there will be."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def rehearse(judge: JudgeHere) -> None:
    """Raises ``RuntimeError`` unless a true, a false and a malformed case get the verdicts they deserve."""
    key, true, false = known_cases(choose_backend())
    said = judge.judge(key, [true, false, Case(b"{")]) + judge.judge(key, [true]) + judge.judge(key, [false])
    codes = [None if cause is None else cause.code for cause in said]
    no = CauseCode.INVALID_PROOF
    if codes != [None, no, no, None, no]:
        raise RuntimeError(f"the verifier is wrong on cases that are known: {codes}")


def serve(channel: Channel, judge: JudgeHere, cpu_s: int) -> None:
    """Answer until the coordinator ends. Whatever is raised ends the process: the coordinator then knows as much."""
    while True:
        head = channel.receive_json()
        cases = [Case(channel.receive(), None if of is None else tuple(of)) for of in head["expected"]]
        if head["document"] is None and not judge.knows(head["digest"]):
            channel.send({"unknown_key": True})
            continue
        allow_cpu(cpu_s)
        said = judge.judge(Key(head["digest"], head["document"] or {}), cases)
        channel.send({"opinions": [None if cause is None else cause.model_dump(mode="json") for cause in said]})


def allow_cpu(seconds: int) -> None:
    """So much more processor time, then SIGXCPU: a loop ends even where nobody is left to kill it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + seconds, hard))


def run(memory_bytes: int, cpu_s: int) -> None:
    channel = Channel(socket.socket(fileno=0))
    judge = JudgeHere(choose_backend())
    limit(memory_bytes)
    rehearse(judge)
    close_the_doors()
    with contextlib.suppress(BrokenChannel):  # the coordinator ended
        channel.send({"ready": choose_backend().name})
        serve(channel, judge, cpu_s)


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]))
