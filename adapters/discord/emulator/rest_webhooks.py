"""REST: channel webhooks - creating and listing them as a bot, executing and editing with their own token.

Source: Discord API reference, "Webhook Resource", August 2026.
"""

from __future__ import annotations

import hashlib
import secrets

from aiohttp import web

from adapters.discord.emulator import errors, rules
from adapters.discord.emulator.api import Api, Body, Handler, snowflake
from adapters.discord.emulator.errors import json_response
from adapters.discord.emulator.records import Author, Bot, Channel, Message, Permission, Webhook
from adapters.discord.emulator.rest_messages import edit_fields, message_fields
from adapters.discord.emulator.wire import Json

MAX_AVATAR_URL = 2048
USERS_ONLY = ("users",)
"""What a webhook message pings if the request has no `allowed_mentions`."""


class WebhookRoutes:
    def __init__(self, api: Api) -> None:
        self._api = api

    def table(self) -> list[tuple[str, str, Handler]]:
        owned = "/webhooks/{webhook}"
        by_token = owned + "/{token}"
        one = by_token + "/messages/{message}"
        return [
            ("GET", "/channels/{channel}/webhooks", self.list_channel),
            ("POST", "/channels/{channel}/webhooks", self.create),
            ("GET", "/guilds/{guild}/webhooks", self.list_guild),
            ("GET", owned, self.get),
            ("PATCH", owned, self.modify),
            ("DELETE", owned, self.delete),
            ("GET", by_token, self.get_by_token),
            ("POST", by_token, self.execute),
            ("DELETE", by_token, self.delete_by_token),
            ("GET", one, self.get_message),
            ("PATCH", one, self.edit_message),
            ("DELETE", one, self.delete_message),
        ]

    # -- as a bot -------------------------------------------------------------------------------------------------------------

    def _view(self, webhook: Webhook, bot: Bot) -> Json:
        """Another application's webhook is listed without its token."""
        return self._api.payloads.webhook(webhook, with_token=webhook.application_id in (None, bot.application_id))

    def _managed_channel(self, request: web.Request) -> tuple[Bot, Channel]:
        bot = self._api.bot(request)
        channel = self._api.channel(request, bot)
        if channel.is_thread or channel.is_direct:
            raise errors.ApiError(400, 50024, "Cannot execute action on this channel type")
        self._api.require(bot, channel, Permission.MANAGE_WEBHOOKS)
        return bot, channel

    async def list_channel(self, request: web.Request) -> web.StreamResponse:
        bot, channel = self._managed_channel(request)
        return json_response([self._view(w, bot) for w in self._api.world.webhooks.values() if w.channel_id == channel.id])

    async def list_guild(self, request: web.Request) -> web.StreamResponse:
        bot = self._api.bot(request)
        if Permission.MANAGE_WEBHOOKS not in bot.permissions:
            raise errors.missing_permissions()
        return json_response([self._view(w, bot) for w in self._api.world.webhooks.values()])

    async def create(self, request: web.Request) -> web.StreamResponse:
        bot, channel = self._managed_channel(request)
        body = await self._api.body(request)
        name = rules.check_webhook_name(body.payload.get("name"), "name")
        if sum(1 for w in self._api.world.webhooks.values() if w.channel_id == channel.id) >= rules.MAX_WEBHOOKS:
            raise errors.ApiError(400, 30007, f"Maximum number of webhooks reached ({rules.MAX_WEBHOOKS})")
        webhook = self._api.world.add_webhook(channel.id, name, bot.user, bot.application_id)
        self._api.operations.announce_webhooks(channel.id)
        return json_response(self._view(webhook, bot))

    def _owned(self, request: web.Request) -> tuple[Bot, Webhook]:
        bot = self._api.bot(request)
        webhook = self._api.world.webhooks.get(snowflake(request.match_info["webhook"]))
        if webhook is None:
            raise errors.unknown_webhook()
        self._api.require(bot, self._api.world.channels[webhook.channel_id], Permission.MANAGE_WEBHOOKS)
        return bot, webhook

    async def get(self, request: web.Request) -> web.StreamResponse:
        bot, webhook = self._owned(request)
        return json_response(self._view(webhook, bot))

    async def modify(self, request: web.Request) -> web.StreamResponse:
        bot, webhook = self._owned(request)
        body = await self._api.body(request)
        if "name" in body.payload:
            webhook.name = rules.check_webhook_name(body.payload["name"], "name")
        self._api.operations.announce_webhooks(webhook.channel_id)
        return json_response(self._view(webhook, bot))

    async def delete(self, request: web.Request) -> web.StreamResponse:
        _, webhook = self._owned(request)
        return self._remove(webhook)

    def _remove(self, webhook: Webhook) -> web.Response:
        del self._api.world.webhooks[webhook.id]
        self._api.operations.announce_webhooks(webhook.channel_id)
        return web.Response(status=204)

    # -- by token -------------------------------------------------------------------------------------------------------------

    def _by_token(self, request: web.Request) -> Webhook:
        webhook = self._api.world.webhooks.get(snowflake(request.match_info["webhook"]))
        if webhook is None:
            raise errors.unknown_webhook()
        if not secrets.compare_digest(webhook.token.encode(), request.match_info["token"].encode()):
            raise errors.ApiError(401, 50027, "Invalid Webhook Token")
        return webhook

    def _place(self, request: web.Request, webhook: Webhook) -> Channel:
        """The webhook's channel or the thread of it that `thread_id` names."""
        thread_id = request.query.get("thread_id")
        channel = self._api.world.channels[webhook.channel_id]
        if thread_id is None:
            return channel
        thread = self._api.world.channels.get(snowflake(thread_id))
        if thread is None or thread.parent_id != channel.id:
            raise errors.unknown_channel()
        if thread.is_archived and thread.is_locked:
            raise errors.ApiError(400, 50083, "Thread is archived")
        return thread

    async def get_by_token(self, request: web.Request) -> web.StreamResponse:
        webhook = self._by_token(request)
        return json_response(self._api.payloads.webhook(webhook, with_token=True, with_creator=False))

    async def delete_by_token(self, request: web.Request) -> web.StreamResponse:
        return self._remove(self._by_token(request))

    async def execute(self, request: web.Request) -> web.StreamResponse:
        api = self._api
        webhook = self._by_token(request)
        headers = api.buckets.take(f"webhook:{webhook.id}", api.budgets.webhook)
        api.buckets.take_quietly(f"webhook-channel:{webhook.channel_id}", api.budgets.webhook_channel)
        body = await api.body(request)
        channel = self._place(request, webhook)
        _check_forum(channel, webhook, body, request)
        fields = message_fields(api, body, by_default=USERS_ONLY, may_everyone=True)
        if not (fields["content"].strip() or fields["embeds"] or fields["attachments"] or fields["poll"] or fields["components"]):
            raise errors.empty_message()
        message = api.operations.post(
            channel,
            author=self._persona(webhook, body.payload),
            webhook_id=webhook.id,
            application_id=webhook.application_id,
            **fields,
        )
        if request.query.get("wait", "").lower() not in ("true", "1"):
            return web.Response(status=204, headers=headers)
        return json_response(api.payloads.message(message), headers=headers)

    def _persona(self, webhook: Webhook, payload: Json) -> Author:
        name = payload.get("username")
        shown = rules.check_webhook_name(name) if name else webhook.name
        avatar_url = str(payload.get("avatar_url") or "")
        if avatar_url and (not avatar_url.startswith(("http://", "https://")) or len(avatar_url) > MAX_AVATAR_URL):
            raise errors.invalid_form("avatar_url", "URL_TYPE_INVALID_URL", "Not a well formed URL.")
        avatar = hashlib.md5(avatar_url.encode(), usedforsecurity=False).hexdigest() if avatar_url else webhook.avatar
        return Author(id=webhook.id, username=shown, display_name=shown, avatar=avatar, avatar_url=avatar_url, is_bot=True)

    def _own_message(self, request: web.Request) -> tuple[Channel, Message]:
        webhook = self._by_token(request)
        channel = self._place(request, webhook)
        message = self._api.message(request, channel)
        if message.webhook_id != webhook.id:
            raise errors.unknown_message()
        return channel, message

    async def get_message(self, request: web.Request) -> web.StreamResponse:
        _, message = self._own_message(request)
        return json_response(self._api.payloads.message(message))

    async def edit_message(self, request: web.Request) -> web.StreamResponse:
        channel, message = self._own_message(request)
        headers = self._api.buckets.take(f"webhook-edit:{message.webhook_id}", self._api.budgets.webhook)
        self._api.require_awake(channel)
        body = await self._api.body(request)
        changes = edit_fields(self._api, body, message, by_default=USERS_ONLY, may_everyone=True)
        edited = self._api.operations.edit(channel, message, **changes)
        return json_response(self._api.payloads.message(edited), headers=headers)

    async def delete_message(self, request: web.Request) -> web.StreamResponse:
        channel, message = self._own_message(request)
        self._api.operations.delete(channel, message)
        return web.Response(status=204)


def _check_forum(channel: Channel, webhook: Webhook, body: Body, request: web.Request) -> None:
    """A forum takes posts only. Source: API reference, "Execute Webhook" and codes 220001 to 220003."""
    is_named, is_in_thread = bool(body.payload.get("thread_name")), "thread_id" in request.query
    if is_named and is_in_thread:
        raise errors.ApiError(400, 220002, "Webhooks posted to forum channels cannot have both a thread_name and thread_id")
    if channel.is_forum and not is_named:
        raise errors.ApiError(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
    if is_named and not channel.is_forum:
        raise errors.ApiError(400, 220003, "Webhooks can only create threads in forum channels")
    if is_named:
        raise errors.ApiError(400, 50035, "starting posts by webhook is not emulated")
