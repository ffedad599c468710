"""What strangers send is judged in a process that may die of it; nobody else does."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proofgrid.errors import BackendUnavailable
from proofgrid.kernels.backend import select
from proofgrid.models import AttemptState, Cause, CauseCode, Fulfilment, ProveTask, Submission, Verification
from proofgrid.network import verify
from proofgrid.network.judging import process
from proofgrid.network.judging.cases import Case, Judge, JudgeFailed, JudgeHere, Key
from proofgrid.network.judging.channel import BrokenChannel, Channel
from proofgrid.network.judging.process import JudgeProcess
from proofgrid.network.judging.rehearsal import known_cases
from tests.network import dangerous_judge as danger
from tests.network.world import World, true_submission

MEMORY_BYTES, TIMEOUT_S = 512 << 20, 1.0
DANGERS = {
    "segfault": (danger.SEGFAULT, "SIGSEGV"),
    "abort": (danger.ABORT, "SIGABRT"),
    "sleep": (danger.SLEEP, "late"),
    "spin": (danger.SPIN, "late|SIGXCPU"),
    "eat": (danger.EAT, "MemoryError"),
    "talk": (danger.TALK, "no opinion"),
}


def marked(how: str) -> Submission:
    """A submission over which the dangerous judge does ``how``."""
    return Submission(proof=true_submission().proof, public_inputs=(danger.MARKED, how))


def case_of(submission: Submission, expected: tuple[str, ...] | None = None) -> Case:
    return Case(submission.model_dump_json().encode(), expected)


@pytest.fixture
def database_url() -> None:
    """The verdicts are the same on every database."""


@pytest.fixture(scope="module")
def dangerous() -> Iterator[JudgeProcess]:
    program = "tests.network.dangerous_judge"
    with JudgeProcess(memory_bytes=MEMORY_BYTES, timeout_s=TIMEOUT_S, program=program) as judge:
        yield judge


@pytest.fixture
def key(world: World) -> Key:
    return Key(world.circuit.verifying_key_digest, world.circuit.verifying_key)


def children() -> set[int]:
    """Processes whose parent is this one, zombies among them."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == os.getpid():
                found.add(int(entry.name))
    return found


def until(done: Callable[[], bool], within_s: float = 10.0) -> None:
    ends_at = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < ends_at, "not within the time"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_child_says_what_the_verifier_here_says(dangerous: JudgeProcess, key: Key) -> None:
    true = true_submission()
    cases = [
        case_of(true, true.public_inputs),
        case_of(Submission(proof=true.proof, public_inputs=("7", *true.public_inputs[1:]))),
        case_of(true, ("1", "2")),
        case_of(Submission(proof={}, public_inputs=true.public_inputs)),
        Case(b"\xff" * 100),
        case_of(Submission(proof=true.proof, public_inputs=()), ()),
    ]
    said = dangerous.judge(key, cases)
    no, other = CauseCode.INVALID_PROOF, CauseCode.INPUTS_MISMATCH
    assert [None if cause is None else cause.code for cause in said] == [None, no, other, no, no, no]
    here = JudgeHere()
    assert said == here.judge(key, cases)
    for case, together in zip(cases, said, strict=True):
        alone, alone_here = dangerous.judge(key, [case]), here.judge(key, [case])
        assert alone == alone_here
        assert [cause and cause.code for cause in alone] == [together and together.code]


def test_a_false_proof_of_the_wrong_statement_is_false_first(dangerous: JudgeProcess, key: Key) -> None:
    true = true_submission()
    false = case_of(Submission(proof=true.proof, public_inputs=("7", *true.public_inputs[1:])), ("1",))
    (cause,) = dangerous.judge(key, [false])
    assert cause is not None
    assert cause.code is CauseCode.INVALID_PROOF


@pytest.mark.parametrize("name", DANGERS)
def test_a_dangerous_submission_ends_alone_and_the_others_are_judged(
    world: World, dangerous: JudgeProcess, name: str
) -> None:
    how, words = DANGERS[name]
    world.coordinator.judge = dangerous
    before, starts = children(), dangerous.starts
    good, evil, late = (world.running(f"worker-{number}") for number in range(3))
    for (_, task), submission in ((good, true_submission()), (evil, marked(how)), (late, true_submission())):
        world.submit(task, submission)
    assert world.coordinator.run_verify(world.now) == 3
    for request_id, _ in (good, late):
        assert world.status(request_id).fulfilment is Fulfilment.FULFILLED
    status = world.status(evil[0])
    assert (status.fulfilment, status.verification) == (Fulfilment.REQUESTED, Verification.UNVERIFIED)
    attempt = world.attempt(evil[1])
    assert attempt.state is AttemptState.FAILED
    assert attempt.cause is not None
    assert attempt.cause["code"] == CauseCode.VERIFIER_FAILED
    assert any(word in attempt.cause["message"] for word in words.split("|")), attempt.cause
    assert dangerous.starts - starts == 3  # after the batch, after each of the two tries alone
    assert len(children() - before) <= 1  # those before it are waited for
    assert world.coordinator.run_verify(world.now) == 0


def test_alone_it_has_two_tries(dangerous: JudgeProcess, world: World) -> None:
    world.coordinator.judge = dangerous
    _, task = world.running()
    world.submit(task, marked(danger.ABORT))
    starts = dangerous.starts
    world.coordinator.run_verify(world.now)
    assert world.attempt(task).state is AttemptState.FAILED
    assert dangerous.starts - starts in (1, 2)  # 2 where the test before had left none


def test_a_child_that_dies_while_idle_costs_nobody(dangerous: JudgeProcess, key: Key) -> None:
    dangerous.judge(key, [case_of(true_submission())])
    assert dangerous.pid is not None
    os.kill(dangerous.pid, signal.SIGKILL)
    until(lambda: dangerous.pid is None)
    assert dangerous.judge(key, [case_of(true_submission())]) == [None]


def test_the_child_has_no_secrets_no_files_and_limits(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROOFGRID_COMMITTER_SECRET", "do not pass on")
    with JudgeProcess(memory_bytes=MEMORY_BYTES, timeout_s=TIMEOUT_S) as judge:
        of_child = Path(f"/proc/{judge.pid}")
        if os.geteuid() == 0:  # it is not dumpable: only root may look
            assert b"do not pass on" not in (of_child / "environ").read_bytes()
            assert {entry.name for entry in (of_child / "fd").iterdir()} == {"0", "1", "2"}
        limits = {line[:25].strip(): line[26:46].strip() for line in (of_child / "limits").read_text().splitlines()}
        assert limits["Max open files"] == "3"
        assert limits["Max file size"] == limits["Max core file size"] == "0"
        assert limits["Max address space"] == str(MEMORY_BYTES)
        judge.judge(key, [case_of(true_submission())])
        assert "Max cpu time              unlimited" not in (of_child / "limits").read_text()
        assert judge.pid is not None
        assert os.getpgid(judge.pid) == judge.pid


def test_nothing_is_left_after_the_end_and_nobody_is_judged(key: Key) -> None:
    before = children()
    with JudgeProcess(memory_bytes=MEMORY_BYTES, timeout_s=TIMEOUT_S) as judge:
        assert len(children() - before) == 1
    assert children() == before
    with pytest.raises(BackendUnavailable, match="stopped"):
        judge.judge(key, [case_of(true_submission())])
    assert children() == before


def test_a_child_that_cannot_start_is_no_verdict(world: World) -> None:
    judge = JudgeProcess(memory_bytes=MEMORY_BYTES, timeout_s=TIMEOUT_S, program="tests.network.no_such_program")
    world.coordinator.judge = judge
    _, task = world.running()
    world.submit(task)
    with pytest.raises(BackendUnavailable, match="No module named"):
        world.coordinator.run_verify(world.now)
    assert world.attempt(task).state is AttemptState.SUBMITTED


def test_too_little_memory_is_said_at_the_start() -> None:
    with (
        pytest.raises(BackendUnavailable, match="does not start"),
        JudgeProcess(memory_bytes=16 << 20, timeout_s=TIMEOUT_S),
    ):
        pass


@pytest.mark.parametrize("is_busy", [False, True])
def test_a_killed_coordinator_takes_the_child_with_it(is_busy: bool) -> None:
    program = """
        import sys
        from proofgrid.network.judging.cases import Case
        from proofgrid.network.judging.process import JudgeProcess
        from tests.network import dangerous_judge as danger
        from tests.network.test_judging import case_of, known_key, marked
        with JudgeProcess(memory_bytes=2 << 30, timeout_s=60, program="tests.network.dangerous_judge") as judge:
            print(judge.pid, flush=True)
            if sys.argv[1] == "True":
                judge.judge(known_key(), [case_of(marked(danger.SPIN))])
            sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(is_busy)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as coordinator:
        assert coordinator.stdout is not None
        pid = int(coordinator.stdout.readline())
        if is_busy:
            at_rest = cpu_s(pid)
            until(lambda: cpu_s(pid) > at_rest + 0.3)
        assert not is_gone(pid)
        coordinator.kill()
    until(lambda: is_gone(pid))


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def known_key() -> Key:
    return known_cases(select())[0]


class Scripted:
    """A judge that fails as told: how many cases it was asked of, each time."""

    def __init__(self, *fails: bool) -> None:
        self.fails, self.asked = list(fails), list[int]()

    def judge(self, key: Key, cases: Any) -> list[Cause | None]:
        self.asked.append(len(cases))
        if self.fails.pop(0):
            raise JudgeFailed("scripted")
        return [None] * len(cases)


def submitted(world: World, judge: Judge, n: int) -> list[ProveTask]:
    world.coordinator.judge = judge
    tasks = [world.running(f"worker-{number}")[1] for number in range(n)]
    for task in tasks:
        world.submit(task)
    return tasks


def test_one_accident_is_forgiven(world: World) -> None:
    judge = Scripted(True, False, True, False)
    tasks = submitted(world, judge, 2)
    world.coordinator.run_verify(world.now)
    assert judge.asked == [2, 1, 1, 1]
    assert [world.attempt(task).state for task in tasks] == [AttemptState.ACCEPTED] * 2


def test_a_tick_ends_in_time_and_the_next_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "TICK_S", 0.0)
    tasks = submitted(world, Scripted(*[False] * 9), 3)
    assert [world.coordinator.run_verify(world.now) for _ in range(4)] == [1, 1, 1, 0]
    assert [world.attempt(task).state for task in tasks] == [AttemptState.ACCEPTED] * 3


def test_no_more_than_so_many_are_judged_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MOST_AT_ONCE", 2)
    judge = Scripted(*[False] * 9)
    submitted(world, judge, 5)
    assert world.coordinator.run_verify(world.now) == 5
    assert judge.asked == [2, 2, 1]


def test_a_key_that_is_none_refuses_no_proof(world: World) -> None:
    (cause,) = JudgeHere().judge(Key("00" * 32, {"protocol": "plonk"}), [case_of(true_submission())])
    assert cause is not None
    assert cause.code is CauseCode.VERIFIER_FAILED


@pytest.mark.parametrize("sent", [b"", b"\0\0", b"\0\0\0\x05{}", b"\xff" * 8, b"\0\0\0\x01{", b"\0\0\0\0"])
def test_a_channel_takes_nothing_that_is_not_a_frame(sent: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(sent)
    channel = Channel(ours)
    with pytest.raises(BrokenChannel):
        channel.receive_json(limit=1 << 20, ends_at=time.monotonic() + 1)
    channel.close()


def test_a_drip_of_bytes_does_not_prolong_the_time() -> None:
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    with theirs:
        theirs.sendall(b"\0\0\0\x05{")
        started = time.monotonic()
        with pytest.raises(BrokenChannel, match="late"):
            channel.receive_json(ends_at=started + 0.1)
        with pytest.raises(BrokenChannel, match="late"):  # nobody reads: the buffers fill
            channel.send({}, [bytes(32 << 20)], ends_at=started + 0.2)
    channel.close()


def test_opinions_are_believed_only_as_far_as_their_form_goes() -> None:
    for answer in (
        [],
        {},
        {"opinions": None},
        {"opinions": [None]},
        {"opinions": [{"code": "cancelled_by_requester"}] * 2},
    ):
        with pytest.raises(BrokenChannel):
            process._opinions(answer, 2)
