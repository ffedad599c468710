"""What both ends of the task queue agree on: names and Celery's settings. Imports nothing heavy."""

from typing import Any

PROVE_QUEUE = "proofgrid.prove"
PROVE_TASK = "proofgrid.prove"

HARD_LIMIT_S = 3600
VISIBILITY_TIMEOUT_S = 2 * HARD_LIMIT_S
"""kombu delivers again what was not acknowledged for so long; a duplicate only meets a claimed lease."""


def celery_settings(redis_url: str) -> dict[str, Any]:
    """Settings of the prover's Celery app and of whoever sends to it.

    The database is the record of a task's life, so results are ignored; ``acks_late`` and one task at a time keep a
    task in Redis until it ended. A task whose worker process died is not put back by Celery (which would do so
    without a cap): the coordinator's reaper opens another attempt, up to its cap.
    """
    transport = {
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
        "unacked_restore_interval": 5,
        "socket_timeout": 25,
        "socket_connect_timeout": 5,
        "health_check_interval": 25,
        "socket_keepalive": True,
    }
    return {
        "broker_url": redis_url,
        "broker_transport_options": transport,
        "broker_connection_retry_on_startup": True,
        "broker_connection_timeout": 5,
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
        "task_default_queue": PROVE_QUEUE,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "task_acks_late": True,
        "task_acks_on_failure_or_timeout": True,
        "task_reject_on_worker_lost": False,
        "task_time_limit": HARD_LIMIT_S,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "worker_soft_shutdown_timeout": 60,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
    }
