"""Bot API methods that change what is there: edits, deletes, reactions, pins, forum topics."""

from __future__ import annotations

from adapters.telegram.emulator.call import Call
from adapters.telegram.emulator.contents import media_content, settle_kind
from adapters.telegram.emulator.errors import bad_request
from adapters.telegram.emulator.methods_send import Method
from adapters.telegram.emulator.records import ADMINISTRATOR, Chat, Json, Message
from adapters.telegram.emulator.render import file_kind
from adapters.telegram.emulator.rules import BOT_REACTIONS, TOPIC_NAME_LENGTH
from adapters.telegram.emulator.wire import message_wire

DELETE_AGE_S = 48 * 3600
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
_CAPTION = ("caption", "caption_entities")
_TEXT = ("text", "entities")


def _editable(call: Call) -> Message:
    message = call.message(call.chat(), "edit")
    if message.sender is not call.bot or message.service:
        raise bad_request("message can't be edited")
    return message


def _change(call: Call, message: Message, content: Json) -> Json:
    if content == message.content:
        raise bad_request(_NOT_MODIFIED)
    call.world.change(message, content)
    return message_wire(message)


def _without(content: Json, names: tuple[str, ...]) -> Json:
    return {name: value for name, value in content.items() if name not in names}


async def edit_message_text(call: Call) -> Json:
    content = call.text()
    message = _editable(call)
    if "text" not in message.content:
        raise bad_request("there is no text in the message to edit")
    return _change(call, message, _without(message.content, _TEXT) | content)


async def edit_message_caption(call: Call) -> Json:
    caption = call.caption()
    message = _editable(call)
    if not file_kind(message.content):
        raise bad_request("there is no caption in the message to edit")
    return _change(call, message, _without(message.content, _CAPTION) | caption)


async def edit_message_media(call: Call) -> Json:
    message = _editable(call)
    item = call.params.json("media")
    if not isinstance(item, dict):
        raise bad_request("can't parse media: expected an object")
    stored = call.file("media", str(item.get("media", "")))
    kind = settle_kind(str(item.get("type", "document")), stored)
    return _change(call, message, media_content(call.world.files, kind, stored, item) | call.caption(item))


async def delete_message(call: Call) -> bool:
    chat = call.chat()
    _delete(call, chat, call.message(chat, "delete"))
    return True


async def delete_messages(call: Call) -> bool:
    chat = call.chat()
    numbers = call.params.json("message_ids")
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= 100:
        raise bad_request("message_ids must contain 1-100 identifiers")
    for number in numbers:  # those that are not found are skipped (Bot API reference)
        message = chat.messages.get(int(number))
        if message is not None and not message.deleted:
            _delete(call, chat, message)
    return True


def _delete(call: Call, chat: Chat, message: Message) -> None:
    own = message.sender is call.bot
    if not own and chat.bots[call.bot.user_id] != ADMINISTRATOR:
        raise bad_request("message can't be deleted")
    if call.world.now() - message.date > DELETE_AGE_S:
        raise bad_request("message can't be deleted for everyone")
    call.world.remove(message)


async def set_message_reaction(call: Call) -> bool:
    chat = call.chat()
    message = call.message(chat, "react")
    if message.group_id:  # on an album the reaction lands on its first message (platforms.md 1.3)
        message = chat.messages.get(chat.albums[message.group_id][0], message)
    asked = call.params.json("reaction") or []
    if not isinstance(asked, list):
        raise bad_request("can't parse reaction: expected an array")
    emojis: list[str] = []
    for reaction in asked:
        if reaction.get("type") != "emoji" or reaction.get("emoji") not in BOT_REACTIONS:
            raise bad_request("REACTION_INVALID")
        if chat.allowed_reactions is not None and reaction["emoji"] not in chat.allowed_reactions:
            raise bad_request("REACTION_INVALID")
        emojis.append(reaction["emoji"])
    if len(emojis) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    call.world.react(message, call.bot, emojis)
    return True


async def pin_chat_message(call: Call) -> bool:
    chat = call.admin_chat("not enough rights to manage pinned messages in the chat")
    call.world.pin(call.message(chat, "pin"), call.bot)
    return True


async def unpin_chat_message(call: Call) -> bool:
    chat = call.admin_chat("not enough rights to manage pinned messages in the chat")
    number = call.params.integer("message_id") or (chat.pinned[-1] if chat.pinned else 0)
    if number not in chat.pinned:
        raise bad_request("message to unpin not found")
    if number in chat.messages:
        call.world.unpin(chat.messages[number])
    else:
        chat.pinned.remove(number)
    return True


async def unpin_all(call: Call) -> bool:
    chat = call.admin_chat("not enough rights to manage pinned messages in the chat")
    for number in list(chat.pinned):
        if number in chat.messages:
            call.world.unpin(chat.messages[number])
    chat.pinned.clear()
    return True


async def set_chat_title(call: Call) -> bool:
    """Source of the refusals: Bot API server, `setChatTitle`; TDLib, DialogManager.cpp."""
    chat = call.admin_chat("not enough rights to change chat title")
    title = call.params.text("title").strip()
    if not 1 <= len(title) <= 128:
        raise bad_request("chat title is empty" if not title else "chat title is too long")
    if title == chat.title:
        raise bad_request("CHAT_NOT_MODIFIED")
    call.world.rename(chat, call.bot, title)
    return True


def _forum(call: Call) -> Chat:
    chat = call.admin_chat("not enough rights to create a topic")
    if not chat.is_forum:
        raise bad_request("the chat is not a forum")
    return chat


async def create_forum_topic(call: Call) -> Json:
    chat = _forum(call)
    name = call.params.text("name").strip()
    if not 1 <= len(name) <= 128:
        raise bad_request("topic name must be non-empty" if not name else "TOPIC_TITLE_TOO_LONG")
    return {"message_thread_id": call.world.new_topic(chat, call.bot, name), "name": name, "icon_color": 7322096}


def _topic(call: Call) -> tuple[Chat, int]:
    chat = _forum(call)
    thread_id = call.params.integer("message_thread_id")
    if thread_id not in chat.topics:
        raise bad_request("TOPIC_ID_INVALID")
    return chat, thread_id


async def edit_forum_topic(call: Call) -> bool:
    chat, thread_id = _topic(call)
    name = call.params.text("name").strip() or chat.topics[thread_id]
    if len(name) > TOPIC_NAME_LENGTH:
        raise bad_request("TOPIC_TITLE_TOO_LONG")
    if name == chat.topics[thread_id]:
        raise bad_request("TOPIC_NOT_MODIFIED")
    call.world.rename_topic(chat, call.bot, thread_id, name)
    return True


async def close_forum_topic(call: Call) -> bool:
    return _set_closed(call, closed=True)


async def reopen_forum_topic(call: Call) -> bool:
    return _set_closed(call, closed=False)


async def edit_general_forum_topic(call: Call) -> bool:
    """The General topic is named and closed by calls of its own, and its service messages have no thread. Source: Bot API 10.3."""
    chat, name = _forum(call), call.params.text("name").strip()
    if not 1 <= len(name) <= TOPIC_NAME_LENGTH:
        raise bad_request("TOPIC_TITLE_TOO_LONG" if name else "topic name must be non-empty")
    if name == chat.general_name:
        raise bad_request("TOPIC_NOT_MODIFIED")
    call.world.rename_general(chat, call.bot, name)
    return True


async def close_general_forum_topic(call: Call) -> bool:
    return _set_general_closed(call, closed=True)


async def reopen_general_forum_topic(call: Call) -> bool:
    return _set_general_closed(call, closed=False)


def _set_general_closed(call: Call, *, closed: bool) -> bool:
    chat = _forum(call)
    if (1 in chat.closed_topics) is closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    call.world.close_general(chat, call.bot, closed=closed)
    return True


def _set_closed(call: Call, *, closed: bool) -> bool:
    chat, thread_id = _topic(call)
    if (thread_id in chat.closed_topics) is closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    call.world.close_topic(chat, call.bot, thread_id, closed=closed)
    return True


async def delete_forum_topic(call: Call) -> bool:
    chat, thread_id = _topic(call)
    call.world.remove_topic(chat, thread_id)
    return True


METHODS: dict[str, Method] = {
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "setMessageReaction": set_message_reaction,
    "pinChatMessage": pin_chat_message,
    "unpinChatMessage": unpin_chat_message,
    "unpinAllChatMessages": unpin_all,
    "setChatTitle": set_chat_title,
    "createForumTopic": create_forum_topic,
    "editForumTopic": edit_forum_topic,
    "closeForumTopic": close_forum_topic,
    "reopenForumTopic": reopen_forum_topic,
    "deleteForumTopic": delete_forum_topic,
    "editGeneralForumTopic": edit_general_forum_topic,
    "closeGeneralForumTopic": close_general_forum_topic,
    "reopenGeneralForumTopic": reopen_general_forum_topic,
}
