"""A small Pachca: the parts of its REST that the dialect uses, in the shapes of its OpenAPI description. For tests only.

`test_adapter_pachca.py` points the official SDK at it, whose models refuse what lacks a field.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

Json = dict[str, Any]
TOKEN = "pachca-token-0123456789"
BOT = 134412


class PachcaServer:
    def __init__(self) -> None:
        self.url = ""
        self.store_url = ""
        """Where it says that files go; empty: to itself."""
        self.users: dict[int, Json] = {}
        self.chats: dict[int, Json] = {}
        self.messages: dict[int, Json] = {}
        self.stored: dict[str, bytes] = {}
        self.reactions: list[tuple[int, int, str]] = []
        self.status: Json = {}
        self.calls: list[str] = []
        self.broken: set[int] = set()
        """Chats whose messages the server fails to list."""
        self._ids = itertools.count(56431)
        self._runner: web.AppRunner | None = None
        self.add_user("mostik", BOT, bot=True)

    # -- people -------------------------------------------------------------------------------------------------------------

    def add_user(self, nickname: str, user_id: int | None = None, *, bot: bool = False, first: str = "", last: str = "") -> int:
        number = user_id or next(self._ids)
        self.users[number] = {
            **{"id": number, "nickname": nickname, "first_name": first or None, "last_name": last or None, "email": None},
            **{"role": "user", "suspended": False, "invite_status": "confirmed", "list_tags": [], "custom_properties": []},
            **{"bot": bot, "sso": False, "created_at": now(), "image_url": None},
        }
        return number

    def add_chat(self, name: str, *, personal: bool = False) -> int:
        number = next(self._ids)
        self.chats[number] = {
            **{"id": number, "name": name, "created_at": now(), "owner_id": BOT, "member_ids": [BOT], "group_tag_ids": []},
            **{"channel": False, "archived": False, "personal": personal, "public": False, "last_message_at": now()},
            "meet_room_url": "https://meet.example.com/x",
        }
        return number

    def say(self, chat: int, user: int, content: str, **more: Any) -> int:
        number = next(self._ids)
        self.chats[chat]["last_message_at"] = now()
        self.messages[number] = {
            **{"id": number, "entity_type": "discussion", "entity_id": chat, "chat_id": chat, "root_chat_id": chat},
            **{"content": content, "user_id": user, "created_at": now(), "files": [], "buttons": [], "thread": None},
            **{"url": f"https://app.pachca.com/chats/{chat}?message={number}", "forwarding": None, "parent_message_id": None},
            **{"display_avatar_url": None, "display_name": None, "changed_at": None, "deleted_at": None, **more},
        }
        return number

    def edit(self, message: int, content: str) -> None:
        self.messages[message].update(content=content, changed_at=now())

    # -- the server ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 26)
        table: list[tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]]] = [
            ("GET", "/profile", self._profile),
            ("PUT", "/profile/status", self._status),
            ("GET", "/chats", self._chats),
            ("PUT", "/chats/{id}", self._update_chat),
            ("GET", "/users", self._users),
            ("GET", "/users/{id}", self._user),
            ("GET", "/messages", self._list),
            ("POST", "/messages", self._create),
            ("PUT", "/messages/{id}", self._update),
            ("DELETE", "/messages/{id}", self._delete),
            ("POST", "/messages/{id}/reactions", self._react),
            ("DELETE", "/messages/{id}/reactions", self._unreact),
            ("POST", "/uploads", self._uploads),
        ]
        for method, path, handler in table:
            app.router.add_route(method, f"/api/shared/v1{path}", self._wrapped(handler))
        app.router.add_post("/store", self._store)
        app.router.add_get("/files/{key:.+}", self._file)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def _wrapped(self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
        async def wrapped(request: web.Request) -> web.StreamResponse:
            self.calls.append(f"{request.method} {request.path.removeprefix('/api/shared/v1')}")
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return web.json_response({"error": "invalid_token", "error_description": "Access token is missing"}, status=401)
            try:
                return await handler(request)
            except KeyError:
                return refused(404, "id", "not_found", "not found")

        return wrapped

    async def _profile(self, _: web.Request) -> web.StreamResponse:
        return data(self.users[BOT])

    async def _status(self, request: web.Request) -> web.StreamResponse:
        self.status = (await request.json())["status"]
        if not self.status.get("emoji") or not self.status.get("title"):
            return refused(422, "title", "blank", "can't be blank")
        return data(self.status)

    async def _user(self, request: web.Request) -> web.StreamResponse:
        return data(self.users[int(request.match_info["id"])])

    async def _users(self, request: web.Request) -> web.StreamResponse:
        """`query` is searched in names, nicknames, e-mail addresses and telephone numbers."""
        query = request.query.get("query", "").lower()
        parts = ("first_name", "last_name", "nickname", "email", "phone_number")
        found = [user for user in self.users.values() if query in " ".join(str(user.get(part) or "") for part in parts).lower()]
        return self._paged(request, found)

    async def _chats(self, request: web.Request) -> web.StreamResponse:
        """`personal` filters, `sort` is `id` or `last_message_at`, `order` asc or desc: ListChatsParams of the SDK."""
        personal, sort = request.query.get("personal"), request.query.get("sort", "id")
        assert sort in ("id", "last_message_at"), sort
        found = [one for one in self.chats.values() if personal is None or one["personal"] is (personal == "true")]
        return self._paged(request, sorted(found, key=lambda one: one[sort], reverse=request.query.get("order") != "asc"))

    async def _update_chat(self, request: web.Request) -> web.StreamResponse:
        """`{"chat": {"name"}}`: ChatUpdateRequest of the SDK."""
        chat = self.chats[int(request.match_info["id"])]
        chat["name"] = (await request.json())["chat"]["name"]
        return web.json_response({"data": chat})

    async def _list(self, request: web.Request) -> web.StreamResponse:
        chat = int(request.query["chat_id"])
        if chat not in self.chats:
            raise KeyError(chat)
        if chat in self.broken:
            return web.json_response({}, status=500)
        assert request.query.get("sort", "id") == "id"
        found = [one for one in self.messages.values() if one["chat_id"] == chat]
        return self._paged(request, sorted(found, key=lambda one: int(one["id"]), reverse=request.query.get("order") != "asc"))

    def _paged(self, request: web.Request, items: list[Json]) -> web.StreamResponse:
        limit = int(request.query.get("limit") or 50)
        if not 1 <= limit <= 50:
            return refused(422, "limit", "invalid", "must be between 1 and 50")
        start = int(request.query.get("cursor") or 0)
        page = items[start : start + limit]
        return web.json_response({"data": page, "meta": {"paginate": {"next_page": str(start + len(page))}}})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        body = (await request.json())["message"]
        unknown = set(body) - {
            *("entity_type", "entity_id", "content", "files", "buttons", "parent_message_id"),
            *("display_avatar_url", "display_name", "skip_invite_mentions"),
        }
        assert not unknown, unknown
        if not isinstance(body["entity_id"], int) or body["entity_id"] not in self.chats:
            return refused(422, "entity_id", "invalid", "is invalid")
        files = []
        for file in body.get("files") or []:
            if file["key"] not in self.stored:
                return refused(422, "files", "invalid", "no such key")
            assert file["file_type"] in ("file", "image", "audio", "voice", "video")
            url = f"{self.url}/files/{file['key']}"
            files.append(
                {"id": next(self._ids), "url": url, "key": file["key"], "name": file["name"], "file_type": file["file_type"]}
            )
        more = {name: body[name] for name in ("display_name", "display_avatar_url", "parent_message_id") if body.get(name)}
        message = self.say(body["entity_id"], BOT, body.get("content") or "", files=files, **more)
        return data(self.messages[message], 201)

    async def _update(self, request: web.Request) -> web.StreamResponse:
        message = self.messages[int(request.match_info["id"])]
        self.edit(int(message["id"]), (await request.json())["message"]["content"])
        return data(message)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        del self.messages[int(request.match_info["id"])]
        return web.Response(status=204)

    async def _react(self, request: web.Request) -> web.StreamResponse:
        message = self.messages[int(request.match_info["id"])]
        code = (await request.json())["code"]
        self.reactions.append((int(message["id"]), BOT, code))
        return web.json_response({"user_id": BOT, "created_at": now(), "code": code, "name": ":x:"}, status=201)

    async def _unreact(self, request: web.Request) -> web.StreamResponse:
        self.reactions.remove((int(request.match_info["id"]), BOT, request.query["code"]))
        return web.Response(status=204)

    async def _uploads(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(
            {
                "Content-Disposition": "attachment",
                "acl": "private",
                "policy": "p",
                "x-amz-credential": "c",
                "x-amz-algorithm": "AWS4-HMAC-SHA256",
                "x-amz-date": "20261126T000000Z",
                "x-amz-signature": "s",
                "key": f"attaches/files/{next(self._ids)}/${{filename}}",
                "direct_url": self.store_url or f"{self.url}/store",
            },
            status=201,
        )

    async def _store(self, request: web.Request) -> web.StreamResponse:
        """As S3 takes a form: every field of the policy, the file last, no token of anybody else."""
        assert "Authorization" not in request.headers
        fields: dict[str, str] = {}
        async for part in await request.multipart():
            if part.name == "file":  # type: ignore[union-attr]
                key = fields["key"].replace("${filename}", part.filename or "file")  # type: ignore[union-attr]
                self.stored[key] = bytes(await part.read())  # type: ignore[union-attr]
                break
            fields[part.name or ""] = await part.text()  # type: ignore[union-attr]
        wanted = {"Content-Disposition", "policy", "x-amz-credential", "x-amz-algorithm", "x-amz-date", "x-amz-signature", "key"}
        return web.Response(status=204 if wanted <= set(fields) else 403)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        assert "Authorization" not in request.headers
        return web.Response(body=self.stored[request.match_info["key"]])


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def data(value: Json, status: int = 200) -> web.Response:
    return web.json_response({"data": value}, status=status)


def refused(status: int, key: str, code: str, message: str) -> web.Response:
    return web.json_response(
        {"errors": [{"key": key, "value": None, "message": message, "code": code, "payload": None}]}, status=status
    )
