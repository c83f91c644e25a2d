"""Texts with entities -> their meaning: as TDLib itself reads them (tdjson, which works offline), and as @telegraf/entity does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

import tdjson

from adapters.telegram.outbound.encode_text import EncodedText
from tests.oracles.meaning import Line, Marks, Meaning, Run, line, link_to
from tests.oracles.read_html import Attributes

Json = dict[str, Any]

_MARKS = {"Bold": "b", "Italic": "i", "Underline": "u", "Strikethrough": "s", "Spoiler": "spoiler", "Code": "code"}
_TYPES = {
    "bold": "Bold",
    "italic": "Italic",
    "underline": "Underline",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "code": "Code",
    "blockquote": "BlockQuote",
    "expandable_blockquote": "ExpandableBlockQuote",
}


def ask_tdlib(request: Json) -> Json:
    tdjson.td_execute(b'{"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}')
    answer: Json = json.loads(tdjson.td_execute(json.dumps(request).encode()) or b"{}")
    assert answer.get("@type") != "error", answer
    return answer


def by_tdlib(wire: EncodedText) -> Meaning:
    """TDLib checks and sorts the entities, writes the text in its Markdown and reads that again. Characters that mean something in
    that Markdown stand aside meanwhile: it has no escapes."""
    entities = [_typed(entity) for entity in wire.entities]
    aside = {"@type": "formattedText", "text": put_aside(wire.text), "entities": entities}
    read = ask_tdlib({"@type": "parseMarkdown", "text": ask_tdlib({"@type": "getMarkdownText", "text": aside})})
    return read_entities(put_back(read["text"]), read["entities"])


def _typed(entity: Json) -> Json:
    kind = entity["type"]
    match kind:
        case "pre":
            told: Json = {"@type": "textEntityTypePreCode", "language": entity.get("language", "")}
        case "text_link":
            told = {"@type": "textEntityTypeTextUrl", "url": entity["url"]}
        case "text_mention":
            told = {"@type": "textEntityTypeMentionName", "user_id": entity["user"]["id"]}
        case "custom_emoji":
            told = {"@type": "textEntityTypeCustomEmoji", "custom_emoji_id": entity["custom_emoji_id"]}
        case "date_time":
            told = {"@type": "textEntityTypeDateTime", "unix_time": entity["unix_time"]}
        case _:
            told = {"@type": f"textEntityType{_TYPES[kind]}"}
    return {"@type": "textEntity", "offset": entity["offset"], "length": entity["length"], "type": told}


_ASIDE = {ord(sign): chr(0xE000 + ord(sign)) for sign in "*_~|`[]()\\<>&"}
_BACK = {ord(aside): chr(sign) for sign, aside in _ASIDE.items()}


def put_aside(text: str) -> str:
    """The text with others in the place of characters that may be markup: of the same length in every unit."""
    return text.translate(_ASIDE)


def put_back(text: str) -> str:
    return text.translate(_BACK)


def back(meaning: Meaning) -> Meaning:
    return tuple(Line(kind, quotes, tuple(Run(put_back(run.text), run.marks) for run in runs)) for kind, quotes, runs in meaning)


def read_entities(text: str, entities: Sequence[Json]) -> Meaning:
    """Lines of characters with what the entities say of them; offsets are UTF-16 units."""
    units: list[set[str]] = [set() for _ in range(len(text.encode("utf-16-le")) // 2)]
    for entity in entities:
        for mark in _marks_of(entity):
            for unit in units[entity["offset"] : entity["offset"] + entity["length"]]:
                unit.add(mark)
    characters: list[tuple[str, Marks]] = []
    at = 0
    for character in text:
        characters.append((character, frozenset(units[at])))
        at += 2 if ord(character) > 0xFFFF else 1
    return tuple(_lines(characters))


def _marks_of(entity: Json) -> Iterator[str]:
    told = entity["type"]
    kind = told["@type"].removeprefix("textEntityType")
    match kind:
        case "BlockQuote" | "ExpandableBlockQuote":
            yield "quote"
        case "Pre" | "PreCode":
            yield f"pre {told.get('language', '')}"
        case "TextUrl":
            yield link_to(told["url"])
        case "MentionName":
            yield f"@ {told['user_id']}"
        case "CustomEmoji":
            yield f": {told['custom_emoji_id']}"
        case "DateTime":
            yield f"at {told['unix_time']}"
        case _ if kind in _MARKS:
            yield _MARKS[kind]
        case "Mention":
            yield "@ named"
        case "BotCommand":
            yield "/ command"
        case _:
            pass  # addresses, hashtags and the like that Telegram finds by itself are shown as they are


def _lines(characters: Sequence[tuple[str, Marks]]) -> Iterator[Line]:
    for (quote, kind), group in groupby(characters, key=lambda each: _context(each[1])):
        runs = [
            Run("".join(character for character, _ in of_marks), frozenset(m for m in marks if m != "quote" and m[:4] != "pre "))
            for marks, of_marks in groupby(group, key=lambda each: each[1])
        ]
        yield from line(kind, int(quote), runs)


def _context(marks: Marks) -> tuple[bool, str]:
    return "quote" in marks, next((f"code {mark[4:]}" for mark in marks if mark.startswith("pre ")), "")


# -- @telegraf/entity -------------------------------------------------------------------------------------------------------


def nested(entities: Sequence[Json]) -> list[Json]:
    """The entities cut where others begin and end, as Telegram cuts marks that overlap: telegraf writes what two of them share
    twice."""
    borders = sorted({at for each in entities for at in (each["offset"], each["offset"] + each["length"])})
    cut: list[Json] = []
    for each in entities:
        if each["type"] not in _TYPES or "quote" in each["type"] or each["type"] == "code":
            cut.append(each)
            continue
        end = each["offset"] + each["length"]
        places = [at for at in borders if each["offset"] <= at <= end]
        cut += [{**each, "offset": start, "length": stop - start} for start, stop in pairwise(places)]
    return cut


def telegraf_tag(tag: str, attributes: Attributes) -> str | None:
    if tag == "a" and attributes.get("href", "").startswith("tg://user?id="):
        return f"@ {attributes['href'].removeprefix('tg://user?id=')}"
    if attributes.get("class") == "tg-spoiler":
        return "spoiler"
    if tag == "tg-emoji":
        return f": {attributes.get('emoji-id', '')}"
    if tag == "tg-time":
        return f"at {attributes.get('unix', '')}"
    return None
