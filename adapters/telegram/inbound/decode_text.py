"""Telegram's text with entities -> the rich-text tree. Pure; used by `decode_content`.

Entity offsets are UTF-16 code units; entities nest and overlap (platforms.md 1.2). Quotes and code blocks become blocks, with the
one line break around them that Telegram's text carries taken away; everything else becomes marks, links and inline atoms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from adapters.common.lenient import Json, record, records, whole, words
from bridge.model.rich_text import (
    EMPTY,
    CodeBlock,
    Emoji,
    Inline,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    normalize,
    plain,
)

MENTION_GUARD = "\u200b"
"""Put behind an @ or / by `encode_text`, so that foreign words cannot become a mention or a command; taken away here."""

_MARKS = {
    "bold": Mark.BOLD,
    "italic": Mark.ITALIC,
    "underline": Mark.UNDERLINE,
    "strikethrough": Mark.STRIKE,
    "spoiler": Mark.SPOILER,
    "code": Mark.CODE,
}
_MOST_ENTITIES = 1000
"""That are read; Telegram makes fewer of a text, and each costs time with each other."""
_QUOTES = ("blockquote", "expandable_blockquote")
_ATOMS = ("mention", "text_mention", "custom_emoji", "date_time")


class _Span:
    """An entity with its place in characters."""

    __slots__ = ("end", "entity", "kind", "start")

    def __init__(self, start: int, end: int, entity: Json) -> None:
        self.start = start
        self.end = end
        self.entity = entity
        self.kind = words(entity.get("type"))


def decode_text(text: str, entities: object = ()) -> RichText:
    """The tree of a message's text or caption. Entities that point outside the text are cut or left out, as is what is none."""
    if not text:
        return EMPTY
    spans = _spans(text, records(entities)) if entities else []
    if not spans:
        return plain(_unguarded(text))
    return normalize(RichText(tuple(_Decoder(text, spans).blocks(0, len(text), in_quote=False))))


def _unguarded(text: str) -> str:
    return text.replace("@" + MENTION_GUARD, "@").replace("/" + MENTION_GUARD, "/") if MENTION_GUARD in text else text


def _spans(text: str, entities: Sequence[Json]) -> list[_Span]:
    index = _utf16_index(text)
    size = len(text) if index is None else len(index) - 1
    spans: list[_Span] = []
    for entity in entities[:_MOST_ENTITIES]:
        offset, length = whole(entity.get("offset")), whole(entity.get("length"))
        if offset is None or length is None:
            continue
        start, end = max(offset, 0), min(offset + length, size)
        if start >= end:
            continue
        if index is not None:
            start, end = index[start], index[end]
        if entity.get("type") in _QUOTES and end - start > 1 and text[end - 1] == "\n":
            end -= 1  # a quote may include the line break behind it
        spans.append(_Span(start, end, entity))
    spans.sort(key=lambda span: (span.start, -span.end))
    return spans


def _utf16_index(text: str) -> list[int] | None:
    """Character position by UTF-16 offset; None when they are the same."""
    if all(char <= "\uffff" for char in text):
        return None
    index: list[int] = []
    for position, char in enumerate(text):
        index.append(position)
        if char > "\uffff":
            index.append(position)
    index.append(len(text))
    return index


class _Decoder:
    def __init__(self, text: str, spans: list[_Span]) -> None:
        self._text = text
        self._quotes = _disjoint(span for span in spans if span.kind in _QUOTES)
        self._code = _disjoint(span for span in spans if span.kind == "pre")
        self._atoms = _disjoint(span for span in spans if span.kind in _ATOMS or self._is_address(span))
        self._inline = [span for span in spans if span.kind in _MARKS or span.kind == "text_link"]

    def _is_address(self, span: _Span) -> bool:
        """A bare address, whose end Telegram has found: others would find another, where a word or a mark follows at once."""
        return span.kind == "url" and self._text.startswith(("http://", "https://"), span.start)

    def blocks(self, start: int, end: int, *, in_quote: bool) -> list[Paragraph | CodeBlock | Quote]:
        special = [span for span in self._code if start <= span.start and span.end <= end]
        if not in_quote:
            special = [
                *self._quotes,
                *(code for code in special if not any(quote.start <= code.start < quote.end for quote in self._quotes)),
            ]
            special.sort(key=lambda span: span.start)
        found: list[Paragraph | CodeBlock | Quote] = []
        at = start
        for span in special:
            if span.start < at:
                continue
            found += self._paragraph(at, span.start, after=at > start, before=True)
            if span.kind == "pre":
                found.append(CodeBlock(self._text[span.start : span.end], words(span.entity.get("language"))))
            else:
                inner = self.blocks(span.start, span.end, in_quote=True)
                is_expandable = span.kind == "expandable_blockquote"
                found.append(Quote(tuple(block for block in inner if not isinstance(block, Quote)), is_expandable))
            at = span.end
        found += self._paragraph(at, end, after=at > start, before=False)
        return found

    def _paragraph(self, start: int, end: int, *, after: bool, before: bool) -> list[Paragraph]:
        """The running text between two blocks, without the line breaks that set it apart from them."""
        if after and start < end and self._text[start] == "\n":
            start += 1
        if before and start < end and self._text[end - 1] == "\n":
            end -= 1
        return [Paragraph(tuple(self._inlines(start, end)))] if start < end else []

    def _inlines(self, start: int, end: int) -> list[Inline]:
        cuts = {start, end}
        for span in (*self._inline, *self._atoms):
            cuts.update(cut for cut in (span.start, span.end) if start < cut < end)
        atoms = {span.start: span for span in self._atoms if start <= span.start and span.end <= end}
        bounds = sorted(cuts)
        found: list[Inline] = []
        done = start
        for at, until in pairwise(bounds):
            if at < done:
                continue
            marks, link = self._style(at)
            atom = atoms.get(at)
            if atom is not None:
                found.append(_atom(atom, self._text[atom.start : atom.end], marks))
                done = atom.end
            else:
                found.append(Text(_unguarded(self._text[at:until]), marks, link))
                done = until
        return found

    def _style(self, at: int) -> tuple[int, str | None]:
        marks = 0
        link: str | None = None
        for span in self._inline:
            if span.start > at:
                break
            if span.end > at:
                marks |= int(_MARKS.get(span.kind, 0))
                link = words(span.entity.get("url")) or link
        return marks, link


def _atom(span: _Span, shown: str, marks: int) -> Inline:
    entity = span.entity
    match span.kind:
        case "mention":
            username = shown.removeprefix("@")
            return Mention(MentionKind.USER, username, username, marks)
        case "text_mention" if user_id := words(record(entity.get("user")).get("id")):
            return Mention(MentionKind.USER, user_id, shown.removeprefix("@"), marks)
        case "custom_emoji":
            return Emoji("emoji", words(entity.get("custom_emoji_id")), shown, marks)
        case "url":
            return Text(shown, marks, shown)
        case "date_time" if (unix_s := whole(entity.get("unix_time"))) is not None:
            return Timestamp(unix_s, shown, "", marks)
        case _:
            return Text(_unguarded(shown), marks)


def _disjoint(spans: Iterable[_Span]) -> list[_Span]:
    """Those spans that do not begin inside an earlier one."""
    kept: list[_Span] = []
    for span in spans:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept
