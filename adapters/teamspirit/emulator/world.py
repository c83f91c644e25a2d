"""The server's state, rules, files and outgoing webhooks together, and every change to them.

Used by `rest` (a program's calls) and `people` (a person's acts).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from adapters.common.emulation.contract import SeenMessage
from adapters.common.emulation.typing_now import TypingNow
from adapters.teamspirit.emulator.errors import Refused
from adapters.teamspirit.emulator.files import FileStore
from adapters.teamspirit.emulator.outgoing import OutgoingWebhooks, Webhook
from adapters.teamspirit.emulator.records import Chat, Json, Message, State, User, now, stamp
from adapters.teamspirit.emulator.rules import TYPING_S, Rules


class World:
    """`publish` is called with every visible change."""

    def __init__(self, publish: Callable[[str, SeenMessage], None]) -> None:
        self.rules = Rules()
        self.api_keys = [_new_key()]
        """Those that are valid, the newest last."""
        self.state = State()
        self.store = FileStore()
        self.outgoing = OutgoingWebhooks()
        self.incoming: dict[str, tuple[Chat, User]] = {}
        self.last_chat: Chat | None = None
        self._publish = publish
        self.typing = TypingNow(TYPING_S)

    @property
    def api_key(self) -> str:
        """The key that was made last."""
        return self.api_keys[-1]

    def new_api_key(self) -> str:
        """Add a key; the existing ones stay valid."""
        self.api_keys.append(_new_key())
        return self.api_key

    def revoke_older_keys(self) -> None:
        """Revoke all keys except the newest."""
        del self.api_keys[:-1]

    def existing(self, chat: Chat, message_id: str) -> str:
        """The id of an existing message to reply to; empty for none."""
        if message_id and (message_id not in chat.by_id or chat.by_id[message_id].deleted):
            raise Refused(404, "message_not_found", "no such message to answer")
        return message_id

    def first_of_thread(self, chat: Chat, message_id: str) -> str:
        """The same of a thread, which is named by its first message alone."""
        if message_id and self.existing(chat, message_id) and chat.by_id[message_id].thread:
            raise Refused(400, "not_a_thread", "a thread is the id of its first message")
        return message_id

    def happened(self, kind: str, chat: Chat, message: Message) -> None:
        """A message was created, edited or deleted."""
        self.last_chat = chat
        self.typing.wrote(chat.chat_id, message.user.display_name)
        self._publish(kind, self.state.seen(message))
        self.emit(f"message.{kind}", chat, message.user, message)

    def edited(self, chat: Chat, message: Message, text: str) -> None:
        message.text = text
        message.edited_at = now()
        self.happened("edited", chat, message)

    def deleted(self, chat: Chat, message: Message) -> None:
        message.deleted = True
        self.happened("deleted", chat, message)

    def reacted(self, chat: Chat, message: Message, user: User, emoji: str, *, remove: bool) -> None:
        """Adding what is there and removing what is not are no events."""
        by = message.reactions.setdefault(emoji, {})
        changed = remove == (user.user_id in by)
        if remove:
            by.pop(user.user_id, None)
        else:
            by[user.user_id] = user.display_name
        if not by:
            del message.reactions[emoji]
        if changed:
            self._publish("reactions", self.state.seen(message))
            self.emit("reaction.removed" if remove else "reaction.added", chat, user, message, reaction={"emoji": emoji})

    def types(self, chat: Chat, user: User) -> None:
        self.typing.note(chat.chat_id, user.display_name)
        self.emit("typing", chat, user)

    def set_bot_in(self, chat: Chat, *, is_in: bool) -> None:
        """Remove the bot from a chat or invite it again. It gets an event about that, and none of later changes there."""
        if chat.without_bot is not is_in:
            return
        chat.without_bot = False
        self.emit("member.joined" if is_in else "member.left", chat, self.state.bot)
        chat.without_bot = not is_in

    def set_status(self, user: User, status: str, text: str) -> Json:
        """Told in every chat that webhooks listen to; or once without a chat, since a status is a person's. The vendor does
        not say which: `Rules.statuses_without_chat`."""
        user.status, user.status_text = status, text
        told = {"status": status, "text": text}
        if self.rules.statuses_without_chat:
            self.emit("status.changed", None, user, status=told)
            return told
        for chat in self.state.chats.values():
            self.emit("status.changed", chat, user, status=told)
        return told

    def emit(self, event: str, chat: Chat | None, user: User, message: Message | None = None, **fields: Json) -> None:
        """Tell the outgoing webhooks. What is in no chat is told to each of them."""
        if not self.outgoing.webhooks or (chat is not None and chat.without_bot):
            return
        body: Json = {
            "event_id": self.state.next_id("e"),
            "event": event,
            "time": stamp(now()),
            **({"chat": chat.wire()} if chat is not None else {}),
            "user": user.wire(),
            **fields,
        }
        if message is not None:
            body["message"] = message.wire()
        self.outgoing.emit(body, chat.chat_id if chat is not None else "")

    def poison(self) -> None:
        """An event of unknown shape to every webhook, and an item of unknown shape in one chat's history."""
        chat = self.last_chat or next(iter(self.state.chats.values()), None)
        if chat is None:
            return
        message = self.state.post(chat, self.state.bot, "")
        message.poison = {"id": {"n": [1, 2]}, "text": 17, "user": "?", "sent_at": "yesterday"}
        event_id = self.state.next_id("e")
        self.outgoing.emit({"event_id": event_id, "event": "message.created", "chat": [7], "message": {"id": None}}, chat.chat_id)

    def new_webhook(self, url: str, chat_ids: Sequence[str], events: Sequence[str]) -> Webhook:
        webhook = Webhook(self.state.next_id("w"), url, tuple(chat_ids), tuple(events))
        self.outgoing.webhooks[webhook.webhook_id] = webhook
        return webhook


def _new_key() -> str:
    return f"tsk_{secrets.token_hex(16)}"
