"""Payloads of the shapes that the API reference gives, for tests of decoding."""

from __future__ import annotations

from typing import Any

from adapters.discord.guild_cache import GuildCache
from adapters.discord.identity import Identity
from adapters.discord.inbound.decode import decode
from adapters.discord.inbound.decode_context import Context
from bridge.model.events import Ignored
from bridge.model.refs import AccountName
from bridge.model.rich_text import Paragraph, RichText, Text, text_of

CHANNEL, THREAD, GUILD = "100000000000000001", "100000000000000002", "100000000000000003"
FORUM, POST = "100000000000000004", "100000000000000005"
MESSAGE = "200000000000000001"
BOT = {"id": "8", "username": "ci", "bot": True}


def context_of(**fields: Any) -> Context:
    """A bot with the user id 1 and the application id 2, in a server with a channel, a thread, a forum and a post."""
    guilds = GuildCache()
    channels = [{"id": CHANNEL, "type": 0, "name": "general"}, {"id": FORUM, "type": 15, "name": "help"}]
    threads = [
        {"id": THREAD, "type": 11, "name": "topic", "parent_id": CHANNEL},
        {"id": POST, "type": 11, "name": "It does not start", "parent_id": FORUM},
    ]
    guild = {"id": GUILD, "name": "Guild", "roles": [], "emojis": [], "channels": channels, "threads": threads}
    guilds.apply("GUILD_CREATE", guild, "1")
    told = {name: fields.pop(name) for name in ("webhooks", "names") if name in fields}
    return Context(Identity(AccountName("guild"), "1", "2", **told), cdn_url="https://cdn.example", guilds=guilds, **fields)


def message(**fields: Any) -> dict[str, Any]:
    base = {
        "id": MESSAGE,
        "channel_id": CHANNEL,
        "guild_id": GUILD,
        "author": {"id": "7", "username": "anna", "global_name": "Anna", "avatar": "abc"},
        "content": "hello",
        "timestamp": "2026-11-01T12:00:00.123000+00:00",
        "edited_timestamp": None,
        "type": 0,
        "flags": 0,
    }
    return {**base, **fields}


def one(context: Context, event: str, data: dict[str, Any]) -> Any:
    decoded = decode(event, data, context, position="s-1")
    assert not isinstance(decoded, Ignored), decoded
    (found,) = decoded
    return found


def created(**fields: Any) -> Any:
    return one(context_of(), "MESSAGE_CREATE", message(**fields))


def words(event: Any) -> str:
    return text_of(event.content.text)


def runs(rich: RichText) -> list[Text]:
    return [i for block in rich.blocks if isinstance(block, Paragraph) for i in block.inlines if isinstance(i, Text)]
