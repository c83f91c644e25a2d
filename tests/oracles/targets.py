"""Each target with its encoder, and the parsers by which its output is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import mistune

from adapters.discord.capabilities import capabilities as discord_capabilities
from adapters.discord.outbound import encode_text as discord
from adapters.slack.capabilities import capabilities as slack_capabilities
from adapters.slack.outbound.encode import message_blocks
from adapters.teamspirit.capabilities import capabilities as teamspirit_capabilities
from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.outbound.encode_text import encode_text as encode_for_teamspirit
from adapters.telegram.capabilities import capabilities as telegram_capabilities
from adapters.telegram.outbound import encode_text as telegram
from bridge.model.capabilities import Capabilities
from bridge.model.rich_text import CodeBlock, Heading, Inline, List, Mark, Paragraph, Quote, RichText, Text, list_lines, map_inlines
from bridge.render.degrade import with_marks
from tests.oracles.meaning import NONE, Marks, Meaning, Run, changed, meant, same_address
from tests.oracles.node_parsers import NodeParsers
from tests.oracles.read_discord import items_of_lines, read_tree
from tests.oracles.read_html import Attributes, read_html
from tests.oracles.read_slack import blocks_aside, read_rendered, read_written
from tests.oracles.read_telegram import back, by_tdlib, nested, put_aside, telegraf_tag

Ask = NodeParsers
Read = Callable[[Any, Ask], Meaning]


def _as_it_is(meaning: Meaning) -> Meaning:
    return meaning


def _shown_as_it_is(rich: RichText) -> RichText:
    return rich


@dataclass(frozen=True, slots=True)
class Oracle:
    name: str
    read: Read
    sees: Callable[[Meaning], Meaning] = _as_it_is
    """What of a meaning this parser can tell."""
    blind: Mapping[str, str] = field(default_factory=dict)
    """Features that it does not read, with the reason."""
    stumbles_over: Mapping[str, str] = field(default_factory=dict)
    """Patterns of texts that it does not read, with the reason."""

    def stumbles(self, wire: str) -> bool:
        return any(re.search(pattern, wire, re.MULTILINE) for pattern in self.stumbles_over)


@dataclass(frozen=True, slots=True)
class Target:
    name: str
    capabilities: Capabilities
    encode: Callable[[RichText], Any]
    oracles: tuple[Oracle, ...]
    shows: Callable[[RichText], RichText] = _shown_as_it_is
    """What the capabilities' notes say the encoder makes of what the target does not have."""
    tables: bool = False
    heads: Marks = NONE
    """Marks of what is in a table's first row."""


# -- Telegram ---------------------------------------------------------------------------------------------------------------


def _by_telegraf(wire: telegram.EncodedText, ask: Ask) -> Meaning:
    html = ask("@telegraf/entity", {"text": put_aside(wire.text), "entities": nested(wire.entities)})
    return back(read_html(html, special=telegraf_tag, breaks=True))


def _code_alone(rich: RichText) -> RichText:
    """Code excludes other marks, and a link excludes code."""

    def alone(inline: Inline) -> Inline:
        if not isinstance(inline, Text) or not inline.marks & Mark.CODE:
            return inline
        return Text(inline.text, inline.marks & ~Mark.CODE, inline.link) if inline.link else Text(inline.text, Mark.CODE)

    return map_inlines(rich, alone)


TELEGRAM = Target(
    "telegram",
    telegram_capabilities(None),
    telegram.encode_text,
    (
        Oracle("tdlib", lambda wire, ask: by_tdlib(wire)),
        Oracle(
            "@telegraf/entity",
            _by_telegraf,
            blind={
                "timestamp": "its release is older than entities of moments",
            },
        ),
    ),
    shows=_code_alone,
)

# -- Discord ----------------------------------------------------------------------------------------------------------------


def _as_in_discord(rich: RichText) -> RichText:
    """Deeper headings are bold lines; some labels stand beside their address; a link excludes code, as code that holds the sign of
    a mark excludes that mark."""

    def shown(inline: Inline) -> Inline:
        if not isinstance(inline, Text):
            return inline
        if inline.link is None:
            marks = inline.marks
            for mark, signs in _SIGNS.items() if marks & Mark.CODE else ():
                marks &= ~mark if any(sign in inline.text for sign in signs) else -1
            return Text(inline.text, marks)
        marks = inline.marks & ~Mark.CODE
        if re.search(r"[\[\]\n]|://", inline.text) and not same_address(inline.link, inline.text):
            return Text(f"{inline.text} ({inline.link})", marks)
        return Text(inline.text, marks, inline.link)

    rich = map_inlines(rich, shown)
    return RichText(tuple(_bold(block) if isinstance(block, Heading) and block.level > 3 else block for block in rich.blocks))


def _bold(block: Paragraph | Heading) -> Paragraph:
    return Paragraph(tuple(with_marks(inline, inline.marks | Mark.BOLD) for inline in block.inlines))


def _by_discord_markdown_parser(wire: str, ask: Ask) -> Meaning:
    return items_of_lines(read_tree(ask("discord-markdown-parser", wire)), wire)


_SIGNS = {Mark.BOLD: "*", Mark.ITALIC: "*_", Mark.UNDERLINE: "_", Mark.STRIKE: "~", Mark.SPOILER: "|"}

DISCORD = Target(
    "discord",
    discord_capabilities(None),
    discord.encode_text,
    (
        Oracle(
            "discord-markdown-parser",
            _by_discord_markdown_parser,
            stumbles_over={r"^> .*\n#": "it sees no heading right behind a quote"},
        ),
        Oracle(
            "@cloudrac3r/discord-markdown",
            lambda wire, ask: read_tree(ask("@cloudrac3r/discord-markdown", wire)),
            blind={
                "timestamp": "it does not know <t:...>",
                "two kinds of list": "the first item's kind is the list's",
            },
            stumbles_over={r"^(?:> )*#+ (?:\\?#)+ *$": "signs at the end of a heading are a part of its frame to it"},
        ),
    ),
    shows=_as_in_discord,
)

# -- Slack ------------------------------------------------------------------------------------------------------------------


_MOMENTS = {"at ": "at some time"}
"""They show it in words, or not at all."""


def _plain_quotes(rich: RichText) -> RichText:
    """A quote holds runs only: headings in it are bold lines, lists lines of text, and code blocks code."""
    return RichText(
        tuple(Quote(tuple(map(_plain_block, block.blocks))) if isinstance(block, Quote) else block for block in rich.blocks)
    )


def _plain_block(block: Paragraph | Heading | CodeBlock | List) -> Paragraph:
    match block:
        case Paragraph():
            return block
        case Heading():
            return _bold(block)
        case CodeBlock():
            return Paragraph((Text(block.text, Mark.CODE),))
        case List():
            lines = [
                (Text(("\n" if at else "") + label), *item.inlines)
                for at, (label, item) in enumerate(list_lines(block, bullet="•"))
            ]
            return Paragraph(tuple(inline for each in lines for inline in each))


def _encode_for_slack(rich: RichText) -> list[Any]:
    return message_blocks(rich, "mb-x", with_table=True)


def _by_jsx(wire: list[Any], ask: Ask) -> Meaning:
    return read_rendered(ask("slack-blocks-to-jsx", wire)) if wire else ()


def _by_markdown_of_blocks(wire: list[Any], ask: Ask) -> Meaning:
    return read_written(read_html(ask("marked", ask("markdown-to-slack-blocks", blocks_aside(wire)))))


SLACK = Target(
    "slack",
    slack_capabilities(None),
    _encode_for_slack,
    (
        Oracle("slack-blocks-to-jsx", _by_jsx, sees=lambda meaning: changed(meaning, names=_MOMENTS)),
        Oracle(
            "markdown-to-slack-blocks",
            _by_markdown_of_blocks,
            sees=lambda meaning: changed(meaning, drop=["u"], names=_MOMENTS),
            blind={"ordered list from five": "it takes `offset` for the first number, which is one more"},
        ),
    ),
    shows=_plain_quotes,
    tables=True,
    heads=frozenset({"b"}),
)

# -- TeamSpirit and Mattermost ----------------------------------------------------------------------------------------------

_MISTUNE = mistune.create_markdown(
    escape=False, hard_wrap=True, plugins=["strikethrough", "table", "mistune.plugins.table.table_in_quote", "url"]
)


def _by_mattermost(wire: str, ask: Ask) -> Meaning:
    return read_html(ask("@mattermost/commonmark", wire), special=_mattermost_tag)


def _mattermost_tag(tag: str, attributes: Attributes) -> Run | None:
    for name in ("mention", "channel"):
        if told := attributes.get(f"data-{name}-name"):
            return Run(told, frozenset({f"@ {told}"}))
    if told := attributes.get("data-emoji-name"):
        return Run(attributes.get("data-literal", ""), frozenset({f": {told}"}))
    if told := attributes.get("data-hashtag"):
        return Run(f"#{told}")  # whatever begins so is one, and shown as it is
    return None


def _by_mistune(wire: str, ask: Ask) -> Meaning:
    return read_html(str(_MISTUNE(wire)))


_EMOJI = {"mentions of nobody": "the default dialect has no short names of emoji, which Mattermost has"}
_NOT_COMMON = {"mention": "CommonMark has none", "mention of a chat": "CommonMark has none"}
_BY_PATTERNS = dict.fromkeys(
    ("marks around punctuation", "combining characters"),
    "it finds marks by patterns, which know letters of ASCII within words only",
)


def _markdown_target(name: str) -> Target:
    options = TeamSpiritOptions.model_validate({"server": "https://im.example.com", "api_key": "key", "dialect": name})
    dialect = options.read_dialect.text
    return Target(
        name,
        teamspirit_capabilities(options),
        lambda rich: encode_for_teamspirit(rich, dialect),
        (
            Oracle("@mattermost/commonmark", _by_mattermost, blind=_EMOJI if name == "teamspirit" else {}),
            Oracle("marked", lambda wire, ask: read_html(ask("marked", wire)), blind=_NOT_COMMON),
            Oracle("mistune", _by_mistune, blind=_NOT_COMMON | _BY_PATTERNS),
        ),
        tables=dialect.tables,
    )


TARGETS = {each.name: each for each in (TELEGRAM, DISCORD, SLACK, _markdown_target("teamspirit"), _markdown_target("mattermost"))}


def misread(target: Target, oracle: Oracle, shown: RichText, wire: object, ask: Ask) -> str:
    """How the parser reads otherwise than it was meant; empty if it does not."""
    want, got = (
        oracle.sees(meant(target.shows(shown), tables=target.tables, heads=target.heads)),
        oracle.sees(oracle.read(wire, ask)),
    )
    return "" if want == got else f"\nwritten for {target.name} as {wire!r}\nmeant{want}\n{oracle.name} reads{got}\n"
