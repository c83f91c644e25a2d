"""A small Mattermost: REST v4, incoming and outgoing webhooks, as developers.mattermost.com documents them. For tests only.

`test_mattermost.py` points mattermostdriver and apprise at it as well, so that it is not only what the dialect believes.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web

from bridge.model.adapter import Outbound
from bridge.model.rich_text import plain
from tests.adapters.teamspirit import mattermost_hooks

Json = dict[str, Any]
TOKEN = "bottoken0123456789abcdefgh"


def account_options(server: MattermostServer, **more: Any) -> dict[str, Any]:
    fast = {"poll_interval_s": 0.05, "poll_idle_interval_s": 0.05, "request_timeout_s": 30.0}
    return {"dialect": "mattermost", "server": server.url, "api_key": TOKEN, **fast, **more}


def outbound(channel: str, text: str = "hello", **fields: Any) -> Outbound:
    return Outbound(**{"token": "mbabcdef-1-0", "attempt": 1, "chat_id": channel, "text": plain(text), **fields})


class MattermostServer:
    def __init__(self) -> None:
        self.url = ""
        self.users: dict[str, Json] = {}
        self.channels: dict[str, Json] = {}
        self.posts: dict[str, Json] = {}
        self.files: dict[str, tuple[Json, bytes]] = {}
        self.reactions: list[tuple[str, str, str]] = []
        self.statuses: dict[str, str] = {}
        self.incoming: dict[str, mattermost_hooks.IncomingHook] = {}
        self.takes_incoming = True
        self.hook_status = 200
        self.refused_texts: set[str] = set()
        self.names_may_be_overridden = False
        """EnablePostUsernameOverride and EnablePostIconOverride, which are off at first."""
        self.outgoing: tuple[str, str] | None = None
        """(URL, token)"""
        self.calls: list[str] = []
        self.takes_files = True
        self.may_change = True
        """Whether bots have the rights add_reaction and edit_post."""
        self.max_file_bytes = 100 * 1024**2
        self.has_socket = True
        self.dropped_frames = 0
        """So many of the next frames are counted and not sent."""
        self.sockets: dict[web.WebSocketResponse, int] = {}
        """The next `seq` of each."""
        self.at: Callable[[str], None] = lambda _: None
        """Called at each moment of a websocket's beginning: `challenged`, `let in`, `greeted`."""
        self.failing: dict[str, int] = {}
        """Operation -> the status that a proxy before the server answers it with."""
        self._queues: dict[web.WebSocketResponse, asyncio.Queue[str | None]] = {}
        self._ids = itertools.count(1)
        self._clock_ms = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self.bot = self.add_user("bridge", is_bot=True)

    def incoming_webhook(self, channel: str, *, is_locked: bool = False) -> str:
        """The URL of a new incoming webhook."""
        hook_id = f"hook{next(self._ids):022d}"
        self.incoming[hook_id] = mattermost_hooks.IncomingHook(channel, is_locked)
        return f"{self.url}/hooks/{hook_id}"

    def new_id(self) -> str:
        return f"{next(self._ids):026d}"

    def now_ms(self) -> int:
        self._clock_ms = max(self._clock_ms + 1, int(time.time() * 1000))
        return self._clock_ms

    # -- people -------------------------------------------------------------------------------------------------------------

    def add_user(self, username: str, first: str = "", last: str = "", *, is_bot: bool = False) -> str:
        user: Json = {
            "id": self.new_id(),
            "username": username,
            "nickname": "",
            "first_name": first,
            "last_name": last,
            "is_bot": is_bot,
        }
        self.users[user["id"]] = user
        return str(user["id"])

    def add_channel(self, name: str, kind: str = "O") -> str:
        """`kind`: O open, P private, D of one person and the bot: server/public/model/channel.go."""
        channel: Json = {"id": self.new_id(), "name": name, "display_name": name.title(), "type": kind, "last_post_at": 0}
        self.channels[channel["id"]] = channel
        return str(channel["id"])

    def post(self, channel: str, user: str, message: str, **fields: Any) -> str:
        at = self.now_ms()
        file_ids = fields.pop("file_ids", [])
        post = {
            "id": self.new_id(),
            "create_at": at,
            "update_at": at,
            "edit_at": 0,
            "delete_at": 0,
            "user_id": user,
            "channel_id": channel,
            "root_id": "",
            "original_id": "",
            "message": message,
            "type": "",
            "props": {},
            "file_ids": file_ids,
            "metadata": {"files": [self.files[one][0] for one in file_ids]} if file_ids else {},
            **fields,
        }
        self.posts[post["id"]] = post
        about = self.channels[channel]
        about["last_post_at"] = max(about["last_post_at"], at)
        told = {"channel_name": about["name"], "channel_type": about["type"], "sender_name": "@x", "post": json.dumps(post)}
        self.tell("posted", channel, **told)
        if self.outgoing is not None and not post["props"].get("from_webhook") and not self.users[user]["is_bot"]:
            self._call_out(post)
        return str(post["id"])

    def edit(self, post_id: str, message: str) -> None:
        """What it said before stays as a deleted post of another id: mattermost-server, sqlstore/post_store.go, Update."""
        at, earlier = self.now_ms(), self.new_id()
        self.posts[earlier] = {**self.posts[post_id], "id": earlier, "original_id": post_id, "delete_at": at, "update_at": at}
        self.posts[post_id].update(message=message, edit_at=at, update_at=at)
        self.tell("post_edited", self.posts[post_id]["channel_id"], post=json.dumps(self.posts[post_id]))

    def change(self, post_id: str, **fields: Any) -> None:
        """What is no edit of the words: reactions, pins, props. `edit_at` stays (mattermost-server, app/post.go, UpdatePost)."""
        self.posts[post_id].update(fields, update_at=self.now_ms())

    def pin(self, post_id: str) -> None:
        """`edit_at` stays; told as an edit: mattermost-server, api4/post.go, saveIsPinnedPost."""
        self.change(post_id, is_pinned=True)
        self.tell("post_edited", self.posts[post_id]["channel_id"], post=json.dumps(self.posts[post_id]))

    def rename(self, channel: str, user: str, name: str) -> None:
        """mattermost-server, app/channel.go, PostUpdateChannelDisplayNameMessage."""
        old, self.channels[channel]["display_name"] = self.channels[channel]["display_name"], name
        self.tell("channel_updated", channel, channel=json.dumps(self.channels[channel]))
        props = {"username": self.users[user]["username"], "old_displayname": old, "new_displayname": name}
        self.post(channel, user, f"updated the channel display name to {name}", type="system_displayname_change", props=props)

    def delete(self, post_id: str) -> None:
        """With the answers to it, where it begins a thread. What it said is told once more: a recorded frame has the whole post."""
        at = self.now_ms()
        gone = self.posts[post_id]
        self.tell("post_deleted", gone["channel_id"], deleteBy=gone["user_id"], post=json.dumps(gone))
        for post in self.posts.values():
            if post_id in (post["id"], post["root_id"]):
                post.update(delete_at=at, update_at=at, message="", file_ids=[], metadata={})

    def react(self, post_id: str, user: str, emoji: str, *, remove: bool = False) -> None:
        """Reactions of people. `create_at` of a removed one is 0, as recorded."""
        reaction = {"user_id": user, "post_id": post_id, "emoji_name": emoji, "create_at": 0 if remove else self.now_ms()}
        event = "reaction_removed" if remove else "reaction_added"
        self.tell(event, self.posts[post_id]["channel_id"], reaction=json.dumps(reaction))
        self.posts[post_id]["update_at"] = self.now_ms()

    def tell(self, event: str, channel: str, /, **data: Any) -> None:
        """An event to every websocket."""
        broadcast = {"omit_users": None, "user_id": "", "channel_id": channel, "team_id": ""}
        for socket in list(self.sockets):
            self._frame(socket, {"event": event, "data": data, "broadcast": broadcast})

    def _frame(self, socket: web.WebSocketResponse, frame: Json) -> None:
        seq, self.sockets[socket] = self.sockets[socket], self.sockets[socket] + 1
        if self.dropped_frames:
            self.dropped_frames -= 1
            return
        self._queues[socket].put_nowait(json.dumps({**frame, "seq": seq}))

    async def cut_sockets(self) -> None:
        for socket in list(self.sockets):
            self._queues[socket].put_nowait(None)
            del self.sockets[socket]

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """api/v4 websocket: an authentication challenge, then `hello` and events (server/channels/wsapi and app/web_conn.go)."""
        if not self.has_socket:
            raise web.HTTPNotFound
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        challenge = json.loads(await socket.receive_str())
        self.calls.append(f"socket {challenge['action']}")
        if challenge["action"] != "authentication_challenge" or challenge["data"]["token"] != TOKEN:
            await socket.close()
            return socket
        self._queues[socket], self.sockets[socket] = asyncio.Queue(), 0
        sender = asyncio.create_task(self._send_frames(socket), name="websocket frames")
        self._tasks.add(sender)
        sender.add_done_callback(self._tasks.discard)
        self.at("challenged")
        self._queues[socket].put_nowait(json.dumps({"status": "OK", "seq_reply": challenge["seq"]}))
        self.at("let in")
        self.hello(socket)
        self.at("greeted")
        async for _ in socket:
            pass
        self.sockets.pop(socket, None)
        self._queues[socket].put_nowait(None)
        return socket

    def hello(self, socket: web.WebSocketResponse) -> None:
        """Each connection has an id of its own: server/public/model/websocket_message.go, WebsocketEventHello."""
        data = {"server_version": "9.11.0", "connection_id": self.new_id()}
        self._frame(socket, {"event": "hello", "data": data, "broadcast": {"user_id": self.bot}})

    async def _send_frames(self, socket: web.WebSocketResponse) -> None:
        while (frame := await self._queues[socket].get()) is not None:
            if not socket.closed:
                await socket.send_str(frame)
        await socket.close()

    def _call_out(self, post: Json) -> None:
        assert self.outgoing is not None
        url, token = self.outgoing
        body = {
            "token": token,
            "channel_id": post["channel_id"],
            "channel_name": self.channels[post["channel_id"]]["name"],
            "timestamp": post["create_at"],
            "user_id": post["user_id"],
            "user_name": self.users[post["user_id"]]["username"],
            "post_id": post["id"],
            "text": post["message"],
            "file_ids": ",".join(post["file_ids"]),
        }

        async def call() -> None:
            async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
                await answer.read()

        task = asyncio.create_task(call(), name="outgoing webhook")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- the server ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 28)
        add = app.router.add_route
        table: list[tuple[str, str, Callable[[web.Request], Awaitable[Any]]]] = [
            ("GET", "/users/me", self._me),
            ("GET", "/users/me/channels", self._channels),
            ("POST", "/users/search", self._search_users),
            ("GET", "/users/{user}", self._user),
            ("PUT", "/users/{user}/status", self._status),
            ("POST", "/users/{user}/typing", self._typing),
            ("POST", "/posts", self._create),
            ("GET", "/posts/{post}", self._get_post),
            ("PUT", "/posts/{post}/patch", self._patch),
            ("DELETE", "/posts/{post}", self._delete),
            ("GET", "/channels/{channel}/posts", self._channel_posts),
            ("PUT", "/channels/{channel}/patch", self._patch_channel),
            ("POST", "/reactions", self._react),
            ("DELETE", "/users/{user}/posts/{post}/reactions/{emoji}", self._unreact),
            ("POST", "/files", self._upload),
            ("GET", "/files/{file}", self._download),
        ]
        for method, path, handler in table:
            add(method, f"/api/v4{path}", self._wrapped(path, handler))
        add("POST", "/hooks/{hook}", self._incoming)
        add("GET", "/api/v4/websocket", self._socket)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self.cut_sockets()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    def _wrapped(self, path: str, handler: Callable[[web.Request], Awaitable[Any]]) -> Any:
        async def wrapped(request: web.Request) -> web.StreamResponse:
            self.calls.append(f"{request.method} {path}")
            if status := self.failing.get(f"{request.method} {path}"):
                return web.Response(status=status, text="<html>Bad Gateway</html>", content_type="text/html")
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return _error(401, "api.context.session_expired.app_error", "Invalid or expired session, please login again.")
            try:
                answer = await handler(request)
            except KeyError:
                return _error(404, "app.post.get.app_error", "Unable to get the post.")
            if isinstance(answer, web.StreamResponse):
                return answer
            return web.Response(body=json.dumps(answer).encode(), content_type="application/json")

        return wrapped

    async def _me(self, _: web.Request) -> Json:
        return self.users[self.bot]

    async def _user(self, request: web.Request) -> Json:
        return self.users[request.match_info["user"]]

    async def _search_users(self, request: web.Request) -> Any:
        """By the beginning of a username, nickname or name, or of a visible e-mail address: server/public/model/user_search.go."""
        body = await request.json()
        assert set(body) <= {"term", "limit", "team_id", "in_channel_id", "allow_inactive"}, body
        term = body["term"].lower()
        parts = ("username", "nickname", "first_name", "last_name", "email")

        def is_found(user: Json) -> bool:
            whole = f"{user['first_name']} {user['last_name']}".lower()
            return whole.startswith(term) or any(str(user.get(part, "")).lower().startswith(term) for part in parts)

        return [user for user in self.users.values() if is_found(user)][: body.get("limit", 100)]

    async def _channels(self, _: web.Request) -> list[Json]:
        return list(self.channels.values())

    async def _status(self, request: web.Request) -> Json:
        body = await request.json()
        if body["status"] not in ("online", "away", "offline", "dnd"):
            return _error(400, "api.context.invalid_body_param.app_error", "Invalid or missing status")  # type: ignore[return-value]
        self.statuses[body["user_id"]] = body["status"]
        return {"status": body["status"]}

    async def _typing(self, request: web.Request) -> Json:
        assert (await request.json())["channel_id"] in self.channels
        return {"status": "OK"}

    async def _create(self, request: web.Request) -> Any:
        body = await request.json()
        if body.get("channel_id") not in self.channels:
            return _error(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")
        if len(body.get("message", "")) > 16383:
            return _error(400, "model.post.is_valid.message_length.app_error", "Message is too long.")
        refusal = self._refused_root(body["channel_id"], body.get("root_id", ""))
        if refusal is not None:
            return refusal
        unknown = set(body) - {"channel_id", "message", "root_id", "file_ids", "props", "pending_post_id", "metadata"}
        assert not unknown, unknown
        post_id = self.post(
            body["channel_id"],
            self.bot,
            body.get("message", ""),
            root_id=body.get("root_id", ""),
            file_ids=body.get("file_ids", []),
            props=body.get("props", {}),
        )
        return web.Response(status=201, body=json.dumps(self.posts[post_id]).encode(), content_type="application/json")

    def _refused_root(self, channel: str, root: str) -> web.Response | None:
        """`root_id` is the first post of a thread in this channel, still there: mattermost-server, app/post.go, CreatePost."""
        if not root:
            return None
        post = self.posts.get(root)
        if post is not None and not post["delete_at"] and post["channel_id"] != channel:
            return _error(500, "api.post.create_post.channel_root_id.app_error", "Invalid ChannelId for RootId parameter.")
        if post is None or post["delete_at"] or post["root_id"]:
            return _error(400, "api.post.create_post.root_id.app_error", "Invalid RootId parameter.")
        return None

    async def _get_post(self, request: web.Request) -> Any:
        post = self.posts[request.match_info["post"]]
        if post["delete_at"]:
            raise KeyError
        if post["channel_id"] not in self.channels:
            return _error(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")
        return post

    async def _patch(self, request: web.Request) -> Any:
        post = self.posts[request.match_info["post"]]
        if post["user_id"] != self.bot or post["delete_at"] or not self.may_change:
            return _error(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")
        self.edit(post["id"], (await request.json())["message"])
        return post

    async def _patch_channel(self, request: web.Request) -> Any:
        """Needs the right manage_public_channel_properties; at most 64 characters: mattermost-server, model/channel.go."""
        channel, name = request.match_info["channel"], str((await request.json())["display_name"])
        if not self.may_change:
            return _error(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")
        assert 0 < len(name) <= 64
        if name != self.channels[channel]["display_name"]:
            self.rename(channel, self.bot, name)
        return self.channels[channel]

    async def _delete(self, request: web.Request) -> Any:
        if self.posts[request.match_info["post"]]["delete_at"]:
            raise KeyError
        self.delete(request.match_info["post"])
        return {"status": "OK"}

    async def _channel_posts(self, request: web.Request) -> Any:
        """`since`: everything changed after it, deleted posts too. Else the newest page. `order` is newest first."""
        channel = request.match_info["channel"]
        if channel not in self.channels:
            return _error(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")
        given = set(request.query)
        assert not ("since" in given and given & {"page", "per_page", "before", "after"}), given
        since = int(request.query.get("since") or 0)
        own = [post for post in self.posts.values() if post["channel_id"] == channel]
        if since:
            found = [post for post in own if post["update_at"] > since][-1000:]
        else:
            found = [post for post in own if not post["delete_at"]][-60:]
        return {"order": [post["id"] for post in reversed(found)], "posts": {post["id"]: post for post in found}}

    async def _react(self, request: web.Request) -> Any:
        body = await request.json()
        assert body["user_id"] == self.bot
        if not self.may_change:
            return _error(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")
        self.reactions.append((body["post_id"], body["user_id"], body["emoji_name"]))
        self.posts[body["post_id"]]["update_at"] = self.now_ms()
        return body

    async def _unreact(self, request: web.Request) -> Any:
        info = request.match_info
        self.reactions.remove((info["post"], info["user"], info["emoji"]))
        return {"status": "OK"}

    async def _upload(self, request: web.Request) -> Any:
        if not self.takes_files:
            return _error(403, "api.file.attachments.disabled.app_error", "File attachments have been disabled on this server.")
        infos = []
        form = await request.post()
        if form["channel_id"] not in self.channels:
            return _error(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")
        for part in form.getall("files"):
            assert isinstance(part, web.FileField)
            content = part.file.read()
            if len(content) > self.max_file_bytes:
                return _error(413, "api.file.upload_file.too_large_detailed.app_error", "Unable to upload file. File is too large.")
            info: Json = {"id": self.new_id(), "name": part.filename, "size": len(content), "mime_type": part.content_type}
            self.files[info["id"]] = (info, content)
            infos.append(info)
        return web.Response(
            status=201, body=json.dumps({"file_infos": infos, "client_ids": []}).encode(), content_type="application/json"
        )

    async def _download(self, request: web.Request) -> Any:
        info, content = self.files[request.match_info["file"]]
        return web.Response(body=content, content_type=info["mime_type"])

    async def _incoming(self, request: web.Request) -> web.Response:
        return await mattermost_hooks.take(self, request)


def _error(status: int, code: str, message: str) -> web.Response:
    body = {"id": code, "message": message, "detailed_error": "", "status_code": status}
    return web.Response(status=status, body=json.dumps(body).encode(), content_type="application/json")
