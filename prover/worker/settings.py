"""A worker's settings. They come by the environment, so that no secret stands in a process list."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from proofgrid.errors import MalformedInput
from proofgrid.kernels.backend import Name

PREFIX = "PROOFGRID_WORKER_"


@dataclass(frozen=True)
class WorkerSettings:
    """Where a worker finds its queue, its coordinator, its artifacts and its key."""

    redis_url: str
    gateway_url: str
    store_folder: Path
    fleet_key: Path
    token: str
    """Lets the worker say that it lives."""
    backend: Name = "auto"
    threads: int = 0
    name: str = ""

    @property
    def worker_name(self) -> str:
        """Of this process: a worker that was killed comes back under another name."""
        return self.name or name_of_process(os.getpid())

    def to_environment(self) -> dict[str, str]:
        """The inverse of :meth:`from_environment`."""
        return {
            PREFIX + "REDIS_URL": self.redis_url,
            PREFIX + "GATEWAY_URL": self.gateway_url,
            PREFIX + "STORE": str(self.store_folder),
            PREFIX + "FLEET_KEY": str(self.fleet_key),
            PREFIX + "TOKEN": self.token,
            PREFIX + "BACKEND": self.backend,
            PREFIX + "THREADS": str(self.threads),
            PREFIX + "NAME": self.name,
        }

    @classmethod
    def from_environment(cls) -> "WorkerSettings":
        """Raises :class:`MalformedInput` that names the variable that is missing or wrong."""
        threads = os.environ.get(PREFIX + "THREADS", "0")
        if not threads.isdecimal():
            raise MalformedInput(f"{PREFIX}THREADS must be a number of threads, 0 for one on each core")
        return cls(
            redis_url=_required("REDIS_URL"),
            gateway_url=_required("GATEWAY_URL"),
            store_folder=Path(_required("STORE")),
            fleet_key=Path(_required("FLEET_KEY")),
            token=_required("TOKEN"),
            backend=cast(Name, os.environ.get(PREFIX + "BACKEND", "auto")),
            threads=int(threads),
            name=os.environ.get(PREFIX + "NAME", ""),
        )


def name_of_process(pid: int) -> str:
    """The name of the worker that runs as this process of this machine."""
    host = "".join(letter if letter.isalnum() else "-" for letter in socket.gethostname()[:60])
    return f"{host or 'host'}-{pid}"


def _required(name: str) -> str:
    value = os.environ.get(PREFIX + name, "")
    if not value:
        raise MalformedInput(f"the worker needs the environment variable {PREFIX}{name}")
    return value
