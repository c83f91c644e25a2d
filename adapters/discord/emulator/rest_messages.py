"""REST: messages, reactions, pins and typing of a channel, as a bot calls them."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from adapters.discord.emulator import errors, rules
from adapters.discord.emulator.api import Api, Body, Handler, parse_emoji, snowflake
from adapters.discord.emulator.errors import json_response
from adapters.discord.emulator.ids import stamp
from adapters.discord.emulator.operations import author_of
from adapters.discord.emulator.polls import CANNOT_EDIT, made_of
from adapters.discord.emulator.records import Bot, Channel, Message, Permission, Reference
from adapters.discord.emulator.wire import Json, without_content

NONCE_WINDOW_S = 300.0
"""The API reference says "the past few minutes"."""
SETTABLE_FLAGS = 4 | 4096 | 8192 | 32768
ALL_MENTIONS = ("users", "roles", "everyone")


class MessageRoutes:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._nonces: dict[tuple[int, str], tuple[float, Message]] = {}

    def table(self) -> list[tuple[str, str, Handler]]:
        messages = "/channels/{channel}/messages"
        one = messages + "/{message}"
        reactions = one + "/reactions"
        return [
            ("GET", messages, self.list_messages),
            ("POST", messages, self.create),
            ("POST", messages + "/bulk-delete", self.bulk_delete),
            ("GET", messages + "/pins", self.list_pins),
            ("PUT", messages + "/pins/{message}", self.pin),
            ("DELETE", messages + "/pins/{message}", self.unpin),
            ("GET", "/channels/{channel}/pins", self.list_pins_flat),
            ("PUT", "/channels/{channel}/pins/{message}", self.pin),
            ("DELETE", "/channels/{channel}/pins/{message}", self.unpin),
            ("POST", "/channels/{channel}/typing", self.typing),
            ("GET", one, self.get),
            ("PATCH", one, self.edit),
            ("DELETE", one, self.delete),
            ("DELETE", reactions, self.clear_reactions),
            ("GET", reactions + "/{emoji}", self.list_reactions),
            ("DELETE", reactions + "/{emoji}", self.clear_emoji),
            ("PUT", reactions + "/{emoji}/@me", self.react),
            ("DELETE", reactions + "/{emoji}/@me", self.unreact),
            ("DELETE", reactions + "/{emoji}/{user}", self.unreact_user),
        ]

    # -- reading --------------------------------------------------------------------------------------------------------------

    def _view(self, message: Message, bot: Bot) -> Json:
        payload = self._api.payloads.message(message, viewer=bot)
        own = message.author.id == bot.user.id or bot.user.id in message.mentions
        return payload if bot.message_content or own else without_content(payload)

    async def list_messages(self, request: web.Request) -> web.StreamResponse:
        bot = self._api.bot(request)
        channel = self._api.channel(request, bot)
        if channel.is_forum:
            raise errors.wrong_channel_kind()
        query = {key: snowflake(request.query[key]) for key in ("after", "before", "around") if key in request.query}
        limit = snowflake(request.query.get("limit", "50"))
        if not 1 <= limit <= 100:
            raise errors.invalid_form("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
        if Permission.READ_MESSAGE_HISTORY not in self._api.world.permissions(bot, channel):
            return json_response([])
        page = channel.page(limit=limit, after=query.get("after"), before=query.get("before"), around=query.get("around"))
        return json_response([self._view(m, bot) for m in page])

    async def get(self, request: web.Request) -> web.StreamResponse:
        bot = self._api.bot(request)
        channel = self._api.channel(request, bot)
        self._api.require(bot, channel, Permission.READ_MESSAGE_HISTORY)
        return json_response(self._view(self._api.message(request, channel), bot))

    # -- writing --------------------------------------------------------------------------------------------------------------

    async def create(self, request: web.Request) -> web.StreamResponse:
        api = self._api
        bot = api.bot(request)
        channel = api.channel(request, bot)
        if channel.is_forum:
            raise errors.not_a_text_channel()
        needed = Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES
        api.require(bot, channel, needed)
        headers = api.buckets.take(f"create:{channel.id}:{bot.user.id}", api.budgets.channel)
        body = await api.body(request)
        if body.files:
            is_voice = int(body.payload.get("flags") or 0) & rules.VOICE  # it needs no other right: discord-api-docs#6082
            api.require(bot, channel, Permission.SEND_VOICE_MESSAGES if is_voice else Permission.ATTACH_FILES)
        nonce = rules.check_nonce(body.payload.get("nonce"))
        earlier = self._same_nonce(bot, nonce) if body.payload.get("enforce_nonce") else None
        if earlier is not None:
            return json_response(self._view(earlier, bot), headers=headers)
        if channel.is_archived and channel.is_locked:
            raise errors.ApiError(400, 50083, "Thread is archived")
        fields = message_fields(api, body, by_default=ALL_MENTIONS, may_everyone=self._may_everyone(bot, channel))
        reference = self._reference(body, bot, channel)
        if not (fields["content"].strip() or fields["embeds"] or fields["attachments"] or fields["poll"] or fields["components"]):
            raise errors.empty_message()
        if fields["poll"]:
            api.require(bot, channel, Permission.SEND_POLLS)
        message = api.operations.post(
            channel,
            author=author_of(bot.user),
            type=19 if reference is not None and reference.kind == 0 else 0,
            reference=reference,
            nonce=nonce,
            application_id=None,
            **fields,
        )
        if nonce is not None:
            self._nonces[bot.user.id, str(nonce)] = (time.monotonic(), message)
        return json_response(self._api.payloads.message(message, viewer=bot), headers=headers)

    def _same_nonce(self, bot: Bot, nonce: str | int | None) -> Message | None:
        if nonce is None:
            return None
        now = time.monotonic()
        if len(self._nonces) > 50_000:
            self._nonces = {k: v for k, v in self._nonces.items() if now - v[0] < NONCE_WINDOW_S}
        sent_at, message = self._nonces.get((bot.user.id, str(nonce)), (0.0, None))
        return message if now - sent_at < NONCE_WINDOW_S else None

    def _may_everyone(self, bot: Bot, channel: Channel) -> bool:
        return Permission.MENTION_EVERYONE in self._api.world.permissions(bot, channel)

    def _reference(self, body: Body, bot: Bot, channel: Channel) -> Reference | None:
        wanted = body.payload.get("message_reference")
        if not isinstance(wanted, dict):
            return None
        if Permission.READ_MESSAGE_HISTORY not in self._api.world.permissions(bot, channel):
            raise errors.ApiError(403, 160002, "Cannot reply without permission to read message history")
        message_id = snowflake(str(wanted.get("message_id", "")))
        if message_id in channel.messages:
            return Reference(kind=0, channel_id=channel.id, message_id=message_id)
        if wanted.get("fail_if_not_exists", True):
            raise errors.invalid_form("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        return None

    async def edit(self, request: web.Request) -> web.StreamResponse:
        api = self._api
        bot = api.bot(request)
        channel = api.channel(request, bot)
        message = api.message(request, channel)
        headers = api.buckets.take(f"edit:{channel.id}:{bot.user.id}", api.budgets.channel)
        body = await api.body(request)
        if message.author.id != bot.user.id:
            raise errors.ApiError(403, 50005, "Cannot edit a message authored by another user")
        api.require_awake(channel)
        may_everyone = self._may_everyone(bot, channel)
        changes = edit_fields(api, body, message, by_default=ALL_MENTIONS, may_everyone=may_everyone)
        return json_response(self._view(api.operations.edit(channel, message, **changes), bot), headers=headers)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        bot = self._api.bot(request)
        channel = self._api.channel(request, bot)
        message = self._api.message(request, channel)
        if message.author.id != bot.user.id:
            self._api.require(bot, channel, Permission.MANAGE_MESSAGES)
        self._api.operations.delete(channel, message)
        return web.Response(status=204)

    async def bulk_delete(self, request: web.Request) -> web.StreamResponse:
        bot = self._api.bot(request)
        channel = self._api.channel(request, bot)
        self._api.require(bot, channel, Permission.MANAGE_MESSAGES)
        ids = {snowflake(str(i)) for i in (await self._api.body(request)).payload.get("messages", [])}
        if not 2 <= len(ids) <= 100:
            raise errors.ApiError(400, 50016, "Provided too few or too many messages to delete.")
        messages = [channel.messages[i] for i in sorted(ids) if i in channel.messages]
        if any(time.time() - m.sent_at.timestamp() > rules.MAX_BULK_AGE_S for m in messages):
            raise errors.ApiError(400, 50034, "You can only bulk delete messages that are under 14 days old.")
        self._api.operations.delete_many(channel, messages)
        return web.Response(status=204)

    async def typing(self, request: web.Request) -> web.StreamResponse:
        bot = self._api.bot(request)
        channel = self._api.channel(request, bot)
        self._api.require(bot, channel, Permission.SEND_MESSAGES)
        self._api.operations.type(channel, bot.user)
        return web.Response(status=204)

    # -- pins -----------------------------------------------------------------------------------------------------------------

    def _pinned(self, request: web.Request) -> tuple[Bot, list[Message]]:
        bot = self._api.bot(request)
        channel = self._api.channel(request, bot)
        return bot, [channel.messages[i] for i in reversed(channel.pins)]

    async def list_pins(self, request: web.Request) -> web.StreamResponse:
        bot, pinned = self._pinned(request)
        items = [{"pinned_at": stamp(m.pinned_at or m.sent_at), "message": self._view(m, bot)} for m in pinned[:50]]
        return json_response({"items": items, "has_more": len(pinned) > 50})

    async def list_pins_flat(self, request: web.Request) -> web.StreamResponse:
        bot, pinned = self._pinned(request)
        return json_response([self._view(m, bot) for m in pinned[:50]])

    async def pin(self, request: web.Request) -> web.StreamResponse:
        bot = self._api.bot(request)
        channel = self._api.channel(request, bot)
        self._api.require(bot, channel, Permission.PIN_MESSAGES)
        message = self._api.message(request, channel)
        if len(channel.pins) >= rules.MAX_PINS:
            raise errors.ApiError(400, 30003, f"Maximum number of pins reached ({rules.MAX_PINS})")
        self._api.operations.pin(channel, message, bot.user)
        return web.Response(status=204)

    async def unpin(self, request: web.Request) -> web.StreamResponse:
        bot = self._api.bot(request)
        channel = self._api.channel(request, bot)
        self._api.require(bot, channel, Permission.PIN_MESSAGES)
        self._api.operations.unpin(channel, self._api.message(request, channel))
        return web.Response(status=204)

    # -- reactions ------------------------------------------------------------------------------------------------------------

    def _target(self, request: web.Request) -> tuple[Bot, Channel, Message]:
        bot = self._api.bot(request)
        channel = self._api.channel(request, bot)
        return bot, channel, self._api.message(request, channel)

    async def react(self, request: web.Request) -> web.StreamResponse:
        bot, channel, message = self._target(request)
        headers = self._api.buckets.take(f"react:{channel.id}:{bot.user.id}", self._api.budgets.reaction)
        emoji = parse_emoji(self._api, request.match_info["emoji"])
        self._api.require_awake(channel)
        self._api.require(bot, channel, Permission.READ_MESSAGE_HISTORY)
        if emoji.key not in {r.key for r in message.reactions}:
            self._api.require(bot, channel, Permission.ADD_REACTIONS)
            if len(message.reactions) >= rules.MAX_REACTIONS:
                raise errors.ApiError(400, 30010, f"Maximum number of reactions reached ({rules.MAX_REACTIONS})")
        self._api.operations.react(channel, message, bot.user, emoji)
        return web.Response(status=204, headers=headers)

    async def unreact(self, request: web.Request) -> web.StreamResponse:
        bot, channel, message = self._target(request)
        headers = self._api.buckets.take(f"react:{channel.id}:{bot.user.id}", self._api.budgets.reaction)
        self._api.operations.unreact(channel, message, bot.user, parse_emoji(self._api, request.match_info["emoji"]))
        return web.Response(status=204, headers=headers)

    async def unreact_user(self, request: web.Request) -> web.StreamResponse:
        bot, channel, message = self._target(request)
        user = self._api.world.users.get(snowflake(request.match_info["user"]))
        if user is None:
            raise errors.unknown_user()
        if user.id != bot.user.id:
            self._api.require(bot, channel, Permission.MANAGE_MESSAGES)
        self._api.operations.unreact(channel, message, user, parse_emoji(self._api, request.match_info["emoji"]))
        return web.Response(status=204)

    async def list_reactions(self, request: web.Request) -> web.StreamResponse:
        _, _, message = self._target(request)
        emoji = parse_emoji(self._api, request.match_info["emoji"])
        found = next((r for r in message.reactions if r.key == emoji.key), None)
        users = [self._api.world.users[u] for u in (found.user_ids if found else ())]
        return json_response([self._api.payloads.user(u) for u in users])

    async def clear_reactions(self, request: web.Request) -> web.StreamResponse:
        bot, channel, message = self._target(request)
        self._api.require(bot, channel, Permission.MANAGE_MESSAGES)
        self._api.operations.clear_reactions(channel, message)
        return web.Response(status=204)

    async def clear_emoji(self, request: web.Request) -> web.StreamResponse:
        bot, channel, message = self._target(request)
        self._api.require(bot, channel, Permission.MANAGE_MESSAGES)
        self._api.operations.clear_reactions(channel, message, parse_emoji(self._api, request.match_info["emoji"]))
        return web.Response(status=204)


def message_fields(api: Api, body: Body, *, by_default: tuple[str, ...], may_everyone: bool) -> dict[str, Any]:
    """The checked fields that bot messages and webhook messages have in common."""
    payload = body.payload
    content = rules.check_content(payload.get("content"))
    pinged = rules.pings(content, payload.get("allowed_mentions"), by_default=by_default, may_everyone=may_everyone)
    attachments = api.attachments(body)
    if int(payload.get("flags") or 0) & rules.VOICE:
        rules.check_voice(bool(content or payload.get("embeds") or payload.get("poll") or payload.get("components")), attachments)
    return {
        "content": content,
        "embeds": rules.check_embeds(payload.get("embeds")),
        "attachments": attachments,
        "flags": int(payload.get("flags") or 0) & SETTABLE_FLAGS,
        "mentions": pinged.users,
        "mention_roles": pinged.roles,
        "mention_everyone": pinged.everyone,
        "poll": made_of(payload.get("poll")),
        "components": tuple(payload.get("components") or ()),
    }


def edit_fields(api: Api, body: Body, message: Message, *, by_default: tuple[str, ...], may_everyone: bool) -> dict[str, Any]:
    """The checked changes of an edit: what the request leaves out stays; mentions are read anew by the edit's own rules."""
    payload = body.payload
    if message.flags & rules.VOICE:
        raise errors.ApiError(400, 50162, "Voice messages cannot be edited.")
    if message.poll is not None:
        raise errors.ApiError(400, CANNOT_EDIT, "Cannot edit a poll message")
    changes: dict[str, Any] = {"attachments": api.attachments(body, message.attachments)}
    if "embeds" in payload:
        changes["embeds"] = rules.check_embeds(payload["embeds"])
    if "flags" in payload:
        changes["flags"] = message.flags & ~4 | int(payload["flags"] or 0) & 4
    if "content" in payload:
        content = rules.check_content(payload["content"])
        pinged = rules.pings(content, payload.get("allowed_mentions"), by_default=by_default, may_everyone=may_everyone)
        changes.update(content=content, mentions=pinged.users, mention_roles=pinged.roles, mention_everyone=pinged.everyone)
    content_after = changes.get("content", message.content)
    if not (content_after.strip() or changes.get("embeds", message.embeds) or changes["attachments"]):
        raise errors.empty_message()
    return changes
