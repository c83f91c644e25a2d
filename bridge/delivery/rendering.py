"""How a delivery looks at its target: calls `bridge.render` with the current people, names and reply targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import msgspec

from bridge.delivery.age import late_line
from bridge.delivery.copies import copy_here, copy_nearby, first_id
from bridge.delivery.execution import Execution
from bridge.delivery.message_links import MessageLinks
from bridge.delivery.name_marks import NameMarks
from bridge.delivery.target import ResolvedTarget
from bridge.files.faces import Faces
from bridge.files.links import FileLinks
from bridge.identity.names import Names
from bridge.identity.people import People
from bridge.identity.standing import SOMEBODY, Standing
from bridge.journal.contract import AuthorName, Link, LinkStore
from bridge.model.adapter import Reply
from bridge.model.capabilities import Feature
from bridge.model.events import (
    Attachment,
    Author,
    Content,
    EventMeta,
    MessageCreated,
    MessageEdited,
    ReplyTo,
)
from bridge.model.outcomes import LossNote
from bridge.model.pauses import beside, beside_if
from bridge.model.refs import AccountName, ChatRef, MessageRef
from bridge.model.rich_text import EMPTY, RichText, is_long, stack, text_of
from bridge.render.degrade import degrade
from bridge.render.extras import Existing
from bridge.render.fetched import is_offered
from bridge.render.long_text import is_whole_text, with_whole_text
from bridge.render.message import FetchResult, Part, Rendered, TextParts, render, render_lines
from bridge.render.notice_message import notice_text, render_notice
from bridge.render.notices import News
from bridge.render.origin import Origin
from bridge.render.rewriting import rewritten_content, rewritten_reply

_Message = TypeVar("_Message", MessageCreated, MessageEdited)


class MessageRenderer:
    """It has no state of its own. `origin_of` gives the names of an event's origin. Without `file_links` no file is shown as a
    link."""

    def __init__(
        self,
        *,
        journal: LinkStore,
        people: Callable[[], People],
        names: Callable[[], Names],
        origin_of: Callable[[ChatRef], Origin],
        now: Callable[[], datetime],
        marks: NameMarks,
        file_links: FileLinks | None = None,
        message_links: MessageLinks | None = None,
        faces: Faces | None = None,
    ) -> None:
        self._journal = journal
        self._file_links = file_links
        self._message_links = message_links
        self._faces = faces
        self._people = people
        self._names = names
        self.origin_of = origin_of
        self._now = now
        self.marks = marks

    @property
    def standing(self) -> Standing:
        """Who is not relayed now."""
        return self._names().standing

    async def render(
        self,
        event: MessageCreated | MessageEdited,
        target: ResolvedTarget,
        fetched: Sequence[FetchResult],
        reply: Reply | None,
        existing: Sequence[Existing] | None = None,
        notes: Sequence[RichText] = (),
    ) -> Rendered:
        event = await self.followed(event, target)
        made = partial(self._render, event, target, fetched, reply, existing, notes)
        return await beside_if(is_long(event.content.text), made)

    async def followed(self, event: MessageCreated | MessageEdited, target: ResolvedTarget) -> MessageCreated | MessageEdited:
        """The message as it is before rendering, for `text_parts`: its links to other messages lead to their copies in the target,
        and its author has a picture that the target can show."""
        author = event.meta.author
        if self._faces is not None and author is not None and target.capabilities.native(Feature.SENDER_AVATAR):
            pictured = msgspec.structs.replace(author, avatar_url=await self._faces.url(event.meta.origin.account, author))
            event = msgspec.structs.replace(event, meta=msgspec.structs.replace(event.meta, author=pictured))
        return event if self._message_links is None else await self._message_links.followed(event, target)

    def _render(
        self,
        event: MessageCreated | MessageEdited,
        target: ResolvedTarget,
        fetched: Sequence[FetchResult],
        reply: Reply | None,
        existing: Sequence[Existing] | None,
        notes: Sequence[RichText],
    ) -> Rendered:
        event, losses = _rewritten(event, target)
        made = render(
            event,
            origin=self.origin_of(event.meta.origin),
            target=target.rendering,
            fetched=self._with_links(event, target, fetched),
            reply=rewritten_reply(reply, target.end.rewrites),
            people=self._people(),
            names=self.marks.names(event, target),
            existing=existing,
            notes=[*notes, late_line(event, target.options, self._now())],
        )
        return dataclasses.replace(made, losses=(*made.losses, *losses)) if losses else made

    def rewritten_content(self, event: MessageCreated | MessageEdited, target: ResolvedTarget) -> Content:
        """The message's content with the replacements of the target."""
        return rewritten_content(event.content, target.end.rewrites)[0]

    def text_parts(
        self, event: MessageCreated | MessageEdited, target: ResolvedTarget, fetched: Sequence[FetchResult] = ()
    ) -> TextParts:
        """A text message in the pieces that merged messages are put together from."""
        event, losses = _rewritten(event, target)
        made = render_lines(
            event,
            origin=self.origin_of(event.meta.origin),
            target=target.rendering,
            people=self._people(),
            names=self.marks.names(event, target),
            fetched=self._with_links(event, target, fetched),
        )
        late = late_line(event, target.options, self._now()) if event.content.text else EMPTY
        body = stack(made.body, degrade(late, target.capabilities, {})) if late else made.body
        return dataclasses.replace(made, losses=(*made.losses, *losses), body=body) if losses or late else made

    def links_of(self, event: MessageCreated | MessageEdited) -> Callable[[Attachment], str]:
        """Gives links to files of that message, empty ones if there are none."""
        message, links = MessageRef(event.meta.origin, event.message_id), self._file_links
        return lambda attachment: "" if links is None or is_whole_text(attachment) else links.url(message, attachment)

    def _with_links(
        self, event: MessageCreated | MessageEdited, target: ResolvedTarget, fetched: Sequence[FetchResult]
    ) -> Sequence[FetchResult]:
        """With links to those that only the target does not take."""
        if self._file_links is None or not any(is_offered(one, target.rendering) for one in fetched):
            return fetched
        link = self.links_of(event)
        return [dataclasses.replace(one, url=link(one.attachment)) if is_offered(one, target.rendering) else one for one in fetched]

    def tail(self, event: MessageCreated | MessageEdited, target: ResolvedTarget) -> RichText:
        """The line above what follows the message's first part."""
        return self.text_parts(msgspec.structs.replace(event, content=Content()), target).tail

    def notice(self, event: News, target: ResolvedTarget) -> Sequence[Part]:
        """A line of the bridge's own."""
        text = notice_text(event, origin=self.origin_of(event.meta.origin), names=self._names())
        return render_notice(text, target=target.rendering).parts

    async def with_whole_text(self, event: _Message, target: ResolvedTarget) -> _Message:
        """The event with a file more, which holds its whole text: for targets that show only the beginning."""

        def made() -> Content:
            whole = with_whole_text(self.rewritten_content(event, target), event.meta, self.author_name(event.meta))
            return msgspec.structs.replace(event.content, attachments=whole.attachments)

        return msgspec.structs.replace(event, content=await beside(made))

    def author_name(self, meta: EventMeta) -> str:
        return self._names().plain_name(meta.origin.account, meta.author) if meta.author else ""

    def name_of(self, account: AccountName, person: Author) -> str:
        """The name that a person is shown under beside a message; empty for one who wants to be named nowhere."""
        names = self._names()
        return "" if names.standing.hides(account, person) else names.plain_name(account, person)

    async def reply(self, to: ReplyTo | None, origin: ChatRef, run: Execution) -> Reply | None:
        """What the message replies to, as far as the target has it or the journal knows it."""
        if to is None:
            return None
        chat = ChatRef(origin.account, to.chat_id) if to.chat_id else origin
        end = (run.pending.target, run.pending.thread_id)
        link = await self._journal.link(MessageRef(chat, to.message_id), *end) if to.message_id else None
        copy = copy_here(link, run.target) or copy_nearby(link)
        if copy is not None and copy.chat_id != run.target.chat.chat_id:
            copy = None  # the chat has a new id since, where that number may be another message's
        author = link.author_name if link else ""
        writer = author.user_id if isinstance(author, AuthorName) and link is not None else ""
        hides = self._names().hides
        if hides(origin.account, to.author_id) or (link is not None and hides(link.original.chat.account, writer)):
            return Reply(
                message_id=first_id(copy),
                thread_id=copy.thread_id if copy else None,
                author_name=SOMEBODY,
                excerpt="…",
            )
        # for a copy the origin knows only that the bridge sent it, and its text may begin with the author's name
        said_name = (link.author_name if link else "") or to.author_name
        is_copy = link is not None and not link.is_original
        return Reply(
            message_id=first_id(copy),
            thread_id=copy.thread_id if copy else None,
            author_name=self._answered(link, said_name) if link and link.author_name else "",
            excerpt=await self._excerpt(
                to.excerpt.removeprefix(said_name).lstrip() if is_copy else to.excerpt,
                link.original if link is not None else MessageRef(chat, to.message_id),
            ),
        )

    async def _excerpt(self, excerpt: str, of: MessageRef) -> str:
        """The words that are answered, unless their author took them back since."""
        original = await self._journal.original(of) if excerpt and of.message_id else None
        if original is None:
            return excerpt
        if original.is_deleted:
            return "…"
        said = text_of(original.edit.content.text) if original.edit is not None else excerpt
        return excerpt if excerpt in said else said

    def _answered(self, link: Link, name: str) -> str:
        """As the bridge shows the author of an original."""
        who = name if isinstance(name, AuthorName) else AuthorName(name)
        return self._names().distinct_name(link.original.chat.account, who, user_id=who.user_id, username=who.username)


def _rewritten(
    event: MessageCreated | MessageEdited, target: ResolvedTarget
) -> tuple[MessageCreated | MessageEdited, tuple[LossNote, ...]]:
    content, losses = rewritten_content(event.content, target.end.rewrites)
    return msgspec.structs.replace(event, content=content), losses
