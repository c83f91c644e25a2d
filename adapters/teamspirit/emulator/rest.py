"""The default dialect's calls: REST under /api/v1 and incoming webhooks under /hooks. What they change is in `world`."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import hdrs, web

from adapters.common.emulation.bodies import Body
from adapters.teamspirit.emulator import wire
from adapters.teamspirit.emulator.errors import Refused
from adapters.teamspirit.emulator.files import FileTooLarge
from adapters.teamspirit.emulator.records import Chat, Message, now, stamp
from adapters.teamspirit.emulator.world import World

API = "/api/v1"
_HISTORY_LIMIT = 100
STATUSES = ("online", "away", "busy", "offline")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RestApi:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        table: list[tuple[str, str, Handler]] = [
            (hdrs.METH_GET, "/me", self._me),
            (hdrs.METH_PUT, "/me/status", self._set_status),
            (hdrs.METH_GET, "/chats", self._list_chats),
            (hdrs.METH_GET, "/users", self._find_users),
            (hdrs.METH_GET, "/users/{user}", self._get_user),
            (hdrs.METH_GET, "/chats/{chat}/messages", self._history),
            (hdrs.METH_POST, "/chats/{chat}/messages", self._send),
            (hdrs.METH_PATCH, "/chats/{chat}/messages/{message}", self._edit),
            (hdrs.METH_DELETE, "/chats/{chat}/messages/{message}", self._delete),
            (hdrs.METH_PUT, "/chats/{chat}/messages/{message}/reactions/{emoji}", self._react),
            (hdrs.METH_DELETE, "/chats/{chat}/messages/{message}/reactions/{emoji}", self._unreact),
            (hdrs.METH_POST, "/chats/{chat}/typing", self._typing),
            (hdrs.METH_POST, "/files", self._upload),
            (hdrs.METH_GET, "/files/{file}/content", self._download),
            (hdrs.METH_POST, "/webhooks", self._register_webhook),
            (hdrs.METH_GET, "/webhooks", self._list_webhooks),
            (hdrs.METH_DELETE, "/webhooks/{webhook}", self._remove_webhook),
        ]
        routes = [web.route(method, API + path, self._with_key(handler)) for method, path, handler in table]
        routes.append(web.post("/hooks/{key}", self._answering(self._webhook_send)))
        return routes

    def _with_key(self, handler: Handler) -> Handler:
        async def checked(request: web.Request) -> web.StreamResponse:
            scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
            known = [secrets.compare_digest(key.encode(), one.encode()) for one in self._world.api_keys]
            if scheme.lower() != "bearer" or True not in known:
                raise Refused(401, "unauthorized", "unknown API key")
            return await handler(request)

        return self._answering(checked)

    def _answering(self, handler: Handler) -> Handler:
        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refused as refused:
                return refused.response()

        return answered

    # -- REST: who and where ------------------------------------------------------------------------------------------------

    async def _me(self, _: web.Request) -> web.StreamResponse:
        bot = self._world.state.bot
        return web.json_response({"id": bot.user_id, "name": bot.name, "status": bot.status})

    async def _set_status(self, request: web.Request) -> web.StreamResponse:
        body = await wire.json_object(request)
        status = wire.one_of(body, "status", STATUSES)
        return web.json_response(self._world.set_status(self._world.state.bot, status, wire.text(body, "text", default="")))

    async def _list_chats(self, request: web.Request) -> web.StreamResponse:
        start = wire.number(request.query.get("cursor") or "0", "cursor")
        chats = [chat for chat in self._world.state.chats.values() if not chat.without_bot]
        end = start + self._world.rules.chats_page_size
        following = str(end) if end < len(chats) else None
        return web.json_response({"items": [chat.listed() for chat in chats[start:end]], "next_cursor": following})

    async def _get_user(self, request: web.Request) -> web.StreamResponse:
        user = self._world.state.users.get(request.match_info["user"])
        if user is None:
            raise Refused(404, "user_not_found", "no such user")
        return web.json_response(user.wire())

    async def _find_users(self, request: web.Request) -> web.StreamResponse:
        """By username or shown name, or by e-mail address. Case does not matter."""
        name, email = (request.query.get(key, "").casefold() for key in ("name", "email"))
        if not name and not email:
            raise Refused(400, "bad_request", "give name or email")
        found = [
            user
            for user in self._world.state.users.values()
            if (name and name in (user.name.casefold(), user.display_name.casefold())) or (email and email == user.email.casefold())
        ]
        return web.json_response({"items": [{**user.wire(), "email": user.email or None} for user in found]})

    # -- REST: messages -----------------------------------------------------------------------------------------------------

    async def _history(self, request: web.Request) -> web.StreamResponse:
        chat = self._chat(request)
        limit = min(wire.number(request.query.get("limit") or str(_HISTORY_LIMIT), "limit"), _HISTORY_LIMIT)
        after = request.query.get("after", "")
        if not after:
            found = chat.after(0, limit)
        elif after in chat.by_id:
            found = chat.after(chat.by_id[after].position + 1, limit)
        else:
            raise Refused(404, "message_not_found", "no such message to read on from")
        return web.json_response({"items": [message.history_item(chat) for message in found]})

    async def _send(self, request: web.Request) -> web.StreamResponse:
        chat = self._chat(request)
        body = await wire.json_object(request)
        client_id = wire.text(body, "client_id", default="")
        first = chat.sent_before(client_id) if client_id else None
        if first is not None:
            return web.json_response({"id": first.message_id, "sent_at": stamp(first.sent_at)})
        content = wire.content(body, self._world.store, self._world.rules)
        sender_name, sender_avatar_url = wire.sender(body)
        message = self._world.state.post(
            chat,
            self._world.state.bot,
            content.text,
            format=content.format,
            files=content.files or [],
            client_id=client_id,
            sender_name=sender_name,
            sender_avatar_url=sender_avatar_url,
            reply_to=self._world.existing(chat, wire.text(body, "reply_to", default="")),
            thread=self._world.first_of_thread(chat, wire.text(body, "thread", default="")),
            **wire.other_data(body),
        )
        self._world.happened("created", chat, message)
        return web.json_response({"id": message.message_id, "sent_at": stamp(message.sent_at)}, status=201)

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        chat = self._chat(request)
        message = self._own(self._message(request, chat))
        body = await wire.json_object(request)
        content = wire.content(body, self._world.store, self._world.rules, kept_files=message.files)
        message.format = content.format
        if content.files is not None:
            message.files = content.files
        for name, data in wire.other_data(body).items():
            setattr(message, name, data)
        self._world.edited(chat, message, content.text)
        return web.json_response({"id": message.message_id, "edited_at": stamp(message.edited_at or now())})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        chat = self._chat(request)
        message = self._own(self._message(request, chat))
        self._world.deleted(chat, message)
        return web.Response(status=204)

    async def _react(self, request: web.Request) -> web.StreamResponse:
        return self._set_reaction(request, remove=False)

    async def _unreact(self, request: web.Request) -> web.StreamResponse:
        return self._set_reaction(request, remove=True)

    def _set_reaction(self, request: web.Request, *, remove: bool) -> web.StreamResponse:
        chat = self._chat(request)
        self._world.reacted(chat, self._message(request, chat), self._world.state.bot, request.match_info["emoji"], remove=remove)
        return web.Response(status=204)

    async def _typing(self, request: web.Request) -> web.StreamResponse:
        self._world.types(self._chat(request), self._world.state.bot)
        return web.Response(status=204)

    # -- REST: files and webhooks -------------------------------------------------------------------------------------------

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        part = await wire.file_part(request)
        name = part.filename or "file"
        mime = part.headers.get(hdrs.CONTENT_TYPE, "application/octet-stream")
        rules = self._world.rules
        rules.check_file_name(name)
        try:
            stored = await self._world.store.receive(name, mime, wire.chunks(part), rules.upload_bytes)
        except FileTooLarge:
            raise rules.too_large() from None
        rules.check_file_size(stored.size_bytes)
        return web.json_response(stored.wire(), status=201)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        stored = self._world.store.get(request.match_info["file"])
        if stored is None:
            raise Refused(404, "file_not_found", "no such file")
        return Body.of_file(stored.content, stored.path, content_type=stored.mime or "application/octet-stream")

    async def _register_webhook(self, request: web.Request) -> web.StreamResponse:
        url, chats, events = wire.webhook(await wire.json_object(request))
        ids = []
        for name in chats:
            chat = self._world.state.chat(name)
            if chat is None:
                raise Refused(404, "chat_not_found", "no such chat")
            ids.append(chat.chat_id)
        webhook = self._world.new_webhook(url, ids, events)
        return web.json_response({"id": webhook.webhook_id, "key": webhook.key, "secret": webhook.secret}, status=201)

    async def _list_webhooks(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"items": [webhook.listed() for webhook in self._world.outgoing.webhooks.values()]})

    async def _remove_webhook(self, request: web.Request) -> web.StreamResponse:
        if self._world.outgoing.webhooks.pop(request.match_info["webhook"], None) is None:
            raise Refused(404, "webhook_not_found", "no such webhook")
        return web.Response(status=204)

    async def _webhook_send(self, request: web.Request) -> web.StreamResponse:
        known = self._world.incoming.get(request.match_info["key"])
        if known is None:
            raise Refused(404, "webhook_not_found", "no such webhook")
        chat, user = known
        body = await wire.json_or_form(request)
        text = wire.message_text(body, self._world.rules)
        links = wire.file_links(body)
        if not text and not links:
            raise Refused(400, "empty_message", "a message needs text or files")
        name, avatar_url = wire.sender(body)
        message = self._world.state.post(chat, user, text, links=links, sender_name=name, sender_avatar_url=avatar_url)
        self._world.happened("created", chat, message)
        return web.json_response({"id": message.message_id}, status=201)

    def _chat(self, request: web.Request) -> Chat:
        chat = self._world.state.chat(request.match_info["chat"])
        if chat is None:
            raise Refused(404, "chat_not_found", "no such chat")
        if chat.without_bot:
            raise Refused(403, "not_a_member", "the bot is not in this chat")
        return chat

    def _message(self, request: web.Request, chat: Chat) -> Message:
        message = chat.by_id.get(request.match_info["message"])
        if message is None or message.deleted:
            raise Refused(404, "message_not_found", "no such message")
        return message

    def _own(self, message: Message) -> Message:
        if message.user is not self._world.state.bot:
            raise Refused(403, "forbidden", "not your message")
        return message
