"""Peers: the protocol, and what a caller hears when one breaks it."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from proofgrid.bench.peers import Peer, PeerFailed, parse_peers
from proofgrid.errors import MalformedInput


def script(folder: Path, text: str) -> str:
    file = folder / "peer.py"
    file.write_text(text)
    return shlex.join([sys.executable, str(file)])


def test_a_peer_answers_each_turn_and_sees_its_arguments(tmp_path: Path) -> None:
    command = script(tmp_path, "import sys\nfor _ in sys.stdin: print(len(sys.argv) / 8, flush=True)")
    with Peer("theirs", command, ["msm", "--log-n", "4"]) as peer:
        assert [peer.run(), peer.run()] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys; sys.exit('only over bn254')", "peer theirs: it ended with status 1; it said: only over bn254"),
        ("input(); print('soon')", "peer theirs: it answered 'soon', not a number of seconds"),
        ("input(); print('-1')", "peer theirs: it answered -1, not a time"),
        ("input(); print('nan')", "peer theirs: it answered nan, not a time"),
        ("input()", "peer theirs: it ended with status 0; it said nothing on standard error"),
    ],
)
def test_a_failing_peer_is_named_with_its_last_words(tmp_path: Path, text: str, message: str) -> None:
    with Peer("theirs", script(tmp_path, text), []) as peer, pytest.raises(PeerFailed) as caught:
        peer.run()
    assert str(caught.value).startswith(message)
    assert caught.value.name == "theirs"


def test_a_silent_peer_is_not_waited_for_forever(tmp_path: Path) -> None:
    command = script(tmp_path, "import time; time.sleep(60)")
    with Peer("theirs", command, [], timeout_s=0.2) as peer, pytest.raises(PeerFailed, match="silent"):
        peer.run()


def test_a_peer_that_is_not_there_is_said_to_be_missing() -> None:
    with (
        pytest.raises(PeerFailed, match="peer theirs: cannot start /nowhere/peer"),
        Peer("theirs", "/nowhere/peer", []),
    ):
        pass


def test_a_peer_ends_with_its_context(tmp_path: Path) -> None:
    with Peer("theirs", script(tmp_path, "import sys\nfor _ in sys.stdin: print(1, flush=True)"), []) as peer:
        peer.run()
        pid = peer._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("words", [["gnark"], ["=cmd"], ["a="], ["a= "], ["a=x", "a=y"], ["proofgrid=x"]])
def test_a_peer_is_a_name_and_a_command(words: list[str]) -> None:
    with pytest.raises(MalformedInput, match="--peer"):
        parse_peers(words)
