"""What a reader sees of a text, in a form in which the answers of foreign parsers and our own tree are compared. Pure.

A `Meaning` is the lines of a text with ink in them. Invisible characters, white space at the ends of lines, blank lines and marks
of white space say nothing to a reader, and are left out; so is the link of an address that is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple
from urllib.parse import unquote

from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Emoji,
    Heading,
    Inline,
    List,
    Mark,
    Mention,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    inline_text,
    numbered,
)

GUARDS = dict.fromkeys(map(ord, "\u200b\u2060\u2061\u2062\u2063\ufeff"))
"""Invisible characters by which encoders keep foreign text from meaning something."""
MARKS = {
    "b": Mark.BOLD,
    "i": Mark.ITALIC,
    "u": Mark.UNDERLINE,
    "s": Mark.STRIKE,
    "spoiler": Mark.SPOILER,
    "code": Mark.CODE,
}

ATOM = "◆"
_ATOMS = ("@ ", ": ", "at ")

Marks = frozenset[str]
"""Names of `MARKS`; `-> URL` of a link; `@ ID`, `: NAME` and `at UNIX_S` of a mention, a custom emoji and a moment."""
NONE: Marks = frozenset()


class Run(NamedTuple):
    text: str
    marks: Marks = NONE

    def __repr__(self) -> str:
        return f"{self.text!r}{'[' + ', '.join(sorted(self.marks)) + ']' if self.marks else ''}"


class Line(NamedTuple):
    """`kind`: empty for words, else `h1`, `code LANGUAGE`, `- INDENT` or `NUMBER. INDENT` of an item, `row`; `quotes`: how many
    quotes it stands in."""

    kind: str
    quotes: int
    runs: tuple[Run, ...]

    def __repr__(self) -> str:
        return f"\n    {'> ' * self.quotes}{'(' + self.kind + ') ' if self.kind else ''}{' '.join(map(repr, self.runs))}"


Meaning = tuple[Line, ...]


def line(kind: str, quotes: int, runs: Iterable[Run]) -> Iterator[Line]:
    """The line in its common form; several if there are breaks in it, none if there is no ink."""
    shown_runs = _without_own_links(_atoms(runs))
    characters = [(character, run.marks) for run in shown_runs for character in run.text.translate(GUARDS)]
    further = kind if kind.startswith("code ") else ""
    for number, of_line in enumerate(_split(characters)):
        shown = _collapsed(of_line)
        if shown:
            words = (Run(_whole("".join(c for c, _ in group)), marks) for marks, group in groupby(shown, key=lambda each: each[1]))
            yield Line(kind if number == 0 else further, quotes, tuple(words))


def _whole(text: str) -> str:
    """The text where a parser has cut a character in two."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _atoms(runs: Iterable[Run]) -> Iterator[Run]:
    """The runs, with what shows a mention, an emoji or a moment as one sign: each platform shows them in its own words."""
    for atom, group in groupby(runs, key=lambda run: next((mark for mark in run.marks if mark.startswith(_ATOMS)), "")):
        shown = list(group)
        yield from [Run(ATOM, shown[0].marks)] if atom else shown


def _without_own_links(runs: Iterable[Run]) -> Iterator[Run]:
    """The runs, where a link shows its address without the link."""
    for link, group in groupby(runs, key=lambda run: next((mark for mark in run.marks if mark.startswith("-> ")), "")):
        label = list(group)
        address = link.removeprefix("-> ")
        whole = link != "" and same_address(address, "".join(run.text for run in label))
        for run in label:
            yield Run(run.text, run.marks - {link}) if whole or (link and same_address(address, run.text)) else run


def link_to(url: str) -> str:
    """The mark of a link; how its characters are escaped does not matter."""
    return f"-> {unquote(url)}"


def same_address(address: str, shown: str) -> bool:
    return _bare(address) == _bare(shown.translate(GUARDS))


def _bare(address: str) -> str:
    return re.sub(r"^(mailto:|tel:|https?://(?=www\.))", "", unquote(address.strip())).rstrip("/")


def _split(characters: list[tuple[str, Marks]]) -> Iterator[list[tuple[str, Marks]]]:
    of_line: list[tuple[str, Marks]] = []
    for character, marks in characters:
        if character == "\n":
            yield of_line
            of_line = []
        else:
            of_line.append((character, marks))
    yield of_line


def _collapsed(characters: list[tuple[str, Marks]]) -> list[tuple[str, Marks]]:
    """White space as one space between words, with what the words on both sides have in common."""
    shown: list[tuple[str, Marks]] = []
    space = False
    for character, marks in characters:
        if character.isspace():
            space = bool(shown)
            continue
        if space:
            shown.append((" ", shown[-1][1] & marks))
            space = False
        shown.append((character, marks))
    return shown


# -- our own tree -----------------------------------------------------------------------------------------------------------


def meant(rich: RichText, *, tables: bool = False, heads: Marks = NONE) -> Meaning:
    """What the tree says, to those who see tables or do not; `heads`: the marks of what is in a table's first row."""
    return tuple(each for block in rich.blocks for each in _block(block, 0, tables, heads))


def _block(block: Block, quotes: int, tables: bool, heads: Marks) -> Iterator[Line]:
    match block:
        case CodeBlock() if tables and block.rows:
            for at, row in enumerate(block.rows):
                cells = [[*([Run(" | ")] if number else []), Run(cell, NONE if at else heads)] for number, cell in enumerate(row)]
                yield from line("row", quotes, [run for cell in cells for run in cell])
        case Paragraph():
            yield from line("", quotes, map(_run, block.inlines))
        case Heading():
            yield from line(f"h{block.level}", quotes, map(_run, block.inlines))
        case CodeBlock():
            yield from line(f"code {block.language}", quotes, [Run(block.text)])
        case List():
            for number, item in numbered(block):
                label = "-" if number is None else f"{number}."
                yield from line(f"{label} {item.indent}", quotes, map(_run, item.inlines))
        case Quote():
            for inner in block.blocks:
                yield from _block(inner, quotes + block.depth, tables, heads)


def _run(inline: Inline) -> Run:
    marks = {name for name, mark in MARKS.items() if inline.marks & mark}
    match inline:
        case Text(link=str(url)):
            marks.add(link_to(url))
        case Mention():
            marks.add(f"@ {inline.id}")
        case Emoji(id=str(native)) if native:
            marks.add(f": {inline.name}")
        case Timestamp():
            marks.add(f"at {inline.unix_s}")
        case _:
            pass
    return Run(inline_text(inline), frozenset(marks))


def changed(meaning: Meaning, *, drop: Iterable[str] = (), names: Mapping[str, str] | None = None) -> Meaning:
    """The meaning without the marks that begin so, and with other names for them: what a parser cannot tell."""
    dropped, renamed = tuple(drop), names or {}

    def seen(run: Run) -> Run:
        kept = (mark for mark in run.marks if not dropped or not mark.startswith(dropped))
        return Run(run.text, frozenset(next((new for old, new in renamed.items() if mark.startswith(old)), mark) for mark in kept))

    return tuple(again for each in meaning for again in line(each.kind, each.quotes, map(seen, each.runs)))
