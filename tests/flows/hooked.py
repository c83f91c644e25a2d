"""A bridge whose Telegram group hears what systems post: by a key, signed, by a form and by a page that was called."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from bridge.model.refs import AccountName, ChatAddress
from bridge.model.web_mount import KeyDirection
from bridge.web.new_keys import make_key
from tests.flows.world import World
from tests.support.network import free_port

HOOKS = AccountName("hooks")
ENDS: Mapping[str, Any] = {
    "site": {"form": {"title": "From the website", "fields": {"name": "Name", "words": "Your words"}, "honeypot": "url"}},
    "page": {"get": True},
    "alerts": {},
    "deploys": {"signature": {"scheme": "github", "secret": "hush"}},
}


class Hooked(World):
    """Telegram's group, and an account of webhooks with an end for each sender."""

    def __init__(self, folder: Path, *further: str) -> None:
        """`further`: platforms beside Telegram."""
        super().__init__(folder, platforms=("telegram", *further))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings["web"] = {"public": {"listen": f"127.0.0.1:{self.port}", "url": self.url}}

    def document(self) -> dict[str, Any]:
        document = super().document()
        document["accounts"]["hooks"] = {"platform": "webhook", "ends": ENDS}
        group = f"telegram/{self.chats['telegram'].address}"
        document["routes"] = [{"name": "hooks", "from": [f"hooks/{end}" for end in ENDS], "to": group}]
        return document

    async def key(self, end: str, **more: Any) -> str:
        """Its URL."""
        assert self.app is not None
        stored, secret = make_key(ChatAddress(HOOKS, end), KeyDirection.IN, now=datetime.now(UTC), label="a sender", **more)
        await self.app.journal.add_key(stored)
        return f"{self.url}/in/{secret}"

    async def call(self, method: str, url: str, status: int = 200, **more: Any) -> str:
        async with aiohttp.ClientSession() as session, session.request(method, url, **more) as response:
            text = await response.text()
            assert response.status == status, text
            return text


@asynccontextmanager
async def running(world: Hooked) -> AsyncIterator[Hooked]:
    """The emulators, and the bridge with its accounts up."""
    await world.start_platforms()
    try:
        await world.start_bridge(wait_up=False)
        await world.all_up("hooks", *world.emulators)
        yield world
    finally:
        await world.stop_bridge()
        await world.stop_platforms()
