"""Cards: what apps post below or instead of a message's text (Mattermost's `props.attachments`), as rich text. Pure.

Used by `decode`. Everything that people see of a card is shown; its fallback, which is for notifications, only where it has nothing
else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from adapters.common.queries import find
from adapters.teamspirit.emoji_names import emoji_of
from adapters.teamspirit.inbound.decode_parts import list_of, words_of
from adapters.teamspirit.inbound.decode_text import decode_text
from adapters.teamspirit.web_links import absolute
from bridge.model.rich_text import Mark, Paragraph, RichText, Text, concat, plain

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.events import CardFields
    from adapters.teamspirit.dialect.model import TextDialect

_MOST = 100
"""Cards of one message, and fields or actions of one card, that are shown; no server takes as many."""
_DEEPEST = 6
"""Cards within cards that are looked into."""
_EMOJI_NAME = re.compile(r":([a-z0-9_+-]{1,60}):")
_LONGEST_MARKUP = 20_000


def cards_text(cards: Any, fields: CardFields | None, dialect: TextDialect, server: str = "") -> RichText:
    """All cards of a message, one below the other; empty if there is nothing to see of them. Links to a path lead to `server`."""
    if fields is None:
        return RichText()
    reader = _Reader(fields, dialect, server)
    return concat(*(reader.card(card) for card in list_of(cards)[:_MOST]))


class _Reader:
    def __init__(self, fields: CardFields, dialect: TextDialect, server: str) -> None:
        self._fields = fields
        self._dialect = dialect
        self._server = server

    def card(self, card: Any, depth: int = 0) -> RichText:
        if not isinstance(card, dict):
            return self._markup(card)
        inner = list_of(find(self._fields.inner, card))[:_MOST] if depth < _DEEPEST else []
        shown = concat(*self._parts(card), *(self.card(each, depth + 1) for each in inner if isinstance(each, dict)))
        return shown if shown else self._markup(find(self._fields.fallback, card))

    def _parts(self, card: Any) -> Iterator[RichText]:
        fields = self._fields
        yield self._markup(find(fields.pretext, card))
        yield self._line(find(fields.author, card), Mark.BOLD, find(fields.author_link, card))
        yield self._line(self._label(find(fields.title, card)), Mark.BOLD, find(fields.title_link, card))
        yield self._markup(find(fields.text, card))
        for field in list_of(find(fields.fields, card))[:_MOST]:
            yield self._field(field)
        for url in list_of(find(fields.images, card))[:_MOST]:
            yield _address(absolute(words_of(url), self._server))
        yield self._line(find(fields.footer, card), Mark.ITALIC)
        names = (self._label(action) for action in list_of(find(fields.actions, card))[:_MOST])
        yield plain(" ".join(f"[{name}]" for name in names if name))

    def _field(self, field: Any) -> RichText:
        if self._fields.field is None or not isinstance(field, dict):
            return self._markup(field)
        title = self._label(find(self._fields.field.title, field))
        value = self._markup(find(self._fields.field.value, field))
        if not title:
            return value
        first = value.blocks[0] if value.blocks else None
        name = Text(f"{title}: " if value else title, int(Mark.BOLD))
        if isinstance(first, Paragraph):
            return RichText((Paragraph((name, *first.inlines)), *value.blocks[1:]))
        return concat(RichText((Paragraph((name,)),)), value)

    def _label(self, value: Any) -> str:
        """Words on one line, of whose markup only the names of emoji are read."""
        label = " ".join(words_of(value).split())
        return _EMOJI_NAME.sub(lambda found: emoji_of(found[1]) or found[0], label) if self._dialect.emoji_names else label

    def _markup(self, value: Any) -> RichText:
        text = words_of(value)
        return decode_text(
            text, self._dialect, as_plain=not isinstance(value, str) or len(text) > _LONGEST_MARKUP, server=self._server
        )

    def _line(self, value: Any, mark: Mark, url: Any = None) -> RichText:
        words = " ".join(words_of(value).split())
        link = absolute(url, self._server) if isinstance(url, str) else ""
        return RichText((Paragraph((Text(words, int(mark), link if is_link(link) else None),)),)) if words else RichText()


def _address(url: str) -> RichText:
    return RichText((Paragraph((Text(url, 0, url if is_link(url) else None),)),)) if url.strip() else RichText()


def is_link(url: str) -> bool:
    """An address that others may open."""
    return url.startswith(("https://", "http://")) and url.isprintable() and " " not in url
