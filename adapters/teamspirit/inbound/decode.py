"""Native messages and events to ours, by the dialect's fields. Pure: value in, value out.

`Decoder.event` reads a call of the server to us, `Decoder.message` an item of the history; both give the same events for the same
message, with the same keys, so that whichever comes second is recognised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from functools import cached_property, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec

from adapters.teamspirit.capabilities import variables_of
from adapters.teamspirit.dialect.query import find, find_text
from adapters.teamspirit.emoji_names import from_name
from adapters.teamspirit.inbound.decode_cards import cards_text, is_link
from adapters.teamspirit.inbound.decode_parts import file_count, list_of, time_of, truth_of, words_of
from adapters.teamspirit.inbound.decode_text import decode_text, is_long_source
from adapters.teamspirit.web_links import web_url
from bridge.model.events import (
    Author,
    ChatEvent,
    ChatRenamed,
    Content,
    EventMeta,
    Ignored,
    MembershipChanged,
    MembershipKind,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    ReactionsChanged,
    ReplyTo,
    Status,
    StatusChanged,
    TypingStarted,
)
from bridge.model.pauses import beside
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import Quote, RichText, concat, normalize, plain, text_of

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import Dialect, EventKind, Fields

_LONGEST_MARKUP = 20_000
"""Longer texts are taken as plain: reading markup takes time that grows with the text."""
_LONGEST_QUOTE = 500
_MOST_QUOTES = 10
_PLAIN_FORMATS = ("plain", "text", "text/plain")


class Undecodable(ValueError):
    """The payload is not what the dialect says it is."""


class NativeMessage(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A message as the server has it now."""

    message_id: str
    chat_id: str
    author: Author
    content: Content
    sent_at: datetime | None
    """None: the server did not tell, or not so that it can be read."""
    thread_id: str | None = None
    client_id: str = ""
    edited_at: datetime | None = None
    updated_at: datetime | None = None
    deleted: bool = False
    system: bool = False
    files_known: bool = True
    """Whether the server told which files the message has. A list that is missing is not an empty one."""
    has_cards: bool = False
    """Whether it has what apps post. Servers count its changes as no edit of the message."""

    @cached_property
    def version(self) -> str:
        """Differs whenever the message was edited: also within the same second, where a server's times are no finer than that."""
        parts = (
            msgspec.json.encode(self.content.text),
            *(file.file_id.encode("utf-8", "surrogatepass") for file in self.content.attachments),
        )
        words = hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
        return words if self.edited_at is None else f"{_ms(self.edited_at)}-{words}"

    @property
    def edition(self) -> str:
        """The same for the key of an edit: also differs from an earlier edition with the same words."""
        changed_at = self.updated_at or self.edited_at
        return self.version if changed_at is None or self.edited_at == changed_at else f"{_ms(changed_at)}-{self.version}"


class Decoder:
    """For one account. `is_own` tells whether a user id, or a message (chat, id), is ours; `chat_id` maps a chat's native id and
    name to the id we use; `learn` is told each message's thread, where the dialect says in which one a message is."""

    def __init__(
        self,
        dialect: Dialect,
        account: AccountName,
        *,
        is_own: Callable[[str, str, str], bool],
        chat_id: Callable[[str, str], str],
        learn: Callable[[str, str | None, bool], None] | None = None,
        server: str = "",
    ) -> None:
        """`server`: its address, where links to a path lead."""
        self.dialect = dialect
        self._server = server
        self._account = account
        self._is_own = is_own
        self._chat_id = chat_id
        self._learn = learn
        operations = dialect.operations
        self._marks_alone = operations.me is None and "message.client_id" in variables_of(
            operations.send or operations.webhook_send
        )
        inbound = dialect.inbound
        self._event_fields = (
            {kind: _merged(inbound.fields, entry.fields) for kind, entry in inbound.events.items()} if inbound else {}
        )

    # -- messages -----------------------------------------------------------------------------------------------------------

    def message(self, item: Any, chat_id: str) -> NativeMessage:
        """An item of a chat's history. Raises Undecodable."""
        return self._message(item, self.dialect.message_fields, chat_id, fallback=None)

    def created(self, message: NativeMessage, received_at: datetime) -> MessageCreated:
        key = f"created:{self._account}:{message.chat_id}:{message.message_id}"
        meta = self._meta_of(message, key, message.sent_at or received_at, received_at)
        return MessageCreated(meta=meta, message_id=message.message_id, content=message.content)

    def edited(self, message: NativeMessage, received_at: datetime) -> MessageEdited:
        key = f"edited:{self._account}:{message.chat_id}:{message.message_id}:{message.edition}"
        changed_at = message.edited_at or (message.updated_at if message.has_cards else None)
        meta = self._meta_of(message, key, changed_at or received_at, received_at)
        return MessageEdited(
            meta=meta, message_id=message.message_id, content=message.content, attachments_known=message.files_known
        )

    def deleted(self, chat_id: str, message_id: str, received_at: datetime, author: Author | None = None) -> MessageDeleted:
        key = f"deleted:{self._account}:{chat_id}:{message_id}"
        origin = ChatRef(self._account, chat_id)
        meta = EventMeta(event_key=key, origin=origin, occurred_at=received_at, received_at=received_at, author=author)
        return MessageDeleted(meta=meta, message_id=message_id)

    # -- long texts, beforehand ---------------------------------------------------------------------------------------------

    async def read_ahead(self, item: Any) -> None:
        """Decode the text of a history's item beside the loop, if it is long: what reads the item next finds it done."""
        await self._read_ahead(item, self.dialect.message_fields)

    async def read_call_ahead(self, payload: Any) -> None:
        """The same for a call of the server."""
        if kind := self._kind_of(payload):
            await self._read_ahead(payload, self._event_fields[kind])

    async def _read_ahead(self, item: Any, fields: Fields) -> None:
        if is_long_source(words_of(find(fields.text, item))):
            await beside(partial(self._text, item, fields, find(fields.cards, item), bare=False))

    def chat_of_call(self, payload: Any) -> str:
        """The chat that a call is about; empty if it does not say."""
        try:
            kind = self._kind_of(payload)
            return self._chat_of(payload, self._event_fields[kind]) if kind is not None else ""
        except (Undecodable, RecursionError):
            return ""

    # -- events -------------------------------------------------------------------------------------------------------------

    def event(self, payload: Any, received_at: datetime) -> ChatEvent | Ignored:
        """What a call of the server tells. Raises Undecodable."""
        kind = self._kind_of(payload)
        if kind is None:
            raise Undecodable("no event of the dialect has this form")
        return self._event(kind, payload, self._event_fields[kind], received_at)

    def _kind_of(self, payload: Any) -> EventKind | None:
        inbound = self.dialect.inbound
        assert inbound is not None, "the dialect has no inbound calls"
        return next((kind for kind, entry in inbound.events.items() if find(entry.when, payload)), None)

    def native_message(self, payload: Any, kind: EventKind) -> NativeMessage:
        """The message within an event. Raises Undecodable."""
        fields = self._event_fields[kind]
        return self._message(payload, fields, self._chat_of(payload, fields), fallback=time_of(find(fields.time, payload)))

    def _event(self, kind: EventKind, payload: Any, fields: Fields, received_at: datetime) -> ChatEvent | Ignored:
        if kind == "ignored":
            return Ignored("ignored by the dialect")
        if kind in ("created", "edited"):
            message = self.native_message(payload, kind)
            if message.system:
                return Ignored("notice of the server")
            return self.created(message, received_at) if kind == "created" else self.edited(message, received_at)
        chat_id = self._chat_of(payload, fields)
        occurred_at = time_of(find(fields.time, payload)) or received_at
        author = self._author(payload, fields)
        if kind == "deleted":
            return self.deleted(chat_id, _needed(fields.message_id, payload, "message id"), received_at, author)
        name = find_text(fields.event_id, payload) or _digest(payload)
        meta = EventMeta(
            event_key=f"{kind}:{self._account}:{chat_id}:{name}",
            origin=ChatRef(self._account, chat_id),
            occurred_at=occurred_at,
            received_at=received_at,
            thread_id=find_text(fields.thread, payload) or None,
            author=author,
            sent_by_us=self._is_own(author.user_id if author else "", chat_id, ""),
        )
        return self._other(kind, payload, fields, meta)

    def _other(self, kind: EventKind, payload: Any, fields: Fields, meta: EventMeta) -> ChatEvent | Ignored:
        match kind:
            case "reaction_added" | "reaction_removed":
                message_id = _needed(fields.message_id, payload, "message id")
                found = (from_name(_needed(fields.emoji, payload, "emoji")),)
                if kind == "reaction_added":
                    return ReactionsChanged(meta=meta, message_id=message_id, added=found)
                return ReactionsChanged(meta=meta, message_id=message_id, removed=found)
            case "member_joined" | "member_left":
                member = self._member(payload, fields) or meta.author
                if member is None:
                    raise Undecodable("nobody joined or left")
                change = MembershipKind.JOINED if kind == "member_joined" else MembershipKind.LEFT
                return MembershipChanged(meta=meta, change=change, member=member)
            case "chat_renamed":
                return ChatRenamed(meta=meta, name=_needed(fields.chat_name, payload, "chat name"))
            case "status_changed":
                status = _needed(fields.status, payload, "status")
                if status not in set(Status):
                    raise Undecodable("unknown status")
                return StatusChanged(meta=meta, status=Status(status), text=find_text(fields.status_text, payload))
            case "typing":
                return TypingStarted(meta=meta)
            case _:
                return Ignored("ignored by the dialect")

    # -- parts --------------------------------------------------------------------------------------------------------------

    def _message(self, item: Any, fields: Fields, chat_id: str, fallback: datetime | None) -> NativeMessage:
        author = self._author(item, fields)
        if author is None:
            raise Undecodable("no author")
        reply_to = find_text(fields.reply_to, item)
        files = find(fields.files, item)
        attachments = file_count(files, fields.file)
        cards = find(fields.cards, item)
        message_id = _needed(fields.message_id, item, "message id")
        thread_id = find_text(fields.thread, item) or None
        if self._learn is not None and fields.thread is not None:
            self._learn(message_id, thread_id, truth_of(find(fields.deleted, item)))
        return NativeMessage(
            message_id=message_id,
            chat_id=chat_id,
            author=author,
            content=Content(
                text=self._text(item, fields, cards, bare=not attachments),
                attachments=attachments,
                reply_to=ReplyTo(message_id=reply_to) if reply_to else None,
            ),
            sent_at=time_of(find(fields.sent_at, item)) or fallback,
            thread_id=thread_id,
            client_id=find_text(fields.client_id, item),
            edited_at=time_of(find(fields.edited_at, item)),
            updated_at=time_of(find(fields.updated_at, item)),
            deleted=truth_of(find(fields.deleted, item)),
            system=truth_of(find(fields.system, item)),
            files_known=isinstance(files, list) and fields.file is not None,
            has_cards=bool(list_of(cards)),
        )

    def _text(self, item: Any, fields: Fields, cards: Any, *, bare: bool) -> RichText:
        """The words, the cards below them, addresses that neither holds; `bare`: and if that is nothing, whatever stands for it."""
        written = find(fields.text, item)
        text = words_of(written)
        as_plain = find_text(fields.format, item).lower() in _PLAIN_FORMATS or not isinstance(written, str)
        shown = decode_text(text, self.dialect.text, as_plain=as_plain or len(text) > _LONGEST_MARKUP, server=self._server)
        whole = concat(shown, cards_text(cards, fields.card, self.dialect.text, self._server)) if cards else shown
        for quoted in list_of(find(fields.quotes, item))[:_MOST_QUOTES]:
            whole = concat(whole, self._quote(quoted))
        for url in list_of(find(fields.links, item)):
            if isinstance(url, str) and is_link(url) and url not in text and url not in text_of(whole):
                whole = concat(whole, plain(url))
        if not whole and bare:
            return plain(find_text(fields.placeholder, item).strip())
        return whole

    def _quote(self, quoted: Any) -> RichText:
        """The beginning of what another message says."""
        words = words_of(quoted)[:_LONGEST_QUOTE].strip()
        if not words:
            return RichText()
        said = decode_text(words, self.dialect.text, server=self._server)
        inside = [inner for block in said.blocks for inner in (block.blocks if isinstance(block, Quote) else (block,))]
        return normalize(RichText((Quote(tuple(inside)),)))

    def _meta_of(self, message: NativeMessage, key: str, occurred_at: datetime, received_at: datetime) -> EventMeta:
        is_own = self._is_own(message.author.user_id, message.chat_id, message.message_id)
        # anybody may write our mark into a message of their own: it counts only where nothing else can say who posted it
        believed = is_own or self._marks_alone
        return EventMeta(
            event_key=key,
            origin=ChatRef(self._account, message.chat_id),
            occurred_at=occurred_at,
            received_at=received_at,
            thread_id=message.thread_id,
            author=message.author,
            sent_by_us=is_own,
            delivery_id=message.client_id if believed else "",
        )

    def _chat_of(self, payload: Any, fields: Fields) -> str:
        return self._chat_id(_needed(fields.chat_id, payload, "chat id"), find_text(fields.chat_name, payload))

    def _author(self, payload: Any, fields: Fields) -> Author | None:
        """`name` is empty where the server tells only an id; the adapter then asks who that is."""
        user_id = find_text(fields.user_id, payload)
        if not user_id:
            return None
        username = find_text(fields.username, payload)
        return Author(
            user_id=user_id,
            name=find_text(fields.user_name, payload).strip() or username,
            username=username,
            avatar_url=web_url(find_text(fields.avatar_url, payload)),
            is_bot=truth_of(find(fields.is_bot, payload)),
        )

    def _member(self, payload: Any, fields: Fields) -> Author | None:
        user_id = find_text(fields.member_id, payload)
        return Author(user_id=user_id, name=find_text(fields.member_name, payload) or user_id) if user_id else None


def _merged(common: Fields, own: Fields) -> Fields:
    """An event's own fields over the common ones."""
    given = {name: value for name, value in own if value is not None}
    return cast("Fields", SimpleNamespace(**{**dict(common), **given}))


def _needed(query: str | None, payload: Any, what: str) -> str:
    found = find_text(query, payload)
    if not found:
        raise Undecodable(f"no {what}")
    return found


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _digest(payload: Any) -> str:
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()[:16]
