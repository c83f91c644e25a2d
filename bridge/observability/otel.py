"""Spans by OpenTelemetry, for the extra [otel]: sent to a collector by OTLP over HTTP, by a thread of the SDK's own.

A message's `receive` span has ids that are made of the event's key. So each attempt to send it, whenever it is made and after
however many restarts, links to that span, and nothing has to be stored for it. Attributes are ids, names of bridge.yaml and
outcomes; nobody's words, names or addresses.

What cannot be sent is dropped: at most `MOST_WAITING` spans wait. Sources: OpenTelemetry's "Semantic conventions for messaging
spans" (operation types, links) and "OTLP/HTTP", read 2026-11-27."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2s
from typing import Any, cast

import structlog
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, set_span_in_context

from bridge.config.otel_model import OtelConfig
from bridge.journal.contract import Change, Dead, Deferred, Delivered, OpenDelivery, Skipped
from bridge.model.events import ChatEvent
from bridge.model.refs import AccountName
from bridge.observability import spans
from bridge.observability.metrics import installed_version
from bridge.policy.repeats import Repeats

log = structlog.get_logger("otel")

MOST_WAITING = 4096
_AT_ONCE, _EVERY_MS = 512, 5000.0
_REQUEST_S = 10.0
_END_S, _GIVE_UP_S = 5.0, 0.5
_MOST_IDS = 50
"""Delivery ids in one attribute, and links of one span."""
_OUTCOMES = {Delivered: "delivered", Skipped: "skipped", Dead: "dead", Deferred: "deferred"}


class _Ids:
    """The SDK's source of ids: random, unless the next ones are said."""

    def __init__(self) -> None:
        self.next: tuple[int, int] | None = None

    def generate_trace_id(self) -> int:
        return self.next[0] if self.next is not None else secrets.randbits(128) or 1

    def generate_span_id(self) -> int:
        found, self.next = self.next, None
        return found[1] if found is not None else secrets.randbits(64) or 1

    def is_trace_id_random(self) -> bool:
        return True


def ids_of(event_key: str) -> tuple[int, int]:
    """The ids of the trace and of the span in which an event was received."""
    digest = blake2s(event_key.encode("utf-8", "replace"), digest_size=24, person=b"mb-span").digest()
    return int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:]) or 1


class Traces:
    """See `spans.Spans`. `processor` is what the SDK hands ended spans to; `sample` the part of all messages that is traced;
    `give_up` ends the exporter's tries when they take too long at the end."""

    def __init__(
        self, processor: Any, *, sample: float = 1.0, version: str = "", give_up: Callable[[], None] = lambda: None
    ) -> None:
        self._give_up = give_up
        self._ids = _Ids()
        self._bound = int(sample * 2**64)
        self._processor = processor
        resource = Resource.create({"service.name": "messenger-bridge", "service.version": version})
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False, id_generator=cast("Any", self._ids))
        provider.add_span_processor(processor)
        self._tracer = provider.get_tracer("messenger-bridge", version)

    def close(self) -> None:
        """Send what waits, within `_END_S`. Blocks."""
        closing = threading.Thread(target=self._processor.shutdown, name="the last spans", daemon=True)
        closing.start()
        closing.join(_END_S)
        if closing.is_alive():
            self._give_up()
            closing.join(_GIVE_UP_S)

    # -- receive and process ------------------------------------------------------------------------------------------------

    def received(self, account: AccountName) -> _Batch:
        return _Batch(self, account)

    def add_received(self, event: ChatEvent, delivery_ids: Sequence[int], began_ns: int, planned_ns: tuple[int, int]) -> None:
        ids = ids_of(event.meta.event_key)
        if not self._is_sampled(ids[0]):
            return
        kind, more = _kind(event), {"messenger_bridge.account": str(event.meta.origin.account)}
        self._ids.next = ids
        span = self._tracer.start_span(
            f"receive {kind}",
            context=Context(),
            kind=SpanKind.CONSUMER,
            attributes={**more, "messaging.operation.type": "receive", "messenger_bridge.event": kind},
            start_time=began_ns,
        )
        process = self._tracer.start_span(
            f"process {kind}",
            context=set_span_in_context(span, Context()),
            attributes={
                "messaging.operation.type": "process",
                "messenger_bridge.deliveries": len(delivery_ids),
                "messenger_bridge.delivery_ids": tuple(delivery_ids[:_MOST_IDS]),
            },
            start_time=planned_ns[0],
        )
        process.end(planned_ns[1])
        span.end()

    # -- send ---------------------------------------------------------------------------------------------------------------

    @contextmanager
    def sending(self, together: Sequence[OpenDelivery], attempt: int) -> Iterator[Callable[[Sequence[Change]], None]]:
        links = [Link(_context(ids)) for ids in map(_ids_of_delivery, together[:_MOST_IDS]) if self._is_sampled(ids[0])]
        if not links:
            yield lambda _: None
            return
        first = together[0]
        kind = _kind(first.event)
        span = self._tracer.start_span(
            f"send {kind}",
            context=Context(),
            kind=SpanKind.PRODUCER,
            links=links,
            attributes={
                "messaging.operation.type": "send",
                "messenger_bridge.account": str(first.target.account),
                "messenger_bridge.route": first.route,
                "messenger_bridge.event": kind,
                "messenger_bridge.attempt": attempt,
                "messenger_bridge.delivery_id": first.delivery_id,
                **_others(together),
            },
        )

        def over(changes: Sequence[Change]) -> None:
            outcome = next((name for change in reversed(changes) if (name := _OUTCOMES.get(type(change)))), "")
            span.set_attribute("messenger_bridge.outcome", outcome)

        try:
            yield over
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)  # its text may have words of people
            span.set_status(StatusCode.ERROR)
            raise
        finally:
            span.end()

    def _is_sampled(self, trace_id: int) -> bool:
        return trace_id & (2**64 - 1) < self._bound


class _Batch:
    def __init__(self, traces: Traces, account: AccountName) -> None:
        self._traces = traces
        self._account = account
        self._began_ns = self._mark_ns = time.time_ns()
        self._planned: dict[str, tuple[int, int]] = {}

    def planned(self, event: ChatEvent) -> None:
        now_ns = time.time_ns()
        self._planned[event.meta.event_key] = (self._mark_ns, now_ns)
        self._mark_ns = now_ns

    def stored(self, event: ChatEvent, delivery_ids: Sequence[int]) -> None:
        nothing = (self._began_ns, self._began_ns)
        self._traces.add_received(event, delivery_ids, self._began_ns, self._planned.get(event.meta.event_key, nothing))


def _kind(event: ChatEvent) -> str:
    return str(type(event).__struct_config__.tag)


def _ids_of_delivery(delivery: OpenDelivery) -> tuple[int, int]:
    return ids_of(delivery.event.meta.event_key)


def _context(ids: tuple[int, int]) -> SpanContext:
    return SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _others(together: Sequence[OpenDelivery]) -> dict[str, tuple[int, ...]]:
    """Those that are sent in the same message."""
    ids = tuple(one.delivery_id for one in together[1:_MOST_IDS])
    return {"messenger_bridge.merged_delivery_ids": ids} if ids else {}


class Exporter(SpanExporter):
    """Hands spans to another, and says when the collector does not take them: once, and then ever more rarely."""

    def __init__(self, exporter: SpanExporter, endpoint: str) -> None:
        self._exporter = exporter
        self._endpoint = endpoint
        self._failures = Repeats()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        action = f"see that a collector listens at otel.endpoint {self._endpoint}"
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # the SDK would tell it to its own log, which is off
            self._failed(f"{action}, and report this error: it is one of the exporter", error=type(error).__name__)
            return SpanExportResult.FAILURE
        if result is SpanExportResult.SUCCESS:
            self._failures.over()
        else:
            self._failed(action)
        return result

    def _failed(self, action: str, **more: str) -> None:
        if times := self._failures.again(self._endpoint):
            log.warning("spans not taken", times=times, action=action, **more)

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


# -- the process ------------------------------------------------------------------------------------------------------------------


def begin(config: OtelConfig) -> None:
    """From now on spans are made, and sent to the collector. Imports the exporter: before the loop starts."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # a line for each try; `Exporter` says it instead
    headers = {name: value.get_secret_value() for name, value in config.headers}
    exporter = Exporter(OTLPSpanExporter(endpoint=config.endpoint, headers=headers, timeout=_REQUEST_S), config.endpoint)
    processor = BatchSpanProcessor(
        exporter, max_queue_size=MOST_WAITING, max_export_batch_size=_AT_ONCE, schedule_delay_millis=_EVERY_MS
    )
    spans.active = Traces(processor, sample=config.sample, version=installed_version(), give_up=exporter.shutdown)


def finish() -> None:
    """Blocks for `_END_S` at most."""
    active, spans.active = spans.active, None
    if isinstance(active, Traces):
        active.close()
