"""Encodes rich text as CommonMark, with `~~` for strikethrough as in GitHub Flavored Markdown. Pure.

Programs read it, so no invisible characters are inserted. Literal text is escaped. A delimiter counts only beside certain
characters (CommonMark 0.31, "Emphasis and strong emphasis": left- and right-flanking runs): a letter that would prevent it is
written as a character reference, which begins and ends in punctuation. Source: spec.commonmark.org/0.31.2
and github.github.com/gfm, read 2026-11-26.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from adapters.common.markdown_quotes import quote_joint, quote_lines
from bridge.model.pauses import in_steps
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Heading,
    Inline,
    List,
    Mark,
    Paragraph,
    Quote,
    RichText,
    Text,
    inline_text,
    is_same_quote,
    numbered,
)

_SIGNS = ((int(Mark.STRIKE), "~~"), (int(Mark.BOLD), "**"), (int(Mark.ITALIC), "_"))
_CODE = int(Mark.CODE)
_SHOWN = _CODE | sum(mark for mark, _ in _SIGNS)
_ESCAPED = re.compile(r"[\\`*_\[\]<~|]|&(?=#|[A-Za-z])")
_LINE_START = re.compile(r"[#>=+\-]|(?<=\d)[.)](?=\s|\Z)")
_NUMBER = re.compile(r"\d{1,9}[.)](?=\s|\Z)")
_ADDRESS = re.compile(r"https?://[^\s<>\\`\"]*[^\s<>\\`\".,:;!?'*_~)\]]")
_REFERENCE = re.compile(r"&#?\w+;")
_ALONE = re.compile(r"(?:https?://|mailto:)[^\s<>\\]+")
"""A URL that can be written in angle brackets."""
_PLAIN_URL = re.compile(r"[^\s()<>\\\x00-\x1f\x7f]+")
_NO_LANGUAGE = re.compile(r"[^\w+#.\-]")

_BLANK = "&nbsp;"
"""An empty line or list item: a list marker alone could be read as the underline of a heading."""

_Run = tuple[str, int, str | None]
"""Text without line breaks, its marks, and the address of its link."""


def encode_markdown(rich: RichText) -> str:
    return _blocks(rich.blocks)


def _blocks(blocks: Sequence[Block]) -> str:
    encoded: list[str] = []
    above, bullet = None, "-"
    for block in in_steps(blocks):
        bullet = "*" if isinstance(above, List) and isinstance(block, List) and bullet == "-" else "-"
        text = _block(block, bullet)
        if text:
            if isinstance(above, Quote) and isinstance(block, Quote) and is_same_quote(above, block):
                encoded[-1] += f"\n{quote_joint(above, block)}\n{text}"
            else:
                encoded.append(text)
            above = block
    return "\n\n".join(encoded)


def _block(block: Block, bullet: str) -> str:
    match block:
        case Paragraph():
            return _words(block.inlines)
        case Heading():
            words = " ".join(line for line in map(_line, _lines(block.inlines)) if line)
            return (
                f"{'#' * block.level} {words[:-1]}\\#" if words.endswith("#") else f"{'#' * block.level} {words}" if words else ""
            )
        case CodeBlock():
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", block.text)), default=0))
            return f"{fence}{_NO_LANGUAGE.sub('', block.language)}\n{block.text}\n{fence}"
        case List():
            return _list(block, bullet)
        case Quote():
            return quote_lines(_blocks(block.blocks), block.depth)


def _list(block: List, bullet: str) -> str:
    """The lines of a list. A nested item is indented to the text column of its parent."""
    lines: list[str] = []
    levels: list[tuple[int, bool]] = []
    """For the open items above: their text column, and whether they are numbered."""
    for number, item in in_steps(list(numbered(block))):
        goes_on = len(levels) > item.indent and levels[item.indent][1]
        del levels[item.indent :]
        margin = levels[-1][0] if levels else 0
        end = "." if bullet == "-" else ")"
        marker = f"{bullet} " if number is None else f"{min(max(number, 0), 999_999_999)}{end} "
        levels += [(margin, False)] * (item.indent - len(levels))  # levels without an item
        levels.append((margin + len(marker), number is not None))
        words = (_words(item.inlines) or _BLANK).replace("\n", "\n" + " " * levels[-1][0])
        if lines and not goes_on and number not in (None, 1):
            lines.append("")  # only a list that begins with 1 can interrupt a paragraph
        lines.append(f"{' ' * margin}{marker}{words}")
    return "\n".join(lines)


# -- lines ----------------------------------------------------------------------------------------------------------------------


def _words(inlines: Sequence[Inline]) -> str:
    """Keeps line breaks: two spaces make a hard break, a blank line ends the paragraph, and each further one becomes an empty
    line."""
    text, blank = "", 0
    for line in map(_line, _lines(inlines)):
        if not line:
            blank += 1
            continue
        if text:
            text += "\n\n" + f"{_BLANK}  \n" * (blank - 1) if blank else "  \n"
        text, blank = text + line, 0
    return text


def _lines(inlines: Iterable[Inline]) -> Iterator[list[_Run]]:
    """Join neighbouring runs with the same marks and address."""
    line: list[_Run] = []
    for inline in in_steps(list(inlines)):
        link = inline.link if isinstance(inline, Text) else None
        for number, piece in enumerate(inline_text(inline).split("\n")):
            if number:
                yield line
                line = []
            marks = int(inline.marks) & _SHOWN
            if line and line[-1][1:] == (marks, link):
                line[-1] = (line[-1][0] + piece, marks, link)
            elif piece:
                line.append((piece, marks, link))
    yield line


def _line(runs: Sequence[_Run]) -> str:
    written = _Written()
    for link, group in groupby(runs, key=lambda run: run[2]):
        of_link = list(group)
        if link is None:
            _marked(of_link, written, in_link=False)
        elif len(of_link) == 1 and not of_link[0][1] and _is_alone(of_link[0][0], link):
            written.add(f"<{link}>")
        else:
            if written.last == "!":
                written.guard_last()
            written.add("[")
            _marked(of_link, written, in_link=True)
            written.add(f"]({_destination(link)})")
    return written.text().rstrip(" \t")


def _is_alone(label: str, link: str) -> bool:
    return label in (link, link.removeprefix("mailto:")) and bool(_ALONE.fullmatch(link)) and not _REFERENCE.search(link)


def _destination(link: str) -> str:
    safe = re.sub(r"[\s<>\\\x00-\x1f\x7f]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), link)
    safe = _REFERENCE.sub(lambda found: "\\" + found[0], safe)
    return safe if _PLAIN_URL.fullmatch(link) else f"<{safe}>"


def _marked(runs: Sequence[_Run], written: _Written, *, in_link: bool) -> None:
    """The runs with nested marks; white space is moved outside of them. All marks are closed at the end."""
    opened: list[str] = []
    for text, marks, _ in runs:
        body, wanted = text.strip(), [sign for mark, sign in _SIGNS if marks & mark]
        if not body:
            written.close(opened)
            written.space(text)
            continue
        lead = "" if marks & _CODE else text[: len(text) - len(text.lstrip())]
        tail = "" if marks & _CODE else text[len(text.rstrip()) :]
        kept = next((place for place, sign in enumerate(opened) if sign not in wanted), len(opened))
        written.close(opened, 0 if lead else kept)
        written.space(lead)
        for sign in wanted:
            if sign not in opened:
                written.open(sign)
                opened.append(sign)
        written.add(_code(text) if marks & _CODE else _literal(body, at_start=written.is_empty, in_link=in_link))
        if tail:
            written.close(opened)
            written.space(tail)
    written.close(opened)


def _code(text: str) -> str:
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    edge = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{edge}{text}{edge}{fence}"


def _literal(text: str, *, at_start: bool, in_link: bool) -> str:
    """Escape the text; addresses are put in angle brackets, where nothing needs escaping."""
    pieces: list[str] = []
    at = 0
    for found in () if in_link else _ADDRESS.finditer(text):
        if _REFERENCE.search(found[0]):
            continue
        pieces += [_escaped(text[at : found.start()]), f"<{found[0]}>"]
        at = found.end()
    pieces.append(_escaped(text[at:]))
    shown = "".join(pieces)
    if not at_start:
        return shown
    if number := _NUMBER.match(shown):
        return f"{number[0][:-1]}\\{shown[number.end() - 1 :]}"
    return f"\\{shown}" if _LINE_START.match(shown) else shown


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\\" + found[0], text)


class _Written:
    """A line that is being written, piece by piece."""

    __slots__ = ("_closed", "_pieces", "last")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._closed = False
        self.last = ""
        """The last character written."""

    @property
    def is_empty(self) -> bool:
        return not self._pieces

    def text(self) -> str:
        return "".join(self._pieces)

    def add(self, piece: str) -> None:
        """Write text. Directly after a closing mark, a letter becomes a character reference."""
        if self._closed and not _is_outside(piece[0]):
            piece = f"&#{ord(piece[0])};{piece[1:]}"
        self._closed = False
        self._pieces.append(piece)
        self.last = piece[-1]

    def space(self, white: str) -> None:
        """Write white space. At the start of a line it would be dropped, or make the line code."""
        if white:
            self.add(white.replace("\t", "    ").replace(" ", _BLANK) if self.is_empty else white)

    def guard_last(self) -> None:
        self._pieces[-1] = f"{self._pieces[-1][:-1]}&#{ord(self.last)};"
        self.last = ";"

    def open(self, sign: str) -> None:
        self._closed = False  # a delimiter follows
        if self.last and not _is_outside(self.last):
            self.guard_last()
        self.add(sign)

    def close(self, opened: list[str], keep: int = 0) -> None:
        while len(opened) > keep:
            self._closed = False
            self.add(opened.pop())
            self._closed = True


def _is_outside(character: str) -> bool:
    """Whether it may be next to a mark, outside: it is white space or punctuation in every version of the specification."""
    return character.isspace() or (character.isascii() and character.isprintable() and not character.isalnum())
