"""A dashboard on an admin listener of its own: a real journal and a real bridge.yaml behind it, and a status as a test gives it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp

from adapters.registry import load_platform, platforms
from bridge.config.load import load_config, show_config
from bridge.config.model import Config
from bridge.config.showing import Shown
from bridge.dashboard.pages import Dashboard
from bridge.dashboard.parts import Parts
from bridge.journal.contract import Audited
from bridge.journal.sqlite import SqliteJournal
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.refs import MessageRef
from bridge.observability.history import Point
from bridge.reloading import Reloaded
from bridge.web.admin import AdminWeb

ANNA, WALL = "the-password-of-anna", "the-password-of-the-wall"
USERS = {"anna": {"password": ANNA, "role": "operate"}, "wall": {"password": WALL}}
ACCOUNTS = """\
accounts:
  tg: {platform: telegram, token: '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw'}
  spirit: {platform: teamspirit, server: 'http://127.0.0.1:9', api_key: a-teamspirit-key}
routes:
  - name: engineering
    between: [tg/-1001234567890, spirit/engineering]
"""
WELL: dict[str, Any] = {"status": "pass", "reason": "", "action": ""}


def status_of(**more: Any) -> dict[str, Any]:
    """As the daemon answers; `more` takes the place of parts of it."""
    account = {"state": "up", "since": "2026-11-27T04:00:00+00:00", "last_heard_s": 3.0, "deaf_after_s": 120.0, "waits_until": None}
    account |= {**WELL, "ends": {}, "notices": {}, "in_per_min": 4, "out_per_min": 2}
    ends = [{"end": "tg/-1001234567890", **WELL}, {"end": "spirit/engineering", **WELL}]
    route = {"name": "engineering", "status": "pass", "per_min": 2, "ends": ends}
    return {
        "ok": True,
        "status": "pass",
        "accounts": {"tg": account, "spirit": dict(account)},
        "routes": {"counts": {"pass": 1, "warn": 0, "fail": 0}, "list": [route]},
        "journal": {"events": 9, "dead": 0, "undecodable": 0, "size_bytes": 123456},
        "lanes": [],
        "to_do": [],
        "config": "/etc/bridge.yaml",
        "up_s": 100,
        "version": "1.2.3",
        "per_min": {"in": 4, "out": 2},
        "waiting": {"deliveries": 0, "chats": 0, "oldest": None},
        "disk": {"journal": {**WELL, "free_bytes": 10**9, "total_bytes": 10**10}},
        "reload": {},
        **more,
    }


@dataclass
class Reloads:
    """A reloader that answers as a test says, and counts."""

    found: Reloaded = field(default_factory=Reloaded)
    reloads: int = 0
    looks: int = 0
    may_look: asyncio.Event = field(default_factory=asyncio.Event)
    """Not set while a reload is under way."""

    def __post_init__(self) -> None:
        self.may_look.set()

    async def reload(self, *, keep: bool = False, agreed: Callable[[str], bool] | None = None) -> Reloaded:
        if agreed is not None and not agreed(self.found.seen):
            return Reloaded(faults=("another",), is_other=True)
        self.reloads += 1
        return self.found

    async def look(self) -> Reloaded:
        self.looks += 1
        await self.may_look.wait()
        return self.found


class Board:
    """`dashboard` is what stands under `web.admin.dashboard`; None: nothing does."""

    def __init__(
        self,
        folder: Path,
        *,
        dashboard: Mapping[str, Any] | None,
        clock: Clock = SYSTEM_CLOCK,
        is_local: bool = True,
        hosts: Sequence[str] = (),
        fresh_s: float = 0.0,
    ) -> None:
        self.folder = folder
        self.hosts = hosts
        self.fresh_s = fresh_s
        self.config = self.configured(dashboard)
        self.status = status_of()
        self.asked = 0
        """How often the status was asked for."""
        self.read = 0
        """How often the file was read to be shown."""
        self.points: list[Point] = []
        self.words: dict[MessageRef, str] = {}
        self.reloads = Reloads()
        self.clock = clock
        self.is_local = is_local
        self.journal = SqliteJournal(folder / "bridge.journal")

    def configured(self, dashboard: Mapping[str, Any] | None) -> Config:
        import yaml

        admin = {"listen": "127.0.0.1:8081"} | ({} if dashboard is None else {"dashboard": dict(dashboard)})
        path = self.folder / "bridge.yaml"
        path.write_text(ACCOUNTS + yaml.safe_dump({"web": {"admin": admin}}))
        loaded = load_config(path, {}, load_platform)
        assert loaded.config is not None, [str(fault) for fault in loaded.faults]
        return loaded.config

    def shown(self) -> Shown:
        self.read += 1
        return show_config(self.folder / "bridge.yaml", {}, {name: load_platform(name) for name in platforms()})

    async def start(self) -> None:
        await self.journal.open()

        async def status() -> Mapping[str, Any]:
            self.asked += 1
            return self.status

        async def report() -> dict[str, Any]:
            return {"ok": True, "status": "pass"}

        async def metrics(_: str) -> tuple[bytes, str]:
            return b"", "text/plain"

        parts = Parts(
            config=lambda: self.config,
            journal=self.journal,
            status=status,
            points=lambda: self.points,
            reloads=self.reloads,
            shown=self.shown,
            words=lambda message: self.words.get(message, ""),
            manifests=load_platform,
            clock=self.clock,
        )
        self.dashboard = Dashboard(parts, hosts=self.hosts, is_local=self.is_local, fresh_s=self.fresh_s)
        self.admin = AdminWeb(report=report, metrics=metrics, hosts=self.hosts)
        self.admin.more = self.dashboard.answer
        self.port = await self.admin.start("127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{self.port}"

    async def noted(self) -> list[Audited]:
        """What the audit says of what was done, the newest first; each was noted as begun before."""
        found = await self.journal.persons.audited()
        begun = [one.action for one in found if one.result == "begun"]
        done = [one for one in found if one.result != "begun"]
        assert sorted(begun) == sorted(one.action for one in done)
        return done

    async def stop(self) -> None:
        await self.admin.stop()
        await self.dashboard.close()
        await self.journal.close()

    def visitor(self) -> Visitor:
        return Visitor(self)


@dataclass(frozen=True)
class Seen:
    status: int
    html: str
    headers: Mapping[str, str]

    @property
    def words(self) -> str:
        """What a reader sees."""
        text = re.sub(r"<(script|style|title)\b.*?</\1>", " ", self.html, flags=re.S)
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())

    @property
    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.html)
        assert found is not None, self.words
        return found[1]


class Visitor:
    """A browser without JavaScript: keeps cookies, sends `Origin` with forms, follows redirects."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> Visitor:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def get(self, place: str = "", *, follow: bool = True, headers: Mapping[str, str] | None = None, **more: str) -> Seen:
        url = f"{self.board.origin}/dashboard/{place}"
        async with self.session.get(url, headers={**(headers or {}), **more}, allow_redirects=follow) as answer:
            return Seen(answer.status, await answer.text(), dict(answer.headers))

    async def post(
        self,
        place: str,
        form: Any,
        *,
        origin: str | None = "",
        follow: bool = True,
        headers: Mapping[str, str] | None = None,
        **more: str,
    ) -> Seen:
        """`origin`: our own by default; None for none."""
        sent = {**(headers or {}), **more, **({} if origin is None else {"Origin": origin or self.board.origin})}
        url = f"{self.board.origin}/dashboard/{place}"
        data = form if isinstance(form, list) else list(form.items())
        async with self.session.post(url, data=data, headers=sent, allow_redirects=follow) as answer:
            return Seen(answer.status, await answer.text(), dict(answer.headers))

    async def sign_in(self, user: str = "anna", password: str = ANNA, **more: Any) -> Seen:
        return await self.post("login", {"user": user, "password": password, "next": ""}, **more)

    async def act(self, page: str, place: str, form: Any, **more: Any) -> Seen:
        """As somebody does it: opens the page, and sends its form with what else is in it."""
        token = (await self.get(page)).token
        fields = form if isinstance(form, list) else list(form.items())
        return await self.post(place, [("token", token), *fields], **more)
