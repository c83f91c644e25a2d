"""Spans by OpenTelemetry: their ids, what is sampled, and how they leave the process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from bridge.config.otel_model import OtelConfig
from bridge.config.plain_options import Secret
from bridge.model.refs import AccountName
from bridge.observability import otel, spans
from bridge.observability.metrics import installed_version
from bridge.observability.otel import Traces, ids_of
from tests.support.deliveries import delivery

ACCOUNT = AccountName("tg")


def traced(sample: float = 1.0) -> tuple[Traces, InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    return Traces(SimpleSpanProcessor(exporter), sample=sample), exporter


def receive(traces: Traces, number: int) -> None:
    batch, event = traces.received(ACCOUNT), delivery(number).event
    batch.planned(event)
    batch.stored(event, [7, 8])


@given(st.text(max_size=100))
def test_ids_are_valid_and_of_the_key_alone(key: str) -> None:
    trace, span = ids_of(key)
    assert 0 < trace < 2**128
    assert 0 < span < 2**64
    assert ids_of(key) == (trace, span)
    assert ids_of(key + "x") != (trace, span)


def test_a_message_is_received_and_processed_within_one_trace() -> None:
    traces, exporter = traced()
    receive(traces, 1)
    receive(traces, 2)
    process, received, *others = exporter.get_finished_spans()
    assert (process.name, received.name) == ("process created", "receive created")
    assert received.parent is None
    assert (received.context.trace_id, received.context.span_id) == ids_of(delivery(1).event.meta.event_key)
    assert process.parent is not None
    assert process.parent.span_id == received.context.span_id
    assert process.attributes is not None
    assert process.attributes["messenger_bridge.delivery_ids"] == (7, 8)
    moments = (received.start_time, process.start_time, process.end_time, received.end_time)
    assert list(moments) == sorted(moment or 0 for moment in moments)
    assert others[1].context.trace_id != received.context.trace_id


def test_a_part_of_all_messages_is_traced_whole_or_not_at_all() -> None:
    counts = []
    for sample in (0.0, 0.3, 1.0):
        traces, exporter = traced(sample)
        for number in range(200):
            receive(traces, number)
        counts.append(len(exporter.get_finished_spans()))
        assert counts[-1] % 2 == 0
    assert counts[0] == 0
    assert 60 < counts[1] < 180
    assert counts[2] == 400


class Collector(BaseHTTPRequestHandler):
    got: list[tuple[str, str, bytes]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, self.headers["X-Token"], body))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[tuple[str, type[Collector]]]:
    handler = type("OneCollector", (Collector,), {"got": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", handler
    server.shutdown()
    thread.join()
    server.server_close()


async def test_they_are_sent_to_a_collector_off_the_loop(collector: tuple[str, type[Collector]]) -> None:
    url, handler = collector
    otel.begin(OtelConfig(endpoint=url, headers=(("X-Token", Secret("hush")),)))
    try:
        assert isinstance(spans.active, Traces)
        receive(spans.active, 1)
        assert not handler.got, "nothing is sent while a message is handled"
    finally:
        await asyncio.to_thread(otel.finish)
    assert spans.active is None
    ((path, token, body),) = handler.got
    assert (path, token) == ("/v1/traces", "hush")
    request = ExportTraceServiceRequest.FromString(body)
    (resource,) = request.resource_spans
    values = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert (values["service.name"], values["service.version"]) == ("messenger-bridge", installed_version())
    assert [span.name for scope in resource.scope_spans for span in scope.spans] == ["process created", "receive created"]


async def test_a_collector_that_is_not_there_costs_nothing_and_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otel, "_END_S", 0.2)
    monkeypatch.setattr(otel, "_GIVE_UP_S", 25.0)  # the SDK by itself takes 30 s
    monkeypatch.setattr(otel, "_REQUEST_S", 1000.0)
    monkeypatch.setattr(otel, "MOST_WAITING", 512)
    otel.begin(OtelConfig(endpoint="http://127.0.0.1:9/v1/traces"))
    assert isinstance(spans.active, Traces)
    waiting = spans.active._processor._batch_processor._queue
    for number in range(2000):
        receive(spans.active, number)
    assert len(waiting) <= 512
    await asyncio.to_thread(otel.finish)
    assert spans.active is None
    left = [one.name for one in threading.enumerate() if one.name.startswith(("Otel", "the last spans"))]
    assert not left, "they would go on trying in a process that has ended its work"


def test_a_collector_that_is_not_there_costs_few_lines() -> None:
    class Broken(SpanExporter):
        result = SpanExportResult.FAILURE

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return self.result

    broken = Broken()
    exporter = otel.Exporter(broken, "http://127.0.0.1:9/v1/traces")
    with capture_logs() as lines:
        for _ in range(100):
            assert exporter.export([]) is SpanExportResult.FAILURE
    assert [line["times"] for line in lines] == [1, 2, 4, 8, 16, 32, 64]
    assert "otel.endpoint http://127.0.0.1:9/v1/traces" in lines[0]["action"]
    broken.result = SpanExportResult.SUCCESS
    exporter.export([])
    broken.result = SpanExportResult.FAILURE
    with capture_logs() as lines:
        exporter.export([])
    assert len(lines) == 1, "it was well meanwhile"


def test_an_exporter_that_raises_is_told_and_the_next_spans_go() -> None:
    class Raising(SpanExporter):
        error: Exception | None = UnicodeEncodeError("latin-1", "hush", 0, 1, "no")

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            if self.error is not None:
                raise self.error
            return SpanExportResult.SUCCESS

    raising = Raising()
    exporter = otel.Exporter(raising, "http://127.0.0.1:9/v1/traces")
    with capture_logs() as lines:
        assert exporter.export([]) is SpanExportResult.FAILURE
    (line,) = lines
    assert (line["event"], line["error"]) == ("spans not taken", "UnicodeEncodeError")
    assert "hush" not in str(line)
    raising.error = None
    assert exporter.export([]) is SpanExportResult.SUCCESS


def test_while_it_is_off_nothing_of_it_is_imported() -> None:
    code = "import sys, bridge.app, bridge.daemon; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
