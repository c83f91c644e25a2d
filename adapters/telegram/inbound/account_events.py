"""Reports what keeps the bot from receiving in its chats, for a human who can change it: removed, no administrator, privacy mode
on.

Source: platforms.md 1.1 (privacy mode).
"""

from __future__ import annotations

from collections.abc import Callable

from adapters.common.lenient import record, words
from adapters.telegram.directory import Directory
from adapters.telegram.inbound.decoded import Removed
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call
from bridge.model.adapter import Intake
from bridge.model.errors import AccountDown, ChatDown, DeliveryError

PRIVACY_ACTION = (
    "make the bot an administrator of the chat; or send /setprivacy to @BotFather, choose the bot, Disable, then remove the bot "
    "from the chat and add it again"
)
_ADD_BOT = "add the bot to the chat again"
_MAKE_ADMIN = "make the bot an administrator of the chat"
_GONE = ("kicked", "left")
_ADMINS = ("administrator", "creator")

LOOK_AGAIN_S = 900.0
"""A connection that comes and goes asks no chat again before."""


def hearing_fault(status: str, where: str, *, sees_all: bool) -> tuple[str, str] | None:
    """Why a bot with this status in a group does not receive people's messages, and what to click; None if it does.

    `sees_all`: privacy mode is off (`can_read_all_group_messages`)."""
    if status in _GONE:
        return f"the bot is not in {where}", _ADD_BOT
    if status in _ADMINS or sees_all:
        return None
    return f"privacy mode is on and the bot is no administrator of {where}: it sees no messages there but commands", PRIVACY_ACTION


def _reactions_fault(where: str) -> tuple[str, str]:
    """The same for a group in which it hears, and is no administrator."""
    return f"the bot is no administrator of {where}: it sees no reactions there", _MAKE_ADMIN


class Looks:
    """Which chats were looked at, and when. Lives as long as the account."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._at_s: dict[tuple[str, bool], float] = {}
        self.reported: set[str] = set()
        """Chats about which something was reported."""

    def due(self, chat_id: str, *, sees_all: bool) -> bool:
        """Whether to look at a chat now; it then counts as looked at."""
        now, key = self._now_s(), (chat_id, sees_all)
        if now - self._at_s.get(key, float("-inf")) < LOOK_AGAIN_S:
            return False
        self._at_s[key] = now
        return True


async def look_at_chats(transport: Transport, intake: Intake, looks: Looks, *, sees_all: bool) -> None:
    """Report every routed group in which the bot receives nothing. A failed look-up is ignored."""
    for chat_id in sorted(intake.routed_chats()):
        if not chat_id.startswith("-") or not looks.due(chat_id, sees_all=sees_all):
            continue  # all of a private chat is for the bot
        call = Call("GetChatMember", {"chat_id": chat_id, "user_id": int(transport.bot_id)})
        try:
            member = record(await transport.call(call))
        except ChatDown as error:
            intake.notice(error.reason, error.action, chat_id=chat_id)
            looks.reported.add(chat_id)
            continue
        except (DeliveryError, AccountDown):
            continue
        fault = hearing_fault(words(member.get("status")), chat_id, sees_all=sees_all)
        if fault is not None:
            intake.notice(*fault, chat_id=chat_id)
            looks.reported.add(chat_id)
        elif chat_id in looks.reported:
            looks.reported.discard(chat_id)
            intake.chat_restored(chat_id)


async def tell_removed(item: Removed, directory: Directory, intake: Intake, *, sees_all: bool) -> bool:
    """Tell that the bot was removed from a routed chat, or is no administrator there any more. Whether privacy mode is off by now:
    it is switched off first, and then the bot is added again."""
    if item.chat_id not in intake.routed_chats():
        intake.ignored("the bot's place in a chat without a route changed")
        return sees_all
    where = item.title or item.chat_id
    if item.status in _GONE:
        intake.notice(f"the bot was removed from {where}", _ADD_BOT, chat_id=item.chat_id)
        return sees_all
    intake.chat_restored(item.chat_id)  # perhaps it was in the chat in no way before
    if not sees_all:
        sees_all = await directory.hears_all(before=sees_all)
    fault = hearing_fault(item.status, where, sees_all=sees_all) or _reactions_fault(where)
    intake.notice(*fault, chat_id=item.chat_id)
    return sees_all
