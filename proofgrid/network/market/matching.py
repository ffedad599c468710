"""One round of the market: who gets which request, in which order, at which price. Indexed, over numpy arrays.

Requests come in fair order: of the requester with the fewest running first, within a requester (and among equals)
first come, first served. Each goes to the cheapest eligible prover, of equals to the least loaded, then by key.

Provers are sorted by price once for each kind of request (circuit and who may have it); a request reads the cheap end
of that list. What a round takes away (slots, time, collateral) never comes back within it, so a request that asks no
more than one of its kind that found nobody is passed over at once.
"""

import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proofgrid.network.market.candidates import Candidate, Match, Rules, Waiting, clearing_price
from proofgrid.network.market.eligibility import standing_cause, takes_circuit

_FIRST = 32
"""Provers of a list that are looked at first; mostly two of them will do."""
_Ints = NDArray[np.int64]
_Places = NDArray[np.intp]
_NOBODY: _Places = np.empty(0, np.intp)
_Kind = tuple[str, int, frozenset[str] | None]


@dataclass
class _Book:
    """Provers that may have one kind of request, the cheapest first; and what that kind sought in vain."""

    order: _Places
    price: _Ints
    vain: tuple[int, float] = (-1, -1.0)
    """Offer and seconds left of a request that found nobody."""


class Round:
    """The provers' slots, queues and collateral while a round goes on.

    Cost: a sort of the provers for each kind of request; then for a request about ten numpy calls on 32 provers, and
    as many again on the rest of the list where fewer than two of those are eligible.
    """

    def __init__(self, candidates: Sequence[Candidate], now: float, rules: Rules) -> None:
        self._all = sorted(candidates, key=lambda one: one.key)
        self._now, self._rules = now, rules
        self._at = {candidate.key: index for index, candidate in enumerate(self._all)}
        self._live = np.array([one.live for one in self._all], np.int64)
        self._capacity = np.array([one.ask.capacity for one in self._all], np.int64)
        self._queue = np.array([one.queued_units for one in self._all], np.float64)
        self._pace = np.array([rules.slack / one.units_per_s if one.units_per_s else 0.0 for one in self._all])
        self._room = np.array([rules.room(one) for one in self._all], np.int64)
        self._is_good = np.array([standing_cause(one, now, rules) is None for one in self._all], np.bool_)
        self._base = np.array([one.ask.base_lamports for one in self._all], np.int64)
        self._per_unit = np.array([one.ask.per_unit_lamports for one in self._all], np.int64)
        self._takers: dict[tuple[str, bool], NDArray[np.bool_]] = {}
        self._books: dict[_Kind, _Book] = {}
        self._is_unlimited = np.array([one.is_fleet for one in self._all], np.bool_)
        self.free = int(np.maximum(self._capacity - self._live, 0)[self._is_good].sum())
        """Slots of provers in good standing."""

    def match(self, request: Waiting, offer: int) -> Match | None:
        """Give the request away at this offer, if anybody is eligible."""
        among = request.among
        kind = (request.circuit_id, request.units, among)
        book = self._books.get(kind)
        if book is None:
            book = self._books[kind] = self._open(request.circuit_id, request.units, among)
        left_s = request.deadline_at - self._now
        if offer <= book.vain[0] and left_s <= book.vain[1]:
            return None
        found = self._find(book, request, offer, left_s)
        if found is None:
            if not request.without and offer >= book.vain[0] and left_s >= book.vain[1]:
                book.vain = (offer, left_s)
            return None
        winner, ask, second = found
        price = clearing_price(ask, second, offer, int(self._room[winner]))
        self._live[winner] += 1
        self._queue[winner] += request.units
        if not self._is_unlimited[winner]:
            self._room[winner] -= price
        self.free -= 1
        return Match(request, self._all[winner].key, ask, second, offer, price)

    def _open(self, circuit_id: str, units: int, among: frozenset[str] | None) -> _Book:
        known = (circuit_id, units > 0)
        if known not in self._takers:
            takes = [takes_circuit(one, circuit_id, units) for one in self._all]
            self._takers[known] = self._is_good & np.array(takes, np.bool_)
        takers = self._takers[known]
        if among is None:
            order = takers.nonzero()[0]
        else:
            named = np.array(sorted(self._at[key] for key in among if key in self._at), np.intp)
            order = named[takers[named]]
        price = self._base[order] + self._per_unit[order] * units
        by_price = price.argsort(kind="stable")
        return _Book(order[by_price], price[by_price])

    def _find(self, book: _Book, request: Waiting, offer: int, left_s: float) -> tuple[int, int, int | None] | None:
        """Winner, its ask, the runner-up's ask."""
        limit = int(book.price.searchsorted(offer, "right"))
        low, high, places = 0, min(_FIRST, limit), _NOBODY
        while low < limit:
            hits = self._eligible(book.order[low:high], book.price[low:high], request, left_s)
            places = np.concatenate((places, hits + low)) if low else hits
            if len(places) > 1 and book.price[places[-1]] > book.price[places[0]]:
                break  # the equals of the cheapest are all here, and so is the runner-up
            low, high = high, limit
        if len(places) == 0:
            return None
        ask = int(book.price[places[0]])
        second = None if len(places) == 1 else int(book.price[places[1]])
        winner = int(book.order[places[0]] if second != ask else self._least_loaded(book, places, ask))
        if low:
            self._drop_full(book)
        return winner, ask, second

    def _eligible(self, at: _Places, price: _Ints, request: Waiting, left_s: float) -> _Places:
        """Which of these provers have a slot, collateral and time for it now."""
        ok: NDArray[np.bool_] = self._live[at] < self._capacity[at]
        ok &= price <= self._room[at]
        ok &= (self._queue[at] + request.units) * self._pace[at] <= left_s
        for key in request.without:
            if key in self._at:
                ok &= at != self._at[key]
        return ok.nonzero()[0]

    def _least_loaded(self, book: _Book, places: _Places, ask: int) -> int:
        equals = book.order[places[book.price[places] == ask]]
        return int(equals[(self._live[equals] / self._capacity[equals]).argmin()])

    def _drop_full(self, book: _Book) -> None:
        has_slot = self._live[book.order] < self._capacity[book.order]
        book.order, book.price = book.order[has_slot], book.price[has_slot]


def run_round(
    waiting: Iterable[Waiting],
    candidates: Sequence[Candidate],
    running: Mapping[str, int],
    start: Callable[[int], int],
    now: float,
    rules: Rules,
    *,
    limit: int | None = None,
) -> list[Match]:
    """Who gets what in this round, in the order of giving; at most ``limit``. Input order does not matter.

    ``running`` counts each requester's live attempts, ``start`` gives the offer that circuits of so many units begin
    with. Cost: as :class:`Round`, and a heap of the requesters.
    """
    state = Round(candidates, now, rules)
    starts: dict[int, int] = {}
    matches: list[Match] = []
    queues: dict[str, deque[Waiting]] = defaultdict(deque)
    for request in sorted(waiting, key=lambda one: one.sequence):
        queues[request.requester].append(request)
    heap = [(running.get(who, 0), queue[0].sequence, who) for who, queue in queues.items()]
    heapq.heapify(heap)
    while heap and state.free > 0 and (limit is None or len(matches) < limit):
        count, _, who = heapq.heappop(heap)
        request = queues[who].popleft()
        if request.units not in starts:
            starts[request.units] = start(request.units)
        offer = rules.schedule(request, starts[request.units]).offer(now)
        match = state.match(request, offer)
        if match is not None:
            matches.append(match)
            count += 1
        if queues[who]:
            heapq.heappush(heap, (count, queues[who][0].sequence, who))
    return matches
