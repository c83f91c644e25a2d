"""The suite's cases by platform: those of the tree's own platforms, and those that installed packages offer by entry point."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from typing import Any

import pytest

from adapters.common.conformance import ENTRY_POINT_GROUP, Codec, ConformanceCase, Lacks
from adapters.discord.inbound import decode_text as discord_markdown
from adapters.discord.outbound import encode_text as discord_markup
from adapters.registry import platforms
from adapters.slack.inbound import decode_text as slack_decode
from adapters.slack.names import NO_NAMES
from adapters.slack.outbound import encode_text as slack_encode
from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.inbound.decode_text import decode_text as teamspirit_decode
from adapters.teamspirit.outbound.encode_text import encode_text as teamspirit_encode
from adapters.telegram.inbound import decode_text as telegram_decode
from adapters.telegram.outbound import encode_text as telegram_encode
from adapters.webhook.conformance import CASE as WEBHOOK
from bridge.model.rich_text import RichText
from tests.support.transports import NETWORK


def _telegram() -> Codec:
    return Codec(
        encode=telegram_encode.encode_text,
        decode=lambda wire: telegram_decode.decode_text(wire.text, wire.entities),
        decode_raw=telegram_decode.decode_text,
    )


def _slack() -> Codec:
    def encode(rich: RichText) -> tuple[str, bytes]:
        block = {"type": "rich_text", "elements": slack_encode.rich_text_elements(rich)}
        return slack_encode.fallback_text(rich), json.dumps([block]).encode()

    return Codec(
        encode=encode,
        decode=lambda wire: slack_decode.decode_text(wire[0], wire[1], NO_NAMES),
        decode_raw=lambda text: slack_decode.decode_text(text, b"", NO_NAMES),
    )


def _discord() -> Codec:
    return Codec(encode=discord_markup.encode_text, decode=discord_markdown.decode_text, decode_raw=discord_markdown.decode_text)


def _teamspirit(dialect_name: str) -> Codec:
    options = {"server": "https://im.example.com", "api_key": "key"}
    dialect = TeamSpiritOptions.model_validate({**options, "dialect": dialect_name}).read_dialect.text

    def decode(text: str) -> RichText:
        return teamspirit_decode(text, dialect)

    return Codec(encode=lambda rich: teamspirit_encode(rich, dialect), decode=decode, decode_raw=decode)


def _offered(platform: str) -> ConformanceCase:
    """What the package of a platform outside the tree offers."""
    found: Any = [point.load() for point in entry_points(group=ENTRY_POINT_GROUP) if point.name == platform]
    if len(found) != 1 or not isinstance(found[0], ConformanceCase):
        raise pytest.UsageError(
            f"platform {platform}: its package must offer one ConformanceCase by the entry point {ENTRY_POINT_GROUP}, not {found}"
        )
    case: ConformanceCase = found[0]
    return case


_OURS = {
    "telegram": ConformanceCase(codecs={"telegram": _telegram()}, absent_chat="-1009999999999", network=NETWORK["telegram"]),
    "slack": ConformanceCase(codecs={"slack": _slack()}, absent_chat="C0NOTTHERE", network=NETWORK["slack"]),
    "discord": ConformanceCase(codecs={"discord": _discord()}, absent_chat="999999999999999999", network=NETWORK["discord"]),
    "teamspirit": ConformanceCase(
        codecs={"teamspirit": _teamspirit("teamspirit"), "mattermost": _teamspirit("mattermost")},
        absent_chat="nowhere",
        network=NETWORK["teamspirit"],
    ),
    "webhook": WEBHOOK,
}

CASES: dict[str, ConformanceCase] = {name: _OURS[name] if name in _OURS else _offered(name) for name in platforms()}
CODECS: dict[str, Codec] = {name: codec for case in CASES.values() for name, codec in case.codecs.items()}
PLATFORM_OF_CODEC: dict[str, str] = {name: platform for platform, case in CASES.items() for name in case.codecs}


def skip_if_lacking(platform: str, what: Lacks) -> None:
    """Skip the test, with the case's reason, where people of the platform cannot do that."""
    reason = CASES[platform].lacks.get(what)
    if reason is not None:
        pytest.skip(reason)
