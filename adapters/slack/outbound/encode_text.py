"""The bridge's rich text to one rich_text block, and to the escaped plain `text` beside it. Pure. Called by `encode`.

Foreign text goes into literal leaves, so it can become neither markup nor a mention: a rich_text leaf is never parsed. The `text`
fallback (notifications, other apps) has `& < >` escaped, which is all that mrkdwn needs to stay free of mentions and links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from bridge.model.pauses import in_steps
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Emoji,
    Heading,
    Inline,
    List,
    ListItem,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    format_moment,
    inline_text,
    list_lines,
    normalize,
    numbered,
    only_texts,
    to_plain,
    words_of,
)

Json = dict[str, Any]

MAX_FALLBACK = 3000
"""Characters of the `text` beside the blocks."""
MAX_PLAIN = 39_000
"""Characters of a `text` without blocks: Slack cuts off what is over 40,000 [docs.slack.dev chat.postMessage]."""
MAX_PLAIN_EDIT = 4000
"""The same in an edit: more is refused [docs.slack.dev chat.update]."""
_RUN_OVERHEAD = 48
"""What a run counts beside its text: about what its JSON adds, since what `msg_blocks_too_long` counts is not documented."""
_MAX_URL = 3000

_BOLD, _CODE = int(Mark.BOLD), int(Mark.CODE)
"""Bare integers: operations on flags make objects."""
_STYLES = (
    (int(Mark.BOLD), "bold"),
    (int(Mark.ITALIC), "italic"),
    (int(Mark.STRIKE), "strike"),
    (int(Mark.UNDERLINE), "underline"),
    (int(Mark.CODE), "code"),
)
_USER_ID = re.compile(r"[UW][A-Z0-9]+")
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]+")
_GROUP_ID = re.compile(r"S[A-Z0-9]+")
_EMOJI_NAME = re.compile(r"[\w+'-]+")
_BROADCASTS = {"here": "here", "channel": "channel", "everyone": "everyone", "all": "channel"}
_DATE_FORMATS = {
    "t": "{time}",
    "T": "{time_secs}",
    "d": "{date_num}",
    "D": "{date}",
    "f": "{date} {time}",
    "F": "{date_long} {time}",
    "R": "{ago}",
}
_DEFAULT_DATE = "{date_short} {time}"
_BARE_URL = re.compile(r"(?<![\w@])https?://[^\s<>|\"`\u200b]+", re.IGNORECASE)
_PLAIN_LINK = re.compile(r"https?://[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?:[/?#][!-~]*)?")
"""What is surely an address; nearly every one is."""
_NOT_AT_END = ".,;:!?'*_~]}…"
"""Punctuation that ends the sentence and not the address."""


def escape(text: str) -> str:
    """mrkdwn's only escapes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fallback_text(rich: RichText) -> str:
    """The escaped plain form beside the blocks, shortened."""
    return _escaped(to_plain(rich), MAX_FALLBACK)


def plain_text(rich: RichText, limit: int) -> str:
    """The escaped plain form where no blocks go with it."""
    return _escaped(to_plain(rich), limit)


def _escaped(text: str, limit: int) -> str:
    """Escaped and at most `limit` long; never cuts an escape in two."""
    escaped = escape(text[:limit])
    if len(escaped) < limit and len(text) <= limit:
        return escaped
    kept = escaped[: limit - 1]
    begun = kept.rfind("&")
    return (kept if begun < 0 or ";" in kept[begun:] else kept[:begun]) + "…"


def rich_text_elements(rich: RichText) -> list[Json]:
    """The elements of a rich_text block. Sections that follow each other become one, with line breaks between."""
    elements: list[Json] = []
    for block in in_steps(normalize(rich).blocks):
        for element in _elements(block):
            if elements and elements[-1]["type"] == element["type"] == "rich_text_section":
                elements[-1]["elements"] += [_text("\n"), *element["elements"]]
            else:
                elements.append(element)
    return elements


def literal_leaves(text: str, *, bold: bool) -> list[Json]:
    """Literal words as leaves, addresses in them as links."""
    return [*_leaves((Text(text, _BOLD if bold else 0),))]


def measure(rich: RichText) -> int:
    """Length in the unit of this platform's limits: UTF-16 units of texts and addresses, and a share for each run. The same as
    counting what is in `rich_text_elements`, without making it where the runs are plain: long texts are measured often."""
    length = 0
    in_section = False
    for block in in_steps(normalize(rich).blocks):
        if isinstance(block, Paragraph | Heading):
            length += (_RUN_OVERHEAD + 1 if in_section else _RUN_OVERHEAD) + _leaves_length(block.inlines)
            in_section = True
        else:
            length += sum(map(_element_length, _elements(block)))
            in_section = False
    return length


def _leaves_length(inlines: tuple[Inline, ...]) -> int:
    if only_texts(inlines) and not any(run.link for run in inlines) and "://" not in (text := words_of(inlines)):
        return _RUN_OVERHEAD * len(inlines) + _utf16_length(text)
    return sum(map(_element_length, _leaves(inlines)))


def _element_length(element: Json) -> int:
    inner = element.get("elements")
    if inner is not None:
        return _RUN_OVERHEAD + sum(map(_element_length, in_steps(inner)))
    length = _RUN_OVERHEAD
    for key in ("text", "url", "fallback"):
        if value := element.get(key):
            length += _utf16_length(value)
    return length


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _elements(block: Block) -> Iterator[Json]:
    match block:
        case Paragraph():
            yield _section(block.inlines)
        case Heading():
            yield _section(block.inlines, _BOLD)
        case CodeBlock():
            yield {"type": "rich_text_preformatted", "elements": [_text(block.text or " ")], "border": 0}
        case Quote():
            yield {"type": "rich_text_quote", "elements": list(_quote_leaves(block))}
        case List():
            yield from _list(block)


def _section(inlines: Sequence[Inline], marks: int = 0) -> Json:
    return {"type": "rich_text_section", "elements": [*_leaves(inlines, marks)]}


def _list(block: List) -> Iterator[Json]:
    """Slack wants each stretch of one level and style as a list of its own; `offset` keeps the numbers running."""
    stretch: list[ListItem] = []
    start: int | None = None
    expected: int | None = None

    def element() -> Json:
        made: Json = {
            "type": "rich_text_list",
            "style": "bullet" if start is None else "ordered",
            "indent": min(stretch[0].indent, 8),
            "border": 0,
            "elements": [_section(item.inlines or (Text(" "),)) for item in in_steps(stretch)],
        }
        if start is not None and start > 1:
            made["offset"] = start - 1
        return made

    for number, item in numbered(block):
        if stretch and (item.indent != stretch[0].indent or number != expected):
            yield element()
            stretch = []
        if not stretch:
            start = number
        stretch.append(item)
        expected = None if number is None else number + 1
    if stretch:
        yield element()


def _quote_leaves(quote: Quote) -> Iterator[Json]:
    """A rich_text_quote holds leaves only: lists inside become lines, code blocks code runs."""
    for number, block in enumerate(in_steps(quote.blocks)):
        if number:
            yield _text("\n")
        match block:
            case Paragraph():
                yield from _leaves(block.inlines)
            case Heading():
                yield from _leaves(block.inlines, _BOLD)
            case CodeBlock():
                yield _text(block.text or " ", _CODE)
            case List():
                for at, (label, item) in enumerate(list_lines(block, bullet="•")):
                    yield _text(("\n" if at else "") + label)
                    yield from _leaves(item.inlines)


@cache
def _styles(marks: int) -> tuple[str, ...]:
    return tuple(name for mark, name in _STYLES if marks & mark)


def _style(marks: int) -> Json:
    names = _styles(marks) if marks else ()
    return {"style": dict.fromkeys(names, True)} if names else {}


def _text(text: str, marks: int = 0) -> Json:
    return {"type": "text", "text": text, **_style(marks)}


def _leaves(inlines: Sequence[Inline], extra_marks: int = 0) -> Iterator[Json]:
    for inline in in_steps(inlines):
        if isinstance(inline, Text) and not inline.link and not inline.marks & _CODE and "://" in inline.text:
            yield from (_leaf(run, extra_marks) for run in _with_links(inline))
        else:
            yield _leaf(inline, extra_marks)


def _with_links(run: Text) -> Iterator[Text]:
    """Addresses in the text, as links: Slack makes none of them in a rich_text block (reported by app authors, 2026-09)."""
    done = 0
    for found in _BARE_URL.finditer(run.text):
        url = found[0].rstrip(_NOT_AT_END)
        while url.endswith(")") and url.count(")") > url.count("("):
            url = url[:-1].rstrip(_NOT_AT_END)
        if _is_linkable(url) and urlsplit(url).hostname:
            if run.text[done : found.start()]:
                yield Text(run.text[done : found.start()], run.marks)
            yield Text(url, run.marks, url)
            done = found.start() + len(url)
    if run.text[done:]:
        yield Text(run.text[done:], run.marks)


def _leaf(inline: Inline, extra_marks: int = 0) -> Json:
    marks = inline.marks | int(extra_marks)
    match inline:
        case Text():
            if inline.link and _is_linkable(inline.link):
                label = {} if inline.text == inline.link else {"text": inline.text}
                return {"type": "link", "url": inline.link, **label, **_style(marks)}
            return _text(inline.text, marks)
        case Mention():
            return _mention(inline, marks)
        case Emoji():
            if inline.id and _EMOJI_NAME.fullmatch(inline.id):
                return {"type": "emoji", "name": inline.id}
            return _text(inline_text(inline), marks)
        case Timestamp():
            return {
                "type": "date",
                "timestamp": inline.unix_s,
                "format": _DATE_FORMATS.get(inline.style, _DEFAULT_DATE),
                "fallback": inline.text or format_moment(inline.unix_s),
                **_style(marks),
            }


def _mention(mention: Mention, marks: int) -> Json:
    """A mention of a native id; anything else is shown as text, which pings nobody."""
    match mention.kind:
        case MentionKind.USER if _USER_ID.fullmatch(mention.id):
            return {"type": "user", "user_id": mention.id, **_style(marks)}
        case MentionKind.CHAT if _CHANNEL_ID.fullmatch(mention.id):
            return {"type": "channel", "channel_id": mention.id, **_style(marks)}
        case MentionKind.GROUP if _GROUP_ID.fullmatch(mention.id):
            return {"type": "usergroup", "usergroup_id": mention.id, **_style(marks)}
        case MentionKind.EVERYONE if mention.name.lower() in _BROADCASTS:
            return {"type": "broadcast", "range": _BROADCASTS[mention.name.lower()], **_style(marks)}
        case _:
            return _text(inline_text(mention), marks)


def _is_linkable(url: str) -> bool:
    if _PLAIN_LINK.fullmatch(url):
        return len(url) <= _MAX_URL
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https", "mailto", "tel") and len(url) <= _MAX_URL and not re.search(r"\s", url)
