"""In which thread of the target a message belongs, and what of its reply is then still to be said. Threads that are needed are
made, once: what is wanted is on disk before an attempt to make it, and after an unknown outcome it is looked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b
from typing import Protocol, TypeVar

import msgspec
import structlog

from bridge.delivery.copies import copy_here
from bridge.delivery.execution import Execution
from bridge.delivery.rendering import MessageRenderer
from bridge.delivery.state import Placed
from bridge.delivery.thread_retries import ThreadRetries
from bridge.identity.names import title_line
from bridge.journal.contract import Link, LinkStore, Made, Partner, PartnerState, PartnerStore
from bridge.model.adapter import Copy, Reply
from bridge.model.capabilities import Feature, Support
from bridge.model.clock import Clock
from bridge.model.errors import ChatDown, OutcomeUnknown, Rejected, RetryLater
from bridge.model.events import MessageCreated, MessageEdited, ReplyTo, ThreadEvent
from bridge.model.outcomes import Loss
from bridge.model.refs import MessageRef, ThreadRef
from bridge.model.rich_text import concat, text_of
from bridge.model.threads import NeedsThreads, OpensThreads, OutboundThread
from bridge.policy.echo import token_for
from bridge.policy.routing import RoutingTable, Threads
from bridge.render.notices import topic_line
from bridge.render.rewriting import rewritten_reply

log = structlog.get_logger("outbox")

ASK_AFTER_S = 3.0
"""So long the platform has to finish, and to report, an attempt whose outcome is unknown."""
OTHERS_WAIT_FOR_S = 600.0
"""So long a message of an unknown thread waits for those that are being made in its chat: it may be one of them."""
NO_TITLE = "…"
_USED_EVERY = timedelta(days=1)
_TOKEN_PART = 36**3 - 1
"""No message has so many parts."""
_TOKEN_NUMBERS = 36**8


_Message = TypeVar("_Message", MessageCreated, MessageEdited)


class PlaceStore(LinkStore, Protocol):
    @property
    def partners(self) -> PartnerStore: ...


class Places:
    """`table`: the routes as they are now. Nothing is remembered but which threads could not be made."""

    def __init__(
        self, journal: PlaceStore, renderer: MessageRenderer, table: Callable[[], RoutingTable], clock: Clock, *, journal_id: str
    ) -> None:
        self._journal = journal
        self._renderer = renderer
        self._table = table
        self._clock = clock
        self._journal_id = journal_id
        self.retries = ThreadRetries(clock, table)

    async def of(self, event: MessageCreated, run: Execution) -> Placed | None:
        """Where the message goes; None: where the end says. Raises what the adapter raises."""
        if run.target.end.thread_id is not None or run.target.options.threads is not Threads.NATIVE:
            return None
        if run.delivery.placed is not None:
            return run.delivery.placed
        if run.delivery.parts:
            return _begun(run)
        thread_id = event.meta.thread_id
        if thread_id is None:
            return await self._of_answered(event, run) or await self._of_main(event, run)
        if self._table().names_thread(run.pending.route, event.meta.origin, thread_id):
            return None
        return await self._conversation(event, run).find()

    async def without_thread(self, event: MessageCreated, run: Execution) -> Placed:
        """The thread that the message was sent into is gone or closed: from now on the chat itself has the conversation, or where
        that takes no messages another thread. Raises what the adapter raises."""
        at, gone = self._clock.now(), run.delivery.placed
        if gone is not None and gone.thread_id and await self.needs_thread(run):
            return await self._conversation(event, run).instead_of(gone.thread_id)
        if event.meta.thread_id is not None:
            here, store = ThreadRef(event.meta.origin, event.meta.thread_id), self._journal.partners
            known = await store.partner(here, run.target.chat)
            thread_id = known.thread_id if known is not None else ""
            if known is None or not known.is_closed:  # a closed one is expected to be opened again
                title = known.title if known is not None else title_of(event)
                await store.set_partner(here, run.target.chat, thread_id, title=title, at=at, state=PartnerState.ENDED)
        return Placed(None, losses=(Loss.OUTSIDE_THREAD,))

    async def partners_of(self, event: ThreadEvent, run: Execution) -> tuple[Partner, Partner] | None:
        """The thread that the event is of, and its partner in the target; None: there is none."""
        meta, target = event.meta, run.target
        if target.end.thread_id is not None or target.options.threads is not Threads.NATIVE:
            return None
        if meta.thread_id is not None and self._table().names_thread(run.pending.route, meta.origin, meta.thread_id):
            return None
        known = await self._journal.partners.partners(ThreadRef(meta.origin, meta.thread_id or ""))
        found = {one.chat: one for one in known}
        here, there = found.get(meta.origin), found.get(target.chat)
        if here is None or there is None or here is there or there.state not in (PartnerState.OPEN, PartnerState.ENDED):
            return None
        return here, there

    async def with_title(self, event: _Message, event_seq: int, run: Execution, thread_id: str | None = None) -> _Message:
        """With the title of its thread above its words, if nothing else in the target says it and this is the message that does.
        `event_seq`: of the message as it was accepted; `thread_id`: its thread, if the event does not tell."""
        thread_id, placed = event.meta.thread_id or thread_id, run.delivery.placed
        in_thread = placed is not None and placed.thread_id is not None
        if thread_id is None or (in_thread and run.target.capabilities.native(Feature.THREAD_TITLE)):
            return event
        known = await self._journal.partners.partner(ThreadRef(event.meta.origin, thread_id), run.target.chat)
        if known is None or known.titled_by != event_seq or known.title == NO_TITLE:
            return event
        content = msgspec.structs.replace(event.content, text=concat(topic_line(known.title), event.content.text))
        return msgspec.structs.replace(event, content=content)

    async def reply(self, event: MessageCreated | MessageEdited, run: Execution) -> Reply | None:
        """What the message answers, as far as the thread that it stands in does not say so."""
        thread_id = event.meta.thread_id
        to = event.content.reply_to or await self._beginning(event, run)
        reply = await self._renderer.reply(to, event.meta.origin, run)
        placed = run.delivery.placed
        if to is None or reply is None:
            return reply
        in_thread = thread_id is not None and not self._table().names_thread(run.pending.route, event.meta.origin, thread_id)
        if in_thread and run.target.options.threads is Threads.QUOTE:
            return _as_quote(reply)
        if placed is None or not placed.from_partner:
            return reply
        crosses = reply.thread_id != placed.thread_id
        points = run.target.capabilities.level(Feature.REPLY) is Support.FULL
        return _as_quote(reply) if crosses and points else reply

    async def _beginning(self, event: MessageCreated | MessageEdited, run: Execution) -> ReplyTo | None:
        """What the message's thread began with, if it stands in no thread of the target and nothing else says what it belongs to.
        Most platforms name a thread by the message that it began with."""
        thread_id, placed = event.meta.thread_id, run.delivery.placed
        if thread_id is None or thread_id == event.message_id or (placed is not None and placed.thread_id is not None):
            return None
        if run.target.end.thread_id is not None or self._table().names_thread(run.pending.route, event.meta.origin, thread_id):
            return None
        known = copy_here(await self.link(MessageRef(event.meta.origin, thread_id), run), run.target)
        return ReplyTo(message_id=thread_id) if known is not None else None

    def said_by_place(self, event: _Message, run: Execution) -> _Message:
        """Without the reply to what its thread began with, if it stands in that thread. Where answers are no pointers the adapter
        knows so itself."""
        to, thread_id, placed = event.content.reply_to, event.meta.thread_id, run.delivery.placed
        if to is None or to.message_id != thread_id or placed is None or not placed.from_partner or placed.thread_id is None:
            return event
        if run.target.capabilities.level(Feature.REPLY) is not Support.FULL:
            return event
        return msgspec.structs.replace(event, content=msgspec.structs.replace(event.content, reply_to=None))

    async def _of_answered(self, event: MessageCreated, run: Execution) -> Placed | None:
        """A message of no thread that answers one which stands in a thread of the target."""
        to = event.content.reply_to
        if to is None or not to.message_id or to.chat_id or not isinstance(run.target.adapter, OpensThreads):
            return None
        copy = copy_here(await self.link(MessageRef(event.meta.origin, to.message_id), run), run.target)
        if copy is None or copy.thread_id is None or copy.chat_id != run.target.chat.chat_id:
            return None
        return None if self.is_end(copy.thread_id, run) else Placed(copy.thread_id, from_partner=True)

    async def _of_main(self, event: MessageCreated, run: Execution) -> Placed | None:
        """What the origin's chat itself says has a thread too, where the target has nothing else."""
        return await self._conversation(event, run).find() if await self.needs_thread(run) else None

    def _conversation(self, event: MessageCreated, run: Execution) -> _Partnership:
        """The origin's thread, or its chat itself, which has no thread."""
        if event.meta.thread_id is not None:
            return _Partnership(ThreadRef(event.meta.origin, event.meta.thread_id), event, run, self)
        title = self._renderer.origin_of(event.meta.origin).chat_name
        named = msgspec.structs.replace(event, meta=msgspec.structs.replace(event.meta, thread_title=title))
        return _Partnership(ThreadRef(event.meta.origin, ""), named, run, self)

    async def needs_thread(self, run: Execution) -> bool:
        """Whether the target takes nothing but in threads, and the bridge may make them."""
        adapter = run.target.adapter
        if not run.target.end.every_thread or not isinstance(adapter, NeedsThreads):
            return False
        return await run.target.call(adapter.needs_thread(run.target.chat.chat_id))

    def is_end(self, thread_id: str, run: Execution) -> bool:
        """Whether a route names that thread of the target."""
        return self._table().has_end(run.pending.target, thread_id)

    async def link(self, message: MessageRef, run: Execution) -> Link | None:
        return await self._journal.link(message, run.pending.target, run.pending.thread_id)

    @property
    def partners(self) -> PartnerStore:
        return self._journal.partners

    @property
    def clock(self) -> Clock:
        return self._clock

    async def title(self, event: MessageCreated, run: Execution) -> str:
        """The thread's own name, else the words that it began with or, where those are not told, its first words known here; all
        as the target may show them."""
        reply = await self._renderer.reply(event.content.reply_to, event.meta.origin, run)
        shown = rewritten_reply(reply, run.target.end.rewrites)
        said = shown.excerpt if shown is not None else ""
        return title_of(event, said=said or text_of(self._renderer.rewritten_content(event, run.target).text))

    def token(self, here: ThreadRef, run: Execution) -> str:
        """The same for the same thread in the same chat, for ever."""
        digest = blake2b(f"{here}\n{run.target.chat}".encode(), digest_size=8).digest()
        return token_for(int.from_bytes(digest, "big") % _TOKEN_NUMBERS, _TOKEN_PART, self._journal_id)


class _Partnership:
    """A thread of the origin, and its partner in one target."""

    def __init__(self, here: ThreadRef, event: MessageCreated, run: Execution, places: Places) -> None:
        self._here = here
        self._event = event
        self._run = run
        self._places = places
        self._partners = places.partners
        self._chat = run.target.chat

    async def find(self) -> Placed | None:
        known = await self._partners.partner(self._here, self._chat)
        if known is not None and known.state is PartnerState.OPEN:
            now = self._places.clock.now()
            if now - known.at > _USED_EVERY:
                await self._partners.use_partner(self._here, self._chat, at=now)
            return Placed(known.thread_id or None, from_partner=True)
        adapter, state = self._run.target.adapter, None if known is None else known.state
        if state is PartnerState.ENDED or (
            state is PartnerState.REFUSED and not self._places.retries.is_due(self._here, self._run.pending.target)
        ):
            return None
        if not isinstance(adapter, OpensThreads):
            if self._run.target.end.every_thread:
                await self._without_thread(None)
            return None
        begins_at = await self._beginning()
        if begins_at is not None and begins_at.thread_id is not None:
            is_end = self._places.is_end(begins_at.thread_id, self._run)
            return None if is_end else Placed(begins_at.thread_id, from_partner=True)
        if begins_at is None and not self._run.target.end.every_thread:
            return None
        call, chat_id = self._run.target.call, self._chat.chat_id
        if state is not PartnerState.WANTED and not await call(adapter.opens_thread(chat_id, begins_at)):
            await self._without_thread(begins_at)
            return None
        await self._wait_for_others()
        return await self._make(adapter, begins_at)

    async def _without_thread(self, begins_at: Copy | None) -> None:
        """The chat has no such threads: the message says the title, once for the thread."""
        if (seq := await self._titled_by(begins_at)) is not None:
            await self._refused(title_line(self._event.meta.thread_title), seq)

    async def _titled_by(self, begins_at: Copy | None) -> int | None:
        """The event that is to say the title, this one, unless there is no title or other words say it."""
        event, to = self._event, self._event.content.reply_to
        title, thread_id = title_line(event.meta.thread_title), self._here.thread_id
        if not title or not thread_id or self._run.target.capabilities.takes_data:
            return None
        if begins_at is None and to is not None and to.message_id == thread_id and title_line(to.excerpt) == title:
            return None  # each message quotes it
        first = await self._places.link(MessageRef(self._here.chat, thread_id), self._run)
        if event.message_id == thread_id or (first is not None and first.original_thread == thread_id):
            return None  # a post begins with it
        return self._run.pending.event_seq

    async def _refused(self, title: str, titled_by: int | None) -> None:
        now = self._places.clock.now()
        await self._partners.set_partner(self._here, self._chat, "", title=title, at=now, titled_by=titled_by)
        self._places.retries.failed(self._here, self._run.pending.target)

    async def instead_of(self, gone: str) -> Placed:
        """The thread to go on in once that one takes no messages any more: another that is there already, else a new one."""
        await self._partners.forget_thread(ThreadRef(self._chat, gone))
        known = await self._partners.partner(self._here, self._chat)
        if known is not None and known.state is PartnerState.OPEN:
            return Placed(known.thread_id, from_partner=True)
        adapter = self._run.target.adapter
        assert isinstance(adapter, OpensThreads)  # what needs threads makes them
        return replace(await self._make(adapter, None, by_name=False), is_instead=True)

    async def _beginning(self) -> Copy | None:
        """The message in the target that the origin's thread began with."""
        known = await self._partners.partners(self._here)
        threads = [self._here, *(ThreadRef(one.chat, one.thread_id) for one in known)]
        for thread in (
            threads if self._here.thread_id else ()
        ):  # where a thread has the id of its first message, that leads to all of its copies
            copy = copy_here(await self._places.link(MessageRef(thread.chat, thread.thread_id or ""), self._run), self._run.target)
            if copy is not None and copy.chat_id == self._chat.chat_id:
                return copy
        return None

    async def _wait_for_others(self) -> None:
        """The origin's thread may be one that the bridge itself is making there, and does not know yet."""
        now, title = self._places.clock.now(), title_line(self._event.meta.thread_title)
        for one in await self._partners.wanted_in(self._here.chat):
            age_s = (now - one.at).total_seconds()
            if abs(age_s) < OTHERS_WAIT_FOR_S and (not title or one.title == title):
                raise RetryLater("a thread of that chat is being made, and may be this one", after_s=ASK_AFTER_S)

    async def _make(self, adapter: OpensThreads, begins_at: Copy | None, *, by_name: bool = True) -> Placed:
        """`by_name`: one that has the name and belongs to nobody is as good as a new one."""
        run, call, now = self._run, self._run.target.call, self._places.clock.now()
        title = await self._places.title(self._event, run)
        wanted = await self._partners.want_partner(self._here, self._chat, title=title, at=now)
        if wanted.state is PartnerState.OPEN:
            return Placed(wanted.thread_id, from_partner=True)
        thread = OutboundThread(
            token=self._places.token(self._here, run), chat_id=self._chat.chat_id, title=wanted.title, begins_at=begins_at
        )
        try:
            found, made = "", Made.ALONE if begins_at is None else Made.BRIDGE
            if wanted.at != now:  # an earlier attempt may have made it, by a clock that was ahead perhaps
                found = await self._free(await call(adapter.find_thread(thread, min(wanted.at, now))))
            if not found and begins_at is None and by_name and self._event.meta.thread_title:
                found = await self._free(await call(adapter.find_thread(thread, None)))
                made = Made.THERE if found else made
            thread_id = found or await call(adapter.open_thread(thread))
        except (OutcomeUnknown, TimeoutError) as error:
            raise RetryLater(f"it is not known whether the thread was made: {error}", after_s=ASK_AFTER_S) from None
        except (Rejected, ChatDown) as error:
            if await self._places.needs_thread(run):
                raise  # the chat itself does not take the message either
            log.warning("no thread can be begun", target=str(run.pending.target), reason=error.reason)
            await self._refused(title, await self._titled_by(begins_at))
            return Placed(None, losses=(Loss.NO_THREAD,))
        is_named = begins_at is None or run.target.capabilities.native(Feature.THREAD_TITLE)
        titled_by = None if is_named else await self._titled_by(begins_at)
        await self._partners.set_partner(self._here, self._chat, thread_id, title=title, at=now, made=made, titled_by=titled_by)
        self._places.retries.made(self._here, run.pending.target)
        return Placed(thread_id, from_partner=True)

    async def _free(self, found: str) -> str:
        """That thread, if it is nobody's partner yet and no end."""
        if not found or await self._partners.partners(ThreadRef(self._chat, found)):
            return ""
        return "" if self._places.is_end(found, self._run) else found


def title_of(event: MessageCreated, *, said: str = "") -> str:
    """One line, never empty."""
    return title_line(event.meta.thread_title) or title_line(said) or NO_TITLE


def stay_with(copy: Copy, run: Execution) -> None:
    """What is posted further for a change of that copy goes where the copy is."""
    is_here = copy.chat_id == run.target.chat.chat_id
    if is_here and run.target.end.thread_id is None and copy.thread_id and isinstance(run.target.adapter, OpensThreads):
        run.delivery.placed = Placed(copy.thread_id, from_partner=True)


def _begun(run: Execution) -> Placed | None:
    """It was begun: the rest follows the first part."""
    stay_with(run.delivery.parts[0].copy, run)
    return run.delivery.placed


def _as_quote(reply: Reply) -> Reply:
    return msgspec.structs.replace(reply, message_id="", thread_id=None)
