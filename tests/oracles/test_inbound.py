"""What people write in each messenger's own markup means to the decoders what it means to parsers of other people: to two of them,
but for what is listed here with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import mistune
import pytest

from adapters.discord.inbound.decode_text import decode_text as decode_discord
from adapters.slack.inbound.decode_blocks import decode_blocks
from adapters.slack.inbound.decode_mrkdwn import decode_mrkdwn
from adapters.slack.names import NO_NAMES
from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.inbound.decode_markdown import decode_markdown
from bridge.model.rich_text import RichText
from tests.oracles import sources
from tests.oracles.meaning import Meaning, Run, changed, link_to, meant
from tests.oracles.node_parsers import NodeParsers
from tests.oracles.read_discord import items_of_lines, read_tree
from tests.oracles.read_html import Attributes, read_html
from tests.oracles.read_slack import blocks_aside, read_rendered, read_written
from tests.oracles.read_slack_messages import read_nodes, read_slack_tree
from tests.oracles.targets import Oracle

_SOME_TIME = {"at ": "at some time"}
"""Parsers that show a moment in words do not tell it again."""


@dataclass(frozen=True, slots=True)
class Written:
    """`alone`: what fewer than two parsers read, with the reason."""

    name: str
    decode: Callable[[Any], RichText]
    sources: Mapping[str, Any]
    oracles: tuple[Oracle, ...]
    alone: Mapping[str, str] = field(default_factory=dict)
    tables: bool = False


def _by_discord_parser(wire: str, ask: NodeParsers) -> Meaning:
    return items_of_lines(read_tree(ask("discord-markdown-parser", wire)), wire)


_OLDER = {"timestamp": "it does not know <t:...>"}
_PAGES = [name for name in sources.DISCORD if name.startswith("link to ")]
_NO_PAGES = "it does not know <id:...>"

MRKDWN = Written(
    "Slack's mrkdwn",
    lambda wire: decode_mrkdwn(wire, NO_NAMES),
    sources.SLACK_MRKDWN,
    (
        Oracle("slack-message-parser", lambda wire, ask: read_nodes(ask("slack-message-parser", wire))),
        Oracle("slack-markdown", lambda wire, ask: read_slack_tree(ask("slack-markdown", wire))),
    ),
)

BLOCKS = Written(
    "Slack's rich_text",
    lambda wire: decode_blocks(wire, NO_NAMES),
    sources.SLACK_BLOCKS,
    (
        Oracle(
            "slack-blocks-to-jsx",
            lambda wire, ask: read_rendered(ask("slack-blocks-to-jsx", wire)),
            sees=lambda meaning: changed(meaning, names=_SOME_TIME),
        ),
        Oracle(
            "markdown-to-slack-blocks",
            lambda wire, ask: read_written(read_html(ask("marked", ask("markdown-to-slack-blocks", blocks_aside(wire))))),
            sees=lambda meaning: changed(meaning, names=_SOME_TIME),
        ),
    ),
    tables=True,
)

DISCORD = Written(
    "Discord's Markdown",
    decode_discord,
    sources.DISCORD,
    (
        Oracle(
            "discord-markdown-parser",
            _by_discord_parser,
            blind=dict.fromkeys(_PAGES, "it wants a number where the reference has the word id"),
        ),
        Oracle(
            "@odiffey/discord-markdown",
            lambda wire, ask: read_tree(ask("@odiffey/discord-markdown", wire)),
            blind={**dict.fromkeys(_PAGES, _NO_PAGES), "command below another": "it knows commands of one word alone"},
        ),
        Oracle(
            "@cloudrac3r/discord-markdown",
            lambda wire, ask: read_tree(ask("@cloudrac3r/discord-markdown", wire)),
            blind=dict.fromkeys(_PAGES, _NO_PAGES)
            | {name: _OLDER["timestamp"] for name in sources.DISCORD if name.startswith("timestamp")}
            | {name: "it does not know </...>" for name in sources.DISCORD if name.startswith("command")},
        ),
    ),
    alone=dict.fromkeys(_PAGES, "no parser knows the form of the reference; what its pages are called is there")
    | {"command below another": "one parser alone knows it"},
)


def _mattermost_tag(tag: str, attributes: Attributes) -> Run | None:
    if tag != "img":
        return None
    address = attributes.get("src", "")
    return Run(attributes.get("alt") or address, frozenset({link_to(address)}))


_MISTUNE = mistune.create_markdown(
    escape=False, hard_wrap=True, plugins=["strikethrough", "table", "mistune.plugins.table.table_in_quote", "url"]
)
_SIZED = [name for name in sources.MATTERMOST if name.startswith("picture with")]
_NOT_COMMON = dict.fromkeys(_SIZED, "CommonMark has no sizes of pictures")
_OPTIONS = {"server": "https://im.example.com", "api_key": "key", "dialect": "mattermost"}
_DIALECT = TeamSpiritOptions.model_validate(_OPTIONS).read_dialect.text

MATTERMOST = Written(
    "Mattermost's Markdown",
    lambda wire: decode_markdown(wire, _DIALECT),
    sources.MATTERMOST,
    (
        Oracle(
            "@mattermost/commonmark",
            lambda wire, ask: read_html(ask("@mattermost/commonmark", wire), special=_mattermost_tag),
        ),
        Oracle("marked", lambda wire, ask: read_html(ask("marked", wire), special=_mattermost_tag), blind=_NOT_COMMON),
        Oracle("mistune", lambda wire, ask: read_html(str(_MISTUNE(wire)), special=_mattermost_tag), blind=_NOT_COMMON),
    ),
    alone=dict.fromkeys(_SIZED, "sizes are Mattermost's own: its parser alone knows them"),
    tables=True,
)


@pytest.mark.parametrize("written", [MRKDWN, BLOCKS, DISCORD, MATTERMOST], ids=lambda written: written.name)
def test_two_parsers_read_what_the_decoder_reads(written: Written, ask: NodeParsers) -> None:
    for feature, wire in written.sources.items():
        ours = meant(written.decode(wire), tables=written.tables)
        agreed = 0
        for oracle in written.oracles:
            theirs = oracle.sees(oracle.read(wire, ask))
            if why := oracle.blind.get(feature):
                assert theirs != oracle.sees(ours), f"{oracle.name} reads {feature} now: it is listed with {why!r}"
                continue
            assert theirs == oracle.sees(ours), f"{written.name}, {feature}: {wire!r}\nis read{ours}\n{oracle.name} reads{theirs}"
            agreed += 1
        assert agreed >= 2 or feature in written.alone, f"{written.name}, {feature}: too few parsers agree"
        assert feature not in written.alone or agreed < 2, f"{feature} is read by two: it is listed as read by one"
