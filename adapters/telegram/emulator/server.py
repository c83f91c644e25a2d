"""`TelegramEmulator`: a stand-in for Telegram's Bot API server, with people to act as and faults to inject.

It serves `/bot<token>/<method>` and `/file/bot<token>/<path>`, as api.telegram.org does (Bot API 10.3; platforms.md section 1).
Tests, the sandbox and benchmarks start it; nothing of the adapter is used here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from aiohttp import web
from pydantic import Field

from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.abilities import Member
from adapters.common.emulation.bodies import Body
from adapters.common.emulation.contract import EmulatedChat, Fault, FaultKind, StreamFault, Upload
from adapters.common.emulation.options import EmulatorOptions
from adapters.telegram.emulator import methods_edit, methods_read, methods_send, places, polls
from adapters.telegram.emulator.call import Call
from adapters.telegram.emulator.errors import ApiError
from adapters.telegram.emulator.params import Params, read_params
from adapters.telegram.emulator.people import People, mention_of
from adapters.telegram.emulator.rates import Rates
from adapters.telegram.emulator.records import ADMINISTRATOR, KICKED, MEMBER, Chat, Json, Message, Person
from adapters.telegram.emulator.rules import LOCAL_BYTES, UPLOAD_BYTES
from adapters.telegram.emulator.topics import Topics
from adapters.telegram.emulator.webhook import Webhooks
from adapters.telegram.emulator.wire import chat_wire
from adapters.telegram.emulator.world import World

_METHODS = {
    name.lower(): (name, method)
    for table in (methods_send, methods_edit, methods_read, places, polls)
    for name, method in table.METHODS.items()
}


class TelegramEmulatorOptions(EmulatorOptions):
    local: bool = Field(default=False, description="a Bot API server run with --local: files to 2000 MB, as paths")
    group_per_minute: int | None = Field(default=None, ge=1, description="messages a group takes in a minute; Telegram: 20")
    chat_per_s: float | None = Field(default=None, gt=0, description="messages a chat takes in a second; Telegram: about 1")
    chat_burst: int = Field(default=3, ge=1, description="and how many of them at once")
    bot_per_s: int | None = Field(default=None, ge=1, description="messages a bot may send in a second; Telegram: about 30")


class TelegramEmulator(EmulatorBase, Topics):
    """One Bot API server. `local` makes it a `--local` one: no 20 MB limit, file paths on this machine's disk.

    `rates` sets rate limits for sends (none by default). The first bot exists from the start; `add_bot` adds more.
    """

    platform = "telegram"
    sending_operation = "send*"
    options_model = TelegramEmulatorOptions
    options: TelegramEmulatorOptions

    def __init__(self, *, local: bool = False, rates: Rates | None = None, title: str = "Bridge") -> None:
        super().__init__()
        self.world = World(self.publish)
        self.people = People(self.world)
        self.rates = rates or Rates()
        self._local = local
        self._webhooks = Webhooks()
        self._logged_out: set[int] = set()
        self._tokens: dict[str, Person] = {}
        self._polls: set[asyncio.Transport] = set()
        self._cut_next_poll = False
        self.token = self.add_bot(title, "bridge_emulated_bot")

    def _apply(self) -> None:
        super()._apply()
        self._local = self.options.local
        self.rates = Rates(
            group_per_minute=self.options.group_per_minute,
            chat_per_s=self.options.chat_per_s,
            chat_burst=self.options.chat_burst,
            bot_per_s=self.options.bot_per_s,
        )
        self.world.messages_kept = self.options.messages_kept
        self.world.files.kept = self.options.files_kept

    # -- the server ---------------------------------------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.route("*", "/bot{token:[^/]+}/{method}", self._method),
            web.get("/file/bot{token:[^/]+}/{path:.+}", self._file),
        ]

    def operation(self, request: web.Request) -> str:
        method = request.match_info.get("method")
        if method is None:
            return "file"
        known = _METHODS.get(method.lower())
        return known[0] if known else method

    def fault_response(self, fault: Fault) -> web.StreamResponse:
        match fault.kind:
            case FaultKind.RATE_LIMIT if fault.retry_after_s is None:
                return _failed(ApiError(429, "Too Many Requests"))
            case FaultKind.RATE_LIMIT:
                wait_s = fault.retry_after_s or 0
                whole = int(wait_s) if wait_s == int(wait_s) else wait_s
                return _failed(ApiError(429, f"Too Many Requests: retry after {whole}", retry_after=whole))
            case FaultKind.UNAUTHORIZED:
                return _failed(ApiError(401, "Unauthorized"))
            case _:
                return _failed(ApiError(fault.status, "Internal Server Error" if fault.status == 500 else "Bad Gateway"))

    async def stop(self) -> None:
        await self._webhooks.close()
        await super().stop()
        self.world.files.close()

    async def _method(self, request: web.Request) -> web.StreamResponse:
        try:
            bot = self._bot(request.match_info["token"])
            known = _METHODS.get(request.match_info["method"].lower())
            if known is None:
                raise ApiError(404, "Not Found: method not found")
            params = await read_params(request, self.world.files, upload_bytes=LOCAL_BYTES if self._local else UPLOAD_BYTES)
            if known[1] is methods_read.get_updates:
                return await self._poll(request, params, bot)
            result = await known[1](self._call(params, bot))
        except ApiError as error:
            return _failed(error)
        return web.Response(body=msgspec.json.encode({"ok": True, "result": result}), content_type="application/json")

    async def _poll(self, request: web.Request, params: Params, bot: Person) -> web.StreamResponse:
        """A getUpdates call: the open event connection, as far as Telegram has one."""
        transport = request.transport
        if transport is None or self._cut_next_poll:
            self._cut_next_poll = False
            if transport is not None:
                transport.abort()
            return web.Response(status=500)
        self._polls.add(transport)
        try:
            return await methods_read.get_updates(self._call(params, bot))
        finally:
            self._polls.discard(transport)

    def _cut_polls(self) -> None:
        self._cut_next_poll = not self._polls
        for transport in list(self._polls):
            transport.abort()

    def _call(self, params: Params, bot: Person) -> Call:
        return Call(self.world, bot, self._token_of(bot), params, self.rates, self._local, self._webhooks, self._logged_out)

    def _token_of(self, bot: Person) -> str:
        return next(token for token, person in self._tokens.items() if person is bot)

    def _bot(self, token: str) -> Person:
        if ":" not in token:
            raise ApiError(404, "Not Found")
        bot = self._tokens.get(token)
        if bot is None:
            raise ApiError(401, "Unauthorized")
        if bot.user_id in self._logged_out:
            raise ApiError(400, "Bad Request: Logged out")
        return bot

    async def _file(self, request: web.Request) -> web.StreamResponse:
        try:
            self._bot(request.match_info["token"])
        except ApiError as error:
            return _failed(error)
        stored = self.world.files.at_path(request.match_info["path"])
        if stored is None or self._local:
            return _failed(ApiError(404, "Not Found"))
        return Body.of_file(stored.content, stored.path)

    def account_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"token": self.token, "base_url": self.base_url}
        return options | ({"local_server": True} if self._local else {})

    async def disturb(self, what: StreamFault) -> None:
        match what:
            case StreamFault.DISCONNECT | StreamFault.DISCONNECT_CLEAN | StreamFault.INVALIDATE_SESSION:
                self._cut_polls()
            case StreamFault.REDELIVER:
                for queue in self.world.queues.values():
                    queue.redeliver()
            case StreamFault.REORDER:
                # only webhooks deliver in parallel; a long poll is in order by definition
                self._webhooks.swap_next()
            case StreamFault.POISON:
                for bot_id in self.world.queues:
                    self.poison(bot_id)

    def poison(self, bot_id: int) -> None:
        """Queue a message of a sender without an id, with a forward origin and a content that no client library knows."""
        chat = next((c for c in self.world.chats.values() if c.bots.get(bot_id)), None) or self.world.new_chat("Poison")
        chat.last_message_id += 1
        message: Json = {
            "message_id": chat.last_message_id,
            "from": {"is_bot": False, "first_name": "Someone"},
            "chat": chat_wire(chat),
            "date": int(self.world.now()),
            "forward_origin": {"type": "hologram", "date": int(self.world.now())},
            "hologram": {"depth": 3},
        }
        self.world.queues[bot_id].push_raw({"message": message})

    # -- bots, people and places --------------------------------------------------------------------------------------------

    def add_bot(self, name: str, username: str) -> str:
        """Add a bot; returns its token. It joins existing chats by `promote`, and each new chat from its start."""
        bot = self.world.new_bot(name, username)
        token = f"{bot.user_id}:AAEmulated-{len(self._tokens):024d}"
        self._tokens[token] = bot
        return token

    def bot(self, token: str = "") -> Person:
        return self._tokens[token or self.token]

    def add_chat(self, name: str) -> EmulatedChat:
        return self._listed(self.world.new_chat(name))

    def add_group(self, name: str) -> EmulatedChat:
        """A basic group, which can later become a supergroup (`migrate`)."""
        return self._listed(self.world.new_chat(name, type_="group"))

    def add_private_chat(self, person: str) -> EmulatedChat:
        return self._listed(self.world.new_private_chat(self._person(person)))

    def add_channel(self, name: str) -> EmulatedChat:
        return self._listed(self.world.new_chat(name, type_="channel"))

    def add_forum(self, name: str, topics: Sequence[str] = ()) -> tuple[EmulatedChat, list[str]]:
        """A supergroup with forum topics; returns it and the topics' thread ids."""
        chat = self.world.new_chat(name, forum=True)
        owner = self._person("Forum Owner")
        return self._listed(chat), [str(self.world.new_topic(chat, owner, topic)) for topic in topics]

    def add_chat_with_topics(self, name: str) -> EmulatedChat:
        return self.add_forum(name)[0]

    def _listed(self, chat: Chat) -> EmulatedChat:
        native = str(chat.chat_id)
        self._chats[native] = EmulatedChat(chat_id=native, name=chat.title, address=native, names_threads=chat.is_forum)
        return self._chats[native]

    def add_person(self, name: str) -> str:
        return str(self._person(name).user_id)

    def handle(self, name: str) -> str:
        person = self._person(name)
        return person.username or str(person.user_id)

    def _person(self, name: str) -> Person:
        if name not in self._people:
            self._people[name] = str(self.world.new_person(name).user_id)
        return self.world.people[int(self._people[name])]

    def kick(self, chat_id: str, token: str = "") -> None:
        """Remove the bot: it gets `my_chat_member`, and every call for this chat is answered with 403."""
        self.world.set_bot_status(self._chat(chat_id), self.bot(token), KICKED, self._person("Group Owner"))

    def remove_bot(self, chat_id: str) -> None:
        self.kick(chat_id)

    def bring_bot_back(self, chat_id: str) -> None:
        self.promote(chat_id)

    def forbid(self, chat_id: str, *kinds: str) -> None:
        """Take these kinds of content out of the chat's permissions: `photo`, `voice`, `text`."""
        self._chat(chat_id).forbidden_kinds = frozenset(kinds)

    def promote(self, chat_id: str, token: str = "", *, admin: bool = True) -> None:
        """Add the bot as an administrator, or as a plain member."""
        status = ADMINISTRATOR if admin else MEMBER
        self.world.set_bot_status(self._chat(chat_id), self.bot(token), status, self._person("Group Owner"))

    def migrate(self, chat_id: str) -> EmulatedChat:
        """Turn a group into a supergroup with a new id."""
        return self._listed(self.world.migrate(self._chat(chat_id), self._person("Group Owner")))

    # -- acting as a person -------------------------------------------------------------------------------------------------

    async def say(
        self,
        chat_id: str,
        person: str,
        text: str,
        *,
        reply_to: str = "",
        thread_id: str = "",
        files: Sequence[Upload] = (),
    ) -> str:
        number = self.people.say(
            self._chat(chat_id),
            self._person(person),
            text,
            reply_to=int(reply_to) if reply_to else None,
            thread_id=int(thread_id) if thread_id else None,
            uploads=files,
        )
        return str(number)

    async def post(
        self, chat_id: str, person: str, content: Json, *, extra: Json | None = None, reply_to: str = "", thread_id: str = ""
    ) -> str:
        """Post any Bot API content fields as a person: a poll, a sticker, a location; `extra` adds forward_origin and the like."""
        message = self.world.post(
            self._chat(chat_id),
            self._person(person),
            [content],
            extra=extra,
            reply_to=int(reply_to) if reply_to else None,
            thread_id=int(thread_id) if thread_id else None,
        )[0]
        return str(message.message_id)

    async def edit(self, chat_id: str, message_id: str, text: str) -> None:
        self.people.edit(self._message(chat_id, message_id), text)

    async def caption(self, chat_id: str, message_id: str, text: str) -> None:
        """A person changes the caption of this very message, which may be any of an album; an empty text takes it away."""
        self.people.caption(self._message(chat_id, message_id), text)

    async def replace_file(self, chat_id: str, message_id: str, file: Upload, *, text: str | None = None) -> None:
        """A person replaces a message's file; without `text` its words stay."""
        self.people.replace_file(self._message(chat_id, message_id), file, text)

    async def touch(self, chat_id: str, message_id: str) -> None:
        """An edit that changes nothing visible; bots get `edited_message` all the same."""
        message = self._message(chat_id, message_id)
        self.world.change(message, message.content, visible=False)

    async def delete(self, chat_id: str, message_id: str) -> None:
        message = self._message(chat_id, message_id)
        for number in list(message.chat.albums.get(message.group_id, [])) or [message.message_id]:
            if number in message.chat.messages:
                self.world.remove(message.chat.messages[number])

    async def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool = False) -> None:
        self.people.react(self._message(chat_id, message_id), self._person(person), emoji, remove=remove)

    async def pin(self, chat_id: str, message_id: str, person: str, *, remove: bool = False) -> None:
        self.people.pin(self._message(chat_id, message_id), self._person(person), remove=remove)

    def typing(self, chat_id: str) -> Sequence[str]:
        return self.world.typing.names(chat_id)

    def members(self, chat_id: str) -> Sequence[Member]:
        people = [self._person(name) for name in self._people]
        return [Member(name=person.name, mention=mention_of(person)) for person in people]

    async def vote(self, chat_id: str, message_id: str, person: str, *options: int) -> None:
        """A person votes on a poll, for options by their index; for none: takes the vote back."""
        polls.vote(self.world, self._message(chat_id, message_id), self._person(person), options)

    async def ask_poll(self, chat_id: str, person: str, question: str, options: Sequence[str], *, many: bool = False) -> str:
        return await self.post(chat_id, person, {"poll": polls.of_person(question, options, many=many)})

    async def vote_for(self, chat_id: str, message_id: str, person: str, options: Sequence[int]) -> None:
        if not all(0 <= option < len(self._message(chat_id, message_id).content["poll"]["options"]) for option in options):
            raise ValueError("the poll has no such answer")
        await self.vote(chat_id, message_id, person, *options)

    async def close_poll(self, chat_id: str, message_id: str) -> None:
        """Its author stops a poll."""
        polls.close(self.world, self._message(chat_id, message_id))

    def formatting_sample(self) -> str:
        return "**bold** __italic__ ~~strike~~ `code` [label](https://example.com/)\n> quoted\n```python\nblock\n```"

    def file_bytes(self, file_id: str) -> bytes:
        stored = self.world.files.get(file_id)
        if stored is None:
            raise KeyError(file_id)
        return stored.read()

    def _message(self, chat_id: str, message_id: str) -> Message:
        return self._chat(chat_id).messages[int(message_id)]


def _failed(error: ApiError) -> web.Response:
    return web.Response(
        status=error.code, body=msgspec.json.encode(error.body()), content_type="application/json", headers=error.headers()
    )
