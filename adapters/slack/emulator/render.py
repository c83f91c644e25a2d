"""What Slack's client shows for a message: displayed text and safe HTML, read from blocks, else from the mrkdwn text."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import urlsplit

from adapters.slack.emulator import emoji
from adapters.slack.emulator.records import Json

Name = Callable[[str], str]
"""An id (user or channel) to its displayed name, without @ or #."""

_TOKEN = re.compile(r"<([^<>]+)>|:([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):(?::(skin-tone-[2-6]):)?")
_STYLE_TAGS = (("code", "code"), ("strike", "s"), ("underline", "u"), ("italic", "i"), ("bold", "b"))


class Shown:
    """A piece of a message as displayed: `text` without markup, `html` safe."""

    __slots__ = ("html", "text")

    def __init__(self, text: str = "", html: str | None = None) -> None:
        self.text = text
        self.html = escape(text).replace("\n", "<br>") if html is None else html

    def __add__(self, other: Shown) -> Shown:
        return Shown(self.text + other.text, self.html + other.html)

    def wrapped(self, tag: str, attributes: str = "") -> Shown:
        return Shown(self.text, f"<{tag}{attributes}>{self.html}</{tag}>")


def show(text: str, blocks: list[Json] | None, name: Name, *, marks: bool = True) -> Shown:
    """A message as displayed. Slack's clients show the blocks if there are any; the text then serves notifications only. Without
    `marks` (`mrkdwn: false` when posting) only the `<...>` tokens of the text are read."""
    if not blocks:
        return mrkdwn(text, name) if marks else _tokens(text, name, marks=False)
    return _stacked([_block(block, name) for block in blocks])


def _joined(pieces: list[Shown]) -> Shown:
    return Shown("".join(piece.text for piece in pieces), "".join(piece.html for piece in pieces))


def _stacked(pieces: list[Shown]) -> Shown:
    shown = [piece for piece in pieces if piece.text or piece.html]
    return Shown("\n".join(piece.text for piece in shown), "".join(f"<div>{piece.html}</div>" for piece in shown))


def _block(block: Json, name: Name) -> Shown:
    match block.get("type"):
        case "rich_text":
            return _stacked([_container(element, name) for element in block.get("elements", [])])
        case "section":
            pieces = [_text_object(block["text"], name)] if block.get("text") else []
            return _stacked(pieces + [_text_object(field, name) for field in block.get("fields", [])])
        case "header":
            return _text_object(block.get("text", {}), name).wrapped("h3")
        case "context":
            return _stacked([_text_object(element, name) for element in block.get("elements", []) if "text" in element])
        case "image":
            return Shown(str(block.get("alt_text", "")))
        case "markdown":
            return Shown(str(block.get("text", "")))
        case "table":
            return _table(block, name)
        case _:
            return Shown()


def _table(block: Json, name: Name) -> Shown:
    rows = [[_cell(cell, name) for cell in row] for row in block.get("rows", [])]
    text = "\n".join(" | ".join(cell.text for cell in row) for row in rows)
    html = "".join(f"<tr>{''.join(f'<td>{cell.html}</td>' for cell in row)}</tr>" for row in rows)
    return Shown(text, f"<table>{html}</table>")


def _cell(cell: Json, name: Name) -> Shown:
    if cell.get("type") == "rich_text":
        return _stacked([_container(element, name) for element in cell.get("elements", [])])
    return Shown(str(cell.get("text") or cell.get("value", "")))


def _text_object(value: Any, name: Name) -> Shown:
    if not isinstance(value, dict):
        return Shown()
    text = str(value.get("text", ""))
    return mrkdwn(text, name) if value.get("type") == "mrkdwn" else Shown(text)


def _container(element: Json, name: Name) -> Shown:
    children = element.get("elements", [])
    match element.get("type"):
        case "rich_text_preformatted":
            return _joined([_leaf(leaf, name) for leaf in children]).wrapped("pre")
        case "rich_text_quote":
            return _joined([_leaf(leaf, name) for leaf in children]).wrapped("blockquote")
        case "rich_text_list":
            items = [_container(item, name) for item in children]
            ordered = element.get("style") == "ordered"
            first = int(element.get("offset", 0)) + 1
            signs = [f"{first + i}. " if ordered else "• " for i in range(len(items))]
            pad = "    " * int(element.get("indent", 0))
            text = "\n".join(pad + sign + item.text for sign, item in zip(signs, items, strict=True))
            return Shown(text, "".join(f"<li>{item.html}</li>" for item in items)).wrapped("ol" if ordered else "ul")
        case _:
            return _joined([_leaf(leaf, name) for leaf in children])


def _leaf(leaf: Json, name: Name) -> Shown:
    match leaf.get("type"):
        case "text":
            shown = Shown(str(leaf.get("text", "")))
        case "link":
            shown = _link(str(leaf.get("url", "")), str(leaf.get("text") or leaf.get("url", "")))
        case "user":
            shown = Shown("@" + name(leaf["user_id"])).wrapped("span", ' class="mention"')
        case "channel":
            shown = Shown("#" + name(leaf["channel_id"])).wrapped("span", ' class="channel"')
        case "usergroup":
            shown = Shown("@" + str(leaf.get("usergroup_id"))).wrapped("span", ' class="mention"')
        case "broadcast":
            shown = Shown("@" + str(leaf.get("range"))).wrapped("span", ' class="broadcast"')
        case "emoji":
            tone = f"::skin-tone-{leaf['skin_tone']}" if leaf.get("skin_tone") else ""
            shown = Shown(emoji.character(leaf["name"] + tone) or f":{leaf['name']}:")
        case "date":
            shown = Shown(str(leaf.get("fallback") or leaf.get("timestamp")))
        case _:
            shown = Shown(str(leaf.get("text") or leaf.get("fallback") or ""))
    style = leaf.get("style") or {}
    for key, tag in _STYLE_TAGS:
        if style.get(key):
            shown = shown.wrapped(tag)
    return shown


def _link(url: str, label: str) -> Shown:
    if urlsplit(url).scheme not in ("http", "https", "mailto"):
        return Shown(label)
    return Shown(label, f'<a href="{escape(url)}">{escape(label)}</a>')


def mrkdwn(text: str, name: Name) -> Shown:
    """Slack's own markup; the escapes `&amp; &lt; &gt;` are undone once, after tokens and marks are found."""
    pieces: list[Shown] = []
    for index, part in enumerate(text.split("```")):
        if index % 2 and index < text.count("```"):
            pieces.append(_tokens(part.removeprefix("\n").removesuffix("\n"), name, marks=False).wrapped("pre"))
        elif part:
            pieces.append(_paragraphs(part.strip("\n") if index else part, name))
    return pieces[0] if len(pieces) == 1 else _stacked(pieces)


def _paragraphs(text: str, name: Name) -> Shown:
    pieces: list[Shown] = []
    quoted: list[str] = []
    plain: list[str] = []

    def flush() -> None:
        if quoted:
            pieces.append(_tokens("\n".join(quoted), name, marks=True).wrapped("blockquote"))
            quoted.clear()
        if plain:
            pieces.append(_tokens("\n".join(plain), name, marks=True))
            plain.clear()

    for line in text.split("\n"):
        is_quote = line.startswith("&gt;")
        if (is_quote and plain) or (not is_quote and quoted):
            flush()
        if is_quote:
            quoted.append(line.removeprefix("&gt;").removeprefix(" "))
        else:
            plain.append(line)
    flush()
    return pieces[0] if len(pieces) == 1 else _stacked(pieces)


def _tokens(text: str, name: Name, *, marks: bool) -> Shown:
    shown = Shown()
    at = 0
    while at < len(text):
        if marks and (end := _closing(text, at)):
            inner = _tokens(text[at + 1 : end], name, marks=text[at] != "`")
            shown += inner.wrapped({"*": "b", "_": "i", "~": "s", "`": "code"}[text[at]])
            at = end + 1
        elif (token := _TOKEN.match(text, at)) is not None and (piece := _token(token, name)) is not None:
            shown += piece
            at = token.end()
        else:
            stop = at + 1
            while stop < len(text) and text[stop] not in "*_~`<:":
                stop += 1
            shown += Shown(_unescape(text[at:stop]))
            at = stop
    return shown


def _closing(text: str, at: int) -> int:
    mark = text[at]
    if mark not in "*_~`" or (at and text[at - 1].isalnum()) or at + 1 >= len(text) or text[at + 1] in (" ", "\n", mark):
        return 0
    end = text.find(mark, at + 1)
    line_end = text.find("\n", at)
    if end < 0 or text[end - 1] == " " or (0 <= line_end < end) or (end + 1 < len(text) and text[end + 1].isalnum()):
        return 0
    return end


def _token(token: re.Match[str], name: Name) -> Shown | None:
    if token[2]:
        character = emoji.character(token[2] + (f"::{token[3]}" if token[3] else ""))
        return Shown(character) if character else None
    target, _, label = token[1].partition("|")
    label = _unescape(label)
    match target[0]:
        case "@":
            return Shown("@" + (name(target[1:]) or label)).wrapped("span", ' class="mention"')
        case "#":
            return Shown("#" + (label or name(target[1:]))).wrapped("span", ' class="channel"')
        case "!":
            return Shown(label or "@" + target[1:]).wrapped("span", ' class="broadcast"')
        case _:
            return _link(_unescape(target), label or _unescape(target))


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
