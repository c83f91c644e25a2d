"""The Web API's dispatch: which methods exist, the token and scope each needs, and the form of every response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from adapters.slack.emulator import methods_chat, methods_read
from adapters.slack.emulator import methods_emails as emails
from adapters.slack.emulator.arguments import Arguments, read_arguments
from adapters.slack.emulator.errors import ApiError, rate_limited
from adapters.slack.emulator.files import FileService
from adapters.slack.emulator.methods_files import FileMethods
from adapters.slack.emulator.records import Json
from adapters.slack.emulator.rules import RateBudgets
from adapters.slack.emulator.wire import json_response
from adapters.slack.emulator.world import Workspace

Call = Callable[[Workspace, Arguments], Awaitable[Json]]


class Method(NamedTuple):
    call: Call
    scope: str = ""
    app_token: bool = False


class WebApi:
    """Answers `/api/<method>`. `open_connection` issues a Socket Mode URL."""

    def __init__(self, workspace: Workspace, files: FileService, open_connection: Callable[[], str]) -> None:
        self._workspace = workspace
        self.budgets = RateBudgets()
        self.refusals: dict[str, str] = {}
        """Methods that are refused, with the error code."""

        async def api_test(_: Workspace, arguments: Arguments) -> Json:
            return {}

        async def connections_open(_: Workspace, arguments: Arguments) -> Json:
            return {"url": open_connection()}

        chat, read, file = methods_chat, methods_read, FileMethods(files)
        self._methods: dict[str, Method] = {
            "api.test": Method(api_test),
            "apps.connections.open": Method(connections_open, "connections:write", app_token=True),
            "auth.test": Method(read.auth_test),
            "bots.info": Method(read.bots_info, "users:read"),
            "chat.delete": Method(chat.delete, "chat:write"),
            "chat.getPermalink": Method(chat.get_permalink),
            "chat.postEphemeral": Method(chat.post_ephemeral, "chat:write"),
            "chat.postMessage": Method(chat.post_message, "chat:write"),
            "chat.update": Method(chat.update, "chat:write"),
            "conversations.history": Method(read.conversations_history, "channels:history"),
            "conversations.info": Method(read.conversations_info, "channels:read"),
            "conversations.join": Method(read.conversations_join, "channels:join"),
            "conversations.list": Method(read.conversations_list, "channels:read"),
            "conversations.members": Method(read.conversations_members, "channels:read"),
            "conversations.rename": Method(chat.conversations_rename, "channels:manage"),
            "conversations.replies": Method(read.conversations_replies, "channels:history"),
            "emoji.list": Method(chat.list_emoji, "emoji:read"),
            "files.completeUploadExternal": Method(file.complete_upload, "files:write"),
            "files.delete": Method(file.delete, "files:write"),
            "files.getUploadURLExternal": Method(file.get_upload_url, "files:write"),
            "files.info": Method(file.info, "files:read"),
            "pins.add": Method(chat.add_pin, "pins:write"),
            "pins.list": Method(chat.list_pins, "pins:read"),
            "pins.remove": Method(chat.remove_pin, "pins:write"),
            "reactions.add": Method(chat.add_reaction, "reactions:write"),
            "reactions.get": Method(chat.get_reactions, "reactions:read"),
            "reactions.remove": Method(chat.remove_reaction, "reactions:write"),
            "team.info": Method(read.team_info, "team:read"),
            "usergroups.list": Method(read.usergroups_list, "usergroups:read"),
            "users.info": Method(read.users_info, "users:read"),
            "users.lookupByEmail": Method(emails.users_lookup_by_email, "users:read.email"),
            "users.conversations": Method(read.users_conversations, "channels:read"),
            "users.list": Method(read.users_list, "users:read"),
        }

    async def handle(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        try:
            arguments = await read_arguments(request)
            method = self._methods.get(name)
            if method is None:
                raise ApiError("unknown_method", req_method=name)
            self._authorize(method, arguments.token)
            if code := self.refusals.get(name):
                raise ApiError(code)
            wait_s = self.budgets.retry_after_s(name, arguments.text("channel"))
            if wait_s:
                return rate_limited(wait_s)
            answer = await method.call(self._workspace, arguments)
        except ApiError as error:
            return json_response({"ok": False, "error": error.code, **error.extra})
        return json_response({"ok": True, **answer}, headers=self._scope_headers(method))

    def _scope_headers(self, method: Method) -> dict[str, str]:
        granted = "connections:write" if method.app_token else ",".join(sorted(self._workspace.scopes))
        headers = {"X-OAuth-Scopes": granted}
        if method.scope:
            headers["X-Accepted-OAuth-Scopes"] = method.scope
        return headers

    def _authorize(self, method: Method, token: str) -> None:
        if not token:
            raise ApiError("not_authed")
        if token == self._workspace.app_token:
            if not method.app_token and method.scope:
                raise ApiError("not_allowed_token_type")
            return
        if token != self._workspace.bot_token:
            raise ApiError("invalid_auth")
        if method.app_token:
            raise ApiError("not_allowed_token_type")
        if method.scope:
            methods_chat.require_scope(self._workspace, method.scope)
