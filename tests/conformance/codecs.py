"""Each platform's pair of pure text functions, in one shape: rich text to what goes over the wire, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapters.discord import markdown as discord_markdown
from adapters.discord import markup as discord_markup
from adapters.slack import decode_text as slack_decode
from adapters.slack import encode_text as slack_encode
from adapters.slack.names import NO_NAMES
from adapters.teamspirit import markup as teamspirit_markup
from adapters.teamspirit.config import TeamSpiritOptions
from adapters.telegram import decode_text as telegram_decode
from adapters.telegram import encode_text as telegram_encode
from bridge.model.rich_text import RichText


@dataclass(frozen=True, slots=True)
class Codec:
    encode: Callable[[RichText], Any]
    decode: Callable[[Any], RichText]
    decode_raw: Callable[[str], RichText]
    """Decodes what a person wrote in the platform's own composer or API."""


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
        return teamspirit_markup.decode_text(text, dialect)

    return Codec(encode=lambda rich: teamspirit_markup.encode_text(rich, dialect), decode=decode, decode_raw=decode)


CODECS: dict[str, Codec] = {
    "telegram": _telegram(),
    "slack": _slack(),
    "discord": _discord(),
    "teamspirit": _teamspirit("teamspirit"),
    "mattermost": _teamspirit("mattermost"),
}
