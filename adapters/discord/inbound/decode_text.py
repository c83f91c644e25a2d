"""Discord's Markdown dialect -> rich text. Pure; a scanner of our own, since no library reads this dialect. Called by `decode`.

Line by line: quotes, headings, lists and code blocks first, then what lies between them as paragraphs whose line breaks are kept.
Anything that is not well-formed stays literal text. Source: Discord's "Markdown Text 101", API reference "Message Formatting".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

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
    merge_inlines,
    normalize,
)

MAX_DEPTH = 20
"""Deeper nesting of marks stays literal, so that no message can exhaust the stack."""

_FENCE = re.compile(r"```(?:([A-Za-z0-9_+\-.#]+)\n)?\n*([^\n].*?)\n*```", re.DOTALL)
_CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_QUOTE_REST = re.compile(r" *>>> +(.*)", re.DOTALL)
_QUOTE_LINE = re.compile(r" *> +([^\n]*)(?:\n|$)")
_HEADING = re.compile(r" *(#{1,3}) +(\S[^\n]*)(?:\n|$)")
_CLOSING = re.compile(r"(?:^| +)#+ *$| +$")
_SUBTEXT = re.compile(r" *-# +(\S[^\n]*)(?:\n|$)")
_ITEM = re.compile(r"( *)([-*]|\d{1,10}\.) +(\S[^\n]*)(?:\n|$)")
_CONTINUED = re.compile(r" +(?!```)(\S[^\n]*)(?:\n|$)")

_ESCAPED = re.compile(r"\\([^0-9A-Za-z\s])")
_URL = re.compile(r"https?://[^\s<]+[^<.,:;\"'\]\s]")
_ANGLED_URL = re.compile(r"<([a-z][a-z0-9+.-]*://[^ >\n]+)>")
_MASKED = re.compile(r"\[((?:\\.|[^\[\]\\\n])+)\]\(<?(https?://(?:[^\s<>()\\]|\\.|\([^\s<>()]*\))+)>?(?: +[\"'][^\"'\n]*[\"'])?\)")
_USER = re.compile(r"<@!?(\d{1,20})>")
_ROLE = re.compile(r"<@&(\d{1,20})>")
_CHANNEL = re.compile(r"<#(\d{1,20})>")
_COMMAND = re.compile(r"</([\w -]{1,100}):\d{1,20}>")
_GUIDE = re.compile(r"<id:(customize|browse|guide|linked-roles)(?::\d+)?>")
_GUIDES = {
    "browse": "Browse Channels",
    "customize": "Channels & Roles",
    "guide": "Server Guide",
    "linked-roles": "Linked Roles",
}
"""What Discord's client calls these pages of a server. Source: API reference, "Guild Navigation Types", read 2026-11."""
_EMOJI = re.compile(r"<(a?):(\w{1,32}):(\d{1,20})>")
_TIMESTAMP = re.compile(r"<t:(-?\d{1,13})(?::([tTdDfFsSR]))?>")
_EVERYONE = re.compile(r"@(everyone|here)\b")
_PLAIN = re.compile(r"[^\\`<\[*_~|@h]+")

_MARKS: tuple[tuple[str, re.Pattern[str], Mark], ...] = (
    ("**", re.compile(r"\*\*((?:\\.|[^\\])+?)\*\*(?!\*)", re.DOTALL), Mark.BOLD),
    ("__", re.compile(r"__((?:\\.|[^\\])+?)__(?!_)", re.DOTALL), Mark.UNDERLINE),
    ("~~", re.compile(r"~~((?:\\.|[^\\])+?)~~(?!~)", re.DOTALL), Mark.STRIKE),
    ("||", re.compile(r"\|\|((?:\\.|[^\\])+?)\|\|", re.DOTALL), Mark.SPOILER),
    ("*", re.compile(r"\*(?=\S)((?:\*\*|\\.|\s+(?:\\.|\*\*|[^*\s\\])|[^\s*\\])+?)\*(?!\*)", re.DOTALL), Mark.ITALIC),
    ("_", re.compile(r"_((?:__|\\.|[^\\_])+?)_(?!\w)", re.DOTALL), Mark.ITALIC),
)

Lookup = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Names:
    """Display names of ids that stand in a text; an unknown id gives an empty string."""

    user: Lookup
    role: Lookup
    channel: Lookup


def _unknown(_: str) -> str:
    return ""


NO_NAMES = Names(user=_unknown, role=_unknown, channel=_unknown)


def decode_text(source: str, names: Names = NO_NAMES) -> RichText:
    """The tree of one message's content."""
    return normalize(RichText(tuple(_Scanner(names).blocks(source))))


def decode_line(source: str, names: Names = NO_NAMES) -> tuple[Inline, ...]:
    """What Discord shows on one line, where nothing begins a block: titles."""
    return _Scanner(names).inlines(" ".join(source.split("\n")))


class _Scanner:
    def __init__(self, names: Names) -> None:
        self._names = names

    # -- blocks ---------------------------------------------------------------------------------------------------------------

    def blocks(self, source: str, *, in_quote: bool = False) -> list[Block]:
        found: list[Block] = []
        position = start = 0
        while position < len(source):
            block, end = self._block_at(source, position, in_quote)
            if block is None:
                fence, end = self._line_end(source, position)
                if fence is None:
                    position = end
                    continue
                self._paragraph(found, source[start : fence.start()])
                block = CodeBlock(fence[2], fence[1] or "")
                end = fence.end() + source.startswith("\n", fence.end())
            else:
                self._paragraph(found, source[start:position])
            found.append(block)
            position = start = end
        self._paragraph(found, source[start:], is_last=True)
        return found

    def _paragraph(self, found: list[Block], source: str, *, is_last: bool = False) -> None:
        """Blocks are one line break apart by themselves, so the one before a block is not part of the text."""
        text = source if is_last else source.removesuffix("\n")
        if source and (text or found or not is_last):
            inlines = self.inlines(text)
            found.append(Paragraph(inlines or (Text(""),)))

    def _block_at(self, source: str, at: int, in_quote: bool) -> tuple[Block | None, int]:
        """A block that begins at this start of a line, with its end."""
        if not in_quote:
            if rest := _QUOTE_REST.match(source, at):
                return self._quote(rest[1]), rest.end()
            lines: list[str] = []
            end = at
            while line := _QUOTE_LINE.match(source, end):
                if line.end() == end:
                    break
                lines.append(line[1])
                end = line.end()
            if lines:
                return self._quote("\n".join(lines)), end
        if heading := _HEADING.match(source, at):
            text = _CLOSING.sub("", heading[2]) or heading[2]
            return Heading(len(heading[1]), self.inlines(text)), heading.end()
        if small := _SUBTEXT.match(source, at):
            return Paragraph(self.inlines(small[1])), small.end()
        return self._list(source, at)

    def _quote(self, inner: str) -> Quote:
        blocks = tuple(b for b in self.blocks(inner, in_quote=True) if not isinstance(b, Quote))
        return Quote(blocks or (Paragraph((Text(""),)),))

    def _list(self, source: str, at: int) -> tuple[List | None, int]:
        """Items that follow each other; a change between bullets and numbers at the outermost level begins another list."""
        items: list[ListItem] = []
        indents: list[int] = []
        is_ordered, start = False, 1
        kinds: dict[int, bool] = {}
        while item := _ITEM.match(source, at):
            indent, marker = len(item[1]), item[2]
            numbered = marker not in "-*"
            while indents and indent < indents[-1]:
                indents.pop()
            if not indents or indent > indents[-1]:
                indents.append(indent)
            level = len(indents) - 1
            if not items:
                is_ordered, start = numbered, int(marker[:-1]) if numbered else 1
            elif level == 0 and numbered != is_ordered:
                break
            of_another_kind = numbered if numbered != is_ordered else None
            begins = numbered and kinds.get(level) is not True and bool(items)
            number = int(marker[:-1]) if begins and int(marker[:-1]) != 1 else None
            kinds = {**{above: kind for above, kind in kinds.items() if above < level}, level: numbered}
            content, at = self._continued(source, item[3], item.end())
            items.append(ListItem(self.inlines(content), level, of_another_kind, number))
        return (List(tuple(items), is_ordered, start) if items else None), at

    def _continued(self, source: str, content: str, at: int) -> tuple[str, int]:
        """An item with the lines behind it that begin with a space: they are its own."""
        while (line := _CONTINUED.match(source, at)) and not _ITEM.match(source, at):
            content, at = f"{content}\n{line[1]}", line.end()
        return content, at

    def _line_end(self, source: str, at: int) -> tuple[re.Match[str] | None, int]:
        """The first code block that begins on this line, or where the next line begins. Code spans are stepped over."""
        while at < len(source):
            character = source[at]
            if character == "\n":
                return None, at + 1
            if character == "\\":
                at += 2
                continue
            if character == "`":
                fence = _FENCE.match(source, at)
                if fence is not None:
                    return fence, fence.end()
                span = _CODE.match(source, at)
                at = span.end() if span is not None else at + 1
                continue
            at += 1
        return None, len(source)

    # -- inlines --------------------------------------------------------------------------------------------------------------

    def inlines(self, source: str, marks: int = 0, link: str | None = None, depth: int = 0) -> tuple[Inline, ...]:
        found: list[Inline] = []
        at = 0
        while at < len(source):
            plain = _PLAIN.match(source, at)
            if plain is not None:
                found.append(Text(plain[0], marks, link))
                at = plain.end()
                continue
            special = self._special(source, at, marks, link) or self._marked(source, at, marks, link, depth)
            if special is None:
                found.append(Text(source[at], marks, link))
                at += 1
                continue
            inlines, at = special
            found.extend(inlines)
        return merge_inlines(found)

    def _marked(self, source: str, at: int, marks: int, link: str | None, depth: int) -> tuple[tuple[Inline, ...], int] | None:
        if depth >= MAX_DEPTH:
            return None
        for opening, pattern, mark in _MARKS:
            if source.startswith(opening, at) and (match := pattern.match(source, at)):
                return self.inlines(match[1], marks | mark, link, depth + 1), match.end()
        if link is None and (match := _MASKED.match(source, at)):
            url = _ESCAPED.sub(r"\1", match[2])
            return self.inlines(match[1], marks, url, depth + 1), match.end()
        return None

    def _special(self, source: str, at: int, marks: int, link: str | None) -> tuple[tuple[Inline, ...], int] | None:
        """What is one thing and holds no marks: escapes, code, addresses, mentions, emoji, times."""
        character = source[at]
        if character == "\\":
            escaped = _ESCAPED.match(source, at)
            return ((Text(escaped[1], marks, link),), escaped.end()) if escaped else None
        if character == "`":
            code = _CODE.match(source, at)
            return ((Text(_unpadded(code[2]), marks | Mark.CODE, link),), code.end()) if code else None
        if character == "h":
            url = _URL.match(source, at) if link is None else None
            return _bare_link(url[0], at, marks) if url else None
        if character == "@":
            everyone = _EVERYONE.match(source, at)
            return ((Mention(MentionKind.EVERYONE, everyone[1], everyone[1], marks),), everyone.end()) if everyone else None
        return self._angled(source, at, marks, link) if character == "<" else None

    def _angled(self, source: str, at: int, marks: int, link: str | None) -> tuple[tuple[Inline, ...], int] | None:
        names = self._names
        inline: Inline
        if match := _USER.match(source, at):
            inline = Mention(MentionKind.USER, match[1], names.user(match[1]) or "unknown-user", marks)
        elif match := _ROLE.match(source, at):
            inline = Mention(MentionKind.GROUP, match[1], names.role(match[1]) or "unknown-role", marks)
        elif match := _CHANNEL.match(source, at):
            inline = Mention(MentionKind.CHAT, match[1], names.channel(match[1]) or "unknown-channel", marks)
        elif match := _EMOJI.match(source, at):
            inline = Emoji(match[2], match[3], "", marks, bool(match[1]))
        elif match := _TIMESTAMP.match(source, at):
            inline = Timestamp(int(match[1]), "", match[2] or "", marks)
        elif match := _COMMAND.match(source, at):
            inline = Text(f"/{match[1]}", marks | Mark.CODE, link)  # elsewhere a bare one would be a live command
        elif match := _GUIDE.match(source, at):
            inline = Text(_GUIDES[match[1]], marks, link)
        elif match := _ANGLED_URL.match(source, at):
            inline = Text(match[1], marks, link or (match[1] if match[1].startswith("http") else None))
        else:
            return None
        return (inline,), match.end()


def _bare_link(url: str, at: int, marks: int) -> tuple[tuple[Inline, ...], int]:
    """Closing parentheses that the address did not open belong to the text around it."""
    while url.endswith(")") and url.count(")") > url.count("("):
        url = url[:-1]
    return (Text(url, marks, url),), at + len(url)


def _unpadded(code: str) -> str:
    """One space between the fence and a backtick belongs to the fence."""
    if code.startswith(" ") and code.lstrip(" ").startswith("`"):
        code = code[1:]
    if code.endswith(" ") and code.rstrip(" ").endswith("`"):
        code = code[:-1]
    return code
