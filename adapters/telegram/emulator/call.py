"""One Bot API call: its bot, its parameters, and how several methods read them (chat, topic, reply, text, files)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.telegram.emulator.errors import bad_request, forbidden
from adapters.telegram.emulator.formatting import store_text
from adapters.telegram.emulator.params import Params
from adapters.telegram.emulator.parse_modes import parse
from adapters.telegram.emulator.rates import Rates
from adapters.telegram.emulator.records import ADMINISTRATOR, KICKED, LEFT, Chat, Json, Message, Person, StoredFile
from adapters.telegram.emulator.rules import CAPTION_LENGTH, TEXT_LENGTH
from adapters.telegram.emulator.updates import UpdateQueue
from adapters.telegram.emulator.webhook import Webhooks
from adapters.telegram.emulator.wire import user_wire
from adapters.telegram.emulator.world import World


@dataclass(slots=True)
class Target:
    """Where a send goes."""

    chat: Chat
    thread_id: int | None = None
    reply_to: int | None = None
    quote: Json | None = None


@dataclass(slots=True)
class Call:
    world: World
    bot: Person
    token: str
    params: Params
    rates: Rates
    local: bool
    webhooks: Webhooks
    logged_out: set[int]

    @property
    def queue(self) -> UpdateQueue:
        return self.world.queues[self.bot.user_id]

    def chat(self, name: str = "chat_id", *, member: bool = True) -> Chat:
        """The chat that a parameter names. Raises ApiError if there is none, it has moved, or the bot was removed."""
        asked = self.params.text(name)
        if not asked:
            raise bad_request("chat_id is empty")
        try:
            chat = self.world.chats.get(int(asked))
        except ValueError:
            chat = None
        status = chat.bots.get(self.bot.user_id, LEFT) if chat is not None else LEFT
        if chat is None or (status == LEFT and not member):
            raise bad_request("chat not found")
        if chat.moved_to is not None:
            raise bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.moved_to)
        if status == KICKED:
            raise forbidden(f"bot was kicked from the {chat.type} chat")
        if status == LEFT:
            raise forbidden(f"bot is not a member of the {chat.type} chat")
        return chat

    def admin_chat(self, refusal: str) -> Chat:
        chat = self.chat()
        if chat.bots[self.bot.user_id] != ADMINISTRATOR:
            raise bad_request(refusal)
        return chat

    def message(self, chat: Chat, what: str, name: str = "message_id") -> Message:
        message = chat.messages.get(self.params.integer(name))
        if message is None or message.deleted:
            raise bad_request(f"message to {what} not found")
        return message

    # -- sends --------------------------------------------------------------------------------------------------------------

    def target(self, *, messages: int = 1) -> Target:
        """Where a send goes. Counts against the chat's rate limit, if there is one."""
        chat = self.chat()
        target = Target(chat, self._thread(chat))
        self._reply(target)
        self.rates.take(chat.chat_id, messages)
        return target

    def _thread(self, chat: Chat) -> int | None:
        thread_id = self.params.integer("message_thread_id")
        if not thread_id:
            return None
        # the General topic has no id of its own on the wire: 1 is refused too (platforms.md 1.3)
        if thread_id not in chat.topics:
            raise bad_request("message thread not found")
        if thread_id in chat.closed_topics and chat.bots[self.bot.user_id] != ADMINISTRATOR:
            raise bad_request("TOPIC_CLOSED")
        return thread_id

    def _reply(self, target: Target) -> None:
        reply: Any = self.params.json("reply_parameters")
        if reply is None and "reply_to_message_id" in self.params:
            lenient = self.params.boolean("allow_sending_without_reply")
            reply = {"message_id": self.params.integer("reply_to_message_id"), "allow_sending_without_reply": lenient}
        if not reply:
            return
        if not isinstance(reply, dict):
            raise bad_request("object expected as reply parameters")
        message_id = int(reply.get("message_id", 0))
        replied = target.chat.messages.get(message_id)
        if replied is None or replied.deleted or (target.chat.is_forum and replied.thread_id != target.thread_id):
            if not reply.get("allow_sending_without_reply"):
                raise bad_request("message to be replied not found")
            return
        target.reply_to = message_id
        words = reply.get("quote")
        if words:
            position = replied.text.find(str(words))
            if position < 0:
                raise bad_request("QUOTE_TEXT_INVALID")
            target.quote = {"text": words, "position": position, "is_manual": True}

    def text(self) -> Json:
        """The content of a text message: `text` with `entities` or a `parse_mode`."""
        raw = self.params.text("text")
        words, entities = self._stored(raw, self.params.json("entities"), self.params.text("parse_mode"), TEXT_LENGTH)
        if not words:
            raise bad_request("message text is empty")
        return {"text": words} | ({"entities": entities} if entities else {})

    def caption(self, source: Json | None = None) -> Json:
        """The caption fields, from the call's parameters or from one item of an album."""
        if source is None:
            raw, entities = self.params.text("caption"), self.params.json("caption_entities")
            mode = self.params.text("parse_mode")
        else:
            raw, entities = str(source.get("caption") or ""), source.get("caption_entities")
            mode = str(source.get("parse_mode") or "")
        words, found = self._stored(raw, entities, mode, CAPTION_LENGTH)
        if not words:
            return {}
        return {"caption": words} | ({"caption_entities": found} if found else {})

    def _stored(self, raw: str, entities: Any, parse_mode: str, limit: int) -> tuple[str, list[Json]]:
        if parse_mode:  # a parse mode makes the server ignore entities (platforms.md 1.3)
            raw, entities = parse(raw, parse_mode)
        return store_text(raw, entities if isinstance(entities, list) else [], limit=limit, known_users=self._known_users())

    def _known_users(self) -> dict[int, Json]:
        return _KnownUsers(self.world)

    def file(self, name: str, value: str | None = None) -> StoredFile:
        """The file that a parameter, or a field of an album item, refers to: an upload or a file id. URLs are not fetched."""
        if value is None and name in self.params.files:
            return self._checked(self.params.files[name])
        asked = self.params.text(name) if value is None else value
        if asked.startswith("attach://"):
            attached = self.params.files.get(asked.removeprefix("attach://"))
            if attached is None:
                raise bad_request(f'there is no file "{asked}" in the request')
            return self._checked(attached)
        if asked.startswith(("http://", "https://")):
            raise bad_request("failed to get HTTP URL content")
        if not asked:
            raise bad_request(f"there is no {name} in the request")
        stored = self.world.files.get(asked)
        if stored is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return stored

    @staticmethod
    def _checked(stored: StoredFile) -> StoredFile:
        if not stored.size_bytes:
            raise bad_request("file must be non-empty")
        return stored

    def post(self, target: Target, contents: list[Json]) -> list[Message]:
        for content in contents:
            for kind, plural in _KINDS.items():
                if kind in content and kind in target.chat.forbidden_kinds:
                    raise bad_request(f"not enough rights to send {plural} to the chat")
        posted = self.world.post(
            target.chat, self.bot, contents, thread_id=target.thread_id, reply_to=target.reply_to, quote=target.quote
        )
        for message in posted:
            message.silent = self.params.boolean("disable_notification")
        return posted


_KINDS = {
    "photo": "photos",
    "video": "videos",
    "audio": "music",
    "voice": "voice messages",
    "video_note": "video notes",
    "animation": "animations",
    "sticker": "stickers",
    "document": "documents",
    "text": "text messages",
}
"""Telegram's words for kinds of content that a chat does not allow (TDLib, MessageContent.cpp: can_send_message_content)."""


class _KnownUsers(dict[int, Json]):
    """Every person of the world, looked up on demand."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def get(self, user_id: int, default: Any = None) -> Any:
        person = self._world.people.get(user_id)
        return default if person is None else user_wire(person)
