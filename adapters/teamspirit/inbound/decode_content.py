"""Content of a message by the dialect's fields: words, cards, quotes, links and files; its author, its thread, its times. Pure.

Lenient in all but the message's id and its author. Called by `decode`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from adapters.common.queries import find, find_text
from adapters.teamspirit.inbound.decode_cards import cards_text, is_link
from adapters.teamspirit.inbound.decode_other_data import contact_of, location_of
from adapters.teamspirit.inbound.decode_parts import file_count, list_of, time_of, truth_of, words_of
from adapters.teamspirit.inbound.decode_text import decode_text, is_long_source
from adapters.teamspirit.web_links import web_url
from adapters.teamspirit.wire import NativeMessage, Undecodable
from bridge.model.events import Author, Content, Location, ReplyTo
from bridge.model.pauses import beside
from bridge.model.rich_text import (
    Inline,
    Mark,
    Paragraph,
    RichText,
    Text,
    concat,
    map_inlines,
    normalize,
    plain,
    quoted,
    text_of,
)

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.events import Fields
    from adapters.teamspirit.dialect.model import TextDialect

_LONGEST_MARKUP = 20_000
"""Longer texts are taken as plain: reading markup takes time that grows with the text."""
_LONGEST_QUOTE = 500
_MOST_QUOTES = 10
_LONGEST_LABEL = 40
_PLAIN_FORMATS = ("plain", "text", "text/plain")

Learn = Callable[[str, str | None, bool], None]
"""(message id, thread id, whether it was deleted): told of each message where the dialect says in which thread one is."""


class ContentDecoder:
    """`server`: its address, where links to a path lead."""

    def __init__(self, dialect: TextDialect, server: str, learn: Learn | None) -> None:
        self._dialect = dialect
        self._server = server
        self._learn = learn

    def message(self, item: Any, fields: Fields, chat_id: str, fallback: datetime | None) -> NativeMessage:
        """`fallback`: when it was sent, if the message does not say so. Raises Undecodable."""
        author = author_of(item, fields)
        if author is None:
            raise Undecodable("no author")
        reply_to = find_text(fields.reply_to, item)
        files = find(fields.files, item)
        attachments = file_count(files, fields.file)
        cards = find(fields.cards, item)
        location, contact = location_of(item, fields.location), contact_of(item, fields.contact)
        text = self._text(item, fields, cards, bare=not (attachments or location or contact))
        if truth_of(find(fields.news, item)):
            text = map_inlines(text, _in_italics)
        message_id = needed(fields.message_id, item, "message id")
        thread_id = find_text(fields.thread, item) or None
        if self._learn is not None and fields.thread is not None:
            self._learn(message_id, thread_id, truth_of(find(fields.deleted, item)))
        return NativeMessage(
            message_id=message_id,
            chat_id=chat_id,
            author=author,
            content=Content(
                text=concat(text, location) if isinstance(location, RichText) else text,
                attachments=attachments,
                location=location if isinstance(location, Location) else None,
                contact=contact,
                reply_to=ReplyTo(message_id=reply_to) if reply_to else None,
            ),
            sent_at=time_of(find(fields.sent_at, item)) or fallback,
            thread_id=thread_id,
            client_id=find_text(fields.client_id, item),
            edited_at=time_of(find(fields.edited_at, item)),
            updated_at=time_of(find(fields.updated_at, item)),
            deleted=truth_of(find(fields.deleted, item)),
            system=truth_of(find(fields.system, item)),
            tells=find_text(fields.tells, item),
            member=member_of(item, fields),
            chat_name=find_text(fields.chat_name, item).strip(),
            files_known=isinstance(files, list) and fields.file is not None,
            has_cards=bool(list_of(cards)),
        )

    async def read_ahead(self, item: Any, fields: Fields) -> None:
        """Decode the text beside the loop, if it is long: what reads the item next finds it done."""
        if is_long_source(words_of(find(fields.text, item))):
            await beside(partial(self._text, item, fields, find(fields.cards, item), bare=False))

    def _text(self, item: Any, fields: Fields, cards: Any, *, bare: bool) -> RichText:
        """The words, the cards below them, addresses that neither holds; `bare`: and if that is nothing, whatever stands for it."""
        written = find(fields.text, item)
        text = words_of(written)
        as_plain = find_text(fields.format, item).lower() in _PLAIN_FORMATS or not isinstance(written, str)
        shown = decode_text(text, self._dialect, as_plain=as_plain or len(text) > _LONGEST_MARKUP, server=self._server)
        whole = concat(shown, cards_text(cards, fields.card, self._dialect, self._server)) if cards else shown
        for other in list_of(find(fields.quotes, item))[:_MOST_QUOTES]:
            whole = concat(whole, self._quote(other))
        for url in list_of(find(fields.links, item)):
            if isinstance(url, str) and is_link(url) and url not in text and url not in text_of(whole):
                whole = concat(whole, plain(url))
        if not whole and bare:
            whole = plain(find_text(fields.placeholder, item).strip())
        label = label_of(find_text(fields.label, item))
        return concat(label, whole) if label else whole

    def _quote(self, other: Any) -> RichText:
        """The beginning of what another message says."""
        words = words_of(other)[:_LONGEST_QUOTE].strip()
        if not words:
            return RichText()
        said = decode_text(words, self._dialect, server=self._server)
        return normalize(RichText(quoted(said.blocks)))


def label_of(words: str) -> RichText:
    """A word above a message, as clients show it; nothing for none."""
    shown = " ".join(words.split())[:_LONGEST_LABEL]
    return RichText((Paragraph((Text(f"[{shown}]", int(Mark.BOLD)),)),)) if shown else RichText()


def _in_italics(run: Inline) -> Inline:
    return Text(run.text, run.marks | Mark.ITALIC, run.link) if isinstance(run, Text) else run


def author_of(payload: Any, fields: Fields) -> Author | None:
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


def member_of(payload: Any, fields: Fields) -> Author | None:
    user_id = find_text(fields.member_id, payload)
    return Author(user_id=user_id, name=find_text(fields.member_name, payload)) if user_id else None


def needed(query: str | None, payload: Any, what: str) -> str:
    """Raises Undecodable if it is not there."""
    found = find_text(query, payload)
    if not found:
        raise Undecodable(f"no {what}")
    return found
