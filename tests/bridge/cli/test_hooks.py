"""What arrives by a key, as an admin sees it, and once more."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bridge.cli import hooks as hooks_module
from bridge.journal.contract import Arrival
from bridge.journal.sqlite import SqliteJournal
from bridge.model.clock import SystemClock
from bridge.web.arrivals import Replays
from tests.bridge.cli.conftest import Cli
from tests.support.keyed_door import Door
from tests.support.patience import PATIENCE_S, eventually_asked


@pytest.fixture
async def door(folder: Path) -> AsyncIterator[Door]:
    """A listener of a daemon that has the default journal open, by the clock of commands."""
    journal = SqliteJournal(folder / "messenger-bridge.journal")
    await journal.open()
    door = Door(journal, clock=SystemClock())
    door.port = await door.public.start("127.0.0.1", 0)
    yield door
    for caller in door.callers:
        caller.writer.transport.abort()
    await door.public.stop()
    await journal.close()


async def test_what_arrives_is_shown_as_it_arrives(cli: Cli, door: Door) -> None:
    secret = await door.key(label="Grafana")
    listening = asyncio.create_task(asyncio.to_thread(cli, "hooks", "listen", f"https://example.com/in/{secret}", "--count", "2"))

    async def is_listening() -> bool:
        return (await door.journal.keys())[0].listened_until is not None

    await eventually_asked(is_listening, what="a listener")
    door.account.answers = [web.Response(text="thanks"), web.Response(status=400, text="no \x1b[2Jtemplate")]
    await door.ask(f"/in/{secret}?a=1", "X-Api-Token: hidden\r\nX-Odd: \t\r\n", body="{\n  'ж': 1\n}".encode())
    await door.ask(f"/in/{secret}", body=b"x" * 100_000)
    done = await listening
    assert done.code == 0
    assert "listening to k1, hooks/alerts Grafana" in done.err
    assert secret not in done.out + done.err
    assert "hidden" not in done.out
    assert "\x1b" not in done.out
    lines = done.out.splitlines()
    assert lines[0].endswith("POST ?a=1")
    assert "  |   'ж': 1" in lines
    assert "  -> 200 thanks" in lines
    assert "  -> 400 no [2Jtemplate" in lines
    assert len(done.out) < 10_000, "the rest of a long body is left out"


async def test_what_is_kept_from_before_is_shown_when_asked(cli: Cli, door: Door) -> None:
    secret = await door.key()
    door.account.answers = [web.Response(status=400, text="no template")]
    await door.ask(f"/in/{secret}", body=b"one")
    done = await asyncio.to_thread(cli, "hooks", "listen", "k1", "--since", "10m", "--count", "1", "--json")
    shown = json.loads(done.out)
    assert (shown["body"], shown["status"], shown["answer"], shown["whole"]) == ("one", 400, "no template", True)


async def test_more_than_are_kept_between_two_looks_is_said(cli: Cli, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    for where in ("contract.keys", "sqlite.arrivals"):
        monkeypatch.setattr(f"bridge.journal.{where}.ARRIVALS_KEPT", 3)
    secret, real, looks_again, may_look = await door.key(), SqliteJournal.arrivals, threading.Event(), threading.Event()

    async def arrivals(journal: SqliteJournal, key_id: str, *, after: int = 0) -> Sequence[Arrival]:
        if after:
            looks_again.set()
            await asyncio.to_thread(may_look.wait, PATIENCE_S)
        return await real(journal, key_id, after=after)

    monkeypatch.setattr(SqliteJournal, "arrivals", arrivals)
    door.account.answers = [web.Response(status=400) for _ in range(6)]
    await door.ask(f"/in/{secret}", body=b"number 0")
    listening = asyncio.create_task(asyncio.to_thread(cli, "hooks", "listen", "k1", "--since", "10m", "--count", "4"))
    assert await asyncio.to_thread(looks_again.wait, PATIENCE_S)
    for number in range(1, 6):
        await door.ask(f"/in/{secret}", body=f"number {number}".encode())
    may_look.set()
    done = await listening
    assert [line.split("| ")[1] for line in done.out.splitlines() if "number" in line] == [f"number {one}" for one in (0, 3, 4, 5)]
    assert done.err.count("only the latest 3 requests are kept, and more arrived: some may be missing here") == 1


async def test_a_replay_shows_what_became_of_each(cli: Cli, door: Door) -> None:
    secret = await door.key()
    door.account.answers = [
        web.Response(status=400),
        web.Response(status=400),
        web.Response(text="fine"),
        web.Response(status=422, text="still not"),
    ]
    for _ in range(2):
        await door.ask(f"/in/{secret}")
    running = asyncio.create_task(Replays(door.journal, door.clock, door.public).run())
    with capture_logs() as log:  # else it stands on this process's own stdout
        done = await asyncio.to_thread(cli, "hooks", "replay", "k1")
        again = await asyncio.to_thread(cli, "hooks", "replay", "k1", "--since", "1h", "--json")
    running.cancel()
    assert done.code == 1, "one was refused again"
    assert [line.split()[3:5] for line in done.out.splitlines()[1:]] == [["400", "200"], ["400", "422"]]
    assert "still not" in done.out
    assert (again.code, again.data["ok"], [one["status"] for one in again.data["replayed"]]) == (0, True, [200, 200])
    assert [line["status"] for line in log] == [200, 422, 200, 200]


async def test_without_a_daemon_a_replay_waits_for_one(cli: Cli, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks_module, "_REPLAY_WAIT_S", 0.0)
    secret = await door.key()
    door.account.answers = [web.Response(status=400)]
    await door.ask(f"/in/{secret}")
    done = await asyncio.to_thread(cli, "hooks", "replay", "k1")
    assert done.code == 75
    assert "a daemon repeats them once it runs" in done.err
    await Replays(door.journal, door.clock, door.public).take()
    assert len(door.account.calls) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("listen", "nobody"), 1, "no such key"),
        (("replay", "nobody"), 1, "no such key"),
        (("listen", "k1", "--since", "yesterday"), 2, "write 30s, 10m, 2h or 1d"),
        (("replay", "k1", "--since", "99999999999d"), 1, "no complete request is kept"),
        (("replay", "k1"), 1, "no complete request is kept from the last 1h"),
    ],
)
async def test_what_cannot_be_is_said(cli: Cli, door: Door, arguments: tuple[str, ...], code: int, why: str) -> None:
    await door.key()
    done = await asyncio.to_thread(cli, "hooks", *arguments)
    assert done.code == code
    assert why in done.err
