"""Prometheus metrics of one network, read from the database of record at each scrape.

Labels come from our enums and loops alone: no ids, no names that a caller chooses.
Form: https://prometheus.io/docs/instrumenting/writing_exporters/
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from proofgrid.models import AttemptState, BatchState, Fulfilment
from proofgrid.network.coordinator import LOOPS
from proofgrid.network.database import AttemptRow, BatchRow, Database, LoopRow, RequestRow

_COUNTED = (
    ("proofgrid_requests", "Requests by fulfilment.", RequestRow.fulfilment, Fulfilment),
    ("proofgrid_attempts", "Attempts by state.", AttemptRow.state, AttemptState),
    ("proofgrid_batches", "Batches by state.", BatchRow.state, BatchState),
)


class _Rows(Collector):
    def __init__(self, session: Session, now: float) -> None:
        self._session, self._now = session, now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, text, column, states in _COUNTED:
            counts = self._session.execute(select(column, func.count()).group_by(column))
            found = {row[0]: row[1] for row in counts}
            family = GaugeMetricFamily(name, text, labels=["state"])
            for state in states:
                family.add_metric([state.value], found.get(state, 0))
            yield family
        waiting = RequestRow.fulfilment == Fulfilment.REQUESTED
        oldest = self._session.scalar(select(func.min(RequestRow.created_at)).where(waiting))
        age_s = 0.0 if oldest is None else max(0.0, self._now - oldest)
        yield GaugeMetricFamily("proofgrid_oldest_waiting_seconds", "Age of the oldest waiting request.", value=age_s)
        ticks = GaugeMetricFamily("proofgrid_loop_tick_seconds", "Last good tick, since 1970.", labels=["loop"])
        for row in self._session.scalars(select(LoopRow).where(LoopRow.name.in_(LOOPS))):
            ticks.add_metric([row.name], row.ticked_at)
        yield ticks


def exposition(database: Database, now: float) -> bytes:
    """The metrics in Prometheus' text form 0.0.4. Costs one count over each of three tables."""
    registry = CollectorRegistry(auto_describe=False)
    with database.reading() as session:
        registry.register(_Rows(session, now))
        return generate_latest(registry)
