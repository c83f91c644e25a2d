"""What `check --online` asks Discord: token, intents, and per channel the rights a bridge needs, with what to click for each.

What could not be looked up is reported as such: a click is named only where it would help. Called by `adapter.probe`. Source of
the bits: API reference, "Permissions"; PIN_MESSAGES apart since 2026-02-23.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from adapters.discord import wire
from adapters.discord.directory import OUR_APPLICATION, OURSELVES, Directory
from adapters.discord.errors import POST_ACTION, Refused
from adapters.discord.guild_cache import GuildCache
from adapters.discord.lenient import flags_of, mapping, text
from adapters.discord.servers import FORUM_KINDS, Channel
from adapters.discord.transport import Transport
from bridge.model.adapter import ProbeItem
from bridge.model.errors import AccountDown, BridgeError, ChatDown, ConnectionLost, OutcomeUnknown, RetryLater

if TYPE_CHECKING:
    from adapters.discord.config import DiscordOptions

CONTENT_FLAGS = (1 << 18) | (1 << 19)
MEMBERS_FLAGS = (1 << 14) | (1 << 15)
PORTAL = "https://discord.com/developers/applications"
INVITE = f"invite the bot: {PORTAL}, OAuth2, URL Generator"
AGAIN = "try again; see the detail if it stays"
CATEGORY = 4

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
VIEW_CHANNEL = 1 << 10
MANAGE_WEBHOOKS = 1 << 29
CREATE_PUBLIC_THREADS = 1 << 35
MANAGE_THREADS = 1 << 34
WITH_THREADS = (0, 5, *FORUM_KINDS)
"""Text and announcement channels, forum and media channels."""


async def probe(
    transport: Transport, options: DiscordOptions, directory: Directory, guilds: GuildCache, chat_ids: Sequence[str]
) -> list[ProbeItem]:
    """Failures are items; nothing is raised but cancellation."""
    try:
        user: wire.User = mapping(await transport.call(OURSELVES))
        application: wire.Application = mapping(await transport.call(OUR_APPLICATION))
        failed = await directory.load(text(user.get("id")))
    except (Refused, BridgeError) as error:
        return [_failure("token", error)]
    items = [ProbeItem(name="token", ok=True, detail=f"bot {text(user.get('username'))}")]
    items += _intents(flags_of(application.get("flags")), options)
    items += _servers(guilds, failed)
    asked = _Channels(directory, options, guilds, failed, text(user.get("id")))
    for chat_id in chat_ids:
        items += await asked.about(chat_id)
    return items


def _intents(flags: int, options: DiscordOptions) -> list[ProbeItem]:
    items = [_intent("message content intent", bool(flags & CONTENT_FLAGS), "MESSAGE CONTENT INTENT")]
    if options.members:
        items.append(_intent("members intent", bool(flags & MEMBERS_FLAGS), "SERVER MEMBERS INTENT"))
    return items


def _intent(name: str, ok: bool, switch: str) -> ProbeItem:
    return ProbeItem(name=name, ok=ok, action="" if ok else f"switch on {switch}: {PORTAL}, your application, Bot")


def _servers(guilds: GuildCache, failed: Mapping[str, BridgeError]) -> list[ProbeItem]:
    """Those that the bot is in; one that cannot be looked up is not one that it must be invited to."""
    names = ", ".join(server.name or server.id for server in guilds.servers.values())
    items = [ProbeItem(name="servers", ok=bool(names), detail=names or "none", action="" if names else INVITE)]
    if failed and not names:
        items = []
    items += [_failure(f"server {guild_id}", error) for guild_id, error in failed.items()]
    for server in guilds.servers.values():
        if server.unknown:
            name, parts = f"server {server.name or server.id}", " and ".join(server.unknown)
            passing = any(server.unknown.values())
            items.append(ProbeItem(name=name, ok=False, detail=f"cannot look up {parts}", action=AGAIN, temporary=passing))
    return items


async def look_at(directory: Directory, options: DiscordOptions, guilds: GuildCache, chat_id: str, user_id: str) -> list[ProbeItem]:
    """One channel, as far as is known of its server by now."""
    return await _Channels(directory, options, guilds, {}, user_id).about(chat_id)


class _Channels:
    def __init__(
        self, directory: Directory, options: DiscordOptions, guilds: GuildCache, failed: Mapping[str, BridgeError], user_id: str
    ) -> None:
        self._directory = directory
        self._options = options
        self._guilds = guilds
        self._failed = failed
        self._user_id = user_id

    async def about(self, chat_id: str) -> list[ProbeItem]:
        try:
            channel = await self._directory.channel(chat_id)
        except (Refused, BridgeError) as error:
            return [_failure("channel", error, chat_id)]
        except (KeyError, TypeError, ValueError) as error:
            detail = f"an answer that is not understood ({type(error).__name__})"
            return [ProbeItem(name="channel", ok=False, detail=detail, action=AGAIN, chat_id=chat_id)]
        items = [self._rights(channel), *self._threads(channel)]
        if channel.is_forum:
            items.append(_wrong(channel, "a forum: nothing can be sent into it, only into its posts", POST_ACTION, whole_chat=True))
        if channel.kind == CATEGORY:
            items.append(_wrong(channel, "a category", "write the id of one of its channels instead"))
        return items

    def _rights(self, channel: Channel) -> ProbeItem:
        bits = self._guilds.permissions(channel.id, self._user_id)
        if bits is None:
            return self._unknown_rights(channel)
        missing = [title for bit, title in NEEDED.items() if not bits & bit]
        lacks_webhooks = self._options.post_as == "webhook" and not bits & MANAGE_WEBHOOKS
        if missing:
            missing += ["Manage Webhooks"] if lacks_webhooks else []
            action = f"give the bot's role {', '.join(missing)} in this channel (channel settings, Permissions)"
            return _wrong(channel, f"missing: {', '.join(missing)}", action, dead=not bits & VIEW_CHANNEL)
        if lacks_webhooks:
            detail = "all rights but Manage Webhooks: the bot posts by itself, with the author's name in the text"
            action = "give the bot's role Manage Webhooks in this channel, if copies are to show their authors"
            return ProbeItem(name=f"#{channel.name}", ok=True, detail=detail, action=action, chat_id=channel.id)
        if not bits & CREATE_PUBLIC_THREADS:
            detail = "all rights but Create Public Threads: what other chats say in threads is shown in the channel"
            action = "give the bot's role Create Public Threads in this channel, if threads are to have threads here"
            return ProbeItem(name=f"#{channel.name}", ok=True, detail=detail, action=action, chat_id=channel.id, bars_threads=True)
        return ProbeItem(name=f"#{channel.name}", ok=True, detail="all rights", chat_id=channel.id)

    def _threads(self, channel: Channel) -> list[ProbeItem]:
        """What ends need that stand for all threads (`channel/*`)."""

        def item(detail: str, action: str, *, ok: bool) -> ProbeItem:
            name = f"#{channel.name}, threads"
            return ProbeItem(
                name=name, ok=True, detail=detail, action=action, chat_id=channel.id, every_thread=True, bars_threads=not ok
            )

        if channel.kind not in WITH_THREADS:
            return [item("there are no threads in such a channel", "take /* from the end in bridge.yaml", ok=False)]
        found: list[ProbeItem] = []
        if channel.requires_tag:
            tag = next(iter(channel.tags.values()), "")
            detail = f"the forum requires a tag: posts get “{tag}”" if tag else "the forum requires a tag, and has none"
            found.append(item(detail, "" if tag else "make a tag (channel settings), or require none", ok=bool(tag)))
        bits = self._guilds.permissions(channel.id, self._user_id)
        if bits is not None and not bits & MANAGE_THREADS:
            detail = "no Manage Threads: lines say that a thread was closed or deleted elsewhere"
            action = "give the bot's role Manage Threads in this channel, if its threads are to follow"
            found.append(item(detail, action, ok=True))
        return found

    def _unknown_rights(self, channel: Channel) -> ProbeItem:
        """Why the rights are not known: the bot is not on the server, or it could not be looked up."""
        server, error = self._guilds.servers.get(channel.guild_id), self._failed.get(channel.guild_id)
        if server is not None:
            parts = " and ".join(server.unknown) or "the server's roles"
            passing = any(server.unknown.values())
            return _wrong(channel, f"its rights cannot be told: cannot look up {parts}", AGAIN, temporary=passing)
        if error is not None:
            return _failure(f"#{channel.name}", error, channel.id)
        return _wrong(channel, "in a server that the bot is not in", "invite the bot to that server", dead=True)


def _wrong(
    channel: Channel, detail: str, action: str, *, whole_chat: bool = False, temporary: bool = False, dead: bool = False
) -> ProbeItem:
    return ProbeItem(
        name=f"#{channel.name}",
        ok=False,
        detail=detail,
        action=action,
        chat_id=channel.id,
        whole_chat=whole_chat,
        temporary=temporary,
        dead=dead,
    )


def _failure(name: str, error: Refused | BridgeError, chat_id: str = "") -> ProbeItem:
    cause = error.error if isinstance(error, Refused) else error
    is_known = isinstance(cause, AccountDown | ChatDown)
    action = cause.action if isinstance(cause, AccountDown | ChatDown) else AGAIN
    temporary = not is_known and isinstance(cause, RetryLater | OutcomeUnknown | ConnectionLost)
    return ProbeItem(
        name=name,
        ok=False,
        detail=cause.reason,
        action=action,
        chat_id=chat_id,
        temporary=temporary,
        dead=isinstance(cause, ChatDown),
    )
