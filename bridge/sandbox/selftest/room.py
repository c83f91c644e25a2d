"""One chat on every messenger, joined by a route: how a check acts there and waits for what people see.

Knows emulators and declared capabilities, nothing of the bridge between them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from html.parser import HTMLParser
from types import MappingProxyType
from typing import TypeVar

from adapters.common.conformance import Lacks
from adapters.common.emulation.contract import EmulatedChat, EmulatedFile, Emulator, SeenMessage, Upload
from bridge.model.capabilities import Capabilities, Feature, Support
from bridge.sandbox.selftest.verdict import Failed, Outcome, Refused, Verdict

T = TypeVar("T")

_NOT_DECLARED: Mapping[Feature, str] = {
    Feature.SEES_EDITS: "does not report edits",
    Feature.SEES_DELETES: "does not report deletions",
    Feature.SEES_PINS: "does not report pins",
    Feature.THREAD: "has no threads",
    Feature.POLL: "has no polls",
    Feature.EDIT: "cannot edit what was sent",
    Feature.DELETE: "cannot delete what was sent",
    Feature.REPLY: "cannot point at a message",
    Feature.SENDER_NAME: "shows no other sender than the bot",
}


class Room:
    """`capabilities_of` tells what an account declares, `titles` how a platform is called, `lacks` what people of a platform cannot
    do, each with the reason."""

    def __init__(
        self,
        emulators: Mapping[str, Emulator],
        chats: Mapping[str, EmulatedChat],
        *,
        capabilities_of: Callable[[str], Capabilities],
        titles: Mapping[str, str],
        patience_s: float,
        lacks: Mapping[str, Mapping[Lacks, str]] = MappingProxyType({}),
    ) -> None:
        self.emulators = emulators
        self._chats = chats
        self._capabilities_of = capabilities_of
        self._titles = titles
        self._patience_s = patience_s
        self._people_lack = lacks

    # -- acting -------------------------------------------------------------------------------------------------------------

    async def say(
        self, platform: str, person: str, text: str, *, reply_to: str = "", thread_id: str = "", files: Sequence[Upload] = ()
    ) -> str:
        """Raises Refused if that messenger does not let a person say this."""
        emulator, chat_id = self.emulators[platform], self.chat_id(platform)
        try:
            return await emulator.say(chat_id, person, text, reply_to=reply_to, thread_id=thread_id, files=files)
        except Exception as refusal:  # each platform has its own
            raise Refused(f"{self.title(platform)} refuses what a person says: {refusal}") from refusal

    def chat(self, platform: str) -> EmulatedChat:
        return self._chats[platform]

    def chat_id(self, platform: str) -> str:
        return self._chats[platform].chat_id

    # -- seeing -------------------------------------------------------------------------------------------------------------

    def seen(self, platform: str) -> list[SeenMessage]:
        return list(self.emulators[platform].transcript(self.chat_id(platform)))

    def message(self, platform: str, message_id: str) -> SeenMessage | None:
        return next((message for message in self.seen(platform) if message.message_id == message_id), None)

    def copies(self, platform: str, words: str) -> list[SeenMessage]:
        """What programs said there with these words in it, as far as it is not deleted."""
        return [message for message in self.seen(platform) if message.is_bot and not message.deleted and words in message.text]

    def file(self, platform: str, sha256: str) -> tuple[SeenMessage, EmulatedFile] | None:
        """The file of that content which a program posted."""
        for message in self.seen(platform):
            for file in message.files:
                if message.is_bot and file.sha256 == sha256:
                    return message, file
        return None

    async def copy(self, platform: str, words: str) -> SeenMessage:
        """The only copy with these words. Raises Failed when there is none in time, or there are several."""
        found = await self.until(platform, lambda: self.copies(platform, words), "no copy arrived")
        if len(found) > 1:
            raise Failed(f"{len(found)} copies instead of one")
        return found[0]

    async def until(self, platform: str, look: Callable[[], T | None], otherwise: str) -> T:
        """The first true value of `look`, which is asked again after each change there. Raises Failed(otherwise)."""
        try:
            async with asyncio.timeout(self._patience_s):
                if found := look():
                    return found
                async with aclosing(self.emulators[platform].changes()) as changes:  # type: ignore[type-var]
                    async for change in changes:
                        if change.message.chat_id == self.chat_id(platform) and (found := look()):
                            return found
        except TimeoutError:
            pass
        raise Failed(f"{otherwise} within {self._patience_s:g} s")

    # -- what is declared ---------------------------------------------------------------------------------------------------

    def title(self, platform: str) -> str:
        return self._titles[platform]

    def capabilities(self, platform: str) -> Capabilities:
        return self._capabilities_of(platform)

    def lacks(self, platform: str, feature: Feature) -> str:
        """Empty if the platform does this natively, else its own declaration of what happens instead."""
        if self.capabilities(platform).native(feature):
            return ""
        return self.declared(platform, feature)

    def people_lack(self, platform: str, what: Lacks) -> str:
        """Empty if the platform's people can do this, else why not."""
        return self._people_lack.get(platform, {}).get(what, "")

    def less_than_full(self, platform: str, feature: Feature) -> str:
        """Empty if the platform declares this FULL, else the declaration."""
        if self.capabilities(platform).level(feature) is Support.FULL:
            return ""
        return self.declared(platform, feature)

    def declared(self, platform: str, feature: Feature) -> str:
        note = self.capabilities(platform).note(feature)
        what = feature.value.replace("_", " ")
        title = self.title(platform)
        if not note:
            return f"{title} {_NOT_DECLARED.get(feature, f'has no {what}')}"
        return note if title in note else f"{title}: {what}: {note}"


async def each(targets: Sequence[str], judge: Callable[[str], Awaitable[Verdict]]) -> dict[str, Verdict]:
    """A verdict for each target, all at once; `Failed` becomes one."""

    async def one(target: str) -> Verdict:
        try:
            return await judge(target)
        except Failed as failure:
            return Verdict(Outcome.FAILED, str(failure))

    async with asyncio.TaskGroup() as group:
        tasks = {target: group.create_task(one(target), name=f"self-test {target}") for target in targets}
    return {target: task.result() for target, task in tasks.items()}


class Shown(HTMLParser):
    """Which words stand inside which elements of a message's HTML, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: dict[str, str] = {}
        self.links: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def inside(self, *tags: str) -> str:
        return " ".join(self.words.get(tag, "") for tag in tags)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "br":
            self._open.append(tag)
        self.links += [value for name, value in attrs if tag == "a" and name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.words[tag] = self.words.get(tag, "") + data
