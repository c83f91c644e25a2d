"""What `check --online` asks Discord: token, intents, and per channel the rights a bridge needs, with what to click for each.

Called by `adapter.probe`. Source of the bits: API reference, "Permissions"; PIN_MESSAGES apart since 2026-02-23.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adapters.discord.errors import Refused
from adapters.discord.places import Places
from adapters.discord.transport import Route, Transport
from bridge.contract import ProbeItem
from bridge.errors import AccountDown, BridgeError, ChatDown

if TYPE_CHECKING:
    from adapters.discord.config import DiscordOptions

CONTENT_FLAGS = (1 << 18) | (1 << 19)
MEMBERS_FLAGS = (1 << 14) | (1 << 15)
PORTAL = "https://discord.com/developers/applications"

NEEDED = {
    1 << 10: "View Channel",
    1 << 11: "Send Messages",
    1 << 14: "Embed Links",
    1 << 15: "Attach Files",
    1 << 16: "Read Message History",
    1 << 6: "Add Reactions",
    1 << 13: "Manage Messages",
    1 << 38: "Send Messages in Threads",
    1 << 51: "Pin Messages",
}
MANAGE_WEBHOOKS = 1 << 29


async def probe(transport: Transport, options: DiscordOptions, places: Places, chat_ids: Sequence[str]) -> list[ProbeItem]:
    """Failures are items; nothing is raised but cancellation."""
    items: list[ProbeItem] = []
    try:
        user = await transport.call(Route("GET", "/users/@me", "users/@me"))
        application = await transport.call(Route("GET", "/oauth2/applications/@me", "oauth2/applications/@me"))
    except (Refused, BridgeError) as error:
        return [_failure("token", error)]
    items.append(ProbeItem(name="token", ok=True, detail=f"bot {user['username']}"))
    items.extend(_intents(int(application.get("flags") or 0), options))
    user_id = str(user["id"])
    try:
        await places.load(transport, user_id)
    except (Refused, BridgeError) as error:
        items.append(_failure("servers", error))
    else:
        names = ", ".join(server.name for server in places.servers.values())
        invite = f"invite the bot: {PORTAL}, OAuth2, URL Generator"
        items.append(ProbeItem(name="servers", ok=bool(names), detail=names or "none", action="" if names else invite))
    for chat_id in chat_ids:
        items.append(await _channel(transport, options, places, chat_id, user_id))
    return items


def _intents(flags: int, options: DiscordOptions) -> list[ProbeItem]:
    items = [_intent("message content intent", bool(flags & CONTENT_FLAGS), "MESSAGE CONTENT INTENT")]
    if options.members:
        items.append(_intent("members intent", bool(flags & MEMBERS_FLAGS), "SERVER MEMBERS INTENT"))
    return items


def _intent(name: str, ok: bool, switch: str) -> ProbeItem:
    return ProbeItem(name=name, ok=ok, action="" if ok else f"switch on {switch}: {PORTAL}, your application, Bot")


async def _channel(transport: Transport, options: DiscordOptions, places: Places, chat_id: str, user_id: str) -> ProbeItem:
    try:
        place = places.get(chat_id) or await places.load_one(transport, chat_id)
    except (Refused, BridgeError) as error:
        return _failure("channel", error, chat_id)
    bits = places.permissions(chat_id, user_id)
    if bits is None:
        return ProbeItem(
            name=f"#{place.name}",
            ok=False,
            detail="in a server that the bot is not in",
            action="invite the bot to that server",
            chat_id=chat_id,
        )
    needed = dict(NEEDED)
    if options.post_as == "webhook":
        needed[MANAGE_WEBHOOKS] = "Manage Webhooks"
    missing = [title for bit, title in needed.items() if not bits & bit]
    return ProbeItem(
        name=f"#{place.name}",
        ok=not missing,
        detail=f"missing: {', '.join(missing)}" if missing else "all rights",
        action=f"give the bot's role {', '.join(missing)} in this channel (channel settings, Permissions)" if missing else "",
        chat_id=chat_id,
    )


def _failure(name: str, error: Refused | BridgeError, chat_id: str = "") -> ProbeItem:
    cause = error.error if isinstance(error, Refused) else error
    action = cause.action if isinstance(cause, AccountDown | ChatDown) else "try again; see the detail if it stays"
    return ProbeItem(name=name, ok=False, detail=cause.reason, action=action, chat_id=chat_id)
