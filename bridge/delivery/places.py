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
from bridge.identity.names import clean_line, shorten
from bridge.journal.contract import Link, LinkStore, PartnerState, PartnerStore
from bridge.model.adapter import Copy, Reply
from bridge.model.capabilities import Feature, Support
from bridge.model.clock import Clock
from bridge.model.errors import ChatDown, OutcomeUnknown, Rejected, RetryLater
from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.outcomes import Loss
from bridge.model.refs import MessageRef, ThreadRef
from bridge.model.rich_text import text_of
from bridge.model.threads import NeedsThreads, OpensThreads, OutboundThread
from bridge.policy.echo import token_for
from bridge.policy.routing import RoutingTable, Threads
from bridge.render.rewriting import rewritten_reply

log = structlog.get_logger("outbox")

ASK_AFTER_S = 3.0
"""So long the platform has to finish, and to report, an attempt whose outcome is unknown."""
OTHERS_WAIT_FOR_S = 600.0
"""So long a message of an unknown thread waits for those that are being made in its chat: it may be one of them."""
_USED_EVERY = timedelta(days=1)
_TITLE_LENGTH = 100
_TOKEN_PART = 36**3 - 1
"""No message has so many parts."""
_TOKEN_NUMBERS = 36**8


_Message = TypeVar("_Message", MessageCreated, MessageEdited)


class PlaceStore(LinkStore, Protocol):
    @property
    def partners(self) -> PartnerStore: ...


class Places:
    """Stateless. `table`: the routes as they are now."""

    def __init__(
        self, journal: PlaceStore, renderer: MessageRenderer, table: Callable[[], RoutingTable], clock: Clock, *, journal_id: str
    ) -> None:
        self._journal = journal
        self._renderer = renderer
        self._table = table
        self._clock = clock
        self._journal_id = journal_id

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
            here = ThreadRef(event.meta.origin, event.meta.thread_id)
            await self._journal.partners.set_partner(here, run.target.chat, "", title=title_of(event), at=at)
        return Placed(None, losses=(Loss.OUTSIDE_THREAD,))

    async def reply(self, event: MessageCreated | MessageEdited, run: Execution) -> Reply | None:
        """What the message answers, as far as the thread that it stands in does not say so."""
        to, thread_id = event.content.reply_to, event.meta.thread_id
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
        adapter = self._run.target.adapter
        if not isinstance(adapter, OpensThreads) or (known is not None and known.state is PartnerState.REFUSED):
            return None
        begins_at = await self._beginning()
        if begins_at is not None and begins_at.thread_id is not None:
            is_end = self._places.is_end(begins_at.thread_id, self._run)
            return None if is_end else Placed(begins_at.thread_id, from_partner=True)
        if begins_at is None and not self._run.target.end.every_thread:
            return None
        call, chat_id = self._run.target.call, self._chat.chat_id
        if known is None and not await call(adapter.opens_thread(chat_id, begins_at)):
            return None
        await self._wait_for_others()
        return await self._make(adapter, begins_at)

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
        now, title = self._places.clock.now(), self._event.meta.thread_title
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
            found = ""
            if wanted.at != now:  # an earlier attempt may have made it, by a clock that was ahead perhaps
                found = await self._free(await call(adapter.find_thread(thread, min(wanted.at, now))))
            if not found and begins_at is None and by_name and self._event.meta.thread_title:
                found = await self._free(await call(adapter.find_thread(thread, None)))
            thread_id = found or await call(adapter.open_thread(thread))
        except (OutcomeUnknown, TimeoutError) as error:
            raise RetryLater(f"it is not known whether the thread was made: {error}", after_s=ASK_AFTER_S) from None
        except (Rejected, ChatDown) as error:
            if await self._places.needs_thread(run):
                raise  # the chat itself does not take the message either
            log.warning("no thread can be begun", target=str(run.pending.target), reason=error.reason)
            await self._partners.set_partner(self._here, self._chat, "", title=title, at=now)
            return Placed(None, losses=(Loss.NO_THREAD,))
        await self._partners.set_partner(self._here, self._chat, thread_id, title=title, at=now)
        return Placed(thread_id, from_partner=True)

    async def _free(self, found: str) -> str:
        """That thread, if it is nobody's partner yet and no end."""
        if not found or await self._partners.partners(ThreadRef(self._chat, found)):
            return ""
        return "" if self._places.is_end(found, self._run) else found


def title_of(event: MessageCreated, *, said: str = "") -> str:
    """One line, never empty."""
    words = clean_line(event.meta.thread_title) or clean_line(said)
    return shorten(words, _TITLE_LENGTH) or "…"


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
