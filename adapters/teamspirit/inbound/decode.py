"""Events of a server, by the dialect's fields, as events of the bridge. Pure: value in, value out; a message's parts are
`decode_content`.

`Decoder.event` reads a call of the server to us, `Decoder.message` an item of the history; both give the same events for the same
message, with the same keys, so that whichever comes second is recognised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec

from adapters.common.queries import find, find_text
from adapters.teamspirit.dialect.variables import variables_of
from adapters.teamspirit.emoji_names import from_name
from adapters.teamspirit.inbound.decode_content import ContentDecoder, Learn, author_of, member_of, needed
from adapters.teamspirit.inbound.decode_parts import time_of, truth_of
from adapters.teamspirit.wire import NativeMessage, Undecodable
from bridge.model.events import (
    Author,
    ChatEvent,
    ChatRenamed,
    EventMeta,
    Ignored,
    MembershipChanged,
    MembershipKind,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    ReactionsChanged,
    Status,
    StatusChanged,
    TypingStarted,
)
from bridge.model.refs import AccountName, ChatRef

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.events import EventKind, Fields, Inbound, Websocket
    from adapters.teamspirit.dialect.model import Dialect

_MOST_PIECES = 100
"""People of whom one call may tell at once."""
_STATUSES = {
    **{status.value: status for status in Status if status is not Status.OTHER},
    **dict.fromkeys(("available", "active"), Status.ONLINE),
    **dict.fromkeys(("idle", "inactive", "brb"), Status.AWAY),
    **dict.fromkeys(("dnd", "do not disturb"), Status.BUSY),
    **dict.fromkeys(("invisible", "disconnected"), Status.OFFLINE),
}
"""Words of messengers for the same."""


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
        learn: Learn | None = None,
        server: str = "",
        told_by: Inbound | Websocket | None = None,
    ) -> None:
        """`server`: its address, where links to a path lead. `told_by`: what tells of events, if it is not `inbound`."""
        self.dialect = dialect
        self._told_by = told_by if told_by is not None else dialect.inbound
        self._content = ContentDecoder(dialect.text, server, learn)
        self._account = account
        self._is_own = is_own
        self._chat_id = chat_id
        operations = dialect.operations
        self._marks_alone = operations.me is None and "message.client_id" in variables_of(
            operations.send or operations.webhook_send
        )
        told_by = self._told_by
        self._event_fields = (
            {kind: _merged(told_by.fields, entry.fields) for kind, entry in told_by.events.items()} if told_by else {}
        )

    # -- messages -----------------------------------------------------------------------------------------------------------

    def message(self, item: Any, chat_id: str) -> NativeMessage:
        """An item of a chat's history. Raises Undecodable."""
        return self._content.message(item, self.dialect.message_fields, chat_id, fallback=None)

    def created(self, message: NativeMessage, received_at: datetime) -> MessageCreated:
        key = f"created:{self._account}:{message.chat_id}:{message.message_id}"
        meta = self._meta_of(message, key, message.sent_at or received_at, received_at)
        return MessageCreated(meta=meta, message_id=message.message_id, content=message.content)

    def edited(self, message: NativeMessage, received_at: datetime, *, told: str = "") -> MessageEdited:
        """`told` tells it from another edit of the message where the server gives no time of it: the words may be earlier ones."""
        edition = message.edition if message.changed_at is not None or not told else f"{message.edition}-{told}"
        key = f"edited:{self._account}:{message.chat_id}:{message.message_id}:{edition}"
        changed_at = message.edited_at or (message.updated_at if message.has_cards else None)
        meta = self._meta_of(message, key, changed_at or received_at, received_at)
        return MessageEdited(
            meta=meta, message_id=message.message_id, content=message.content, attachments_known=message.files_known
        )

    def notice(self, message: NativeMessage, received_at: datetime) -> ChatEvent | None:
        """What a notice of the server is told as; None: it is not told."""
        key = f"notice:{self._account}:{message.chat_id}:{message.message_id}"
        meta = self._meta_of(message, key, message.sent_at or received_at, received_at)
        match message.tells:
            case "member_joined" | "member_left":
                change = MembershipKind.JOINED if message.tells == "member_joined" else MembershipKind.LEFT
                return MembershipChanged(meta=meta, change=change, member=message.member or message.author)
            case "chat_renamed" if message.chat_name:
                return ChatRenamed(meta=meta, name=message.chat_name)
        return None

    def deleted(self, chat_id: str, message_id: str, received_at: datetime, author: Author | None = None) -> MessageDeleted:
        key = f"deleted:{self._account}:{chat_id}:{message_id}"
        origin = ChatRef(self._account, chat_id)
        meta = EventMeta(event_key=key, origin=origin, occurred_at=received_at, received_at=received_at, author=author)
        return MessageDeleted(meta=meta, message_id=message_id)

    # -- long texts, beforehand ---------------------------------------------------------------------------------------------

    async def read_ahead(self, item: Any) -> None:
        """Decode the text of a history's item beside the loop, if it is long: what reads the item next finds it done."""
        await self._content.read_ahead(item, self.dialect.message_fields)

    async def read_call_ahead(self, payload: Any) -> None:
        """The same for a call of the server."""
        if kind := self._kind_of(payload):
            item, fields = self._message_in(kind, payload)
            await self._content.read_ahead(item, fields)

    def _message_in(self, kind: EventKind, payload: Any) -> tuple[Any, Fields]:
        """What holds the parts of an event's message, and where they are in it."""
        whole = self._told_by.events[kind].message if self._told_by is not None else None
        return (payload, self._event_fields[kind]) if whole is None else (find(whole, payload), self.dialect.message_fields)

    def pieces(self, payload: Any) -> list[tuple[Any, int]]:
        """The call for each of several people that it tells of at once, as if it told of one alone; else the call itself. The
        last one stands for more people, if they are too many: beside each piece is of how many it tells."""
        try:
            kind = self._kind_of(payload)
        except RecursionError:
            return [(payload, 1)]
        name = self._told_by.events[kind].each if kind is not None and self._told_by is not None else None
        several = payload.get(name) if name is not None and isinstance(payload, dict) else None
        if name is None or not isinstance(several, list) or len(several) < 2:
            return [(payload, 1)]
        told, rest = several[:_MOST_PIECES], several[_MOST_PIECES:]
        pieces = [({**payload, name: [one]}, 1) for one in told]
        return [*pieces, ({**payload, name: rest}, len(rest))] if rest else pieces

    def of_several(self, event: ChatEvent, number: int) -> ChatEvent:
        """The event of a piece that tells of so many people: they have no names, and no id that is one person's."""
        if number < 2 or not isinstance(event, MembershipChanged):
            return event
        author = event.meta.author
        if author is not None and author.user_id == event.member.user_id:
            author = None  # each came or went by themselves
        meta = msgspec.structs.replace(event.meta, author=author, sent_by_us=False)
        return msgspec.structs.replace(event, meta=meta, member=Author(user_id="", name=f"{number} more people"))

    def chat_of_call(self, payload: Any) -> str:
        """The chat that a call is about; empty if it does not say."""
        try:
            kind = self._kind_of(payload)
            return self._chat_of(payload, self._event_fields[kind]) if kind is not None else ""
        except (Undecodable, RecursionError):
            return ""

    def is_said_in_private(self, payload: Any) -> bool:
        """Whether a call tells of a new message in a private chat of one person and the bot."""
        kind = self._kind_of(payload)
        return kind == "created" and truth_of(find(self._event_fields[kind].direct, payload))

    # -- events -------------------------------------------------------------------------------------------------------------

    def event(self, payload: Any, received_at: datetime) -> ChatEvent | Ignored:
        """The event of a call of the server. A status that names no chat has an empty one. Raises Undecodable."""
        kind = self._kind_of(payload)
        if kind is None:
            raise Undecodable("no event of the dialect has this form")
        return self._event(kind, payload, self._event_fields[kind], received_at)

    def _kind_of(self, payload: Any) -> EventKind | None:
        assert self._told_by is not None, "the dialect has no inbound calls"
        return next((kind for kind, entry in self._told_by.events.items() if find(entry.when, payload)), None)

    def is_event(self, payload: Any) -> bool:
        """Whether it is an event that the dialect knows."""
        return self._kind_of(payload) is not None

    def native_message(self, payload: Any, kind: EventKind) -> NativeMessage:
        """The message within an event. Raises Undecodable."""
        fields = self._event_fields[kind]
        item, inner = self._message_in(kind, payload)
        return self._content.message(item, inner, self._chat_of(payload, fields), fallback=time_of(find(fields.time, payload)))

    def notice_of_name(self, payload: Any) -> NativeMessage | None:
        """The message by which the history tells of a new name too; None if there is none that can be read."""
        assert self._told_by is not None, "the dialect has no inbound calls"
        if self._told_by.events["chat_renamed"].message is None:
            return None
        try:
            return self.native_message(payload, "chat_renamed")
        except Undecodable:
            return None

    def _event(self, kind: EventKind, payload: Any, fields: Fields, received_at: datetime) -> ChatEvent | Ignored:
        if kind == "ignored":
            return Ignored("ignored by the dialect")
        if kind in ("created", "edited"):
            message = self.native_message(payload, kind)
            if message.system:
                return self.notice(message, received_at) or Ignored("notice of the server")
            if kind == "created":
                created = self.created(message, received_at)
                return said_in_private(created) if truth_of(find(fields.direct, payload)) else created
            return self.edited(message, received_at, told=find_text(fields.event_id, payload))
        chat_id = self._chat_of(payload, fields) if kind != "status_changed" or find(fields.chat_id, payload) else ""
        occurred_at = time_of(find(fields.time, payload)) or received_at
        author = author_of(payload, fields)
        if kind == "deleted":
            return self.deleted(chat_id, needed(fields.message_id, payload, "message id"), received_at, author)
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
                message_id = needed(fields.message_id, payload, "message id")
                found = (from_name(needed(fields.emoji, payload, "emoji")),)
                if kind == "reaction_added":
                    return ReactionsChanged(meta=meta, message_id=message_id, added=found)
                return ReactionsChanged(meta=meta, message_id=message_id, removed=found)
            case "member_joined" | "member_left":
                member = member_of(payload, fields) or meta.author
                if member is None:
                    raise Undecodable("nobody joined or left")
                change = MembershipKind.JOINED if kind == "member_joined" else MembershipKind.LEFT
                return MembershipChanged(meta=meta, change=change, member=member)
            case "chat_renamed":
                return ChatRenamed(meta=meta, name=needed(fields.chat_name, payload, "chat name"))
            case "status_changed":
                return self._status(payload, fields, meta)
            case "typing":
                return TypingStarted(meta=meta)
            case _:
                return Ignored("ignored by the dialect")

    def _status(self, payload: Any, fields: Fields, meta: EventMeta) -> StatusChanged | Ignored:
        """Of a word that is none of ours, people see the word."""
        word, text = find_text(fields.status, payload).strip(), find_text(fields.status_text, payload).strip()
        if meta.author is None or not (word or text):
            return Ignored("a status that says nothing, or of nobody")
        status = _STATUSES.get(word.lower().replace("_", " "), Status.OTHER)
        if status is Status.OTHER and word and word != text:
            text = f"{word}: {text}" if text else word
        return StatusChanged(meta=meta, status=status, text=text)

    # -- parts --------------------------------------------------------------------------------------------------------------

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
        return self._chat_id(needed(fields.chat_id, payload, "chat id"), find_text(fields.chat_name, payload))


def said_in_private(event: MessageCreated) -> MessageCreated:
    """The dialect states that the chat is one of a single person and the bot."""
    return msgspec.structs.replace(event, meta=msgspec.structs.replace(event.meta, is_private=True))


def _merged(common: Fields, own: Fields) -> Fields:
    """An event's own fields over the common ones."""
    given = {name: value for name, value in own if value is not None}
    return cast("Fields", SimpleNamespace(**{**dict(common), **given}))


def _digest(payload: Any) -> str:
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()[:16]
