"""How Discord's own client would show a message's text: displayed words and safe HTML.

The emulator's own reading of the dialect, as ordered rules tried at each position, the way the client's parser works. It shares
nothing with the adapter's decoder, so that the two can disagree in a test. Source: Discord's "Markdown Text 101" and the API
reference, "Message Formatting".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape

Shown = tuple[str, str]
"""Displayed text and HTML."""
Name = Callable[[int], str]
MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Names:
    """How ids in a text are displayed, and which of the mentions ping."""

    user: Name
    role: Name
    channel: Name
    pinged_users: frozenset[int] = frozenset()
    pinged_roles: frozenset[int] = frozenset()
    pings_everyone: bool = False


@dataclass(slots=True)
class _Out:
    text: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)

    def add(self, shown: Shown) -> None:
        self.text.append(shown[0])
        self.html.append(shown[1])

    @property
    def shown(self) -> Shown:
        return "".join(self.text), "".join(self.html)


_CODE_BLOCK = re.compile(r"```(?:([a-zA-Z0-9_+\-.#]+)\n)?\n*([^\n].*?)\n*```", re.DOTALL)
_QUOTE_REST = re.compile(r" *>>> +(.*)", re.DOTALL)
_QUOTE = re.compile(r"(?: *>(?!>>) +[^\n]*(?:\n|$))+")
_QUOTE_MARK = re.compile(r"^ *> +", re.MULTILINE)
_HEADING = re.compile(r" *(#{1,3}) +([^\n]+?)(?:\n|$)")
_SUBTEXT = re.compile(r" *-# +([^\n]+?)(?:\n|$)")
_ITEM = re.compile(r"( *)([-*]|\d{1,10}\.) +([^\n]+)(?:\n|$)")
_MORE = re.compile(r" +(\S[^\n]*)(?:\n|$)")
"""A line that begins with a space goes on with the list item before it, as in the client's own rule for lists."""
_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_AUTOLINK = re.compile(r"<(https?://[^ >\n]+)>")
_URL = re.compile(r"https?://[^\s<]+[^<.,:;\"'\]\s)]")
_MASKED = re.compile(r"\[((?:\\.|\[[^\[\]]*\]|[^\[\]\\])+)\]\(<?(https?://[^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?\)")
_INLINE_CODE = re.compile(r"(`+)(.*?[^`])\1(?!`)", re.DOTALL)
_STRONG = re.compile(r"\*\*((?:\\.|[^\\])+?)\*\*(?!\*)", re.DOTALL)
_UNDERLINE = re.compile(r"__((?:\\.|[^\\])+?)__(?!_)", re.DOTALL)
_STAR = re.compile(r"\*(?=\S)((?:\*\*|\\.|\s+(?:[^*\s\\]|\\.|\*\*)|[^\s*\\])+?)\*(?!\*)", re.DOTALL)
_UNDERSCORE = re.compile(r"_((?:__|\\.|[^\\_])+?)_(?!\w)", re.DOTALL)
_STRIKE = re.compile(r"~~((?:\\.|[^\\])+?)~~(?!~)", re.DOTALL)
_SPOILER = re.compile(r"\|\|((?:\\.|[^\\])+?)\|\|", re.DOTALL)
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_CHANNEL = re.compile(r"<#(\d+)>")
_COMMAND = re.compile(r"</([\w -]+):\d+>")
_EMOJI = re.compile(r"<a?:(\w{2,32}):(\d+)>")
_TIMESTAMP = re.compile(r"<t:(-?\d{1,13})(?::[tTdDfFsSR])?>")
_EVERYONE = re.compile(r"@(everyone|here)\b")
_PLAIN = re.compile(r"(?:[^\W_]|[ ,.!?;()/\u00a0])+")


class _Reader:
    def __init__(self, names: Names) -> None:
        self._names = names

    def read(self, source: str, *, depth: int = 0, is_block: bool = True, in_quote: bool = False) -> Shown:
        out = _Out()
        if depth > MAX_DEPTH:
            return source, escape(source)
        position = 0
        while position < len(source):
            shown, end = None, position
            if is_block and (position == 0 or source[position - 1] == "\n"):
                shown, end = self._block(source, position, depth, in_quote)
            if shown is None:
                shown, end = self._inline(source, position, depth, in_quote, is_block)
            out.add(shown)
            position = end
        return out.shown

    def _block(self, source: str, at: int, depth: int, in_quote: bool) -> tuple[Shown | None, int]:
        if not in_quote:
            if found := _QUOTE_REST.match(source, at):
                return self._quote(found[1], depth), found.end()
            if found := _QUOTE.match(source, at):
                inner = _QUOTE_MARK.sub("", found[0].rstrip("\n"))
                return self._quote(inner, depth), found.end()
        if found := _HEADING.match(source, at):
            text, html = self.read(found[2], depth=depth + 1, is_block=False)
            level = len(found[1])
            return (text + "\n", f"<h{level}>{html}</h{level}>"), found.end()
        if found := _SUBTEXT.match(source, at):
            text, html = self.read(found[1], depth=depth + 1, is_block=False)
            return (text + "\n", f'<span class="subtext">{html}</span><br>'), found.end()
        if _ITEM.match(source, at):
            return self._list(source, at, depth)
        return None, at

    def _quote(self, inner: str, depth: int) -> Shown:
        text, html = self.read(inner, depth=depth + 1, in_quote=True)
        return text + "\n", f"<blockquote>{html}</blockquote>"

    def _list(self, source: str, at: int, depth: int) -> tuple[Shown, int]:
        """Items of one run; deeper indentation is a list in a list."""
        out = _Out()
        open_tags: list[tuple[int, str]] = []
        while item := _ITEM.match(source, at):
            indent, marker, content = len(item[1]), item[2], item[3]
            tag = "ul" if marker in "-*" else "ol"
            while open_tags and (indent, tag) != open_tags[-1] and indent <= open_tags[-1][0]:
                out.html.append(f"</{open_tags.pop()[1]}>")
            if not open_tags or indent > open_tags[-1][0]:
                start = f' start="{int(marker[:-1])}"' if tag == "ol" and marker != "1." else ""
                out.html.append(f"<{tag}{start}>")
                open_tags.append((indent, tag))
            text, html = self.read(content, depth=depth + 1, is_block=False)
            at = item.end()
            while (more := _MORE.match(source, at)) and not _ITEM.match(source, at):
                more_text, more_html = self.read(more[1], depth=depth + 1, is_block=False)
                text, html = f"{text}\n{'  ' * len(open_tags)}{more_text}", f"{html}<br>{more_html}"
                at = more.end()
            bullet = "• " if tag == "ul" else f"{marker} "
            out.add(("  " * (len(open_tags) - 1) + bullet + text + "\n", f"<li>{html}</li>"))
        while open_tags:
            out.html.append(f"</{open_tags.pop()[1]}>")
        return out.shown, at

    def _inline(self, source: str, at: int, depth: int, in_quote: bool, is_block: bool) -> tuple[Shown, int]:
        if found := _PLAIN.match(source, at):
            # a URL may begin inside a run of plain characters
            url_at = source.find("http", found.start() + 1, found.end())
            end = url_at if url_at > 0 and not source.startswith("http", at) else found.end()
            if not source.startswith(("http://", "https://"), at):
                return (source[at:end], escape(source[at:end])), end
        if source[at] == "\n":
            return ("\n", "<br>"), at + 1
        special = self._special(source, at)
        if special is not None:
            return special
        for pattern, tag in (
            (_STRONG, "b"),
            (_UNDERLINE, "u"),
            (_STAR, "i"),
            (_UNDERSCORE, "i"),
            (_STRIKE, "s"),
            (_SPOILER, "spoiler"),
        ):
            if found := pattern.match(source, at):
                text, html = self.read(found[1], depth=depth + 1, is_block=is_block and tag == "spoiler", in_quote=in_quote)
                opened, closed = ('<span class="spoiler">', "</span>") if tag == "spoiler" else (f"<{tag}>", f"</{tag}>")
                return (text, f"{opened}{html}{closed}"), found.end()
        if found := _MASKED.match(source, at):
            text, html = self.read(found[1], depth=depth + 1, is_block=False)
            return (text, f'<a href="{escape(found[2])}">{html}</a>'), found.end()
        return (source[at], escape(source[at])), at + 1

    def _special(self, source: str, at: int) -> tuple[Shown, int] | None:
        """One token: an escape, code, an address, a mention, an emoji or a time."""
        if found := _ESCAPE.match(source, at):
            return (found[1], escape(found[1])), found.end()
        if found := _CODE_BLOCK.match(source, at):
            language = f' class="language-{escape(found[1])}"' if found[1] else ""
            end = found.end() + (1 if source.startswith("\n", found.end()) else 0)
            return (found[2] + "\n", f"<pre><code{language}>{escape(found[2])}</code></pre>"), end
        if found := _INLINE_CODE.match(source, at):
            code = found[2]
            code = re.sub(r"^ (?= *`)|(?<=`)( *) $", r"\1", code)
            return (code, f"<code>{escape(code)}</code>"), found.end()
        if found := _AUTOLINK.match(source, at):
            return _link(found[1]), found.end()
        if found := _URL.match(source, at):
            return _link(found[0]), found.end()
        return self._named(source, at)

    def _named(self, source: str, at: int) -> tuple[Shown, int] | None:
        names = self._names
        if found := _USER.match(source, at):
            pings = int(found[1]) in names.pinged_users
            return _mention("@" + names.user(int(found[1])), pings=pings), found.end()
        if found := _ROLE.match(source, at):
            pings = int(found[1]) in names.pinged_roles
            return _mention("@" + names.role(int(found[1])), pings=pings), found.end()
        if found := _CHANNEL.match(source, at):
            return _mention("#" + names.channel(int(found[1])), pings=False), found.end()
        if found := _COMMAND.match(source, at):
            return _mention("/" + found[1], pings=False), found.end()
        if found := _EVERYONE.match(source, at):
            return (_mention(found[0], pings=True) if names.pings_everyone else (found[0], found[0])), found.end()
        if found := _EMOJI.match(source, at):
            name = f":{found[1]}:"
            return (name, f'<span class="emoji" title="{name}">{name}</span>'), found.end()
        if found := _TIMESTAMP.match(source, at):
            return _timestamp(int(found[1]), found[0]), found.end()
        return None


def _link(url: str) -> Shown:
    return url, f'<a href="{escape(url)}">{escape(url)}</a>'


def _mention(shown: str, *, pings: bool) -> Shown:
    return shown, f'<span class="mention{" ping" if pings else ""}">{escape(shown)}</span>'


def _timestamp(seconds: int, raw: str) -> Shown:
    try:
        shown = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        shown = raw
    return shown, f'<span class="time">{escape(shown)}</span>'


def show(content: str, names: Names) -> Shown:
    """Displayed text (without markup) and HTML of one message's content."""
    text, html = _Reader(names).read(content)
    return text.rstrip("\n") if not content.endswith("\n") else text, html
