"""Rich text to markdown that every CommonMark reader (and Mattermost's) shows as meant. Pure.

Literal text is escaped with what both readers know: a backslash before markup characters, character references for < and & and for
white space that markdown would drop. Where two runs of markup would touch and be read as one, a word joiner stands between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from adapters.common.markdown_quotes import quote_joint, quote_lines
from adapters.teamspirit.mention_guards import GUARD, JOINER, clean, guard, is_username
from adapters.teamspirit.outbound.encode_marks import Written, signs
from adapters.teamspirit.web_links import SAFE_LINK, bare_address
from bridge.model.pauses import in_steps
from bridge.model.rich_text import (
    Block,
    CodeBlock,
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
    inline_text,
    is_same_quote,
    numbered,
    only_texts,
)

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import TextDialect

_ESCAPED = re.compile(r"[\\`*_{}\[\]~|]")
_REFERENCED = re.compile(r"[<&]")
_USER_IN_URL = re.compile(r"(?i)\w+://[^/?#]*@")
_REFERENCE = re.compile(r"&#?\w+;")
_ADDRESS = re.compile(r"(?i)(https?|ftp|www)(:(?=//\w)|(?<=www)\.(?=\w))\S*")
"""From where a reader would see a bare address to the next white space; the two groups are what it is known by."""
_WITH_SCHEME = re.compile(r"(?i)(?:https?|ftp)://\w")
_NO_URL = re.compile(r"[\"<>{}|\\^`\u200b\u2060]")
_LINE_START = re.compile(r"([#+\->]|\d{1,9}[.)](?=\s|$))|([=])")
_CLOSING_HASHES = re.compile(r"(?:^|(?<=\s))#+$")
_NAME_GOES_ON = re.compile(r"\w|[.\-]+\w")
_EDGE_SPACE = re.compile(r"^\s+|\s+$")
_LANGUAGE = re.compile(r"[^\w+#.\-]")
_CODE = int(Mark.CODE)
"""Bare integers: operations on flags make objects, and every text that is measured goes through here."""


def encode_markdown(rich: RichText, dialect: TextDialect, *, mass_mentions: bool = False) -> str:
    return _Encoder(dialect, mass_mentions).blocks(rich.blocks)


class _Encoder:
    def __init__(self, dialect: TextDialect, mass_mentions: bool) -> None:
        self._dialect = dialect
        self._mass_mentions = mass_mentions

    # -- blocks -------------------------------------------------------------------------------------------------------------

    def blocks(self, blocks: Sequence[Block]) -> str:
        text = ""
        previous: Block | None = None
        bullets = "-"
        for block in in_steps(blocks):
            if isinstance(block, List) and isinstance(previous, List):
                bullets = "*" if bullets == "-" else "-"
            encoded = self._block(block, bullets)
            if previous is not None:
                text += "\n\n" if self._is_table(previous) or self._is_table(block) else _separator(previous, block)
            text += encoded
            previous = block
        return text

    def _block(self, block: Block, bullets: str) -> str:
        match block:
            case Paragraph():
                return _lines(self._inlines(block.inlines))
            case Heading():
                return f"{'#' * block.level} {self._one_line(block.inlines)}"
            case CodeBlock() if block.rows and self._dialect.tables:
                return self._table(block.rows)
            case CodeBlock():
                fence = "```"
                if fence in block.text:
                    fence = "`" * (1 + max(len(run) for run in re.findall(r"`+", block.text)))
                return f"{fence}{_LANGUAGE.sub('', block.language)}\n{block.text}\n{fence}"
            case List():
                return self._list(block, bullets)
            case Quote():
                return quote_lines(self.blocks(block.blocks), block.depth)

    def _is_table(self, block: Block) -> bool:
        return self._dialect.tables and type(block) is CodeBlock and block.rows != ()

    def _table(self, rows: Sequence[Sequence[str]]) -> str:
        width = max(map(len, rows))
        lines = [
            "| " + " | ".join(_edges(self._literal(cell, alone=False)) for cell in row) + " |" * (width - len(row) + 1)
            for row in rows
        ]
        return "\n".join([lines[0], "|" + "---|" * width, *lines[1:]])

    def _list(self, block: List, bullets: str) -> str:
        """Items line by line, deeper ones indented by the width of their parents' markers. An item without words shares the line of
        the deeper one behind it."""
        lines: list[str] = []
        widths: list[int] = []
        held = ""
        items = list(numbered(block))
        for at, (number, item) in enumerate(in_steps(items)):
            indent = min(item.indent, len(widths))
            begins = indent == len(widths)
            del widths[indent:]
            marker = f"{bullets} " if number is None else f"{number}{'.' if bullets == '-' else ')'} "
            margin = " " * sum(widths)
            widths.append(len(marker))
            words = self._inlines(item.inlines)
            if not words and at + 1 < len(items) and items[at + 1][1].indent > item.indent:
                held = (held or margin) + marker
                continue
            if lines and not held and begins and number not in (None, 1):
                lines.append("")  # in a row with words, only a list that begins with 1 would be seen
            # without text, the marker of an inner item would be read as the underline of a heading
            text = _lines(words) or (GUARD if indent else "")
            lines.append(((held or margin) + marker + text.replace("\n", "\n" + margin + " " * len(marker))).rstrip(" "))
            held = ""
        return "\n".join(lines)

    def _one_line(self, inlines: Sequence[Inline]) -> str:
        text = " ".join(self._inlines(inlines).split("\n"))
        return _CLOSING_HASHES.sub(lambda found: found[0][:-1] + "\\#", _edges(text))

    # -- runs ---------------------------------------------------------------------------------------------------------------

    def _inlines(self, inlines: Sequence[Inline]) -> str:
        """Runs of one link are one link; markup never reaches over a line break or into another link."""
        if len(inlines) == 1 and type(inlines[0]) is Text and _is_bare(inlines[0]):
            return inlines[0].text
        written = Written()
        line = [*_by_line(inlines)]
        at = 0
        for link, runs in in_steps(_by_link(line)):
            at += len(runs)
            after = inline_text(line[at])[:1] if at < len(line) else ""
            shows_itself = link is not None and _is_own_label(runs, link)
            if shows_itself and runs[0].marks:
                runs, link = [Text(link or "", runs[0].marks)], None
            is_link = link is not None and SAFE_LINK.match(link) is not None
            label = self._marked(runs, before="[" if is_link else written.last, after=after, in_link=is_link)
            if written.last == "`" and label.startswith("`"):
                written.add(JOINER)
            if link is None:
                written.add(label)
            elif not is_link:
                written.add(f"{label} ({self._literal(link)})")
            elif shows_itself:
                written.add(f"<{link}>")
            else:
                if written.last == "!":
                    written.pieces[-1] = written.pieces[-1][:-1] + "\\!"
                written.add(f"[{label.replace(chr(10), ' ')}](<{_escaped_url(link)}>)")
        return "".join(written.pieces)

    def _marked(self, runs: Sequence[Inline], *, before: str, after: str, in_link: bool) -> str:
        """Runs with their marks opened and closed so that they nest, white space outside of them. `before` and `after`: the
        characters that stand beside them."""
        written = Written(before)
        opened: list[str] = []
        mentioned = False
        for number, run in enumerate(in_steps(runs)):
            wanted = signs(run.marks) if run.marks else ()
            if type(run) is Text and not run.marks & _CODE and _means_nothing(run.text):
                body = run.text
                if not (wanted or opened or mentioned):
                    written.add(body)
                    continue
            else:
                following = inline_text(runs[number + 1])[:1] if number + 1 < len(runs) else after
                alone = not wanted and (not following or following.isspace())
                body = self._run(run, alone=alone, in_link=in_link)
            if mentioned and _NAME_GOES_ON.match(body):
                body = JOINER + body
            mentioned = isinstance(run, Mention)
            if mentioned and (written.last.isalnum() or written.last == ">"):
                body = JOINER + body
            bare = body.strip()
            if not bare:
                # white space cannot be marked; it must not stand inside marks that end behind it either
                written.close(opened, 0)
                written.add(body)
                continue
            keep = _common(opened, wanted)
            written.close(opened, keep)
            lead = body[: len(body) - len(body.lstrip())]
            tail = body[len(body.rstrip()) :]
            written.add(lead)
            if keep < len(wanted):
                written.open(wanted[keep:], bare, opened)
            written.add(bare)
            if tail:
                written.close(opened, 0)
                written.add(tail)
        written.close(opened, 0)
        return "".join(written.pieces)

    def _run(self, run: Inline, *, alone: bool, in_link: bool) -> str:
        match run:
            case Mention():
                return self._mention(run)
            case Text() if run.marks & _CODE:
                return _code(run.text)
            case _:
                return self._literal(inline_text(run), alone=alone, in_link=in_link)

    def _mention(self, mention: Mention) -> str:
        sign = self._dialect.mention
        if sign and mention.kind is MentionKind.EVERYONE and self._mass_mentions:
            return sign + (mention.id.lower() if self._is_mass(mention.id) else self._dialect.mass_mentions[0])
        if sign and mention.kind is MentionKind.USER and is_username(mention.id) and not self._is_mass(mention.id):
            return sign + _unending(mention.id)
        chat_sign = self._dialect.chat_mention
        if chat_sign and mention.kind is MentionKind.CHAT and is_username(mention.id):
            return chat_sign + _unending(mention.id)
        return self._literal(inline_text(mention))

    def _is_mass(self, name: str) -> bool:
        return name.lower() in self._dialect.mass_mentions

    def _literal(self, text: str, *, alone: bool = True, in_link: bool = False) -> str:
        """Text in which nothing is markup or a mention. Readers make links of bare addresses, and take literally whatever stands in
        one: an address in which, or right behind which, something would have to be escaped is written <address>, or else so that
        it is none. `alone`: nothing stands right behind the text. `in_link`: it is the label of a link, which holds no other."""
        if _means_nothing(text):
            return text
        text = clean(text)
        pieces: list[str] = []
        at = behind = 0
        while found := _ADDRESS.search(text, behind):
            run, behind = found[0], found.end()
            if len(run) <= _LONGEST_BARE and self._escaped(run) == run and (alone or found.end() < len(text)):
                continue
            pieces.append(self._escaped(text[at : found.start()]))
            url = "" if in_link else bare_address(_NO_URL.split(run[:_LONGEST_BARE], maxsplit=1)[0], 0)
            if _fits_brackets(url):
                pieces.append(f"<{url}>")
                at = behind = found.start() + len(url)
            else:
                pieces.append(f"{found[1]}&#{ord(found[2])};")
                at = behind = found.end(2)
        pieces.append(self._escaped(text[at:]))
        return "".join(pieces)

    def _escaped(self, text: str) -> str:
        return _escape(guard(text, self._dialect))


def _means_nothing(text: str) -> bool:
    """Whether there is surely nothing to be escaped or guarded in it, nor an address: nearly every short run."""
    return text in (" ", "\n") or text.isalnum()


def _is_bare(run: Text) -> bool:
    """Whether it is written as it is wherever it stands alone."""
    return not run.marks and run.link is None and _means_nothing(run.text)


def _by_link(line: Sequence[Inline]) -> Sequence[tuple[str | None, Sequence[Inline]]]:
    """The runs of each link, and those between."""
    if only_texts(line) and not any(run.link is not None for run in line):
        return [(None, line)] if line else []
    groups = groupby(line, key=lambda inline: inline.link if isinstance(inline, Text) else None)
    return [(link, list(group)) for link, group in groups]


_LONGEST_BARE = 1000
"""An address is looked for in so much of a run without white space; looking through all of it for each would take long."""


def _fits_brackets(url: str) -> bool:
    """Whether every reader takes <url> for a link that shows exactly this."""
    return _WITH_SCHEME.match(url) is not None and url.isprintable() and not _REFERENCE.search(url) and not _USER_IN_URL.match(url)


_APART = {(Paragraph, List), *((above, below) for above in (Quote, List) for below in (Paragraph, Quote, List))}


def _separator(previous: Block, block: Block) -> str:
    """A blank line where markdown would otherwise take the second block for a part of the first; within a quote, one of it."""
    if is_same_quote(previous, block) and isinstance(previous, Quote) and isinstance(block, Quote):
        return f"\n{quote_joint(previous, block)}\n"
    return "\n\n" if (type(previous), type(block)) in _APART else "\n"


def _by_line(inlines: Sequence[Inline]) -> Iterable[Inline]:
    """The runs with each line break as a run of its own, without marks or link."""
    for inline in in_steps(inlines):
        if not isinstance(inline, Text) or "\n" not in inline.text:
            yield inline
            continue
        for number, line in enumerate(in_steps(inline.text.split("\n"))):
            if number:
                yield Text("\n")
            if line:
                yield Text(line, inline.marks, inline.link)


def _lines(text: str) -> str:
    """Each line guarded against being read as a block of another kind, and against losing its outer white space."""
    if text.isalpha():
        return text
    return "\n".join(_edges(_line_start(line)) for line in text.split("\n"))


def _line_start(line: str) -> str:
    found = _LINE_START.match(line)
    if found is None:
        return line
    if found[2]:
        return "&#61;" + line[1:]
    sign = found[1]
    return f"{sign[:-1]}\\{sign[-1]}{line[len(sign) :]}" if len(sign) > 1 else "\\" + line


def _edges(line: str) -> str:
    return _EDGE_SPACE.sub(lambda found: "".join(f"&#{ord(space)};" for space in found[0]), line)


def _escape(text: str) -> str:
    text = _REFERENCED.sub(lambda found: "&lt;" if found[0] == "<" else "&amp;", text)
    return _ESCAPED.sub(lambda found: "\\" + found[0], text)


def _code(text: str) -> str:
    runs = {len(run) for run in re.findall(r"`+", text)}
    fence = "`" * next(length for length in range(1, len(text) + 2) if length not in runs)
    padded = text.startswith(("`", " ")) or text.endswith(("`", " "))
    return f"{fence} {text} {fence}" if padded and text.strip(" ") else f"{fence}{text}{fence}"


def _common(opened: Sequence[object], wanted: Sequence[object]) -> int:
    count = 0
    for one, other in zip(opened, wanted, strict=False):
        if one != other:
            break
        count += 1
    return count


def _is_own_label(runs: Sequence[Inline], link: str) -> bool:
    """Whether the link is one run that shows nothing but its address, which <address> can then say."""
    shown = "".join(inline_text(run) for run in runs)
    plainly = len({run.marks for run in runs}) == 1 and not runs[0].marks & _CODE
    return shown == link and plainly and _fits_brackets(link) and re.fullmatch(r"[^\s<>]+", link) is not None


def _unending(name: str) -> str:
    """A trailing underscore could end emphasis; others stand inside the word and cannot."""
    return name[:-1] + "\\_" if name.endswith("_") else name


def _escaped_url(url: str) -> str:
    """For use between < and >: backslashes and entities are live there too."""
    if not url.isprintable():
        url = "".join(letter for letter in url if letter.isprintable())
    return url.replace("\\", "%5C").replace("<", "%3C").replace(">", "%3E").replace("&", "&amp;")
