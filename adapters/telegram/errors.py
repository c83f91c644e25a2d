"""Telegram's errors -> ours. A table and the order in which it is read; no I/O.

`classify` takes what aiogram's session raised for one call. The text of our errors never holds a URL: Telegram's contain the token.
"""

from __future__ import annotations

import re

from adapters.common.http_errors import Effect, classify_page, classify_transport_error, may_be_done
from bridge.model.errors import (
    AccountDown,
    BridgeError,
    ChangeRefused,
    ChatDown,
    ChatMoved,
    FileRejected,
    Rejected,
    RetryLater,
    RightMissing,
    ThreadDown,
)

NEW_TOKEN = "check the token with @BotFather (/mybots, API Token) and put it into the account's `token`"  # noqa: S105 - advice
_GIVE_RIGHTS = "make the bot an administrator of the chat, or give it the right to send messages there"
_ADD_BOT = "add the bot to the chat again"

_CHAT_FAULTS: tuple[tuple[str, str], ...] = (
    ("chat not found", "check the chat id in bridge.yaml, and that the bot is in the chat"),
    ("group chat was deactivated", "the group was closed or upgraded: put its new id into bridge.yaml"),
    ("not enough rights to send text messages", _GIVE_RIGHTS),
    ("have no rights to send a message", _GIVE_RIGHTS),
    ("need administrator rights in the channel chat", "make the bot an administrator of the channel who may post"),
    ("chat_write_forbidden", _GIVE_RIGHTS),
    ("chat_send_plain_forbidden", _GIVE_RIGHTS),
    ("chat_restricted", _GIVE_RIGHTS),
    ("user_banned_in_channel", _ADD_BOT),
    ("channel_private", _ADD_BOT),
    ("message thread not found", "the topic was deleted: correct the topic number in bridge.yaml"),
    ("topic_deleted", "the topic was deleted: correct the topic number in bridge.yaml"),
    ("topic_closed", "reopen the topic, or make the bot an administrator who may manage topics"),
)
"""400s that every message to this chat would get. Source: platforms.md 1.3, 1.4, and tdlib/telegram-bot-api's texts."""

_TOPIC_FAULTS = ("message thread not found", "topic_deleted", "topic_closed")

NOT_MODIFIED = "message is not modified"
EDITED_IS_GONE = "message to edit not found"
GONE = ("message to delete not found", "message_id_invalid")
_TOO_OLD_OR_NOT_OURS = (
    "message can't be edited",
    "message can't be deleted",
    "message_author_required",
    "message_edit_time_expired",
    "message_delete_forbidden",
)
_RIGHT_MISSING = ("not enough rights", "chat_admin_required")
_LET_CHANGE = "make the bot an administrator of the chat who may edit and delete messages"
REACTION_REFUSED = ("reaction_invalid", "reaction_not_allowed", "reactions_too_many")
PHOTO_REFUSED = (
    "photo_invalid_dimensions",
    "image_process_failed",
    "photo_ext_invalid",
    "photo_save_file_invalid",
    "photo_content_type_invalid",
    "too big for a photo",
    "video_content_type_invalid",
    "sticker_invalid",
    "voice_messages_forbidden",
    "wrong file type",
)
"""The file is not what this kind must be: as a document it is taken."""
_NOT_THE_FILE = ("caption", "message is too long", "message_too_long", "quote_text_invalid", "message to be replied not found")
"""400s of a message with files that its words or its reply are to blame for."""
FILE_UNAVAILABLE = "temporarily unavailable"
"""getFile's "wrong file_id or the file is temporarily unavailable": mostly the latter (tdlib/telegram-bot-api#32)."""
TEXT_REFUSED = (
    "entities_too_long",
    "can't parse entities",
    "entity_bounds_invalid",
    "entity_mention_user_invalid",
    "entity beginning at",
    "entity begins",
    "entity ends",
)
"""The formatting is refused: the words alone are taken."""


class Refused(Rejected):
    """A 400 for this one message; `description` in lower case, for those who can do it another way."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.description = reason.lower()

    def says(self, *texts: str) -> bool:
        return any(text in self.description for text in texts)


class NotOfTheApi(Exception):
    """An answer that no Bot API server gives: the page of a proxy or load balancer, or a proxy's refusal."""

    def __init__(self, status: int, after_s: float | None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.after_s = after_s


def file_fault(refusal: Refused, files: int) -> FileRejected | None:
    """The error for a refused message with files: Telegram accepted nothing of it, and would accept the text. None if the text is
    refused.

    Of an album it mostly says which file it was: `failed to send message #2 with the error message "..."` (tdlib/telegram-bot-api,
    Client.cpp). A kind of file that is not allowed in the chat is of this sort as well: `not enough rights to send photos to the
    chat`, CHAT_SEND_VOICES_FORBIDDEN."""
    if refusal.says(*_NOT_THE_FILE, *TEXT_REFUSED):
        return None
    numbered = re.search(r"failed to send message #(\d+)", refusal.description)
    indexes = (int(numbered[1]) - 1,) if numbered else (0,) if files == 1 else ()
    if not set(indexes) <= set(range(files)):
        indexes = ()
    said = re.search(r'error message "([^"]*)"', refusal.reason)
    return FileRejected(f"Telegram does not take it: {said[1] if said else refusal.reason}", indexes=indexes)


def thread_fault(error: ChatDown) -> ChatDown:
    """What keeps messages out of a topic may not keep them out of its chat."""
    if any(sign in error.reason.lower() for sign in _TOPIC_FAULTS):
        return ThreadDown(error.reason, action=error.action)
    return error


def change_fault(refusal: Refused) -> Rejected:
    """What a refused edit or deletion of our own message means. Bots need no right for them, and cannot delete what is older than
    48 hours, not even as administrators (tdlib/td, `can_delete_channel_message`)."""
    if refusal.says(*_TOO_OLD_OR_NOT_OURS):
        return ChangeRefused(refusal.reason)
    return RightMissing(refusal.reason, action=_LET_CHANGE) if refusal.says(*_RIGHT_MISSING) else refusal


def classify(error: Exception, *, effect: Effect) -> BridgeError:
    """Our error for a failed call: what `responses` made of an answer, or what the session raised."""
    from adapters.telegram.lazy_aiogram import exceptions as theirs

    match error:
        case NotOfTheApi():
            return classify_page(error.status, effect=effect, reason=f"Telegram: HTTP {error.status}", after_s=error.after_s)
        case theirs.TelegramEntityTooLarge():  # before TelegramNetworkError, which it is a kind of
            return Refused("the file is too large")
        case theirs.TelegramRetryAfter():
            wait_s = float(error.retry_after)
            return RetryLater("Telegram asks to slow down", after_s=wait_s if wait_s > 0 else None, rate_limited=True)
        case theirs.TelegramMigrateToChat():
            return ChatMoved("the group became a supergroup", new_chat_id=str(error.migrate_to_chat_id))
        case theirs.TelegramUnauthorizedError():
            return AccountDown("Telegram refuses the bot token", action=NEW_TOKEN)
        case theirs.TelegramNotFound() if "method not found" in _text(error).lower():
            return Refused("this Bot API server does not know the method: it is too old")
        case theirs.TelegramNotFound():
            return AccountDown("Telegram does not know this bot token", action=NEW_TOKEN)
        case theirs.TelegramForbiddenError():
            return ChatDown(_text(error), action=_ADD_BOT)
        case theirs.TelegramBadRequest():
            return _bad_request(_text(error))
        case theirs.TelegramServerError() | theirs.ClientDecodeError():
            return may_be_done(f"Telegram's server failed: {_text(error)}", effect)
        case theirs.TelegramAPIError():
            return Refused(_text(error))
        case _:
            return classify_transport_error(error, effect=effect, doing="Telegram")


def _bad_request(text: str) -> BridgeError:
    lower = text.lower()
    if "logged out" in lower:
        return AccountDown("the bot is logged out of this Bot API server", action="wait ten minutes after logOut, or set base_url")
    for sign, action in _CHAT_FAULTS:
        if sign in lower:
            return ChatDown(text, action=action)
    return Refused(text)


def _text(error: Exception) -> str:
    """The server's description, without what aiogram writes around it."""
    text = str(getattr(error, "message", error)).split("\n(background on this error")[0]
    return without_urls(re.sub(r"^(Bad Request|Forbidden): ", "", text))


def without_urls(text: str) -> str:
    """The text with the secret part of any Bot API URL or token taken out."""
    return re.sub(r"(bot)?\d{3,}:[A-Za-z0-9_-]{10,}", "bot<token>", text)
