"""A platform in a few lines, for tests of the machinery: chats are lists, faults are scripted, nothing touches a network.

`ScriptedPlatform` is the platform's truth (what was really posted); `ScriptedAdapter` talks to it and fails as told.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel

from adapters.common.files import CheckedFile
from bridge.accounts.back_off import BackOff
from bridge.app import App
from bridge.config.model import AccountConfig, Config, JournalConfig
from bridge.journal.sqlite.codec import SKIPPED
from bridge.model.adapter import (
    Copy,
    Cursor,
    FileStream,
    Intake,
    Outbound,
    OutboundDelete,
    OutboundEdit,
    OutboundFile,
    OutboundReaction,
    ProbeItem,
    Receipt,
)
from bridge.model.capabilities import UNLIMITED, Capabilities, Feature, Limits, Operation, Rates, RetrySchedule, Support, features
from bridge.model.clock import Clock
from bridge.model.errors import ConnectionLost
from bridge.model.events import (
    AlbumItem,
    Attachment,
    Author,
    ChatEvent,
    Content,
    EventMeta,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
    with_items,
)
from bridge.model.platform import AdapterContext, Manifest, Platform
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain, text_of
from bridge.policy.retry import Policy
from bridge.policy.routing import RelayOptions, Route, RouteEnd
from tests.support.patience import PATIENCE_S, eventually_asked

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = BackOff(first_s=0.01, most_s=0.05, parked_first_s=0.02, parked_most_s=0.05, healthy_after_s=5)

FULL = features(dict.fromkeys(Feature, Support.FULL))


@dataclass
class Posted:
    """One message as it stands on the platform."""

    message_id: str
    text: str
    sender: str
    token: str
    reply_to: str = ""
    files: tuple[bytes, ...] = ()
    deleted: bool = False
    reactions: tuple[str, ...] = ()
    pinned: bool = False
    thread_id: str | None = None
    at_s: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    first_text: str = field(init=False)
    """Before any edit."""

    def __post_init__(self) -> None:
        self.first_text = self.text


Fault = Callable[[], BaseException]


@dataclass
class ScriptedPlatform:
    """One platform. `faults` meets the next sends, before (`False`) or after (`True`) the message was posted; None: no fault."""

    name: str
    reconciles: bool = True
    chats: dict[str, list[Posted]] = field(default_factory=dict)
    faults: deque[tuple[BaseException, bool] | None] = field(default_factory=deque)
    run_errors: deque[BaseException] = field(default_factory=deque)
    incoming: asyncio.Queue[tuple[list[ChatEvent], list[Cursor]]] = field(default_factory=asyncio.Queue)
    confirmed: list[str] = field(default_factory=list)
    sends: int = 0
    asked_since: list[datetime] = field(default_factory=list)
    """From when on messages of unknown outcome were to be looked for."""
    ask_faults: deque[BaseException] = field(default_factory=deque)
    """What the next such questions meet."""
    files: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    hang: asyncio.Event | None = None
    text_length: int = 1000
    albums: bool = False
    """Whether each file is a message of its own, the text at the first."""
    removes_files: bool = False
    rates: Rates = UNLIMITED
    retry: RetrySchedule | None = None
    knows_repeats: bool = False
    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    before_send: Callable[[Outbound], None] | None = None
    before_change: Callable[[Operation, int], None] | None = None
    """Told of every call for a change, and how many calls it stands for."""
    own_names: tuple[str, ...] = ()
    connections: int = 0
    adapter: Callable[[Any, AdapterContext], ScriptedAdapter] | None = None
    """Another adapter than the usual one."""

    def manifest(self) -> Platform:
        return Platform(
            manifest=Manifest(platform=self.name, title=self.name.capitalize(), package="", user_id=r"[UW]\d+"),
            options=lambda: BaseModel,
            capabilities=lambda _: self.capabilities(),
            check_options=lambda _: (),
            check_address=lambda _: None,
            check_thread=lambda _: None,
            build=lambda context: self.build(context),
            preload=lambda: None,
        )

    def build(self, context: AdapterContext) -> ScriptedAdapter:
        usual = RemovingAdapter if self.removes_files else ScriptedAdapter
        return (self.adapter or usual)(self, context)

    def capabilities(self) -> Capabilities:
        table = dict(FULL)
        if not self.reconciles:
            del table[Feature.RECONCILE]
        limits = Limits(
            text_length=self.text_length, caption_length=self.text_length, attachments_per_message=10, upload_bytes=1_000_000
        )
        return Capabilities(features=table, limits=limits, rates=self.rates, retry=self.retry, knows_repeats=self.knows_repeats)

    def posted(self, chat: str = "c") -> list[Posted]:
        return [message for message in self.chats.get(chat, []) if not message.deleted]

    def texts(self, chat: str = "c") -> list[str]:
        return [message.text for message in self.posted(chat)]

    def cut(self) -> None:
        """The connection is lost."""
        self.incoming.put_nowait(([], []))

    # what people do

    def hear(self, *events: ChatEvent) -> None:
        self.incoming.put_nowait((list(events), []))

    def say(
        self,
        text: str,
        *,
        chat: str = "c",
        number: int | None = None,
        author: str = "Anna",
        thread: str | None = None,
        also_ids: tuple[str, ...] = (),
        items: tuple[AlbumItem, ...] = (),
        **content: Any,
    ) -> str:
        """A person writes; returns the native message id. `items`: an album, whose words and files they are."""
        number = number or next(self.ids)
        message_id = f"{self.name}-{number}"
        self.hear(
            MessageCreated(
                meta=self.meta(f"created:{message_id}", chat, author, thread=thread),
                message_id=message_id,
                content=with_items(Content(**content), items) if items else Content(text=plain(text), **content),
                also_ids=also_ids,
                items=items,
            )
        )
        return message_id

    def edit(self, message_id: str, text: str, *, chat: str = "c", **content: Any) -> None:
        meta = self.meta(f"edited:{message_id}:{text}:{next(self.ids)}", chat)
        how = {name: content.pop(name) for name in ("attachments_known", "album_item") if name in content}
        self.hear(MessageEdited(meta=meta, message_id=message_id, content=Content(text=plain(text), **content), **how))

    def delete(self, message_id: str, *, chat: str = "c") -> None:
        self.hear(MessageDeleted(meta=self.meta(f"deleted:{message_id}", chat), message_id=message_id))

    def react(self, message_id: str, *added: str, chat: str = "c", author: str = "Boris", removed: tuple[str, ...] = ()) -> None:
        meta = self.meta(f"reactions:{message_id}:{next(self.ids)}", chat, author)
        self.hear(ReactionsChanged(meta=meta, message_id=message_id, added=added, removed=removed))

    def pin(self, message_id: str, pinned: bool = True, *, chat: str = "c") -> None:
        meta = self.meta(f"pins:{message_id}:{next(self.ids)}", chat)
        self.hear(PinsChanged(meta=meta, message_id=message_id, pinned=pinned))

    def meta(self, key: str, chat: str, author: str = "Anna", *, thread: str | None = None) -> EventMeta:
        return EventMeta(
            event_key=f"{self.name}:{key}",
            origin=ChatRef(AccountName(self.name), chat),
            occurred_at=LONG_AGO,
            received_at=datetime.now(UTC),
            thread_id=thread,
            author=Author(user_id=author.lower(), name=author),
        )


class ScriptedAdapter:
    def __init__(self, platform: ScriptedPlatform, context: AdapterContext) -> None:
        self.account = context.account
        self.platform = platform

    @property
    def capabilities(self) -> Capabilities:
        return self.platform.capabilities()

    def measure(self, text: Any, *, caption: bool = False) -> int:
        return len(text_of(text))

    async def resolve(self, address: str) -> str:
        return address

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        return ()

    async def run(self, intake: Intake) -> None:
        if self.platform.run_errors:
            raise self.platform.run_errors.popleft()
        await intake.set_own_names(self.platform.own_names)
        intake.connected()
        self.platform.connections += 1
        while True:
            events, cursors = await self.platform.incoming.get()
            if not events:
                raise ConnectionLost("scripted")
            await intake.accept(events, cursors=cursors)
            self.platform.confirmed += [event.meta.event_key for event in events]

    async def _meet_fault(self, post: Callable[[], Any]) -> Any:
        platform = self.platform
        platform.sends += 1
        if platform.hang is not None:
            await platform.hang.wait()
        fault = platform.faults.popleft() if platform.faults else None
        if fault is None:
            return post()
        error, after = fault
        if after:
            post()
        raise error

    async def send(self, outbound: Outbound) -> Receipt:
        if self.platform.before_send is not None:
            self.platform.before_send(outbound)
        contents = tuple(_content(file) for file in outbound.files)

        def post() -> Receipt:
            groups = [(content,) for content in contents] if self.platform.albums and len(contents) > 1 else [contents]
            messages = [
                Posted(
                    message_id=f"{self.platform.name}-b{next(self.platform.ids)}",
                    text="" if number else text_of(outbound.text),
                    sender=outbound.sender.name if outbound.sender else "",
                    token=outbound.token,
                    reply_to=outbound.reply.message_id if outbound.reply else "",
                    files=files,
                    thread_id=outbound.thread_id,
                )
                for number, files in enumerate(groups)
            ]
            self.platform.chats.setdefault(outbound.chat_id, []).extend(messages)
            ids = tuple(message.message_id for message in messages)
            return Receipt(message_ids=ids, thread_id=outbound.thread_id, adapter_data="note")

        receipt: Receipt = await self._meet_fault(post)
        return receipt

    def _find(self, chat_id: str, message_id: str) -> Posted:
        return next(message for message in self.platform.chats[chat_id] if message.message_id == message_id)

    def _told(self, operation: Operation, calls: int = 1) -> None:
        if self.platform.before_change is not None and calls:
            self.platform.before_change(operation, calls)

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        assert outbound.copy.adapter_data == "note"
        self._told(Operation.EDIT)

        def post() -> Receipt:
            self._find(outbound.copy.chat_id, outbound.copy.message_ids[0]).text = text_of(outbound.text)
            return Receipt(message_ids=outbound.copy.message_ids, adapter_data="note")

        receipt: Receipt = await self._meet_fault(post)
        return receipt

    async def delete(self, outbound: OutboundDelete) -> None:
        self._told(Operation.DELETE, len(outbound.copy.message_ids))

        def post() -> None:
            for message_id in outbound.copy.message_ids:
                self._find(outbound.copy.chat_id, message_id).deleted = True

        await self._meet_fault(post)

    async def react(self, outbound: OutboundReaction) -> Sequence[str] | None:
        self._told(Operation.REACT, len(outbound.added))
        self._told(Operation.UNREACT, len(outbound.removed))

        def post() -> None:
            self._find(outbound.copy.chat_id, outbound.copy.message_ids[0]).reactions = outbound.wanted

        await self._meet_fault(post)
        return None

    @asynccontextmanager
    async def open_file(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        self.platform.fetched.append(attachment.file_id)
        content = self.platform.files[attachment.file_id]

        async def chunks() -> AsyncIterator[bytes]:
            for at in range(0, len(content), 1000):
                yield content[at : at + 1000]

        yield FileStream(chunks=chunks(), size_bytes=attachment.size_bytes)

    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        self.platform.asked_since.append(sent_after)
        if self.platform.ask_faults:
            raise self.platform.ask_faults.popleft()
        for message in self.platform.chats.get(outbound.chat_id, []):
            if message.token == outbound.token:
                return Receipt(message_ids=(message.message_id,), adapter_data="note")
        return None

    async def close(self) -> None:
        pass


def _content(file: OutboundFile) -> bytes:
    with CheckedFile(file) as reading:
        return reading.read()


class RemovingAdapter(ScriptedAdapter):
    async def remove_files(self, copy: Copy, indexes: Sequence[int]) -> Receipt:
        def post() -> Receipt:
            message = self._find(copy.chat_id, copy.message_ids[0])
            message.files = tuple(content for index, content in enumerate(message.files) if index not in indexes)
            return Receipt(message_ids=copy.message_ids, adapter_data="note")

        receipt: Receipt = await self._meet_fault(post)
        return receipt


class PinningAdapter(ScriptedAdapter):
    async def pin(self, copy: Copy, pinned: bool) -> None:
        self._told(Operation.PIN)

        def post() -> None:
            self._find(copy.chat_id, copy.message_ids[0]).pinned = pinned

        await self._meet_fault(post)


def end(address: str, **more: Any) -> RouteEnd:
    account, _, chat = address.partition("/")
    options = RelayOptions(**more.pop("options", {}))
    return RouteEnd(chat=ChatAddress(AccountName(account), chat), options=options, **more)


def bridge(folder: Path, platforms: Sequence[ScriptedPlatform], routes: Sequence[Route] | None = None, **more: Any) -> App:
    """A whole bridge over scripted platforms; by default one route between chat `c` of each."""
    if routes is None:
        routes = [Route(name="all", ends=tuple(end(f"{platform.name}/c") for platform in platforms))]
    accounts = {
        AccountName(platform.name): AccountConfig(
            name=AccountName(platform.name), platform=platform.name, options=None, relay=RelayOptions()
        )
        for platform in platforms
    }
    config = Config(
        path=folder / "bridge.yaml",
        accounts=accounts,
        routes=tuple(routes),
        journal=JournalConfig(path=folder / "bridge.journal"),
    )
    table = {platform.name: platform.manifest() for platform in platforms}
    config = more.pop("change", lambda config: config)(config)
    clock: Clock | None = more.pop("clock", None)
    policy = more.pop("policy", None) or (None if clock else Policy(base_s=0.05, cap_s=0.5, floor_s=0.01))
    return App(config, manifests=table.__getitem__, clock=clock, policy=policy, **{"back_off": QUICK, **more})


async def all_done(app: App, *, within_s: float = PATIENCE_S) -> None:
    """Returns once no delivery is open and no lane is at work."""
    outbox = app._outbox
    assert outbox is not None

    async def left() -> list[object]:
        return [*await app._journal.open_lanes(), *outbox._lanes]

    await eventually_asked(left, holds=lambda lanes: not lanes, within_s=within_s)


def skipped_by(app: App) -> dict[str, int]:
    """How many deliveries ended by which rule."""
    with sqlite3.connect(app._config.journal.path) as connection:
        rows = connection.execute("SELECT note, count(*) FROM delivery WHERE state = ? GROUP BY note", (SKIPPED,)).fetchall()
    connection.close()
    return dict(rows)


def with_options(route: Route, **options: Any) -> Route:
    ends = tuple(msgspec.structs.replace(e, options=RelayOptions(**options)) for e in route.ends)
    return msgspec.structs.replace(route, ends=ends)
