"""DiscordEmulator: the stand-in server as the sandbox, the tests and the benchmarks use it.

Joins the parts (world, operations, REST, gateway, CDN) and offers what people do with Discord's own composer, and what they see.
Beside the common protocol of `emulation.contract` it has the platform's own switches: `message_content`, `deny`, `set_boost`,
`budgets`, threads, pins, forwards and so on.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from aiohttp import web
from pydantic import Field

from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.abilities import EmulatedThread, Member
from adapters.common.emulation.contract import EmulatedChat, Fault, FaultKind, SeenChange, SeenMessage, StreamFault, Upload
from adapters.common.emulation.options import EmulatorOptions
from adapters.discord.emulator import errors, polls, rules
from adapters.discord.emulator import gateway as gw
from adapters.discord.emulator.api import Api
from adapters.discord.emulator.cdn import Cdn
from adapters.discord.emulator.files import FileStore
from adapters.discord.emulator.gateway import Gateway
from adapters.discord.emulator.observers import Seen
from adapters.discord.emulator.operations import Operations, author_of
from adapters.discord.emulator.people import People
from adapters.discord.emulator.polls import Polls
from adapters.discord.emulator.records import DIRECT, Bot, Emoji, Message, Permission, User
from adapters.discord.emulator.rest_guild import GuildRoutes
from adapters.discord.emulator.rest_messages import MessageRoutes
from adapters.discord.emulator.rest_webhooks import WebhookRoutes
from adapters.discord.emulator.wire import Payloads
from adapters.discord.emulator.world import World

_VERSION = re.compile(r"^/api(/v\d+)?")


class DiscordEmulatorOptions(EmulatorOptions):
    boost: int = Field(default=0, ge=0, le=3, description="the server's boost level: files of 10, 10, 50 or 100 MiB")
    rate_limits: bool = Field(default=False, description="answer 429 beyond Discord's rates")
    message_content: bool = Field(default=True, description="the MESSAGE CONTENT INTENT switch of the bot's page")


class DiscordEmulator(EmulatorBase):
    """One guild with one bot (more by `add_bot`); see `adapters.common.emulation.contract.Emulator` for the common methods."""

    platform = "discord"
    sending_operation = "POST /webhooks/*"
    options_model = DiscordEmulatorOptions
    options: DiscordEmulatorOptions

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self._store = FileStore()
        self.cdn = Cdn(self._store, lambda: self.base_url)
        payloads = Payloads(self.world, self.cdn)
        self.gateway = Gateway(self.world, payloads, self._gateway_url)
        self._seen_log = Seen(self.world, self._avatar_url)
        self.operations = Operations(self.world, payloads, self.gateway, self._seen_log.log.record)
        self.api = Api(self.world, payloads, self.operations, self._store)
        self.people = People(self.world, self.operations, self.api, self._store, self.person)
        self.bot: Bot = self.world.add_bot("Bridge")

    def _apply(self) -> None:
        super()._apply()
        self.world.boost_level = self.options.boost
        self.world.messages_kept = self.options.messages_kept
        self.bot.message_content = self.options.message_content
        self.budgets = rules.RateBudgets.strict() if self.options.rate_limits else rules.RateBudgets()
        self._store.kept = self.options.files_kept
        self._seen_log.log.keep(self.options.changes_kept)

    # -- the server -----------------------------------------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        self.polls = Polls(self.api, self.operations)
        guild = GuildRoutes(self.api, self.gateway, self._gateway_url)
        parts = (guild, MessageRoutes(self.api), WebhookRoutes(self.api), self.polls)
        tables = [entry for part in parts for entry in part.table()]
        return [
            *self.api.routes(tables),
            web.get("/gateway", self.gateway.serve),
            web.get("/gateway/", self.gateway.serve),
            *self.cdn.routes(),
        ]

    def _gateway_url(self) -> str:
        return f"ws://{self._host}:{self._port}/gateway"

    def _avatar_url(self, message: Message) -> str:
        author = message.author
        if author.avatar is None:
            return f"{self.base_url}/embed/avatars/{(author.id >> 22) % 6}.png"
        return f"{self.base_url}/avatars/{author.id}/{author.avatar}.png"

    def operation(self, request: web.Request) -> str:
        """`POST /channels/{channel}/messages` and the like; the websocket is `GATEWAY`."""
        resource = request.match_info.route.resource
        path = request.path if resource is None else resource.canonical
        if path.rstrip("/") == "/gateway":
            return "GATEWAY"
        return f"{request.method} {_VERSION.sub('', path)}"

    def fault_response(self, fault: Fault) -> web.StreamResponse:
        if fault.kind is FaultKind.RATE_LIMIT:
            return errors.rate_limit_response(fault.retry_after_s)
        if fault.kind is FaultKind.UNAUTHORIZED:
            return errors.unauthorized().response()
        return errors.json_response({"message": f"{fault.status}: Internal Server Error", "code": 0}, fault.status)

    def account_options(self) -> dict[str, Any]:
        return self.account_options_of(self.bot)

    def account_options_of(self, bot: Bot) -> dict[str, Any]:
        return {
            "token": bot.token,
            "api_url": f"{self.base_url}/api/v10",
            "gateway_url": self._gateway_url(),
            "cdn_url": self.base_url,
        }

    async def stop(self) -> None:
        await super().stop()
        self._store.close()

    async def disturb(self, what: StreamFault) -> None:
        match what:
            case StreamFault.DISCONNECT:
                self.gateway.cut()
            case StreamFault.DISCONNECT_CLEAN:
                self.gateway.ask_to_reconnect()
            case StreamFault.INVALIDATE_SESSION:
                self.gateway.invalidate_sessions()
            case StreamFault.REDELIVER:
                self.gateway.redeliver()
            case StreamFault.REORDER:
                self.gateway.swap_next_two()
            case StreamFault.POISON:
                self._poison()

    def _poison(self) -> None:
        """MESSAGE_UPDATE whose author lacks an id: it ends discord.py's own parsing of the stream."""
        channel = next((c for c in self.world.channels.values() if not c.is_thread and not c.is_direct), None)
        payload = {
            "id": str(self.world.ids.next()),
            "channel_id": str(channel.id if channel is not None else self.world.ids.next()),
            "guild_id": str(self.world.guild_id),
            "content": "poison",
            "author": {"username": "poison"},
            "member": {"roles": [{"id": "1"}]},
            "edited_timestamp": "not a time",
        }
        self.gateway.dispatch("MESSAGE_UPDATE", payload, intent=gw.GUILD_MESSAGES, channel=channel)

    # -- people and channels ----------------------------------------------------------------------------------------------------

    def add_chat(self, name: str) -> EmulatedChat:
        channel = self.world.add_channel(name)
        chat = EmulatedChat(
            chat_id=str(channel.id), name=name, address=str(channel.id), names_threads=True, threads_from_messages=True
        )
        self._chats[chat.chat_id] = chat
        self.operations.announce_channel(channel)
        return chat

    def add_private_chat(self, person: str) -> EmulatedChat:
        """A direct chat of a person with the bot, of no server: what is said, changed and deleted there is told."""
        channel = self.world.add_channel(person, DIRECT)
        self._chats[str(channel.id)] = EmulatedChat(chat_id=str(channel.id), name=person, address=str(channel.id))
        return self._chats[str(channel.id)]

    def add_forum(self, name: str, *, kind: int = 15) -> EmulatedChat:
        """A forum (15) or media (16) channel: people start posts in it."""
        channel = self.world.add_channel(name, kind)
        self.operations.announce_channel(channel)
        return EmulatedChat(chat_id=str(channel.id), name=name, address=str(channel.id))

    def add_person(self, name: str) -> str:
        return str(self.person(name).id)

    def person(self, name: str) -> User:
        if name not in self._people:
            user = self.world.add_user(name)
            self._people[name] = str(user.id)
            self.operations.announce_member(user)
        return self.world.users[int(self._people[name])]

    async def join(self, person: str) -> None:
        """The person joins the server, which is announced in its system channel, if it has one."""
        user = self.person(person)
        if self.world.system_channel_id is not None:
            self.operations.post(self.world.channels[self.world.system_channel_id], author=author_of(user), type=7)

    async def leave(self, person: str) -> None:
        self.operations.remove_member(self.person(person))

    def set_system_channel(self, chat_id: str) -> None:
        self.world.system_channel_id = int(chat_id)
        self.operations.announce_guild()

    def add_bot(self, name: str) -> Bot:
        """Another bot application in the guild, with its own token and rights."""
        return self.world.add_bot(name)

    def add_emoji(self, name: str, *, is_animated: bool = False) -> str:
        """A custom emoji of the guild; returns what a composer sends for it."""
        emoji = Emoji(id=self.world.ids.next(), name=name, is_animated=is_animated)
        self.world.emojis[emoji.id] = emoji
        return f"<{'a' if is_animated else ''}:{name}:{emoji.id}>"

    # -- acting as a person: see `people` ----------------------------------------------------------------------------------------

    async def say(
        self, chat_id: str, person: str, text: str, *, reply_to: str = "", thread_id: str = "", files: Sequence[Upload] = ()
    ) -> str:
        return self.people.say(chat_id, person, text, reply_to=reply_to, thread_id=thread_id, files=files)

    async def edit(self, chat_id: str, message_id: str, text: str) -> None:
        self.people.edit(chat_id, message_id, text)

    async def remove_file(self, chat_id: str, message_id: str, index: int = 0) -> None:
        """A person takes an attachment out of a message of theirs."""
        self.people.remove_file(chat_id, message_id, index)

    async def delete(self, chat_id: str, message_id: str) -> None:
        self.people.delete(chat_id, message_id)

    async def delete_many(self, chat_id: str, message_ids: Sequence[str]) -> None:
        """A moderator's purge."""
        self.people.delete_many(chat_id, message_ids)

    async def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool = False) -> None:
        self.people.react(chat_id, message_id, person, emoji, remove=remove)

    async def clear_reactions(self, chat_id: str, message_id: str, emoji: str = "") -> None:
        """A moderator removes all reactions, or all of one emoji."""
        self.people.clear_reactions(chat_id, message_id, emoji)

    async def type(self, chat_id: str, person: str) -> None:
        self.people.type(chat_id, person)

    async def pin(self, chat_id: str, message_id: str, person: str, *, remove: bool = False) -> None:
        self.people.pin(chat_id, message_id, person, remove=remove)

    async def start_thread(self, chat_id: str, person: str, name: str, *, message_id: str = "") -> str:
        """A public thread, from a message or on its own; returns its id."""
        return self.people.start_thread(chat_id, person, name, message_id=message_id)

    def threads(self, chat_id: str) -> Sequence[EmulatedThread]:
        return self.people.threads(chat_id)

    def typing(self, chat_id: str) -> Sequence[str]:
        return self.operations.typing.names(chat_id)

    def members(self, chat_id: str) -> Sequence[Member]:
        return self.people.members()

    async def start_post(self, forum_id: str, person: str, title: str, text: str, *, files: Sequence[Upload] = ()) -> str:
        """A post in a forum; returns its id, which is that of its first message too."""
        return self.people.start_post(forum_id, person, title, text, files=files)

    async def rename_thread(self, thread_id: str, person: str, name: str) -> None:
        self.people.rename_thread(thread_id, person, name)

    async def change_thread(self, chat_id: str, thread_id: str, person: str, *, name: str = "", closed: bool | None = None) -> None:
        if thread_id not in {thread.thread_id for thread in self.threads(chat_id)}:
            raise ValueError("the channel has no such thread")
        if name:
            await self.rename_thread(thread_id, person, name)
        if closed is not None:
            await self.lock_thread(thread_id, locked=closed)

    async def delete_thread(self, thread_id: str) -> None:
        """A moderator deletes a thread or post with everything in it. Its messages get no events of their own."""
        self.people.delete_thread(thread_id)

    async def lock_thread(self, thread_id: str, *, locked: bool = True) -> None:
        self.people.lock_thread(thread_id, locked=locked)

    async def archive_thread(self, thread_id: str, *, locked: bool = False) -> None:
        self.people.archive_thread(thread_id, locked=locked)

    async def forward(self, chat_id: str, message_id: str, person: str, to_chat_id: str) -> str:
        return self.people.forward(chat_id, message_id, person, to_chat_id)

    async def post_raw(self, chat_id: str, person: str, **fields: Any) -> str:
        """Post a message of any shape that a composer cannot make: stickers, polls, system types."""
        return self.people.post_raw(chat_id, person, **fields)

    async def vote(self, chat_id: str, message_id: str, person: str, *answers: int) -> None:
        """A person votes on a poll, for answers by their ids (from 1); for none: takes the vote back."""
        channel, message = self.people.find(chat_id, message_id)
        self.polls.vote(channel, message, self.people.person(person), answers)

    async def ask_poll(self, chat_id: str, person: str, question: str, options: Sequence[str], *, many: bool = False) -> str:
        return self.people.post_raw(chat_id, person, poll=polls.of_person(question, options, many=many))

    async def vote_for(self, chat_id: str, message_id: str, person: str, options: Sequence[int]) -> None:
        poll = self.people.find(chat_id, message_id)[1].poll
        if poll is None or poll["results"]["is_finalized"] or not all(0 <= option < len(poll["answers"]) for option in options):
            raise ValueError("the poll has no such answer, or is closed")
        await self.vote(chat_id, message_id, person, *(option + 1 for option in options))

    async def close_poll(self, chat_id: str, message_id: str) -> None:
        await self.end_poll(chat_id, message_id)

    async def end_poll(self, chat_id: str, message_id: str) -> None:
        """Its author ends a poll."""
        self.polls.end(*self.people.find(chat_id, message_id))

    async def resolve_embeds(self, chat_id: str, message_id: str, url: str) -> None:
        """Add the link preview: an update that is no edit."""
        self.people.resolve_embeds(chat_id, message_id, url)

    # -- the administrator's switches -----------------------------------------------------------------------------------------

    def deny(self, chat_id: str, denied: Permission, bot: Bot | None = None) -> None:
        """A channel overwrite that takes these permissions from the bot; `Permission(0)` gives them back."""
        channel = self.people.channel(chat_id)
        channel.denied[(bot or self.bot).user.id] = denied
        self.operations.announce_channel_change(channel)

    def remove_bot(self, chat_id: str) -> None:
        """Hide the channel from the bot: bots are members of servers, not of channels."""
        self.deny(chat_id, Permission.VIEW_CHANNEL)

    def bring_bot_back(self, chat_id: str) -> None:
        self.deny(chat_id, Permission(0))

    def set_permissions(self, permissions: Permission, bot: Bot | None = None) -> None:
        """What the bot's own role allows, in the whole server."""
        chosen = bot or self.bot
        chosen.permissions = permissions
        self.operations.announce_role(chosen.role_id)

    def set_nick(self, nick: str | None, bot: Bot | None = None) -> None:
        """What the bot is called in the server."""
        chosen = bot or self.bot
        chosen.nick = nick
        self.operations.announce_bot(chosen)

    def set_boost(self, level: int) -> None:
        self.world.boost_level = level
        self.operations.announce_guild()

    @property
    def budgets(self) -> rules.RateBudgets:
        return self.api.budgets

    @budgets.setter
    def budgets(self, budgets: rules.RateBudgets) -> None:
        self.api.budgets = budgets

    def formatting_sample(self) -> str:
        return "**bold** *italic* ~~strike~~ `code` [label](https://example.com/)\n> quoted\n```python\nblock\n```"

    # -- seeing ---------------------------------------------------------------------------------------------------------------

    def transcript(self, chat_id: str) -> Sequence[SeenMessage]:
        return self._seen_log.transcript(self.people.channel(chat_id))

    def changes(self, since_seq: int = 0) -> AsyncIterator[SeenChange]:
        return self._seen_log.log.follow(since_seq)

    def file_bytes(self, file_id: str) -> bytes:
        return self._store[int(file_id)].read()
