"""What Slack's message box makes of typed text: rich_text blocks and the mrkdwn `text` beside them. For people's messages only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from adapters.slack.emulator import emoji
from adapters.slack.emulator.records import Json

Lookup = Callable[[str], str]
"""A displayed name to its id; empty if there is none."""

_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_BULLET = re.compile(r"^(\s*)[-•] (.*)$")
_ORDERED = re.compile(r"^(\s*)\d+\. (.*)$")
_LINK = re.compile(r"\[([^\[\]\n]+)\]\(((?:https?://|mailto:)[^\s()]+)\)")
_URL = re.compile(r"https?://[^\s<>|]*[^\s<>|.,;:!?)\]'\"]")
_EMOJI = re.compile(r":([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):")
_MENTION = re.compile(r"@([\w.-]+)")
_CHANNEL = re.compile(r"#([\w-]+)")
_STYLED = {"*": "bold", "_": "italic", "~": "strike"}


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def compose(text: str, *, user_id: Lookup, channel_id: Lookup) -> tuple[list[Json], str]:
    """The rich_text block and the mrkdwn text that Slack's client would send for `text`."""
    elements: list[Json] = []
    at = 0
    for fence in _FENCE.finditer(text):
        elements += _lines(text[at : fence.start()].strip("\n"), user_id, channel_id)
        elements.append({"type": "rich_text_preformatted", "elements": [{"type": "text", "text": fence[1] or " "}], "border": 0})
        at = fence.end()
    elements += _lines(text[at:].strip("\n") if at else text, user_id, channel_id)
    return [{"type": "rich_text", "elements": elements}], "\n".join(_mrkdwn(element) for element in elements)


def _lines(text: str, user_id: Lookup, channel_id: Lookup) -> list[Json]:
    elements: list[Json] = []
    for line in text.split("\n") if text else []:
        if line.startswith("> ") or line == ">":
            _append(elements, {"type": "rich_text_quote"}, _inline(line[2:], user_id, channel_id))
        elif (item := _BULLET.match(line)) is not None:
            _append_item(elements, "bullet", len(item[1]) // 4, _inline(item[2], user_id, channel_id))
        elif (item := _ORDERED.match(line)) is not None:
            _append_item(elements, "ordered", len(item[1]) // 4, _inline(item[2], user_id, channel_id))
        else:
            _append(elements, {"type": "rich_text_section"}, _inline(line, user_id, channel_id))
    return elements


def _append(elements: list[Json], container: Json, leaves: list[Json]) -> None:
    if elements and elements[-1]["type"] == container["type"]:
        elements[-1]["elements"] = _joined([*elements[-1]["elements"], {"type": "text", "text": "\n"}, *leaves])
    else:
        elements.append({**container, "elements": leaves})


def _append_item(elements: list[Json], style: str, indent: int, leaves: list[Json]) -> None:
    item = {"type": "rich_text_section", "elements": leaves}
    last = elements[-1] if elements else {}
    if (last.get("type"), last.get("style"), last.get("indent")) == ("rich_text_list", style, indent):
        last["elements"].append(item)
    else:
        elements.append({"type": "rich_text_list", "style": style, "indent": indent, "border": 0, "elements": [item]})


def _joined(leaves: list[Json]) -> list[Json]:
    out: list[Json] = []
    for leaf in leaves:
        if out and leaf["type"] == out[-1]["type"] == "text" and leaf.get("style") == out[-1].get("style"):
            out[-1] = {**out[-1], "text": out[-1]["text"] + leaf["text"]}
        else:
            out.append(leaf)
    return out


def _inline(text: str, user_id: Lookup, channel_id: Lookup, style: dict[str, bool] | None = None) -> list[Json]:
    leaves: list[Json] = []
    styled: dict[str, Any] = {"style": style} if style else {}
    plain = ""
    at = 0

    def add(leaf: Json | None) -> None:
        nonlocal plain
        if plain:
            leaves.append({"type": "text", "text": plain, **styled})
            plain = ""
        if leaf is not None:
            leaves.append({**leaf, **styled})

    while at < len(text):
        leaf, length = _special(text, at, user_id, channel_id)
        if leaf is not None:
            add(leaf)
            at += length
            continue
        mark = text[at]
        end = _closing(text, at)
        if end and mark == "`":
            add(None)
            leaves.append({"type": "text", "text": text[at + 1 : end], "style": {**(style or {}), "code": True}})
            at = end + 1
        elif end:
            add(None)
            leaves += _inline(text[at + 1 : end], user_id, channel_id, {**(style or {}), _STYLED[mark]: True})
            at = end + 1
        else:
            plain += mark
            at += 1
    add(None)
    return _joined(leaves)


def _closing(text: str, at: int) -> int:
    """Where the mark that opens at `at` closes; 0 if it opens nothing."""
    mark = text[at]
    if mark not in "*_~`" or at + 1 >= len(text) or text[at + 1] in (" ", "\n", mark) or (at and text[at - 1].isalnum()):
        return 0
    end = text.find(mark, at + 1)
    while end > 0 and mark != "`" and (text[end - 1] == " " or (end + 1 < len(text) and text[end + 1].isalnum())):
        end = text.find(mark, end + 1)
    return max(end, 0)


def _special(text: str, at: int, user_id: Lookup, channel_id: Lookup) -> tuple[Json | None, int]:
    starts_word = at == 0 or not text[at - 1].isalnum()
    if text[at] == "[" and (link := _LINK.match(text, at)):
        return {"type": "link", "url": link[2], "text": link[1]}, len(link[0])
    if text[at] == "h" and starts_word and (url := _URL.match(text, at)):
        return {"type": "link", "url": url[0]}, len(url[0])
    if text[at] == ":" and (named := _EMOJI.match(text, at)) and emoji.is_known(named[1]):
        return _emoji(named[1]), len(named[0])
    if text[at] == "@" and starts_word and (mention := _MENTION.match(text, at)):
        if mention[1] in ("here", "channel", "everyone"):
            return {"type": "broadcast", "range": mention[1]}, len(mention[0])
        if found := user_id(mention[1]):
            return {"type": "user", "user_id": found}, len(mention[0])
    if text[at] == "#" and starts_word and (channel := _CHANNEL.match(text, at)) and (found := channel_id(channel[1])):
        return {"type": "channel", "channel_id": found}, len(channel[0])
    if character := emoji.longest_at(text, at):
        return _emoji(emoji.name_of(character) or ""), len(character)
    return None, 0


def _emoji(name: str) -> Json:
    shown = emoji.character(name) or ""
    leaf: Json = {"type": "emoji", "name": name, "unicode": "-".join(f"{ord(character):x}" for character in shown)}
    base, _, tone = name.partition("::skin-tone-")
    if tone:
        leaf |= {"name": base, "skin_tone": int(tone)}
    return leaf


def _mrkdwn(element: Json) -> str:
    match element["type"]:
        case "rich_text_preformatted":
            return "```" + "".join(_mrkdwn_leaf(leaf) for leaf in element["elements"]) + "```"
        case "rich_text_quote":
            return "\n".join("&gt; " + line for line in _mrkdwn_leaves(element).split("\n"))
        case "rich_text_list":
            pad = "    " * int(element.get("indent", 0))
            signs = [f"{n}. " if element["style"] == "ordered" else "• " for n in range(1, len(element["elements"]) + 1)]
            return "\n".join(pad + sign + _mrkdwn_leaves(item) for sign, item in zip(signs, element["elements"], strict=True))
        case _:
            return _mrkdwn_leaves(element)


def _mrkdwn_leaves(element: Json) -> str:
    return "".join(_mrkdwn_leaf(leaf) for leaf in element["elements"])


def _mrkdwn_leaf(leaf: Json) -> str:
    match leaf["type"]:
        case "link":
            out = f"<{escape(leaf['url'])}|{escape(leaf['text'])}>" if leaf.get("text") else f"<{escape(leaf['url'])}>"
        case "user":
            out = f"<@{leaf['user_id']}>"
        case "channel":
            out = f"<#{leaf['channel_id']}>"
        case "broadcast":
            out = f"<!{leaf['range']}>"
        case "emoji":
            out = f":{leaf['name']}:" + (f":skin-tone-{leaf['skin_tone']}:" if "skin_tone" in leaf else "")
        case _:
            out = escape(leaf["text"])
    for style, mark in (("code", "`"), ("strike", "~"), ("italic", "_"), ("bold", "*")):
        if leaf.get("style", {}).get(style) and out.strip():
            out = mark + out + mark
    return out
