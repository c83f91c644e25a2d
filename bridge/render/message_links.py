"""Finds the addresses in a text, and replaces some of them. Pure. `delivery` finds out which of them lead to messages with a copy
in the target's chat.

Code stays as it is. A link whose label was its address gets the new address as its label; any other label stays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from bridge.model.pauses import in_steps
from bridge.model.rich_text import Block, CodeBlock, Heading, Inline, List, Mark, Paragraph, Quote, RichText, Text, map_inlines

MOST_ADDRESSES = 20
"""The most addresses of one text that are considered."""
_LONGEST = 500
"""No platform's link to a message is longer."""
_BARE = re.compile(r"(?i)\b(?:https?|tg|discord)://[^\s<>\"`|\\^{}]{4,500}")
_LAST = "?!.,:;*_~'\")]"
"""What ends a sentence or its markup, and no link to a message."""
_SCHEME = re.compile(r"(?i)^(?:https?://)(?:www\.)?")


def addresses_in(rich: RichText) -> list[str]:
    """The distinct addresses in order, at most `MOST_ADDRESSES`."""
    found: dict[str, None] = {}
    for inline in _inlines(rich.blocks):
        for address in _addresses(inline):
            found[address] = None
            if len(found) >= MOST_ADDRESSES:
                return list(found)
    return list(found)


def with_addresses(rich: RichText, new: Mapping[str, str]) -> RichText:
    """The text with `new[address]` instead of each address that is in it."""
    return map_inlines(rich, lambda inline: _changed(inline, new)) if new else rich


def _inlines(blocks: Sequence[Block]) -> Iterator[Inline]:
    """All but those of code blocks."""
    for block in in_steps(blocks):
        match block:
            case Paragraph() | Heading():
                yield from in_steps(block.inlines)
            case List():
                for item in in_steps(block.items):
                    yield from item.inlines
            case Quote():
                yield from _inlines(block.blocks)
            case CodeBlock():
                pass


def _addresses(inline: Inline) -> Iterator[str]:
    if not isinstance(inline, Text) or (inline.link is None and "://" not in inline.text) or inline.marks & Mark.CODE:
        return
    if inline.link is not None:
        if len(inline.link) <= _LONGEST:
            yield inline.link
    else:
        yield from (_trimmed(found[0]) for found in _BARE.finditer(inline.text))


def _trimmed(bare: str) -> str:
    return bare.rstrip(_LAST)


def _changed(inline: Inline, new: Mapping[str, str]) -> Inline:
    if not isinstance(inline, Text) or inline.marks & Mark.CODE:
        return inline
    if inline.link is None:
        if "://" not in inline.text:
            return inline
        return Text(_BARE.sub(lambda found: _replaced(found[0], new), inline.text), inline.marks)
    address = new.get(inline.link)
    if address is None:
        return inline
    return Text(_label(inline.text, inline.link, address), inline.marks, address)


def _replaced(bare: str, new: Mapping[str, str]) -> str:
    address = _trimmed(bare)
    return new.get(address, address) + bare[len(address) :]


def _label(label: str, old: str, address: str) -> str:
    """The new address where the label was the old one, with or without its scheme."""
    said = label.strip()
    if said == old:
        return label.replace(said, address)
    if said and _SCHEME.sub("", said) == _SCHEME.sub("", old):
        return label.replace(said, address if "://" in said else _SCHEME.sub("", address))
    return label
