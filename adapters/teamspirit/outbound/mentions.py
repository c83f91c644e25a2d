"""Turns names in texts into mentions, if the server knows them: `@anna`, `@Anna Petrova`, and people of bridge.yaml.

Only in the message's own text: a name in a quote, in code or in a link mentions nobody, and neither does a name that several people
have. Used by `sender` and `changes`, before the text is encoded.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from adapters.teamspirit.mention_guards import is_username
from adapters.teamspirit.people import People
from bridge.model.rich_text import (
    Block,
    Heading,
    Inline,
    List,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    RichText,
    Text,
    normalize,
    with_inlines,
)

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import Dialect

_MOST_NAMES = 10
"""The most names of one message that are looked up: a text full of names is not a conversation."""
_WHOLE_LOOK_UP_S = 10.0
_LONGEST_NAME = 100
_AT = re.compile(r"(?<![\w@./:+\-\u200b])@(?=\w)")
_WORDS = re.compile(r"[\w.\-'’]+(?:[ \xa0][\w.\-'’]+){0,2}")
_ENDS = ".-'’"
"""Characters that do not belong to a name at its end."""

Names = dict[str, str]
"""Written name, in lower case -> username."""


class Mentions:
    """`measure` returns the length of an encoded text, in the unit of the dialect's limits."""

    def __init__(self, dialect: Dialect, people: People, measure: Callable[[RichText], int], *, by_name: bool) -> None:
        self._text, self._limits = dialect.text, dialect.limits
        self._people = people
        self._measure = measure
        self._by_name = by_name

    async def resolved(self, rich: RichText) -> RichText:
        """The text with mentions of those whom the server knows. Never fails: a name that cannot be looked up now stays a name."""
        if self._text.mention is None or not self._people.can_find:
            return rich
        mentioned = {one.id.lower(): one.id for one in _own_words(rich) if isinstance(one, Mention) and _is_user(one)}
        written = list(dict.fromkeys(self._candidates(rich)))
        if not mentioned and not written:
            return rich
        names: Names = {}
        try:
            async with asyncio.timeout(_WHOLE_LOOK_UP_S):
                for key, entry in list(mentioned.items())[:_MOST_NAMES]:
                    if (username := await self._people.username(entry)) and self._may_mention(username):
                        names[key] = username
                for candidates in written[:_MOST_NAMES]:
                    await self._look_up(candidates, names)
        except TimeoutError:
            self._people.leave_alone("it is slow")
        if not names:
            return rich
        made = normalize(RichText(tuple(self._of_block(block, names) for block in rich.blocks)))
        fits = self._measure(made) <= max(self._limits.text_length, self._measure(rich))
        return made if fits else rich

    async def _look_up(self, candidates: tuple[str, ...], names: Names) -> None:
        """The longest candidate that is a person's name wins."""
        for name in candidates:
            if name.lower() in names:
                return
            found = await self._people.find(name)
            if found is not None and self._may_mention(found.username):
                names[name.lower()] = found.username
                return

    def _may_mention(self, username: str) -> bool:
        return is_username(username) and username.lower() not in self._text.mass_mentions

    # -- which names there are ----------------------------------------------------------------------------------------------

    def _candidates(self, rich: RichText) -> Iterator[tuple[str, ...]]:
        """The candidate names at each place that may name a person, longest first."""
        for inline in _own_words(rich):
            if isinstance(inline, Text) and self._may_name(inline):
                for at in _AT.finditer(inline.text):
                    if found := tuple(self._names_at(inline.text, at.end())):
                        yield found

    def _may_name(self, text: Text) -> bool:
        return self._by_name and not text.link and not text.marks & Mark.CODE and "@" in text.text

    def _names_at(self, text: str, start: int) -> Iterator[str]:
        words = _WORDS.match(text, start, start + _LONGEST_NAME)
        if words is None or words[0].split()[0].rstrip(_ENDS).lower() in self._text.mass_mentions:
            return
        name = words[0]
        while name:
            bare = name.rstrip(_ENDS)
            if bare:
                yield bare
            cut = max(name.rfind(" "), name.rfind("\xa0"))
            name = name[:cut] if cut > 0 else ""

    # -- putting them in ----------------------------------------------------------------------------------------------------

    def _of_block(self, block: Block, names: Names) -> Block:
        match block:
            case Paragraph():
                return Paragraph(self._of_inlines(block.inlines, names))
            case Heading():
                return Heading(block.level, self._of_inlines(block.inlines, names))
            case List():
                items = tuple(with_inlines(item, self._of_inlines(item.inlines, names)) for item in block.items)
                return List(items, block.ordered, block.start)
            case _:
                return block

    def _of_inlines(self, inlines: tuple[Inline, ...], names: Names) -> tuple[Inline, ...]:
        return tuple(made for inline in inlines for made in self._of_inline(inline, names))

    def _of_inline(self, inline: Inline, names: Names) -> Iterator[Inline]:
        if isinstance(inline, Mention):
            username = names.get(inline.id.lower()) if _is_user(inline) else None
            yield Mention(MentionKind.USER, username, inline.name, inline.marks) if username else inline
            return
        if not isinstance(inline, Text) or not self._may_name(inline):
            yield inline
            return
        done = 0
        for at in _AT.finditer(inline.text):
            name = next((one for one in self._names_at(inline.text, at.end()) if one.lower() in names), "")
            if name:
                yield Text(inline.text[done : at.start()], inline.marks)
                yield Mention(MentionKind.USER, names[name.lower()], name, inline.marks)
                done = at.end() + len(name)
        yield Text(inline.text[done:], inline.marks)


def _is_user(mention: Mention) -> bool:
    return mention.kind is MentionKind.USER and mention.id != ""


def _own_words(rich: RichText) -> Iterator[Inline]:
    for block in rich.blocks:
        match block:
            case Paragraph() | Heading():
                yield from block.inlines
            case List():
                for item in block.items:
                    yield from item.inlines
            case _:
                pass
