"""What two parsers make of Slack's rich_text block -> its meaning. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tests.oracles.meaning import Line, Meaning, Run, line
from tests.oracles.read_html import SKIPPED, Attributes, read_html

Json = dict[str, Any]

# -- slack-blocks-to-jsx ----------------------------------------------------------------------------------------------------

_CLASSES = {"font-semibold": "b", "italic": "i", "underline": "u", "line-through": "s", "slack_inline_code": "code"}
_ELEMENT = "slack_blocks_to_jsx__rich_text_section_element_"
_INDENT_PX = 28


def read_rendered(html: str) -> Meaning:
    """The page of the blocks."""
    blocks = html[html.index('slack_blocks_to_jsx--blocks"') :]
    return read_html("<div class=" + _one_mark_each(blocks), special=_tag, breaks=True)


def _one_mark_each(html: str) -> str:
    """Classes for marks as an element for each of them, and a list item's place in a form of its own."""

    def marked(found: re.Match[str]) -> str:
        marks = [mark for name, mark in _CLASSES.items() if name in found["classes"].split()]
        inner = "".join(f"<{mark if mark != 'code' else 'tt'}>" for mark in marks)
        outer = "".join(f"</{mark if mark != 'code' else 'tt'}>" for mark in reversed(marks))
        return f"{inner}{found[0]}{outer}"

    html = re.sub(
        rf"<(?P<tag>span|a)(?: [^<>]*)? class=\"(?P<classes>[^\"]*{_ELEMENT}[^\"]*)\">.*?</(?P=tag)>", marked, html, flags=re.S
    )
    # cells of a table hold blocks of their own, which here are words of a row
    html = re.sub(r"(?s)(<t[dh][ >].*?</t[dh]>)", lambda found: re.sub(r"</?(?:div|p)\b[^<>]*>", "", found[0]), html)
    html = re.sub(rf"class=\"{_ELEMENT}emoji\">([^<>]*)<", r'data-emoji="\1">\1<', html)
    return re.sub(
        r"<li class=\"flex\" style=\"margin-left:(\d+)(?:px)?\">",
        lambda found: f'<li data-indent="{int(found[1]) // _INDENT_PX}">',
        html,
    )


def _tag(tag: str, attributes: Attributes) -> str | None:
    classes = attributes.get("class", "")
    if tag == "tt":
        return "code"
    for name in ("user", "channel", "usergroup"):
        if f"data-{name}-id" in attributes:
            return f"@ {attributes[f'data-{name}-id']}"
    if "slack_broadcast" in classes:
        return "@ everyone"
    if "data-emoji" in attributes:
        return f": {attributes['data-emoji']}"
    if "slack_date" in classes:
        return "at some time"
    return SKIPPED if "w-[22px]" in classes else None


# -- markdown-to-slack-blocks -----------------------------------------------------------------------------------------------

_APART = " "
"""Between two runs: Markdown would read their marks as one."""
_TOKEN = re.compile(
    r"<(?:[@#]|!subteam\^)(?P<id>\w+)>|<!(?P<all>here|channel|everyone)>|<!date\^(?P<at>\d+)\^[^<>]*>|:(?P<emoji>[\w+'-]+):"
)


def blocks_aside(blocks: Sequence[Json]) -> list[Json]:
    """`words_aside` of all blocks, and of all cells of a table."""

    def aside(block: Json) -> Json:
        if block["type"] == "table":
            return {**block, "rows": [[aside(cell) for cell in row] for row in block["rows"]]}
        return {**block, "elements": words_aside(block["elements"])}

    return [aside(block) for block in blocks]


def words_aside(elements: Sequence[Json], *, first: bool = True) -> list[Json]:
    """The elements with other characters in the place of their words, so that nothing in these is Markdown, and with a character
    before each run. A section that is bold as a whole would be a heading: so also before its `first`, but for items of a list."""
    made: list[Json] = []
    for element in elements:
        if (made or first) and element["type"] not in (
            "rich_text_list",
            "rich_text_section",
            "rich_text_quote",
            "rich_text_preformatted",
        ):
            made.append({"type": "text", "text": _APART})
        changed = {**element}
        if "elements" in element:
            changed["elements"] = words_aside(element["elements"], first=first and element["type"] != "rich_text_list")
        if "text" in element:
            changed["text"] = "".join(map(_aside, element["text"]))
        made.append(changed)
    return made


def _aside(character: str) -> str:
    return chr(ord(character) + 0xF0000)


def _back(text: str) -> str:
    return "".join(chr(ord(character) - 0xF0000) if ord(character) >= 0xF0000 else character for character in text)


def read_written(meaning: Meaning) -> Meaning:
    """What a reader of Markdown says of the text, with its words in their place again and the tokens of mrkdwn as what they are."""
    made: list[Line] = []
    for each in meaning:
        runs: list[Run] = []
        for told in each.runs:
            bare = told.text.replace(_APART, "")
            run = Run(bare.replace("|", " | ") if each.kind == "row" else bare, told.marks)
            at = 0
            for found in _TOKEN.finditer(run.text):
                runs += [Run(_back(run.text[at : found.start()]), run.marks), _atom(found, run)]
                at = found.end()
            runs.append(Run(_back(run.text[at:]), run.marks))
        made += line(each.kind, each.quotes, runs)
    return tuple(made)


def _atom(found: re.Match[str], run: Run) -> Run:
    if found["emoji"]:
        return Run(found[0], run.marks | {f": {found['emoji']}"})
    if found["at"]:
        return Run(found[0], run.marks | {"at some time"})
    return Run(found[0], run.marks | {f"@ {found['id'] or 'everyone'}"})
