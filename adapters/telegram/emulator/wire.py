"""The Bot API's objects for people, chats, messages and files. Pure. Source: Bot API reference 10.3."""

from __future__ import annotations

from adapters.telegram.emulator.records import ADMINISTRATOR, KICKED, Chat, Json, Message, Person, StoredFile

_ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)


def user_wire(person: Person) -> Json:
    """A User."""
    user: Json = {"id": person.user_id, "is_bot": person.is_bot, "first_name": person.first_name}
    if person.last_name:
        user["last_name"] = person.last_name
    if person.username:
        user["username"] = person.username
    return user


def me_wire(bot: Person) -> Json:
    """The User that getMe returns."""
    return user_wire(bot) | {
        "can_join_groups": True,
        "can_read_all_group_messages": bot.sees_everything,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def file_wire(file: StoredFile) -> Json:
    """The fields that all kinds of files have."""
    return {"file_id": file.file_id, "file_unique_id": file.unique_id, "file_size": file.size_bytes}


def message_wire(message: Message, *, with_reply: bool = True) -> Json:
    """A Message."""
    wire: Json = {"message_id": message.message_id}
    if message.sender is not None and message.chat.type != "channel":
        wire["from"] = user_wire(message.sender)
    wire["chat"] = chat_wire(message.chat)
    wire["date"] = message.date
    if message.edit_date:
        wire["edit_date"] = message.edit_date
    if message.thread_id is not None:
        wire["message_thread_id"] = message.thread_id
        if message.chat.is_forum:
            wire["is_topic_message"] = True
    if message.group_id:
        wire["media_group_id"] = message.group_id
    if with_reply:
        replied = message.chat.messages.get(message.reply_to) if message.reply_to is not None else None
        if replied is None and message.chat.is_forum and message.thread_id is not None:
            # a plain message of a topic is a reply to the topic's creation message (platforms.md 1.2)
            replied = message.chat.messages.get(message.thread_id)
        if replied is not None and not replied.deleted:
            wire["reply_to_message"] = message_wire(replied, with_reply=False)
            if message.quote is not None:
                wire["quote"] = message.quote
    wire.update(message.extra)
    wire.update(message.content)
    return wire


def chat_wire(chat: Chat) -> Json:
    """A Chat."""
    name = "first_name" if chat.type == "private" else "title"
    wire: Json = {"id": chat.chat_id, name: chat.title, "type": chat.type}
    if chat.username:
        wire["username"] = chat.username
    if chat.is_forum:
        wire["is_forum"] = True
    return wire


def full_chat_wire(chat: Chat) -> Json:
    """A ChatFullInfo."""
    full = chat_wire(chat) | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(
            ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
        ),
        "permissions": {
            "can_send_messages": True,
            "can_send_photos": True,
            "can_send_videos": True,
            "can_send_documents": True,
            "can_send_audios": True,
            "can_send_voice_notes": True,
            "can_send_video_notes": True,
            "can_send_polls": True,
            "can_send_other_messages": True,
            "can_add_web_page_previews": True,
            "can_change_info": False,
            "can_invite_users": True,
            "can_pin_messages": False,
            "can_manage_topics": False,
        },
    }
    if chat.allowed_reactions is not None:
        full["available_reactions"] = [{"type": "emoji", "emoji": emoji} for emoji in sorted(chat.allowed_reactions)]
    if chat.pinned and (pinned := chat.messages.get(chat.pinned[-1])) is not None:
        full["pinned_message"] = message_wire(pinned)
    return full


def custom_emoji_wire(emoji_id: str, emoji: str, picture: StoredFile | None = None) -> Json:
    """A Sticker object."""
    file = {"file_id": f"custom-{emoji_id}", "file_unique_id": emoji_id, "file_size": 1024}
    return (
        (file if picture is None else file_wire(picture))
        | {"width": 100, "height": 100}
        | {"type": "custom_emoji", "is_animated": False, "is_video": False, "emoji": emoji, "custom_emoji_id": emoji_id}
    )


def member_wire(person: Person, status: str) -> Json:
    """A ChatMember object."""
    member: Json = {"status": status, "user": user_wire(person)}
    if status == ADMINISTRATOR:
        member |= dict.fromkeys(_ADMIN_RIGHTS, True) | {"can_be_edited": False, "is_anonymous": False}
    elif status == KICKED:
        member["until_date"] = 0
    return member
