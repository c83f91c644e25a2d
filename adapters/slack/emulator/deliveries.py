"""Delivery of events to the app: numbering, acknowledgement deadline, the three retries. The transports: `sockets`, `http_sender`.

Rules: an event not acknowledged within 3 s is sent again at once, after 1 min and after 5 min, also if no connection was open; then
it is lost (docs.slack.dev/apis/events-api). Each event goes to one of the open connections.
"""

from __future__ import annotations

import asyncio
import collections
import time
from collections.abc import Callable
from dataclasses import dataclass

from adapters.slack.emulator.records import Json

Send = Callable[["Delivery"], bool]
"""Hand a delivery to a transport; False if nobody is listening."""


@dataclass(slots=True)
class Delivery:
    """One event and how often it was tried. `envelope_id` is new for each attempt, `event_id` stays."""

    event_id: str
    payload: Json
    attempt: int = 0
    reason: str = ""
    envelope_id: str = ""
    settled: bool = False


class Deliveries:
    """Keeps every event until it is acknowledged or given up. All calls belong to one event loop."""

    def __init__(self, *, wrap: Callable[[str, Json], Json]) -> None:
        self._wrap = wrap
        self._send: Send = lambda _: False
        self._waiting: collections.OrderedDict[str, tuple[float, Delivery]] = collections.OrderedDict()
        self._unsettled = 0
        self._timer: asyncio.TimerHandle | None = None
        self._retries: set[asyncio.TimerHandle] = set()
        self._counter = 0
        self._last: Delivery | None = None
        self._swap_armed = False
        self._held: Delivery | None = None
        self.ack_deadline_s = 3.0
        self.retry_delays_s: tuple[float, ...] = (0.0, 60.0, 300.0)
        self.new_event_id_on_retry = False
        """Whether a retry has a new event_id is not documented; both can be emulated."""
        self.lost: collections.deque[str] = collections.deque(maxlen=1000)
        """event_ids that were given up after the last retry; the latest."""

    def use(self, send: Send) -> None:
        self._send = send

    @property
    def unsettled(self) -> int:
        """Events that are neither acknowledged nor given up."""
        return self._unsettled

    def emit(self, event: Json) -> None:
        delivery = self._new(event)
        if self._held is not None:
            held, self._held = self._held, None
            self._attempt(delivery)
            self._attempt(held)
        elif self._swap_armed:
            self._swap_armed = False
            self._held = delivery
        else:
            self._attempt(delivery)

    def _new(self, event: Json) -> Delivery:
        self._counter += 1
        event_id = f"Ev0{self._counter:09X}"
        delivery = Delivery(event_id, self._wrap(event_id, event))
        self._unsettled += 1
        self._last = delivery
        return delivery

    def emit_payload(self, payload: Json) -> None:
        """Send an event of any shape, unchanged."""
        self._counter += 1
        self._unsettled += 1
        self._attempt(Delivery(f"Ev0{self._counter:09X}", payload))

    def acknowledge(self, envelope_id: str) -> bool:
        found = self._waiting.pop(envelope_id, None)
        if found is None:
            return False
        self._settle(found[1])
        return True

    def failed(self, envelope_id: str, reason: str) -> None:
        """This attempt failed, as the transport knows: do not wait for the deadline."""
        found = self._waiting.pop(envelope_id, None)
        if found is not None:
            self._retry(found[1], reason)

    def redeliver_last(self) -> None:
        """Send the last event again, marked as Slack marks a retry, although it may have been acknowledged."""
        if self._last is not None:
            again = Delivery(self._last.event_id, self._last.payload, attempt=1, reason="timeout")
            self._unsettled += 1
            self._attempt(again)

    def swap_next_two(self) -> None:
        self._swap_armed = True

    def stop(self) -> None:
        for handle in [*self._retries, *([self._timer] if self._timer else [])]:
            handle.cancel()
        self._retries.clear()
        self._timer = None

    def _settle(self, delivery: Delivery) -> None:
        if not delivery.settled:
            delivery.settled = True
            self._unsettled -= 1

    def _attempt(self, delivery: Delivery) -> None:
        self._counter += 1
        delivery.envelope_id = f"{self._counter:08x}-0000-4000-8000-{int(time.time()) & 0xFFFFFFFFFFFF:012x}"
        if not self._send(delivery):
            self._retry(delivery, "no_connection")
            return
        loop = asyncio.get_running_loop()
        self._waiting[delivery.envelope_id] = (loop.time() + self.ack_deadline_s, delivery)
        self._watch(loop)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is None and self._waiting:
            due = next(iter(self._waiting.values()))[0]
            self._timer = loop.call_at(due, self._expire)

    def _expire(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._waiting and next(iter(self._waiting.values()))[0] <= loop.time():
            _, (_, delivery) = self._waiting.popitem(last=False)
            self._retry(delivery, "timeout")
        self._watch(loop)

    def _retry(self, delivery: Delivery, reason: str) -> None:
        if delivery.attempt >= len(self.retry_delays_s):
            self.lost.append(delivery.event_id)
            self._settle(delivery)
            return
        delay_s = self.retry_delays_s[delivery.attempt]
        delivery.attempt += 1
        delivery.reason = reason
        if self.new_event_id_on_retry and isinstance(delivery.payload.get("event_id"), str):
            delivery.payload = {**delivery.payload, "event_id": f"{delivery.event_id}R{delivery.attempt}"}

        def fire() -> None:
            self._retries.discard(handle)
            self._attempt(delivery)

        handle = asyncio.get_running_loop().call_later(delay_s, fire)
        self._retries.add(handle)
