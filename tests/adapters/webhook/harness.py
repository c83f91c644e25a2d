"""A webhook account behind the real public listener, with real keys; the core is a recording intake."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from adapters.registry import load_platform
from bridge.journal.sqlite import SqliteJournal
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.events import ChatEvent, MessageCreated, MessageEdited
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName, ChatAddress
from bridge.model.rich_text import text_of
from bridge.model.tasks import end
from bridge.model.web_mount import KeyDirection
from bridge.observability.metrics import Metrics
from bridge.web.client_address import Proxies
from bridge.web.keyed import KeyedCalls
from bridge.web.new_keys import make_key
from bridge.web.public import PublicWeb
from tests.support.clock import ManualClock
from tests.support.intake import RecordingIntake

ACCOUNT = AccountName("hooks")


class StillClock(ManualClock):
    """Moves only when a test moves it."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.get_running_loop().create_future()


class Answer:
    def __init__(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        self.status, self.headers, self.body = response.status, response.headers, body
        self.text = body.decode("utf-8", "replace")


class Hooks:
    """`async with`. `ends` as in bridge.yaml."""

    def __init__(self, folder: Path, ends: Mapping[str, Any], *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.platform = load_platform("webhook")
        self.options = self.platform.options().model_validate({"ends": ends})
        faults = self.platform.check_options(self.options)
        assert not faults, [str(fault) for fault in faults]
        self.folder = folder
        self.received = folder / "received"
        self.intake = RecordingIntake(ends)
        self.clock = clock
        self.keys: dict[str, str] = {}

    async def __aenter__(self) -> Hooks:
        self._journal = SqliteJournal(self.folder / "keys.journal")
        await self._journal.open()
        self.public = PublicWeb(keyed=self._keyed, proxies=Proxies([]))
        self.url = f"http://127.0.0.1:{await self.public.start('127.0.0.1', 0)}"
        self.client = aiohttp.ClientSession()
        await self.begin()
        return self

    async def begin(self) -> None:
        """Build the account anew, as after a restart."""
        self.adapter: Any = self.platform.build(
            AdapterContext(
                account=ACCOUNT,
                options=self.options,
                web=self.public.of(ACCOUNT),
                folder=self.received,
                decode_post=lambda platform, payload: load_platform(platform).decode_post(payload),
                clock=self.clock,
            )
        )
        self.intake.up = asyncio.Event()
        self.running = asyncio.create_task(self.adapter.run(self.intake), name="adapter hooks")
        await self.intake.up.wait()

    async def end(self) -> None:
        await end([self.running])
        await self.adapter.close()

    async def __aexit__(self, *_: object) -> None:
        await self.end()
        await self.client.close()
        await self.public.stop()
        await self._journal.close()

    def _keyed(self, public: PublicWeb) -> KeyedCalls:
        return KeyedCalls(self._journal, self.clock, Metrics(), handler_of=public.key_handler)

    async def key(self, chat: str, **more: Any) -> str:
        """A new key's URL."""
        stored, secret = make_key(ChatAddress(ACCOUNT, chat), KeyDirection.IN, now=self.clock.now(), **{"per_minute": 6000, **more})
        await self._journal.add_key(stored)
        return f"{self.url}/in/{secret}"

    async def call(self, method: str, url: str, **more: Any) -> Answer:
        async with self.client.request(method, url, allow_redirects=False, **more) as response:
            return Answer(response, await response.read())

    async def post(self, chat: str, data: Any = None, **more: Any) -> Answer:
        """By a key of that end."""
        if chat not in self.keys:
            self.keys[chat] = await self.key(chat, label="a sender")
        query = more.pop("query", "")
        return await self.call(more.pop("method", "POST"), self.keys[chat] + query, data=data, **more)

    # -- what the core was handed -------------------------------------------------------------------------------------------------

    def created(self) -> list[MessageCreated]:
        return self.intake.of(MessageCreated)

    def edited(self) -> list[MessageEdited]:
        return self.intake.of(MessageEdited)

    def words(self) -> list[str]:
        return self.intake.words()

    def last(self) -> ChatEvent:
        return self.intake.events[-1]


def shown(event: ChatEvent) -> str:
    assert isinstance(event, MessageCreated | MessageEdited)
    return text_of(event.content.text)
