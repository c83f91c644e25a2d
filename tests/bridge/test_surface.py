"""What an operator asks a running bridge: the dashboard is there once the daemon is, with or without a control socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import aiohttp
import pytest

from adapters.registry import load_platform
from bridge import surface as surface_module
from bridge.config.reader_process import ReadingFailed
from bridge.config.showing import Shown
from bridge.journal.contract import Decision, DecisionKind, UserKey
from bridge.model.refs import AccountName
from bridge.reloading import Reloader
from bridge.surface import Surface
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually_asked


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, platforms=("teamspirit", "discord"))
    world.settings["web"] = {"admin": {"listen": f"127.0.0.1:{free_port()}", "dashboard": {}}}
    await world.start_platforms()
    yield world
    await world.stop_bridge()
    await world.stop_platforms()


async def test_the_dashboard_is_there_once_the_daemon_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface_module, "listen", lambda _: None)  # no place for a control socket
    app = await world.start_bridge()

    def read() -> Shown:
        raise ReadingFailed("nobody reads here")

    reloader = Reloader(app, read=read, preload=lambda _: None, notify=lambda _: None)  # type: ignore[arg-type]
    surface = Surface(app, reloader, manifests=load_platform, shown=read)
    url = f"http://127.0.0.1:{app.admin_port}/dashboard/"
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            assert answer.status == 404
        tasks = surface.start()
        assert sorted(task.get_name() for task in tasks) == ["history", "rates"]
        pages = await asyncio.gather(*(_read(session, url + place) for place in ("", "route?name=lobby", "")))
        assert [status for status, _ in pages] == [200, 200, 200]
        assert all("discord" in text and "lobby" in text for _, text in pages)
        assert (await _read(session, url + "config"))[0] == 403, "this host may look at less"
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await surface.close()
    await reloader.close()


async def test_where_there_is_none_nothing_is_loaded_for_who_asks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface_module, "listen", lambda _: None)

    def load() -> None:
        raise AssertionError("loaded, for a page that nobody gets")

    monkeypatch.setattr(surface_module, "_import_dashboard", load)
    del world.settings["web"]["admin"]["dashboard"]
    app = await world.start_bridge()
    reloader = Reloader(app, read=_unread, preload=lambda _: None, notify=lambda _: None)
    surface = Surface(app, reloader, manifests=load_platform, shown=_unread)
    tasks = surface.start()
    async with aiohttp.ClientSession() as session:
        for place in ("", "login", "config"):
            status, text = await _read(session, f"http://127.0.0.1:{app.admin_port}/dashboard/{place}")
            assert (status, "web.admin.dashboard" in text) == (404, True)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await reloader.close()


def _unread() -> NoReturn:
    raise ReadingFailed("nobody reads here")


async def _read(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with session.get(url) as answer:
        return answer.status, await answer.text()


async def test_words_that_the_configuration_allows_are_on_the_page_until_their_author_opts_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = "the-password-of-anna"
    world.settings["web"]["admin"]["dashboard"] = {"users": {"anna": {"password": password}}, "words": True}
    monkeypatch.setattr(surface_module, "listen", lambda _: None)
    app = await world.start_bridge()

    def read() -> Shown:
        raise ReadingFailed("nobody reads here")

    reloader = Reloader(app, read=read, preload=lambda _: None, notify=lambda _: None)  # type: ignore[arg-type]
    surface = Surface(app, reloader, manifests=load_platform, shown=read)
    tasks = surface.start()
    url = f"http://127.0.0.1:{app.admin_port}/dashboard/route?name=lobby"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {password}"}) as session:
        await world.say("discord", "first words")
        said = await world.say("discord", "words that are taken back")
        await world.copy("teamspirit", "words that are taken back")
        assert "first words" in (await _read(session, url))[1]
        await world.emulators["discord"].delete(world.chats["discord"].chat_id, said)
        await world.say("discord", "later words")
        await world.copy("teamspirit", "later words")
        page = await eventually_asked(lambda: _read(session, url), "the page is made anew", holds=lambda page: "later" in page[1])
        assert "first words" in page[1]
        assert "taken back" not in page[1]
        user = UserKey(account=AccountName("discord"), user_id=world.emulators["discord"].add_person("Anna"))
        decision = Decision(user=user, kind=DecisionKind.OPTED_OUT, name="Anna", at=datetime.now(UTC), by="command line")
        await app.journal.persons.decide(decision)
        await app._community.load()
        await eventually_asked(lambda: _read(session, url), "no words are left", holds=lambda page: "words" not in page[1])
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await surface.close()
    await reloader.close()
