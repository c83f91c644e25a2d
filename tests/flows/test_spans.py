"""Spans of messages that cross: received, processed, and sent with a link to where they were received, also after a restart."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.common.emulation.contract import Fault, FaultKind
from bridge.observability import spans
from bridge.observability.otel import Traces
from tests.flows.process import Daemon
from tests.flows.world import World
from tests.support.patience import eventually


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    made = InMemorySpanExporter()
    monkeypatch.setattr(spans, "active", Traces(SimpleSpanProcessor(made)))
    return made


@pytest.fixture
async def world(tmp_path: Path, exporter: InMemorySpanExporter) -> AsyncIterator[World]:
    made = World(tmp_path, ("telegram", "discord"))
    await made.start_platforms()
    await made.start_bridge()
    yield made
    await made.stop_bridge()
    await made.stop_platforms()


def named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


def of(span: ReadableSpan, name: str) -> object:
    return (span.attributes or {}).get(f"messenger_bridge.{name}")


async def test_a_message_leads_from_where_it_came_to_where_it_was_sent(world: World, exporter: InMemorySpanExporter) -> None:
    await world.say("telegram", "xylophone")
    await world.copy("discord", "xylophone")
    await eventually(lambda: named(exporter, "send created"))
    (received,), (processed,), (sent,) = (named(exporter, f"{what} created") for what in ("receive", "process", "send"))
    assert processed.parent is not None
    assert processed.parent.span_id == received.context.span_id
    (link,) = sent.links
    assert (link.context.trace_id, link.context.span_id) == (received.context.trace_id, received.context.span_id)
    assert sent.context.trace_id != received.context.trace_id
    assert of(processed, "delivery_ids") == (of(sent, "delivery_id"),)
    told_of = {name: of(sent, name) for name in ("outcome", "account", "route", "attempt")}
    assert told_of == {"outcome": "delivered", "account": "discord", "route": "lobby", "attempt": 1}
    told = json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()])
    for words in ("xylophone", "Anna", world.chats["telegram"].chat_id, world.chats["discord"].chat_id):
        assert words not in told


async def test_a_failed_attempt_is_one_and_the_next_links_to_the_same_message_after_a_restart(
    world: World, exporter: InMemorySpanExporter
) -> None:
    world.emulators["discord"].inject(Fault(kind=FaultKind.SERVER_ERROR, operation="POST*"))
    await world.say("telegram", "later")
    (failed, *_) = await eventually(lambda: named(exporter, "send created"))
    assert (failed.attributes or {})["error.type"]
    assert not failed.status.is_ok
    assert failed.status.description is None
    assert not failed.events, "an error's text may have words of people"
    await world.stop_bridge()
    world.emulators["discord"].clear_faults()
    exporter.clear()
    await world.start_bridge()
    await world.copy("discord", "later")
    (sent, *_) = await eventually(lambda: [one for one in named(exporter, "send created") if of(one, "outcome") == "delivered"])
    assert [link.context.span_id for link in sent.links] == [link.context.span_id for link in failed.links]
    assert of(sent, "delivery_id") == of(failed, "delivery_id")


async def test_the_daemon_sends_its_spans_to_the_collector_at_the_latest_when_it_ends(tmp_path: Path) -> None:
    got: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.read())
        return web.Response()

    collector = TestServer(web.Application())
    collector.app.router.add_post("/v1/traces", take)
    await collector.start_server()
    world = World(tmp_path, ("telegram", "discord"))
    world.settings["otel"] = {"endpoint": str(collector.make_url("/"))}
    await world.start_platforms()
    daemon = Daemon(world.write_config())
    try:
        await daemon.start()
        await daemon.until_notified("discord up")
        await world.say("telegram", "xylophone")
        await world.copy("discord", "xylophone")
        daemon.signal(signal.SIGTERM)
        assert await daemon.ended() == 0, daemon.output
    finally:
        if daemon.process is not None and daemon.process.returncode is None:
            await daemon.kill()
        daemon.close()
        await world.stop_platforms()
        await collector.close()
    assert b"send created" in b"".join(got)
    assert b"xylophone" not in b"".join(got)
