"""Links to messages of Discord: read, called by the manifest, and made, called by the adapter. Pure.

Source: "Copy Message Link" of Discord's clients: `https://discord.com/channels/<server or @me>/<channel or thread>/<message>`, also
on `ptb.` and `canary.`, and on discordapp.com as it was until 2020.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bridge.model.platform import LinkedMessage

_HOST = re.compile(r"(?:(?:ptb|canary|www)\.)?discord(?:app)?\.com")
_MESSAGE = re.compile(r"/channels/(?:\d{15,20}|@me)/(?P<channel>\d{15,20})/(?P<message>\d{15,20})/?")


def message_of_link(_: object, link: str) -> LinkedMessage | None:
    try:
        parts = urlsplit(link.strip())
        host = parts.hostname or ""
    except ValueError:
        return None
    found = _MESSAGE.fullmatch(parts.path)
    if parts.scheme not in ("http", "https", "discord") or found is None:
        return None
    if parts.scheme != "discord" and not _HOST.fullmatch(host):
        return None
    return LinkedMessage(message_id=found["message"], chat=found["channel"], is_unique=True)


_CHANNEL = re.compile(r"/channels/\d{15,20}/(?P<channel>\d{15,20})(?:/(?:threads/)?\d{15,20})*/?")


def chat_of_link(_: object, link: str) -> str | None:
    """ "Copy Link" of a channel, or the address in the browser: `https://discord.com/channels/<server>/<channel>`."""
    try:
        parts = urlsplit(link.strip())
        known = parts.scheme in ("http", "https") and _HOST.fullmatch(parts.hostname or "")
    except ValueError:
        return None
    found = _CHANNEL.fullmatch(parts.path)
    return found["channel"] if known and found is not None else None


def link_to_message(guild_id: str, channel_id: str, message_id: str) -> str:
    """`channel_id` is the thread's for a message in one."""
    return f"https://discord.com/channels/{guild_id}/{channel_id}/{message_id}" if guild_id else ""
