"""Who a message or a reaction is by. Pure; used by `decode` and `decode_content`."""

from __future__ import annotations

from adapters.common.lenient import identity, record, words
from adapters.telegram.wire import Json, Message, User, chat_name, full_name, sender_of
from bridge.model.events import Author


def author_of(user: User | Json) -> Author:
    return Author(
        user_id=identity(user["id"]), name=full_name(user), username=words(user.get("username")), is_bot=user.get("is_bot") is True
    )


def author_of_message(message: Message) -> Author | None:
    """`sender_chat` first: then `from` is a stand-in that Telegram fills in for old clients."""
    chat = record(message.get("sender_chat"))
    if chat:
        return Author(user_id=identity(chat["id"]), name=author_name(message), username=words(chat.get("username")))
    sender = sender_of(message)
    if sender is not None:
        return author_of(sender)
    signature = words(message.get("author_signature"))
    return Author(user_id="", name=signature) if signature else None


def author_name(message: Message | Json) -> str:
    chat = record(message.get("sender_chat"))
    if chat:
        return words(message.get("author_signature")) or chat_name(chat)
    sender = sender_of(message)
    return full_name(sender) if sender is not None else words(message.get("author_signature"))


def author_id(message: Message | Json) -> str:
    """Of whom `author_name` names; empty where nobody tells."""
    chat = record(message.get("sender_chat"))
    return words((chat or record(sender_of(message) or {})).get("id"))
