"""A worker's settings. They come by the environment, so that no secret stands in a process list."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from proofgrid.config import DEFAULT_PREPARED_BYTES
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
    prepared_folder: Path | None = None
    """Where prepared keys are kept; the user's own cache without it."""
    prepared_bytes: int = DEFAULT_PREPARED_BYTES

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
            PREFIX + "PREPARED": str(self.prepared_folder or ""),
            PREFIX + "PREPARED_BYTES": str(self.prepared_bytes),
        }

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> "WorkerSettings":
        """Raises :class:`MalformedInput` that names the variable that is missing or wrong."""
        threads = variables.get(PREFIX + "THREADS", "0")
        if not threads.isdecimal():
            raise MalformedInput(f"{PREFIX}THREADS must be a number of threads, 0 for one on each core")
        prepared, prepared_bytes = variables.get(PREFIX + "PREPARED", ""), variables.get(PREFIX + "PREPARED_BYTES", "")
        if prepared_bytes and not prepared_bytes.isdecimal():
            raise MalformedInput(f"{PREFIX}PREPARED_BYTES must be a number of bytes for prepared keys")

        def required(name: str) -> str:
            if not (value := variables.get(PREFIX + name, "")):
                raise MalformedInput(f"the worker needs the environment variable {PREFIX}{name}")
            return value

        return cls(
            redis_url=required("REDIS_URL"),
            gateway_url=required("GATEWAY_URL"),
            store_folder=Path(required("STORE")),
            fleet_key=Path(required("FLEET_KEY")),
            token=required("TOKEN"),
            backend=cast("Name", variables.get(PREFIX + "BACKEND", "auto")),
            threads=int(threads),
            name=variables.get(PREFIX + "NAME", ""),
            prepared_folder=Path(prepared) if prepared else None,
            prepared_bytes=int(prepared_bytes) if prepared_bytes else DEFAULT_PREPARED_BYTES,
        )

    def save(self, path: Path) -> None:
        """Write them for :meth:`load`, readable by their owner alone."""
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(self.to_environment(), file)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> "WorkerSettings":
        """What :meth:`save` wrote. Raises :class:`MalformedInput`; its message holds no secret."""
        try:
            variables = json.loads(path.read_bytes())
        except ValueError:
            variables = None
        if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
            raise MalformedInput(f"{path} does not hold a worker's settings; `proofgrid up` writes it when it starts")
        return cls.from_environment(variables)


def name_of_process(pid: int) -> str:
    """The name of the worker that runs as this process of this machine."""
    host = "".join(letter if letter.isalnum() else "-" for letter in socket.gethostname()[:60])
    return f"{host or 'host'}-{pid}"
