"""``python -m proofgrid.network.judging MEMORY_BYTES CPU_S``: the judge's process; its standard output is the channel.

It loads the kernels, gives up what it needs no longer (memory beyond its limit, files, sockets), judges cases of its
own making to show that it works so, and says ready. It ends when the coordinator does.
"""

import contextlib
import socket
import sys

from proofgrid.models import CauseCode
from proofgrid.network.judging.cases import Case, JudgeHere, Key
from proofgrid.network.judging.channel import BrokenChannel, Channel
from proofgrid.network.judging.limits import allow_cpu, choose_backend, close_the_doors, limit
from proofgrid.network.judging.rehearsal import known_cases


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


def run(memory_bytes: int, cpu_s: int) -> None:
    channel = Channel(socket.socket(fileno=1))
    judge = JudgeHere(choose_backend())
    limit(memory_bytes)
    rehearse(judge)
    close_the_doors()
    with contextlib.suppress(BrokenChannel):  # the coordinator ended
        channel.send({"ready": choose_backend().name})
        serve(channel, judge, cpu_s)


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]))
