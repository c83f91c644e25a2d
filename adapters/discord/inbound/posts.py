"""What a post to one of Discord's webhooks would show, for those who take the same payloads. Pure. Called by the manifest.

Source: API reference, "Execute Webhook", August 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from adapters.discord import wire
from adapters.discord.guild_cache import GuildCache
from adapters.discord.inbound.decode_content import content_of
from adapters.discord.inbound.decode_files import Whereabouts, media_file
from adapters.discord.lenient import mapping, objects, web_address
from bridge.model.events import Content
from bridge.model.rich_text import Paragraph, RichText, Text, concat

_SHOWN = ("content", "embeds", "components", "poll", "flags")


def decode_post(payload: Any) -> Content | None:
    """None for what is no such payload. The files that come with a post are its sender's to bring."""
    if not isinstance(payload, dict) or not any(payload.get(name) for name in _SHOWN[:4]):
        return None
    shown = {name: payload[name] for name in _SHOWN if name in payload}
    message = cast("wire.Message", {**shown, "channel_id": "0", "id": "0", "webhook_id": "0", "author": {"id": "0", "bot": True}})
    content = content_of(message, GuildCache(), "")
    lines = [RichText((Paragraph((Text(url, 0, url),)),)) for url in _on_discord(payload.get("embeds"))]
    return Content(text=concat(content.text, *lines), poll=content.poll, previews=content.previews)


def _on_discord(embeds: Any) -> Iterator[str]:
    """Pictures on Discord's own servers: no account of ours fetches them, so they are addresses like any other."""
    shown: set[str] = set()
    found: list[Any] = objects(embeds)
    for embed in found:
        for media in (embed.get("image"), embed.get("thumbnail"), embed.get("video")):
            url = web_address(mapping(media).get("url"))
            if url not in shown and media_file(mapping(media), Whereabouts("0", "0", "")) is not None:
                shown.add(url)
                yield url
