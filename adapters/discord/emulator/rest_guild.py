"""REST: the application and its user, the gateway's address, the guild, its channels, threads and members."""

from __future__ import annotations

import re
from collections.abc import Callable

from aiohttp import web

from adapters.discord.emulator import errors
from adapters.discord.emulator.api import Api, Handler, snowflake
from adapters.discord.emulator.errors import json_response
from adapters.discord.emulator.gateway import Gateway
from adapters.discord.emulator.records import Bot, Channel, Permission
from adapters.discord.emulator.rules import RENAMINGS
from adapters.discord.emulator.wire import Json


class GuildRoutes:
    def __init__(self, api: Api, gateway: Gateway, gateway_url: Callable[[], str]) -> None:
        self._api = api
        self._gateway = gateway
        self._gateway_url = gateway_url

    def table(self) -> list[tuple[str, str, Handler]]:
        guild = "/guilds/{guild}"
        channel = "/channels/{channel}"
        return [
            ("GET", "/gateway", self.gateway),
            ("GET", "/gateway/bot", self.gateway_bot),
            ("GET", "/oauth2/applications/@me", self.application),
            ("GET", "/applications/@me", self.application),
            ("GET", "/applications/{application}/commands", self.no_commands),
            ("GET", "/applications/{application}/emojis", self.no_application_emojis),
            ("GET", "/users/@me", self.me),
            ("GET", "/users/@me/guilds", self.my_guilds),
            ("GET", "/users/{user}", self.user),
            ("GET", guild, self.guild),
            ("GET", guild + "/channels", self.channels),
            ("GET", guild + "/roles", self.roles),
            ("GET", guild + "/emojis", self.emojis),
            ("GET", guild + "/members", self.members),
            ("GET", guild + "/members/{user}", self.member),
            ("GET", guild + "/threads/active", self.active_threads),
            ("GET", channel, self.channel),
            ("PATCH", channel, self.modify_channel),
            ("DELETE", channel, self.delete_channel),
            ("POST", channel + "/threads", self.start_thread),
            ("POST", channel + "/messages/{message}/threads", self.start_thread_from_message),
            ("GET", channel + "/threads/archived/public", self.archived_threads),
            ("GET", channel + "/users/@me/threads/archived/private", self.archived_private_threads),
            ("PUT", channel + "/thread-members/@me", self.join_thread),
        ]

    # -- the application ------------------------------------------------------------------------------------------------------

    async def gateway(self, request: web.Request) -> web.StreamResponse:
        return json_response({"url": self._gateway_url()})

    async def gateway_bot(self, request: web.Request) -> web.StreamResponse:
        self._api.bot(request)
        total = self._gateway.identify_limit
        remaining = max(0, total - self._gateway.identifies)
        limit = {"total": total, "remaining": remaining, "reset_after": 86_400_000, "max_concurrency": 1}
        return json_response({"url": self._gateway_url(), "shards": 1, "session_start_limit": limit})

    async def application(self, request: web.Request) -> web.StreamResponse:
        bot = self._api.bot(request)
        application: Json = {
            "id": str(bot.application_id),
            "name": bot.user.display_name,
            "icon": None,
            "description": "",
            "summary": "",
            "bot_public": False,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "owner": self._api.payloads.user(self._api.world.owner),
            "team": None,
            "flags": bot.flags,
            "bot": self._api.payloads.user(bot.user),
            "tags": [],
        }
        return json_response(application)

    async def no_commands(self, request: web.Request) -> web.StreamResponse:
        self._api.bot(request)
        return json_response([])

    async def no_application_emojis(self, request: web.Request) -> web.StreamResponse:
        self._api.bot(request)
        return json_response({"items": []})

    async def me(self, request: web.Request) -> web.StreamResponse:
        return json_response(self._api.payloads.own_user(self._api.bot(request)))

    async def my_guilds(self, request: web.Request) -> web.StreamResponse:
        bot = self._api.bot(request)
        world = self._api.world
        guild: Json = {
            "id": str(world.guild_id),
            "name": world.guild_name,
            "icon": None,
            "banner": None,
            "owner": False,
            "permissions": str(int(bot.permissions)),
            "features": [],
        }
        return json_response([guild] if bot.is_member else [])

    async def user(self, request: web.Request) -> web.StreamResponse:
        self._api.bot(request)
        user = self._api.world.users.get(snowflake(request.match_info["user"]))
        if user is None:
            raise errors.unknown_user()
        return json_response(self._api.payloads.user(user))

    # -- the guild ------------------------------------------------------------------------------------------------------------

    def _in_guild(self, request: web.Request) -> Bot:
        bot = self._api.bot(request)
        if snowflake(request.match_info["guild"]) != self._api.world.guild_id:
            raise errors.unknown_guild()
        return bot

    async def guild(self, request: web.Request) -> web.StreamResponse:
        self._in_guild(request)
        return json_response(self._api.payloads.guild())

    async def channels(self, request: web.Request) -> web.StreamResponse:
        self._in_guild(request)
        found = [c for c in self._api.world.channels.values() if not c.is_thread and not c.is_direct]
        return json_response([self._api.payloads.channel(c) for c in found])

    async def roles(self, request: web.Request) -> web.StreamResponse:
        self._in_guild(request)
        return json_response(self._api.payloads.roles())

    async def emojis(self, request: web.Request) -> web.StreamResponse:
        self._in_guild(request)
        return json_response([self._api.payloads.emoji(e) for e in self._api.world.emojis.values()])

    async def members(self, request: web.Request) -> web.StreamResponse:
        bot = self._in_guild(request)
        if not bot.guild_members:
            raise errors.missing_access()
        limit = snowflake(request.query.get("limit", "1"))
        after = snowflake(request.query.get("after", "0"))
        users = sorted((u for u in self._api.world.users.values() if u.id > after), key=lambda u: u.id)
        return json_response([self._api.payloads.member(u) for u in users[:limit]])

    async def member(self, request: web.Request) -> web.StreamResponse:
        bot = self._in_guild(request)
        wanted = request.match_info["user"]
        user = bot.user if wanted == "@me" else self._api.world.users.get(snowflake(wanted))
        if user is None:
            raise errors.unknown_member()
        return json_response(self._api.payloads.member(user))

    # -- channels and threads -------------------------------------------------------------------------------------------------

    def _channel(self, request: web.Request) -> tuple[Bot, Channel]:
        bot = self._api.bot(request)
        return bot, self._api.channel(request, bot)

    async def channel(self, request: web.Request) -> web.StreamResponse:
        _, channel = self._channel(request)
        return json_response(self._api.payloads.channel(channel))

    async def modify_channel(self, request: web.Request) -> web.StreamResponse:
        """Archives, locks and renames threads, and renames channels; other changes of these are not emulated."""
        bot, channel = self._channel(request)
        changes = (await self._api.body(request)).payload
        if not channel.is_thread:
            self._api.require(bot, channel, Permission.MANAGE_CHANNELS)
            self._api.operations.rename(channel, re.sub(r"\s+", "-", _thread_name(changes).strip().lower()))
            return json_response(self._api.payloads.channel(channel))
        only_wakes = set(changes) == {"archived"} and not changes["archived"] and not channel.is_locked
        if "locked" in changes or not (only_wakes or channel.owner_id == bot.user.id):
            self._api.require(bot, channel, Permission.MANAGE_THREADS)
        wakes = "archived" in changes and not changes["archived"]
        if channel.is_archived and not wakes:
            raise errors.ApiError(400, 50083, "Thread is archived")
        if "name" in changes and changes["name"] != channel.name:
            self._api.buckets.take_quietly(f"rename:{channel.id}", RENAMINGS, scope="user")
            self._api.operations.rename(channel, _thread_name(changes), bot.user)
        if "archived" in changes or "locked" in changes:
            archived = bool(changes.get("archived", channel.is_archived))
            self._api.operations.set_archived(channel, archived=archived, locked=changes.get("locked"))
        return json_response(self._api.payloads.channel(channel))

    async def delete_channel(self, request: web.Request) -> web.StreamResponse:
        """A thread; other channels are not deleted by bots here. Source: API reference, "Delete/Close Channel"."""
        bot, channel = self._channel(request)
        if not channel.is_thread:
            raise errors.missing_permissions()
        self._api.require(bot, channel, Permission.MANAGE_THREADS)
        payload = self._api.payloads.channel(channel)
        self._api.operations.remove_channel(channel)
        return json_response(payload)

    async def start_thread(self, request: web.Request) -> web.StreamResponse:
        """Without a message; in a forum a post, with its first message and, where the forum wants one, a tag.

        Source: API reference, "Start Thread without Message" (needs CREATE_PUBLIC_THREADS), "Start Thread in Forum or Media
        Channel" (needs SEND_MESSAGES)."""
        bot, channel = self._channel(request)
        payload = (await self._api.body(request)).payload
        name = _thread_name(payload)
        if channel.is_forum:
            self._api.require(bot, channel, Permission.SEND_MESSAGES)
            content = _first_words(payload)
            if channel.requires_tag and not payload.get("applied_tags"):
                raise errors.ApiError(400, 40067, "A tag is required to create a forum post in this channel")
            thread = self._api.operations.start_post(channel, name, bot.user, content=content)
        else:
            self._api.require(bot, channel, Permission.CREATE_PUBLIC_THREADS)
            thread = self._api.operations.start_thread(channel, name, bot.user)
        return json_response(self._api.payloads.channel(thread), 201)

    async def start_thread_from_message(self, request: web.Request) -> web.StreamResponse:
        bot, channel = self._channel(request)
        self._api.require(bot, channel, Permission.CREATE_PUBLIC_THREADS)
        name = _thread_name((await self._api.body(request)).payload)
        message = self._api.message(request, channel)
        if message.thread_id is not None:
            raise errors.ApiError(400, 160004, "A thread has already been created for this message")
        thread = self._api.operations.start_thread(channel, name, bot.user, message)
        return json_response(self._api.payloads.channel(thread), 201)

    async def active_threads(self, request: web.Request) -> web.StreamResponse:
        bot = self._in_guild(request)
        world = self._api.world
        threads = [c for c in world.channels.values() if c.is_thread and not c.is_archived and world.can_view(bot, c)]
        return json_response({"threads": [self._api.payloads.channel(t) for t in threads], "members": []})

    async def archived_threads(self, request: web.Request) -> web.StreamResponse:
        bot, channel = self._channel(request)
        self._api.require(bot, channel, Permission.READ_MESSAGE_HISTORY)
        threads = [c for c in self._api.world.channels.values() if c.parent_id == channel.id and c.is_archived]
        payload = {"threads": [self._api.payloads.channel(t) for t in threads], "members": [], "has_more": False}
        return json_response(payload)

    async def archived_private_threads(self, request: web.Request) -> web.StreamResponse:
        """There are no private threads here."""
        bot, channel = self._channel(request)
        self._api.require(bot, channel, Permission.READ_MESSAGE_HISTORY)
        return json_response({"threads": [], "members": [], "has_more": False})

    async def join_thread(self, request: web.Request) -> web.StreamResponse:
        self._channel(request)
        return web.Response(status=204)


def _first_words(payload: Json) -> str:
    message = payload.get("message")
    if not isinstance(message, dict):
        raise errors.invalid_form("message", "BASE_TYPE_REQUIRED", "This field is required")
    if not str(message.get("content") or ""):
        raise errors.ApiError(400, 50006, "Cannot send an empty message")
    return str(message["content"])


def _thread_name(payload: Json) -> str:
    name = str(payload.get("name") or "")
    if not 1 <= len(name) <= 100:
        raise errors.invalid_form("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    return name
