"""Plays a case: its payloads on the wire of their platform, the real bridge in between, and what people elsewhere then see.

`play` gives what an expectation file holds: `events`, what the adapter made of the payloads, and `shown`, the messages of every
other platform as its stand-in displays them, the last state of each.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec

from adapters.common.emulation.contract import CallsBridge, SeenMessage
from adapters.registry import load_platform
from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.model.adapter import Adapter, Cursor, Intake
from bridge.model.events import Attachment, Author, ChatEvent, Content, MessageCreated
from bridge.model.platform import AdapterContext, Platform
from bridge.model.rich_text import text_of
from tests.adapters.teamspirit.mattermost_server import TOKEN, MattermostServer
from tests.corpus.case import Case
from tests.corpus.origins import SENDER, Origin, origin_of
from tests.flows.world import PLATFORMS, QUICK, World
from tests.support.network import free_port
from tests.support.patience import eventually

Json = dict[str, Any]

PATIENCE_S = 90.0
SAME_PLATFORM = {"mattermost": "teamspirit"}
"""Origins that are another server of a platform, which then is no target."""
_STATES = ("waiting", "sending", "held", "dead", "delivered", "skipped", "behind")
_READ_ALREADY = "already read from the history"
"""TeamSpirit's webhook and history tell the same; which of them is first is a matter of time."""
_TAG = re.compile(r"<(?!/?(p|br|div)\b)")
_OWN_META = frozenset({"event_key", "origin", "occurred_at", "received_at", "thread_id", "author", "delivery_id"})


class Told:
    """What one account's adapter told the core, in its order."""

    def __init__(self) -> None:
        self.lines: list[Json] = []
        self.events: list[ChatEvent] = []


class Listening:
    """An intake that passes everything on and remembers it."""

    def __init__(self, intake: Intake, told: Told) -> None:
        self._intake = intake
        self._told = told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._intake, name)

    async def accept(self, events: Sequence[ChatEvent], *, cursors: Sequence[Cursor] = ()) -> None:
        self._told.events.extend(events)
        self._told.lines.extend(shown_event(event) for event in events if not event.meta.sent_by_us)
        await self._intake.accept(events, cursors=cursors)

    async def undecodable(self, raw: bytes, reason: str, *, cursors: Sequence[Cursor] = ()) -> None:
        self._told.lines.append({"undecodable": reason})
        await self._intake.undecodable(raw, reason, cursors=cursors)

    def ignored(self, reason: str) -> None:
        if reason != _READ_ALREADY:
            self._told.lines.append({"ignored": reason})
        self._intake.ignored(reason)


class CorpusWorld(World):
    """The world of the flow tests, with a Mattermost in the place of TeamSpirit where the case comes from one."""

    def __init__(self, folder: Path, case: Case) -> None:
        targets = [name for name in PLATFORMS if name != SAME_PLATFORM.get(case.origin)]
        super().__init__(folder, [*targets, "webhook"] if case.origin == "webhook" else targets)
        self.case = case
        self.told = Told()
        self.route_options = dict(case.route)
        self.mattermost: MattermostServer | None = None
        if case.origin in ("teamspirit", "webhook") or case.public:
            port = free_port()
            self.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}

    def document(self) -> Json:
        document = super().document()
        if self.mattermost is not None:
            (channel,) = self.mattermost.channels
            fast = {"poll_interval_s": 0.05, "poll_idle_interval_s": 0.05}
            server = {"server": self.mattermost.url, "api_key": TOKEN}
            document["accounts"]["mattermost"] = {"platform": "teamspirit", "dialect": "mattermost", **server, **fast}
            document["routes"][0]["between"].append(f"mattermost/{channel}")
        if self.case.origin == "webhook":
            document["accounts"]["webhook"]["ends"][SENDER] = self.case.account
            (route,) = document["routes"]
            route["to"] = [end for end in route.pop("between") if not end.startswith("webhook/")]
            route["from"] = [f"webhook/{self.chats['webhook'].address}", f"webhook/{SENDER}"]
        else:
            document["accounts"][self.case.origin].update(self.case.account)
        return document

    async def start_bridge(self, *, wait_up: bool = True) -> App:
        self.app = App(self.config(), manifests=self._manifest, back_off=QUICK, **self.app_parts)
        await self.app.start()
        for name, emulator in self.emulators.items():
            if isinstance(emulator, CallsBridge):
                emulator.bridge_is_at(f"http://127.0.0.1:{self.app.public_port}", name)
        await self.all_up()
        await self.until_state(self.case.origin, AccountState.UP)
        return self.app

    def _manifest(self, platform: str) -> Platform:
        known = load_platform(platform)

        def build(context: AdapterContext) -> Adapter:
            adapter = known.build(context)
            if context.account == self.case.origin:
                run = adapter.run
                adapter.run = lambda intake: run(Listening(intake, self.told))  # type: ignore[method-assign]
            return adapter

        return msgspec.structs.replace(known, build=build)


@asynccontextmanager
async def started(folder: Path, case: Case) -> AsyncIterator[CorpusWorld]:
    world = CorpusWorld(folder, case)
    if case.origin == "mattermost":
        world.mattermost = MattermostServer()
        await world.mattermost.start()
        world.mattermost.add_channel("lobby")
    await world.start_platforms()
    try:
        await world.start_bridge()
        yield world
    finally:
        await world.stop_bridge()
        await world.stop_platforms()
        if world.mattermost is not None:
            await world.mattermost.stop()


async def play(case: Case, folder: Path) -> Json:
    async with started(folder, case) as world:
        origin = origin_of(case, world, world.mattermost)
        targets = [name for name in world.emulators if name != case.origin]
        await arrived(world, origin, targets, 0)
        world.told.lines.clear()
        for number, payload in enumerate(case.payloads):
            if number and origin.is_change(payload):
                await arrived(world, origin, targets, number)
            await origin.deliver(payload)
        await arrived(world, origin, targets, len(case.payloads))
        await world.stop_bridge()
        told = [line for line in world.told.lines if "-- step" not in str(line)]
        shown = {name: [seen for seen in world.seen(name) if "-- step" not in seen.text] for name in targets}
        played: Json = {"events": told, "shown": {name: shown_messages(seen) for name, seen in shown.items()}}
        if fates := other_fates(world.folder / "bridge.journal"):
            played["not delivered"] = fates
        return plain(played, world)


async def arrived(world: CorpusWorld, origin: Origin, targets: Sequence[str], number: int) -> None:
    """Everything before is at every target: what somebody says now is there."""
    mark = f"-- step {number} --"
    await origin.say(mark)
    for target in targets:
        await eventually(
            lambda target=target: world.copies(target, mark),
            what=f"{mark} on {target}, behind the payloads of {world.case.name}; it shows {world.texts(target)}",
            within_s=PATIENCE_S,
        )


def other_fates(journal: Path) -> list[str]:
    """What became of the deliveries that did not simply arrive: skipped by which rule, dead for which reason, or still waiting."""
    query = "SELECT account, state, note FROM delivery JOIN lane ON lane.id = delivery.lane WHERE state != 4 ORDER BY delivery.id"
    with closing(sqlite3.connect(journal)) as connection:
        rows = connection.execute(query).fetchall()
    return [f"{account}: {_STATES[state]}{f': {note}' if note else ''}" for account, state, note in rows]


# -- in a form that a person reads and that is the same in every run -------------------------------------------------------------


def shown_event(event: ChatEvent) -> Json:
    """Kind, author, and everything it says; ids and times are left out."""
    built = msgspec.to_builtins(event)
    line: Json = {"kind": built.pop("kind")}
    if event.meta.author is not None:
        line["author"] = shown_author(event.meta.author)
    line |= {key: value for key, value in built.pop("meta").items() if key not in _OWN_META}
    said: Content | None = getattr(event, "content", None)
    if said is not None:
        content = built.pop("content")
        words = text_of(said.text)
        line |= {"words": words} if words else {}
        line |= {"files": [shown_file(file) for file in said.attachments]} if said.attachments else {}
        line |= {key: value for key, value in content.items() if key not in ("text", "attachments")}
    line |= {"also": len(built.pop("also_ids"))} if built.get("also_ids") else {}
    items = built.pop("items", None)
    if isinstance(event, MessageCreated) and items:
        line["of its parts"] = (
            [text_of(item.text) for item in event.items] if any(item.get("text") for item in items) else len(items)
        )
    return line | {key: value for key, value in built.items() if key != "message_id"}


def shown_author(author: Author) -> str:
    return f"{author.name}{' (bot)' if author.is_bot else ''}"


def shown_file(file: Attachment) -> str:
    facts = [file.mime, "" if file.size_bytes is None else f"{file.size_bytes} bytes", file.emoji, file.alt_text, file.problem]
    facts += ["spoiler"] if file.spoiler else []
    return f"{file.kind} {file.name!r} ({', '.join(fact for fact in facts if fact)})"


def shown_messages(seen: Sequence[SeenMessage]) -> list[Json]:
    texts = {message.message_id: message.text for message in seen}
    return [shown_message(message, texts) for message in seen]


def shown_message(message: SeenMessage, texts: Mapping[str, str]) -> Json:
    line: Json = {"sender": message.author_name, "text": message.text}
    if _TAG.search(message.html):
        line["html"] = message.html
    if message.files:
        line["files"] = [f"{file.kind} {file.name!r} ({file.mime}, {file.size_bytes} bytes)" for file in message.files]
    if message.reply_to:
        line["answers"] = texts.get(message.reply_to, "?")
    if message.reactions:
        line["reactions"] = " ".join(reaction.emoji for reaction in message.reactions)
    return line | {mark: True for mark in ("system", "edited", "deleted") if getattr(message, mark)}


def plain(value: Json, world: CorpusWorld) -> Json:
    """Without the ids and addresses of this run."""
    known = {emulator.base_url: f"http://{name}.example" for name, emulator in world.emulators.items()}
    known |= {chat.chat_id: f"<chat on {name}>" for name, chat in world.chats.items() if chat.chat_id != chat.name}
    if discord := world.emulators.get("discord"):
        known[str(discord.world.guild_id)] = "<server>"  # type: ignore[attr-defined]
    if world.mattermost is not None:
        known[world.mattermost.url] = "http://mattermost.example"
    for name in world.emulators:
        known |= {m.message_id: "<message>" for m in world.seen(name) if len(m.message_id) > 5}

    def replaced(inner: Any) -> Any:
        match inner:
            case str():
                for real, written in known.items():
                    inner = inner.replace(real, written)
                return inner
            case dict():
                return {key: replaced(each) for key, each in inner.items()}
            case list() | tuple():
                return [replaced(each) for each in inner]
            case _:
                return inner

    cleaned: Json = replaced(value)
    return cleaned
