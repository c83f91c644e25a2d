"""A receiver's certificate expires between two messages and is renewed: what was sent meanwhile arrives, in order, and a trace says
what was wrong."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.adapters.webhook.receivers import SECRET, Receiver, receiving
from tests.flows.world import World
from tests.support.network import Certificates, server_context
from tests.support.patience import eventually, eventually_asked


class Told(World):
    """What is said in a chat is posted to a receiver behind TLS."""

    def __init__(self, folder: Path, receiver: Receiver, trusted: Path, context: ssl.SSLContext) -> None:
        super().__init__(folder, ("discord",))
        self.receiver, self.trusted = receiver, trusted
        self.context = context

    def document(self) -> dict[str, Any]:
        document = super().document()
        ends = {"bot": {"url": self.receiver.url.replace("127.0.0.1", "localhost")}}
        options = {"secret": SECRET, "ca_file": str(self.trusted), "allow_hosts": ["localhost"]}
        document["accounts"]["hooks"] = {"platform": "webhook", "ends": ends, **options}
        document["routes"] = [{"name": "out", "from": f"discord/{self.chats['discord'].address}", "to": "hooks/bot"}]
        return document

    async def command(self, *arguments: str) -> str:
        """What a command of another process says."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge.cli", *arguments, "-c", str(self.folder / "bridge.yaml")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        return out.decode()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates.make(tmp_path)


@pytest.fixture
async def world(tmp_path: Path, certificates: Certificates) -> AsyncIterator[Told]:
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(certificates.good.read_bytes() + certificates.expired.read_bytes())
    context = server_context(certificates.good)
    async with receiving(context) as receiver:
        made = Told(tmp_path, receiver, trusted, context)
        await made.start_platforms()
        await made.start_bridge(wait_up=False)
        await made.all_up("discord", "hooks")
        yield made
        await made.stop_bridge()
        await made.stop_platforms()


async def test_a_certificate_that_expires_delays_and_a_trace_says_so(world: Told, certificates: Certificates) -> None:
    context = world.context

    def told() -> list[str]:
        return [one.verified()["data"]["text"] for one in world.receiver.received]

    last_of_its_connection = web.Response()
    last_of_its_connection.force_close()
    world.receiver.answers.append(last_of_its_connection)
    await world.say("discord", "first")
    await eventually(lambda: told() == ["first"], "the first")
    context.load_cert_chain(certificates.expired, certificates.expired.with_suffix(".key"))
    second = await world.say("discord", "second")
    await world.say("discord", "third")
    place = f"discord/{world.chats['discord'].chat_id}#{second}"
    said = await eventually_asked(lambda: world.command("trace", place), "the trace", holds=lambda text: "certificate" in text)
    assert "expired" in said
    assert world.app is not None
    assert "certificate" in str(await world.app.report()), "somebody is told"
    assert told() == ["first"]
    context.load_cert_chain(certificates.good, certificates.good.with_suffix(".key"))
    await world.command("retry-now", "hooks/bot")  # else it is the schedule's second wait, of five minutes, on a slow machine
    await eventually(lambda: told() == ["first", "second", "third"], "the rest, once the receiver is right again")
    assert not await world.app.journal.dead_letters()
    ids = world.receiver.ids()
    assert len(set(ids)) == len(ids)
