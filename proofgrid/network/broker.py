"""The way into the provers' task queue: Celery on Redis, inside one operator's trust boundary."""

from typing import Protocol

import redis
from celery import Celery  # type: ignore[import-untyped]
from kombu.exceptions import OperationalError

from proofgrid.errors import MalformedInput, QueueError
from proofgrid.models import ProveTask
from proofgrid.models.leases import MAX_TASK_BYTES
from proofgrid.prover.worker.queue import PROVE_QUEUE, PROVE_TASK, celery_settings

_FAIL_FAST = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
"""The dispatch loop tries again; a sender that waits would hold up its other work."""


class Broker(Protocol):
    """What dispatching needs of a task queue."""

    def send(self, task: ProveTask) -> None:
        """Put a task into the queue. Raises :class:`~proofgrid.errors.QueueError`."""

    def waiting(self) -> int:
        """Number of tasks that no worker has taken yet. Raises :class:`~proofgrid.errors.QueueError`."""


class CeleryBroker:
    """Sends prove tasks; never waits long for a Redis that is away, the database keeps the task."""

    def __init__(self, redis_url: str) -> None:
        try:
            self._redis = redis.Redis.from_url(redis_url, socket_timeout=5, socket_connect_timeout=2)
        except ValueError as error:
            raise MalformedInput(f"the Redis URL cannot be used: {error}; like redis://:password@host:6379/0") from None
        self._app = Celery("proofgrid.network", set_as_current=False)
        self._app.conf.update(celery_settings(redis_url))
        self._app.conf.broker_transport_options |= _FAIL_FAST

    def send(self, task: ProveTask) -> None:
        body = task.model_dump(mode="json")
        size = len(task.model_dump_json())
        if size > MAX_TASK_BYTES:
            raise QueueError(f"a task of {size} bytes is over the {MAX_TASK_BYTES} that a message may have")
        try:
            self._app.send_task(PROVE_TASK, kwargs={"task": body}, queue=PROVE_QUEUE, ignore_result=True, retry=False)
        except (OperationalError, redis.RedisError, OSError) as error:
            raise QueueError(f"Redis does not take the task: {error}") from error

    def waiting(self) -> int:
        try:
            return int(self._redis.llen(PROVE_QUEUE))
        except (redis.RedisError, OSError) as error:
            raise QueueError(f"Redis does not answer: {error}") from error

    def close(self) -> None:
        self._app.close()
        self._redis.close()
