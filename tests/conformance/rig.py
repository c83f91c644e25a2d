"""One adapter of any platform against its emulator, without the core: what the contract promises, seen from both sides."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from adapters.common.emulation.contract import CallsBridge, EmulatedChat, SeenMessage
from adapters.registry import load_emulator, load_platform
from bridge.model.adapter import Adapter, Outbound, Sender
from bridge.model.capabilities import Feature
from bridge.model.errors import ConnectionLost
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from bridge.model.rich_text import EMPTY, RichText
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually
from tests.support.web import LoopbackWeb

ACCOUNT = AccountName("acc")

T = TypeVar("T")


class Rig:
    def __init__(self, platform: str) -> None:
        self.platform = platform
        self.manifest = load_platform(platform)
        self.emulator = load_emulator(platform)
        self.intake = RecordingIntake()
        self.signs_of_life = 0
        self._sent = 0
        self._folder = tempfile.TemporaryDirectory()

    async def __aenter__(self) -> Rig:
        await self.emulator.start()
        self.chat: EmulatedChat = self.emulator.add_chat("lobby")
        self.web = LoopbackWeb(ACCOUNT)
        if isinstance(self.emulator, CallsBridge):
            await self.web.start()
            self.emulator.bridge_is_at(self.web.public_url, ACCOUNT)
        self.options = self.manifest.options().model_validate(self.emulator.account_options())
        self.adapter: Adapter = self.manifest.build(
            AdapterContext(account=ACCOUNT, options=self.options, web=self.web, alive=self._alive, folder=Path(self._folder.name))
        )
        self.chat_id = await self.adapter.resolve(self.chat.address)
        self.intake.chats = {self.chat_id}
        self.run_again()
        await self.eventually(self.intake.up.is_set, "connected")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.running.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionLost):
            await self.running
        await self.adapter.close()
        await self.web.stop()
        await self.emulator.stop()
        self._folder.cleanup()

    def _alive(self) -> None:
        self.signs_of_life += 1

    def run_again(self) -> None:
        self.running = asyncio.create_task(self.adapter.run(self.intake), name=f"adapter {self.platform}")

    async def eventually(self, look: Callable[[], T], what: str) -> T:
        """The first true value that `look` gives."""

        def found_or_over() -> T | bool:
            return look() or self.running.done()

        await eventually(found_or_over, f"{self.platform}: {what}")
        if not (found := look()):
            await self.running
        return found

    def outbound(self, text: RichText = EMPTY, **details: Any) -> Outbound:
        """As the core makes it: with a sender where the platform shows one."""
        self._sent += 1
        if self.adapter.capabilities.native(Feature.SENDER_NAME):
            details.setdefault("sender", Sender(name="Kim Lee"))
        return Outbound(token=f"mbabc123-{self._sent}-0", attempt=1, chat_id=self.chat_id, text=text, **details)

    async def send(self, text: RichText, **details: Any) -> SeenMessage:
        """What a person sees of the message after it was sent."""
        receipt = await self.adapter.send(self.outbound(text, **details))
        return self.seen(receipt.message_ids[0])

    def seen(self, message_id: str) -> SeenMessage:
        return next(m for m in self.emulator.transcript(self.chat.chat_id) if m.message_id == message_id)

    def foreign(self, kind: type[T]) -> list[T]:
        """Events of that kind that are not the adapter's own doing."""
        return [event for event in self.intake.handed if isinstance(event, kind) and not event.meta.sent_by_us]

    async def first(self, kind: type[T], count: int = 1) -> T:
        """The `count`-th foreign event of that kind, once it is there."""
        await self.eventually(lambda: len(self.foreign(kind)) >= count, f"{count} x {kind.__name__}")
        return self.foreign(kind)[count - 1]
