"""The rich-text tree -> Telegram's text with entities. Pure and fast; used by `encode` and the adapter's `measure`.

Never markup: text from elsewhere is sent as text, formatting as entities with UTF-16 offsets (platforms.md 1.3). Two things could
still turn such text into something else, and are prevented: Telegram itself turns `@name` into a mention of that user, and `/word`
into a command that a tap sends (an invisible character keeps them apart), and it keeps only the first 100 entities that cannot be
split (links beyond them show their address)."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import Any
from urllib.parse import urlsplit

import msgspec

from adapters.telegram.inbound.decode_text import MENTION_GUARD
from bridge.model.pauses import in_steps
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Emoji,
    Heading,
    Inline,
    List,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    inline_text,
    list_lines,
)

Json = dict[str, Any]

UNSPLITTABLE_KEPT = 100
"""Telegram drops links, code and mentions beyond these without a word. Source: platforms.md 1.3."""

_MARKS = (
    (int(Mark.BOLD), "bold"),
    (int(Mark.ITALIC), "italic"),
    (int(Mark.UNDERLINE), "underline"),
    (int(Mark.STRIKE), "strikethrough"),
    (int(Mark.SPOILER), "spoiler"),
    (int(Mark.CODE), "code"),
)
_CODE = int(Mark.CODE)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,40}[A-Za-z0-9])?"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PORT = r"(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
_ALIVE = re.compile(
    # an address with a path, as far as it surely is one for Telegram too: by itself, and none of what its parser reads otherwise
    r"(?P<url>(?:(?<!\S)|(?<=^[(\[{\"'*])|(?<=\s[(\[{\"'*]))(?i:https?|ftp)://(?!(?i:teiegram\.org)[:/?#])"
    rf"(?:(?:{_LABEL}\.){{1,8}}[A-Za-z]{{2,20}}|{_OCTET}(?:\.{_OCTET}){{3}})(?::{_PORT})?)"
    r"(?P<path>[/?#][!#-;=?-~\u00c0-\u167f\u3041-\ud7a3\U0001f300-\U0001faff]*)"
    r"|(?<![A-Za-z0-9_])@(?=[A-Za-z0-9_])"
    r"|(?<![A-Za-z0-9_/<])/(?=[A-Za-z0-9_]+(?:@[A-Za-z0-9_]+)?(?![A-Za-z0-9_/>]))",
    re.ASCII | re.MULTILINE,
)
"""The @ that may begin a mention and the / that may begin a bot's command, and addresses, inside which they do not. The grammar is
TDLib's (MessageEntity.cpp: match_mentions, match_bot_commands, find_urls), asked through tdjson 1.8.69."""
_BRACKETS = re.compile(r"[()\[\]{}]")
_CLOSES = {")": "(", "]": "[", "}": "{"}
_NEVER_LAST = ".:;,('?!`"
"""What TDLib does not take as the end of an address. Source: MessageEntity.cpp, fix_url."""
_WORD = re.compile(r"[A-Za-z0-9_]")
_PLAIN_LINK = re.compile(r"https?://[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+(?:[/?#][!#-;=?-\[\]-~]*)?")
"""What is surely an address; nearly every one is."""


class EncodedText(msgspec.Struct, frozen=True):
    """`text` and its `entities` as the Bot API takes them."""

    text: str
    entities: list[Json]


def encode_text(rich: RichText) -> EncodedText:
    encoder = _Encoder()
    encoder.blocks(rich.blocks)
    return _guarded(encoder.text, encoder.entities, encoder.own)


def measure(rich: RichText) -> int:
    """Length in Unicode code points, the unit of Telegram's limits (platforms.md 1.4)."""
    return len(encode_text(rich).text)


def utf16_length(text: str) -> int:
    """The unit in which entities are placed."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def linkable(url: str) -> bool:
    """Whether Telegram keeps a link to this address: http(s) with a dot in the host, or its own schemes. Others it drops without a
    word. Source: TDLib's LinkManager::check_link, asked through tdjson 1.8.69."""
    if _PLAIN_LINK.fullmatch(url):
        return True
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if port == 0 or not re.fullmatch(r"[^\s<>\"\\\x00-\x20\x7f]+", url):
        return False
    if parts.scheme in ("tg", "ton"):
        return re.fullmatch(r"[A-Za-z0-9_-]+", parts.netloc) is not None
    return parts.scheme in ("http", "https") and re.fullmatch(r"([\w.~:-]+@)?[\w-]+(\.[\w-]+)+(:\d+)?", parts.netloc) is not None


class _Encoder:
    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._at = 0
        self._characters = 0
        self.own: list[tuple[int, int]] = []
        """Stretches, in characters, in which an @ is meant (mentions) or means nothing (code)."""
        self._unsplittable = 0
        self._open: dict[int, int] = {}
        self._marks = 0
        self.entities: list[Json] = []

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def blocks(self, blocks: tuple[Block, ...]) -> None:
        for number, block in enumerate(in_steps(blocks)):
            if number:
                self._write("\n")
            match block:
                case Paragraph():
                    self._inlines(block.inlines)
                case Heading():
                    self._inlines(block.inlines, also=int(Mark.BOLD))
                case CodeBlock():
                    self._code_block(block)
                case List():
                    self._list(block)
                case Quote():
                    start = self._at
                    self.blocks(block.blocks)
                    self._entity("expandable_blockquote" if block.is_expandable else "blockquote", start)

    def _write(self, text: str) -> None:
        self._pieces.append(text)
        self._characters += len(text)
        self._at += utf16_length(text)

    def _write_own(self, text: str) -> None:
        self.own.append((self._characters, self._characters + len(text)))
        self._write(text)

    def _entity(self, kind: str, start: int, **parameters: Any) -> None:
        if self._at > start:
            self.entities.append({"type": kind, "offset": start, "length": self._at - start, **parameters})

    def _room(self) -> bool:
        """Whether one more entity that cannot be split will be kept; counts it."""
        self._unsplittable += 1
        return self._unsplittable <= UNSPLITTABLE_KEPT

    def _code_block(self, block: CodeBlock) -> None:
        start = self._at
        fits = self._room()
        if not fits:
            self._write(block.text)
        else:
            self._write_own(block.text)
            self._entity("pre", start, **({"language": block.language} if block.language else {}))

    def _list(self, block: List) -> None:
        for number, (label, item) in enumerate(list_lines(block, bullet="•")):
            self._write(("\n" if number else "") + label)
            self._inlines(item.inlines)

    def _inlines(self, inlines: tuple[Inline, ...], *, also: int = 0) -> None:
        for inline in in_steps(inlines):
            self._inline(inline, inline.marks | also)
        self._mark(0)

    def _inline(self, inline: Inline, marks: int) -> None:
        link = inline.link if isinstance(inline, Text) else None
        if marks & _CODE:  # code excludes every other entity, and an atom or link is worth more than code
            marks = _CODE if isinstance(inline, Text) and not link and self._code_fits(inline) else marks & ~_CODE
        self._mark(marks)
        start = self._at
        match inline:
            case Text():
                self._write_own(inline.text) if marks & _CODE else self._write(inline.text)
                if link and link != inline.text:
                    self._link(start, link)
            case Mention():
                self._mention(inline, start)
            case Emoji():
                self._write(inline_text(inline))
                if inline.id and inline.text and self._room():
                    self._entity("custom_emoji", start, custom_emoji_id=inline.id)
            case Timestamp():
                self._write(inline_text(inline))
                if self._room():
                    self._entity("date_time", start, unix_time=inline.unix_s)

    def _code_fits(self, inline: Text) -> bool:
        return bool(self._open.get(_CODE) is not None or self._room())

    def _link(self, start: int, url: str) -> None:
        if linkable(url) and self._room():
            self._entity("text_link", start, url=url)
        else:
            self._write(f" ({url.removeprefix('mailto:').removeprefix('tel:')})")

    def _mention(self, mention: Mention, start: int) -> None:
        if mention.kind is MentionKind.USER and mention.id.isdigit() and self._room():
            self._write_own(inline_text(mention))
            user = {"id": int(mention.id), "is_bot": False, "first_name": mention.name or "?"}
            self._entity("text_mention", start, user=user)
        elif mention.kind is MentionKind.USER and re.fullmatch(r"[A-Za-z]\w{3,31}", mention.id, re.ASCII):
            self._write_own("@" + mention.id)  # Telegram finds it by itself
        else:
            self._write(inline_text(mention))

    def _mark(self, marks: int) -> None:
        """Open and close formatting so that `marks` hold from here."""
        if marks == self._marks:
            return
        self._marks = marks
        for bit, kind in _MARKS:
            if marks & bit:
                self._open.setdefault(bit, self._at)
            elif bit in self._open:
                self._entity(kind, self._open.pop(bit))


def guarded(text: str) -> str:
    """Text in which no `@name` is a mention, and no `/word` a command."""
    return _guarded(text, [], []).text


def _kept_of_path(path: str) -> int:
    """How much of it belongs to the address: it ends before a bracket that was not opened in it, and never with a sign that ends a
    sentence."""
    opened = dict.fromkeys(_CLOSES.values(), 0)
    end = len(path)
    for bracket in _BRACKETS.finditer(path):
        sign = bracket[0]
        if sign in opened:
            opened[sign] += 1
        elif opened[_CLOSES[sign]]:
            opened[_CLOSES[sign]] -= 1
        else:
            end = bracket.start()
            break
    return len(path[:end].rstrip(_NEVER_LAST))


def _guarded(text: str, entities: list[Json], own: list[tuple[int, int]]) -> EncodedText:
    """The text with an invisible character behind each @ or / that Telegram would take for the start of a mention or command, and
    behind each of our mentions that the next words would make longer. Looks at the whole text: words may meet from two runs."""
    if "@" not in text and "/" not in text:
        return EncodedText(text, entities)
    cuts: list[int] = []
    at = 0
    for start, end in [*own, (len(text), len(text))]:
        # an address is looked for between our own stretches only: cut in two, it would no longer cover the @ inside it
        while found := _ALIVE.search(text, at, start):
            at = found.end("url") + _kept_of_path(found["path"]) if found["url"] else found.end()
            if not found["url"]:
                cuts.append(at)
        if at < start and text[start - 1] == "@" and _WORD.match(text, start):
            cuts.append(start)
        if text.startswith("@", start) and _WORD.match(text, end):
            cuts.append(end)
        at = end
    if not cuts:
        return EncodedText(text, entities)
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    offset = 0
    places: list[int] = []
    for piece in pieces[:-1]:
        offset += utf16_length(piece)
        places.append(offset)
    moved = [
        entity
        | {
            "offset": entity["offset"] + bisect_right(places, entity["offset"]),
            "length": entity["length"]
            + bisect_left(places, entity["offset"] + entity["length"])
            - bisect_right(places, entity["offset"]),
        }
        for entity in entities
    ]
    return EncodedText(MENTION_GUARD.join(pieces), moved)
