"""What the page is told about a running sandbox: its columns and rooms, and, on request, the bridge's state. Called by `runner`."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.common.emulation.control_operations import abilities_of
from bridge.sandbox import traces
from bridge.sandbox.page import PageChat, PagePlatform, PageRoom, PageSetup
from bridge.sandbox.status import PageStatus, status_of
from bridge.sandbox.traces import Asked, Mark, Trace
from bridge.sandbox.world import PEOPLE, Sandbox


class Inside:
    """The running bridge, as `page.Inside` asks it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def status(self) -> PageStatus:
        return await status_of(self._sandbox)

    async def retry(self, deliveries: Sequence[int]) -> object:
        return await self._sandbox.app.journal.retry_dead(deliveries)

    async def marks(self, asked: Sequence[Asked]) -> Sequence[Mark]:
        return await traces.marks(self._sandbox.app.journal, asked)

    async def trace(self, asked: Asked) -> Trace:
        relayed = self._sandbox.relays(asked.platform, asked.chat_id)
        return await traces.trace(self._sandbox.app.journal, asked, relayed=relayed)


def page_setup(sandbox: Sandbox) -> PageSetup:
    platforms = [
        PagePlatform(
            platform=platform,
            title=sandbox.titles[platform],
            person=PEOPLE[index % len(PEOPLE)],
            formatting_sample=emulator.formatting_sample(),
            can=abilities_of(emulator),
        )
        for index, (platform, emulator) in enumerate(sandbox.emulators.items())
    ]
    return PageSetup(platforms=platforms, rooms=_rooms(sandbox), people=PEOPLE)


def _rooms(sandbox: Sandbox) -> list[PageRoom]:
    return [
        PageRoom(
            name=plan.name,
            title=plan.title or plan.name,
            about=plan.about,
            chats={
                platform: PageChat(
                    chat_id=chat.chat_id,
                    name=chat.name,
                    relayed=sandbox.relays(platform, chat.chat_id),
                    names_threads=chat.names_threads,
                    threads_from_messages=chat.threads_from_messages,
                )
                for platform, chat in sandbox.rooms[plan.name].items()
            },
        )
        for plan in sandbox.plans
    ]
