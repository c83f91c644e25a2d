"""Platforms of the simulation: they keep their events until these are confirmed, like a server, and fail by a seeded plan. Their
clocks are right; what the bridge knows of them is what the answers tell it."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from adapters.common.platform_time import Attempts, PlatformTime
from bridge.model.adapter import Cursor, FileStream, Intake, Outbound, Receipt
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, ConnectionLost, FileRejected, OutcomeUnknown, Rejected, RetryLater, Scope
from bridge.model.events import Attachment, AttachmentKind, ChatEvent, EventMeta, MessageCreated, ReactionsChanged, ReplyTo
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import text_of
from tests.faults.life import Life
from tests.faults.settings import INFINITY_S
from tests.faults.virtual_time import START
from tests.support.scripted import PinningAdapter, ScriptedAdapter, ScriptedPlatform

WORD = re.compile(r"\b[a-z]+\.\d+\.\d+[;~]")
"""Every word of a message tells where it is from, which message it belongs to and its place in it; it ends in `~` once it was
edited, else in `;`. An edit keeps the length, since what no longer fits would come as a message behind what was said since."""


REFUSED_FOR_S = 600.0
"""So long a message is refused that is not wanted; a retry may come later."""
MISTRUST = timedelta(days=1)
"""By how much the clock of an earlier process may have been wrong when it recorded an attempt."""


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Probabilities per request, per batch of events, or (`account_down`, `disk_full`) per minute."""

    send_fails: float = 0.05
    send_unknown: float = 0.03
    """Each for a request that was not processed and for one that was."""
    send_limited: float = 0.03
    send_refused: float = 0.005
    connection_lost: float = 0.02
    redelivered: float = 0.1
    download_cut: float = 0.05
    account_down: float = 0.002
    disk_full: float = 0.005
    breaks: float = 0.01
    """An adapter has a bug, or the network is not there: per request, before or after it was processed, and per batch of events."""
    lane_breaks: float = 0.003
    """Per call of a lane to the journal: a bug of ours ends the lane."""
    file_gone: float = 0.1
    """Per file: it can never be fetched."""
    file_refused: float = 0.05
    """Per file and target: it is refused there."""
    creation_late: float = 0.02
    """Per message: the platform tells of it after what is said, and after its changes, for a while."""
    change_late: float = 0.1
    """Per change of a message: told after what else happens to it for a while, but for later ones of the same kind (by the same
    person, if it is a reaction), which adapters put into order."""
    late_answers: float = 0.2
    """Per transaction and reading: it is answered a while after it was carried out."""
    old_redelivered: float = 0.05
    """Per batch: some of what was confirmed long ago comes again."""


KIND = Faults(**{one.name: 0.0 for one in fields(Faults)})
BREAKS = (OSError, ConnectionResetError, TimeoutError, ValueError, KeyError, RuntimeError)


@dataclass(eq=False)
class Said:
    """What a person said, and what became of it since."""

    origin: str
    chat: str
    message_id: str
    words: tuple[str, ...]
    edited: bool = False
    deleted: bool = False
    reactions: dict[str, str] = field(default_factory=dict)
    """Who holds which emoji, one each; none is empty. The person who took it last comes last."""
    pinned: bool = False
    file: bytes | None = None
    more: bytes | None = None
    """A file that came with an edit."""
    attachments: tuple[Attachment, ...] = ()
    answers: Said | None = None
    late: bool = False
    """Whether the platform told of it late: it stands behind what was said since, and what was said of it meanwhile is unknown."""

    @property
    def more_name(self) -> str:
        return f"more{self.words[0].split('.')[1]}.png"

    @property
    def file_name(self) -> str:
        return f"file{self.words[0].split('.')[1]}.png"

    @property
    def text(self) -> str:
        return " ".join(word + ("~" if self.edited else ";") for word in self.words)


@dataclass
class SimulatedPlatform(ScriptedPlatform):
    upstream: deque[ChatEvent] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    rng: random.Random = field(default_factory=random.Random)
    plan: Faults = KIND
    said: list[Said] = field(default_factory=list)
    last_confirmed: list[ChatEvent] = field(default_factory=list)
    confirmed_events: list[ChatEvent] = field(default_factory=list)
    reacted: itertools.count[int] = field(default_factory=itertools.count)
    down_until_s: float = 0.0
    clock: Clock | None = None
    life: Life | None = None
    told: list[ChatEvent] = field(default_factory=list)
    """All that ever happened."""
    handed: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Per event key: from the first time that the bridge was given it until it was accepted."""

    held_back: int = 0
    late: dict[object, list[ChatEvent]] = field(default_factory=dict)
    """What is not told yet: changes of one kind of one message, in order."""

    def hear(self, *events: ChatEvent) -> None:
        self.told.extend(events)
        for event in events:
            kind = _kind(event)
            if kind in self.late:
                self.late[kind].append(event)
                self.held_back += 1
            elif self.rng.random() < (self.plan.creation_late if isinstance(event, MessageCreated) else self.plan.change_late):
                self.late[kind] = [event]
                self.held_back += 1
                asyncio.get_running_loop().call_later(self.rng.uniform(1, 60), self._tell_late, kind)
            else:
                self._tell([event])

    def _tell_late(self, kind: object) -> None:
        events = self.late.pop(kind)
        self.held_back -= len(events)
        self._tell(events)

    def _tell(self, events: Sequence[ChatEvent]) -> None:
        self.upstream.extend(events)
        self.arrived.set()

    def meta(self, key: str, chat: str, author: str = "Anna", *, thread: str | None = None) -> EventMeta:
        assert self.clock is not None
        return replace(super().meta(key, chat, author, thread=thread), received_at=self.clock.now())

    def build(self, context: AdapterContext) -> ScriptedAdapter:
        return (self.adapter or SimulatedAdapter)(self, context)

    # what people do

    def speak(self, number: int, chat: str, *, words: int = 1, file: bytes | None = None, answers: Said | None = None) -> Said:
        text = tuple(f"{self.name}.{number}.{place}" for place in range(words))
        content: dict[str, Any] = {}
        if file is not None:
            content["attachments"] = (self.picture(f"file{number}", file),)
        if answers is not None:
            content["reply_to"] = ReplyTo(message_id=answers.message_id)
        number += 1_000_000
        said = Said(origin=self.name, chat=chat, message_id=f"{self.name}-{number}", words=text, file=file, answers=answers)
        said.attachments = content.get("attachments", ())
        held_back = self.held_back
        self.say(said.text, chat=chat, number=number, **content)
        said.late = self.held_back > held_back
        self.said.append(said)
        return said

    def picture(self, name: str, content: bytes) -> Attachment:
        self.files[name] = content
        return Attachment(kind=AttachmentKind.PHOTO, file_id=name, name=f"{name}.png", size_bytes=len(content))

    def correct(self, said: Said) -> None:
        said.edited = True
        self.edit(said.message_id, said.text, chat=said.chat, attachments=said.attachments)

    def attach(self, said: Said, file: bytes) -> None:
        """An edit that adds a file."""
        said.edited, said.more = True, file
        said.attachments = (*said.attachments, self.picture(said.more_name.removesuffix(".png"), file))
        self.edit(said.message_id, said.text, chat=said.chat, attachments=said.attachments)

    def withdraw(self, said: Said) -> None:
        said.deleted = True
        self.delete(said.message_id, chat=said.chat)

    def react_to(self, said: Said, emoji: str, person: str = "Boris") -> None:
        """The person takes this emoji instead of the one before, or takes that one back."""
        before = said.reactions.pop(person, "")
        said.reactions[person] = emoji
        # somebody may come back to an emoji: that is another event than the first time
        meta = self.meta(f"reacted:{said.message_id}:{emoji}:{next(self.reacted)}", said.chat, person)
        added, removed = ((one,) if one else () for one in (emoji, before))
        self.hear(ReactionsChanged(meta=meta, message_id=said.message_id, added=added, removed=removed))

    def pin_or_unpin(self, said: Said) -> None:
        said.pinned = not said.pinned
        self.pin(said.message_id, said.pinned, chat=said.chat)


def _kind(event: ChatEvent) -> object:
    """What an adapter hands over in order."""
    message_id = getattr(event, "message_id", "")
    person = event.meta.author.user_id if isinstance(event, ReactionsChanged) and event.meta.author else ""
    return type(event), message_id, person


class SimulatedAdapter(PinningAdapter):
    platform: SimulatedPlatform

    def __init__(self, platform: SimulatedPlatform, context: AdapterContext) -> None:
        super().__init__(platform, context)
        assert platform.life is not None
        assert platform.clock is not None
        self.life = platform.life
        clock = platform.clock
        self.time = PlatformTime(local_s=lambda: clock.now().timestamp(), steady_s=clock.monotonic_s)
        self.attempts = Attempts(self.time)

    def _answers(self) -> None:
        """Every answer tells the platform's time."""
        self.time.learn_moment(START + timedelta(seconds=asyncio.get_running_loop().time()))

    def _break(self) -> None:
        if self.platform.rng.random() < self.platform.plan.breaks:
            raise self.platform.rng.choice(BREAKS)("broken")

    def _check_account(self) -> None:
        if asyncio.get_running_loop().time() < self.platform.down_until_s:
            raise AccountDown("the credential is refused", action="make a new one")

    async def run(self, intake: Intake) -> None:
        platform = self.platform
        await asyncio.sleep(platform.rng.uniform(0.01, 0.5))
        self._check_account()
        intake.connected()
        while True:
            if not platform.upstream:
                platform.arrived.clear()
                await platform.arrived.wait()
            await self.life.reach(f"{platform.name} hands over")
            if platform.rng.random() < platform.plan.connection_lost:
                raise ConnectionLost("the stream was cut")
            self._check_account()
            self._break()
            self._answers()
            batch = [platform.upstream[index] for index in range(min(len(platform.upstream), platform.rng.randint(1, 20)))]
            again = platform.last_confirmed if platform.rng.random() < platform.plan.redelivered else []
            if platform.rng.random() < platform.plan.old_redelivered:
                confirmed = platform.confirmed_events
                again = [*platform.rng.sample(confirmed, min(3, len(confirmed))), *again]
            self._hands_over(batch)
            await self.take(intake, [*again, *batch], batch)
            self._was_taken(batch)

    def _hands_over(self, batch: list[ChatEvent]) -> None:
        now_s = asyncio.get_running_loop().time()
        for event in batch:
            self.platform.handed.setdefault(event.meta.event_key, (now_s, INFINITY_S))

    def _was_taken(self, batch: list[ChatEvent]) -> None:
        now_s = asyncio.get_running_loop().time()
        for event in batch:
            since_s, until_s = self.platform.handed[event.meta.event_key]
            self.platform.handed[event.meta.event_key] = (since_s, min(now_s, until_s))

    async def take(self, intake: Intake, events: list[ChatEvent], batch: list[ChatEvent]) -> None:
        """Accept, then confirm upstream: never the other way round."""
        await intake.accept(events, cursors=[Cursor(name="at", value=batch[-1].meta.event_key)])
        await self.confirm(batch)

    async def confirm(self, batch: list[ChatEvent]) -> None:
        await self.life.reach(f"{self.platform.name} confirms {len(batch)}")
        for event in batch:
            if self.platform.upstream and self.platform.upstream[0] is event:
                self.platform.upstream.popleft()
        self.platform.last_confirmed = batch
        self.platform.confirmed_events += batch

    async def _meet_fault(self, post: Any) -> Any:
        platform, rng, plan = self.platform, self.platform.rng, self.platform.plan
        platform.sends += 1
        await asyncio.sleep(rng.uniform(0.01, 0.3))
        await self.life.reach(f"{platform.name} is asked")
        self._check_account()
        self._break()
        chance = rng.random()
        for probability, outcome in (
            (plan.send_fails, RetryLater("not now")),
            (
                plan.send_limited,
                RetryLater("too many", after_s=rng.uniform(1, 30), rate_limited=True, scope=rng.choice(list(Scope))),
            ),
            (plan.send_unknown, OutcomeUnknown("no answer")),
        ):
            if chance < probability:
                raise outcome
            chance -= probability
        result = post()
        await asyncio.sleep(rng.uniform(0.0, 0.05))
        await self.life.reach(f"{platform.name} answers")
        self._break()
        self._answers()
        if chance < plan.send_unknown:
            raise OutcomeUnknown("the answer was lost")
        return result

    async def send(self, outbound: Outbound) -> Receipt:
        text = text_of(outbound.text)
        plan, period = self.platform.plan, asyncio.get_running_loop().time() // REFUSED_FOR_S
        if random.Random(f"{self.platform.name} {text} {period}").random() < plan.send_refused:
            raise Rejected("not wanted here")
        refused = [
            place
            for place, file in enumerate(outbound.files)
            if random.Random(f"{self.platform.name} {file.attachment.file_id} refused").random() < plan.file_refused
        ]
        if refused:
            raise FileRejected("too large", indexes=tuple(refused) if len(text) % 2 else ())
        self.attempts.begin(outbound.token)
        return await super().send(outbound)

    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        """As the adapters look: back to the moment of the attempt, by the platform's clock."""
        await self.life.reach(f"{self.platform.name} is asked for what became of a message")
        self._break()
        self._answers()
        since = self.attempts.since(outbound.token, sent_after, margin=MISTRUST)
        found = await super().reconcile(outbound, sent_after)
        if found is None or since is None:
            return found
        post = self._find(outbound.chat_id, found.message_ids[0])
        return found if START + timedelta(seconds=post.at_s) >= since else None

    @asynccontextmanager
    async def open_file(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        platform = self.platform
        await self.life.reach(f"{platform.name} is asked for a file")
        self._break()
        if random.Random(f"{platform.name} {attachment.file_id}").random() < platform.plan.file_gone:
            raise Rejected("the file is no longer there")
        platform.fetched.append(attachment.file_id)
        content = platform.files[attachment.file_id]
        whole = platform.rng.random() >= platform.plan.download_cut
        shown = content if whole else content[: len(content) // 2]

        async def chunks() -> AsyncIterator[bytes]:
            for at in range(0, len(shown), 1000):
                await asyncio.sleep(0.001)
                yield shown[at : at + 1000]

        yield FileStream(chunks=chunks(), size_bytes=attachment.size_bytes)
