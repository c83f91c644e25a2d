"""Keys of the public listener while the machine or the process fails: a death between the commit and the answer, a full or blocked
disk, a thousand readers. What was answered 200 is there once; whoever was answered otherwise, or not at all, comes again."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import resource
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.journal import open_journal
from bridge.model.refs import ChatAddress
from bridge.model.web_mount import KeyDirection
from bridge.web.new_keys import make_key, url_of
from tests.adapters.webhook.inbound.senders import GITHUB, alertmanager
from tests.faults.test_losses_of_2026 import NOT_YET_S, between, no_commit, shown, up
from tests.flows.hooked import HOOKS, Hooked
from tests.flows.process import Daemon
from tests.support.network import free_port
from tests.support.patience import PATIENCE_S, eventually, eventually_asked

DIES_AFTER_A_COMMIT = """
import os, pathlib, signal
from bridge.journal.sqlite import SqliteJournal

accept, fuse = SqliteJournal.accept, pathlib.Path(os.environ["DIE_AFTER_A_COMMIT"])

async def and_die(self, lease, events, *arguments, **more):
    done = await accept(self, lease, events, *arguments, **more)
    if events and fuse.exists():
        fuse.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return done

SqliteJournal.accept = and_die
"""
"""Python runs it at the start of a process that finds it. The daemon dies once, after a commit and before the answer."""
OUT = "reader"


class Posted(Hooked):
    """Senders that post by keys, made before the daemon starts; an end whose messages are fetched."""

    def __init__(self, folder: Path, _platforms: Any) -> None:
        super().__init__(folder)
        self.admin = f"http://127.0.0.1:{free_port()}"
        self.settings["web"]["admin"] = {"listen": self.admin.removeprefix("http://")}

    def document(self) -> dict[str, Any]:
        document = super().document()
        hooks = document["accounts"]["hooks"]
        hooks["ends"] = {**hooks["ends"], OUT: {"fetch": True}}
        document["routes"].append({"name": "out", "from": f"telegram/{self.chats['telegram'].address}", "to": f"hooks/{OUT}"})
        return document

    async def make_key(self, end: str, direction: KeyDirection = KeyDirection.IN) -> str:
        """Its URL."""
        stored, secret = make_key(ChatAddress(HOOKS, end), direction, now=datetime.now(UTC), label="a sender", per_minute=6000)
        async with open_journal(self.folder / "bridge.journal", exclusive=False) as journal:
            await journal.add_key(stored)
        return url_of(self.url, direction, secret)

    async def post(self, url: str, **more: Any) -> int:
        """The status; 0 if no answer came."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as session,
                session.post(url, **more) as answer,
            ):
                await answer.read()
                if answer.status in (503, 507):
                    assert int(answer.headers["Retry-After"]) > 0, "a sender is told when to come again"
                return answer.status
        except aiohttp.ClientError:
            return 0

    async def until_taken(self, url: str, **more: Any) -> None:
        """As a patient sender: the same again until it is taken."""
        await eventually_asked(lambda: self.post(url, **more), "it is taken", holds=lambda status: status == 200)


@asynccontextmanager
async def posted(folder: Path) -> AsyncIterator[tuple[Posted, Daemon]]:
    """A daemon that is up."""
    async with between(folder, kind=Posted) as (world, daemon):
        assert isinstance(world, Posted)
        await up(world, daemon)
        yield world, daemon


def named(name: str) -> dict[str, Any]:
    """A request that its sender names, as those who repeat do."""
    return {"json": {"text": f"said {name}"}, "headers": {"webhook-id": f"id of {name}"}}


# -- a death --------------------------------------------------------------------------------------------------------------------


async def test_a_death_between_commit_and_answer_doubles_nothing(tmp_path: Path) -> None:
    """The sender had no answer and sends the same again: named by a header, by an id of its own in the body, signed."""
    fuse, patch = tmp_path / "fuse", tmp_path / "patch"
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(DIES_AFTER_A_COMMIT)
    event, payload = GITHUB["push"]
    body = json.dumps(payload).encode()
    signature = "sha256=" + hmac.new(b"hush", body, hashlib.sha256).hexdigest()
    signed = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-Hub-Signature-256": signature,
        "X-GitHub-Delivery": "d1",
    }
    async with between(tmp_path, kind=Posted) as (world, daemon):
        assert isinstance(world, Posted)
        daemon.environ |= {"PYTHONPATH": str(patch), "DIE_AFTER_A_COMMIT": str(fuse)}
        await up(world, daemon)
        alerts = await world.make_key("alerts")
        sent: list[tuple[str, dict[str, Any]]] = [
            (alerts, named("once")),
            (alerts, {"json": alertmanager()}),
            (f"{world.url}/hooks/hooks/deploys", {"data": body, "headers": signed}),
        ]
        for url, request in sent:
            fuse.touch()
            assert await world.post(url, **request) == 0, "the process died before it could answer"
            await daemon.ended()
            assert not fuse.exists(), "it died of something else"
            await up(world, daemon)
            await world.until_taken(url, **request)
        await world.until_taken(alerts, **named("after"))
        await world.copy("telegram", "said after")
        for needle in ("said once", "[FIRING:1] DiskFull", "pushed 2 commits"):
            await world.copy("telegram", needle)  # the only one
        assert len(world.seen("telegram")) == 4


# -- the disk -------------------------------------------------------------------------------------------------------------------


async def test_a_full_disk_is_answered_503_or_507_and_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """No file of the daemon may grow for a while, as on a disk without space."""
    async with posted(tmp_path) as (world, daemon):
        assert daemon.process is not None
        alerts, refused = await world.make_key("alerts"), Counter[int]()
        await world.until_taken(alerts, **named("before"))
        await world.copy("telegram", "said before")
        pid = daemon.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))

        def with_file() -> dict[str, Any]:
            form = aiohttp.FormData({"text": "said with a file"})
            form.add_field("file", b"x" * 100_000, filename="big.bin", content_type="application/octet-stream")
            return {"data": form, "headers": {"Idempotency-Key": "with a file"}}

        for number in range(5):
            refused[await world.post(alerts, **named(str(number)))] += 1
        refused[await world.post(alerts, **with_file())] += 1
        assert set(refused) <= {503, 507}, refused
        assert daemon.process.returncode is None
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        for number in range(5):
            await world.until_taken(alerts, **named(str(number)))
        await eventually_asked(lambda: world.post(alerts, **with_file()), "the file", holds=lambda status: status == 200)
        await world.until_taken(alerts, **named("at last"))
        await world.copy("telegram", "said at last")
        await eventually(lambda: any(seen.files for seen in world.seen("telegram")), "the file")
        expected = ["before", *map(str, range(5)), "with a file", "at last"]
        assert shown(world, "telegram", "said") == [f"said {name}" for name in expected]


async def test_a_blocked_disk_is_answered_after_it_or_503_and_doubles_nothing(tmp_path: Path) -> None:
    async with posted(tmp_path) as (world, daemon):
        alerts = await world.make_key("alerts")
        await world.until_taken(alerts, **named("before"))
        with no_commit(world.folder / "bridge.journal"):
            patient = asyncio.create_task(world.post(alerts, **named("patient")))
            hasty = asyncio.create_task(world.post(alerts, **named("hasty")))
            done, _ = await asyncio.wait({patient, hasty}, timeout=NOT_YET_S)
            assert not {one.result() for one in done} & {200}, "taken before it was on disk"
            hasty.cancel()
            again = asyncio.create_task(world.post(alerts, **named("hasty")))
            await asyncio.wait({again}, timeout=NOT_YET_S)
        assert {await patient, await again} <= {200, 503}
        for name in ("patient", "hasty", "after"):
            await world.until_taken(alerts, **named(name))
        await world.copy("telegram", "said after")
        assert sorted(shown(world, "telegram", "said")) == ["said after", "said before", "said hasty", "said patient"]
        assert daemon.process is not None
        assert daemon.process.returncode is None


# -- many readers ---------------------------------------------------------------------------------------------------------------


def memory_bytes(daemon: Daemon) -> int:
    """What the process holds of the machine's memory."""
    assert daemon.process is not None
    return int(Path(f"/proc/{daemon.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()


async def test_a_thousand_idle_readers_cost_little_and_keep_nobody_out(tmp_path: Path) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 3000:
        pytest.skip(f"only {soft} descriptors for both ends of a thousand connections")
    async with posted(tmp_path) as (world, daemon):
        alerts, out = await world.make_key("alerts"), await world.make_key(OUT, KeyDirection.OUT)
        await world.until_taken(alerts, **named("before"))
        before = memory_bytes(daemon)
        host, port = world.url.removeprefix("http://").split(":")
        request = f"GET {out.removeprefix(world.url)}?wait_s=60&after=0 HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"
        writers: list[asyncio.StreamWriter] = []
        try:
            for _ in range(1000):
                _, writer = await asyncio.open_connection(host, int(port))
                writer.write(request.encode())
                writers.append(writer)
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as session,
                session.get(f"{world.admin}/health") as answer,
            ):
                assert answer.status == 200, await answer.text()
            await world.until_taken(alerts, **named("meanwhile"))
            await world.copy("telegram", "said meanwhile")
            assert memory_bytes(daemon) - before < 60_000_000
        finally:
            for writer in writers:
                writer.transport.abort()
        await world.say("telegram", "for the reader")

        async def read() -> str:
            async with aiohttp.ClientSession() as session, session.get(out) as answer:
                return await answer.text()

        await eventually_asked(read, "a reader gets in", holds=lambda text: "for the reader" in text)
