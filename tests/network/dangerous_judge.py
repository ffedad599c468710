"""The judge's process with defects: a submission whose public inputs begin with a mark makes it misbehave."""

import ctypes
import os
import signal
import sys
import time

from proofgrid.network.judging import __main__ as judging
from proofgrid.network.judging import cases
from proofgrid.network.judging.cases import Submission, read_submission

SEGFAULT, ABORT, SLEEP, SPIN, EAT, TALK = (str(900 + number) for number in range(6))
MARKED = "666"


def dangerous(content: bytes, what: str = "the submission") -> Submission:
    submission = read_submission(content, what)
    if submission.public_inputs[:1] == (MARKED,):
        misbehave(submission.public_inputs[1])
    return submission


def misbehave(how: str) -> None:
    if how == SEGFAULT:
        ctypes.string_at(0)
    if how == ABORT:
        os.abort()
    if how == SLEEP:
        time.sleep(3600)
    while how == SPIN:
        pass
    if how == EAT:
        eaten = []
        while True:
            eaten.append(bytearray(64 << 20))
    if how == TALK:
        os.write(1, b"\0\0\0\x02{}" * 2)
        os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    cases.read_submission = dangerous
    judging.run(int(sys.argv[1]), int(sys.argv[2]))
