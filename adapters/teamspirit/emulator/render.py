"""What a person sees of a message's markdown: CommonMark plus ~~strike~~, single line breaks kept, raw HTML shown as text.

Called by the emulator's state whenever a message is shown. Pure. Not the adapter's decoder: this walks markdown-it's token stream
straight to HTML and to displayed text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
_LINK_OR_CODE = re.compile(r"\\.|(`+)(?!`).+?(?<!`)\1(?!`)|<[^\s<>]*>|\]\([^)\s]*", re.DOTALL)
_EXTENDED_AUTOLINK = re.compile(r"(?i)(?<![a-z0-9])(?:(?:https?|ftp)://|www\.)[a-z0-9][^\s<`\u200b\u2060]*")
_TRAILING = re.compile(r"[?!.,:*_~'\";]+$")
# Without these characters a text has no markup; lines may not start with a digit, +, - or white space either (lists, code blocks).
_PLAIN = re.compile(r"[^\\`*_~\[\]<>&#=|@!-]*")
_LINE_MARKUP = re.compile(r"(?m)^(?:\d|\+|[ \t])|[ \t]{2,}$")
_MENTION = re.compile(r"(?<![\w@])@([\w.\-]*\w)")
_MASS_MENTIONS = frozenset({"all", "channel", "here", "everyone"})
_INLINE_TAGS = {
    "strong_open": "<b>",
    "strong_close": "</b>",
    "em_open": "<i>",
    "em_close": "</i>",
    "s_open": "<s>",
    "s_close": "</s>",
}
_SAFE_LINK = re.compile(r"(?i)^(?:https?://|mailto:)")

KnownName = Callable[[str], bool]


def render(text: str, is_person: KnownName) -> tuple[str, str]:
    """`(html, displayed text)` of a markdown text. `is_person` tells whether `@name` mentions somebody."""
    if _PLAIN.fullmatch(text) and not _LINE_MARKUP.search(text) and "\n\n" not in text:
        return html.escape(text), text
    env: dict[str, Any] = {}
    tokens = _MARKDOWN.parse(text, env)
    page = _Page(is_person, env.get("addresses", []))
    page.blocks(tokens)
    return "".join(page.html).strip("\n"), "".join(page.text).strip("\n")


def _extended_autolinks(state: StateCore) -> None:
    """Bare addresses are literal (GitHub Flavored Markdown 6.9): each becomes one character that no markup knows, until the rest
    is read. What stands in code, in <> or as the target of a link is not looked at; nor is a label, where no link can be."""
    addresses: list[str] = []
    for token in state.tokens:
        if token.type == "inline":
            token.content = _with_places(token.content, addresses)
    state.env["addresses"] = addresses


def _with_places(source: str, addresses: list[str]) -> str:
    taken = [found.span() for found in _LINK_OR_CODE.finditer(source)]
    taken += [found.span() for found in re.finditer(r"\[[^\[\]]*\]\(", source)]
    text, at = "", 0
    for found in _EXTENDED_AUTOLINK.finditer(source):
        start, end = found.span()
        if start < at or any(begin <= start < stop for begin, stop in taken):
            continue
        end = start + len(_trimmed(found[0]))
        addresses.append(source[start:end])
        text += source[at:start] + chr(_PLACES + len(addresses) - 1)
        at = end
    return text + source[at:]


def _trimmed(address: str) -> str:
    while True:
        shorter = _TRAILING.sub("", address)
        for opening, closing in ("()", "[]"):
            depth = 0
            for at, letter in enumerate(shorter):
                depth += (letter == opening) - (letter == closing)
                if depth < 0:
                    shorter = shorter[:at]
                    break
        if shorter == address:
            return address
        address = shorter


_PLACES = 0xF0000
"""The first of the private characters that stand for addresses."""
_MARKDOWN.core.ruler.before("inline", "extended_autolinks", _extended_autolinks)


class _Page:
    """Collects HTML and displayed text side by side while walking the tokens.

    Displayed, two paragraphs are an empty line apart; every other pair of blocks one line break.
    """

    def __init__(self, is_person: KnownName, addresses: Sequence[str]) -> None:
        self._addresses = {_PLACES + number: address for number, address in enumerate(addresses)}
        self.html: list[str] = []
        self.text: list[str] = []
        self._is_person = is_person
        self._lists: list[int] = []
        self._previous = ""
        """Type of the block before, empty at the start of a container."""

    def blocks(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            match token.type:
                case "inline":
                    self._inline(token.children or [])
                case "paragraph_open":
                    self._next("paragraph")
                case "heading_open":
                    self._next("heading")
                    self.html.append(f"<{token.tag}>")
                case "blockquote_open" | "bullet_list_open" | "ordered_list_open":
                    self._next("container")
                    self.html.append(f"<{token.tag}>")
                    if token.type != "blockquote_open":
                        self._lists.append(int(token.attrGet("start") or 1) if token.tag == "ol" else 0)
                    self._previous = ""
                case "blockquote_close" | "bullet_list_close" | "ordered_list_close":
                    self.html.append(f"</{token.tag}>")
                    if token.type != "blockquote_close":
                        self._lists.pop()
                    self._previous = "container"
                case "list_item_open":
                    self._item()
                case "list_item_close" | "heading_close":
                    self.html.append(f"</{token.tag}>")
                case "fence" | "code_block":
                    self._next("code")
                    body = token.content.removesuffix("\n")
                    self.html.append(f"<pre>{html.escape(body)}</pre>")
                    self.text.append(body)
                case "hr":
                    self._next("rule")
                    self._both("———")
                case _:
                    pass

    def _item(self) -> None:
        if self._previous:
            self.text.append("\n")
        number = self._lists[-1]
        self.text.append("  " * (len(self._lists) - 1) + (f"{number}. " if number else "• "))
        if number:
            self._lists[-1] = number + 1
        self.html.append("<li>")
        self._previous = ""

    def _next(self, block: str) -> None:
        if self._previous:
            both_paragraphs = block == self._previous == "paragraph"
            self.text.append("\n\n" if both_paragraphs else "\n")
            if both_paragraphs:
                self.html.append("\n\n")
        self._previous = block

    def _both(self, text: str) -> None:
        text = self._restored(text)
        self.text.append(text)
        self.html.append(html.escape(text))

    def _restored(self, text: str) -> str:
        return text.translate(self._addresses) if self._addresses else text

    def _inline(self, tokens: Sequence[Token]) -> None:
        open_links: list[bool] = []
        for token in tokens:
            match token.type:
                case "text" | "text_special" | "html_inline":
                    self._both(token.content) if open_links else self._plain(token.content)
                case "softbreak" | "hardbreak":
                    self._both("\n")
                case "code_inline":
                    code = self._restored(token.content)
                    self.text.append(code)
                    self.html.append(f"<code>{html.escape(code)}</code>")
                case "link_open":
                    href = self._restored(str(token.attrGet("href") or ""))
                    open_links.append(bool(_SAFE_LINK.match(href)))
                    if open_links[-1]:
                        self.html.append(f'<a href="{html.escape(href)}">')
                case "link_close":
                    if open_links.pop():
                        self.html.append("</a>")
                case "image":
                    words, source = self._restored(token.content), self._restored(str(token.attrGet("src") or ""))
                    self.text.append(words)
                    label = html.escape(words or source)
                    self.html.append(f'<a href="{html.escape(source)}">{label}</a>' if _SAFE_LINK.match(source) else label)
                case _:
                    self.html.append(_INLINE_TAGS.get(token.type, ""))

    def _plain(self, text: str) -> None:
        self.text.append(self._restored(text))
        at = 0
        for found in _MENTION.finditer(text):
            name = found[1]
            if name.lower() in _MASS_MENTIONS or self._is_person(name):
                self.html.append(html.escape(self._restored(text[at : found.start()])))
                self.html.append(f'<span class="mention">{html.escape(found[0])}</span>')
                at = found.end()
        self.html.append(html.escape(self._restored(text[at:])))
