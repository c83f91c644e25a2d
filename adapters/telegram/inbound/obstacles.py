"""What keeps a bot from hearing, told to a human who can change it: other programs with its token, chats where it sees nothing.

Source: platforms.md 1.1 (single consumer, privacy mode).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from adapters.common.lenient import record, words
from adapters.telegram.outbound.encode import Call
from adapters.telegram.transport import Transport
from bridge.model.adapter import Intake
from bridge.model.errors import AccountDown, ChatDown, DeliveryError

CONFLICTS_MAX = 5
CONFLICTS_WITHIN_S = 600.0
"""So many polls ended by somebody else in that time are no accident of a restart: each of ours ends one of theirs, and what people
write goes to whoever polled last."""

POLLED_ELSEWHERE = ("another program polls with this bot's token", "stop the other program, or use a bot of its own for the bridge")
WEBHOOK_ELSEWHERE = (
    "another program receives this bot's messages through a webhook",
    "delete the webhook, or set take_over_webhook: true, or use a bot of its own for the bridge",
)
PRIVACY_ACTION = (
    "make the bot an administrator of the chat; or send /setprivacy to @BotFather, choose the bot, Disable, then remove the bot "
    "from the chat and add it again"
)
_ADD_BOT = "add the bot to the chat again"
_MAKE_ADMIN = "make the bot an administrator of the chat"
_GONE = ("kicked", "left")
_ADMINS = ("administrator", "creator")


def conflict_of(reason: str) -> tuple[str, str] | None:
    """What stands behind a refused poll, and what to do about it."""
    if "webhook is active" in reason:
        return WEBHOOK_ELSEWHERE
    return POLLED_ELSEWHERE if "terminated by other getUpdates" in reason else None


class Conflicts:
    """Counts polls that were ended by somebody else. Lives as long as the account, over all its connections."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._at_s: deque[float] = deque(maxlen=CONFLICTS_MAX)
        self.told = False
        """Whether a notice about one is out."""

    def add(self) -> bool:
        """Whether it is time to stop: each try of ours disturbs the other program as well."""
        now = self._now_s()
        self._at_s.append(now)
        return len(self._at_s) == CONFLICTS_MAX and now - self._at_s[0] <= CONFLICTS_WITHIN_S


def hearing_fault(status: str, where: str, *, sees_all: bool) -> tuple[str, str] | None:
    """Why a bot of this status in a group does not hear what people write there, and what to click; None if it does.

    `sees_all`: privacy mode is off (`can_read_all_group_messages`)."""
    if status in _GONE:
        return f"the bot is not in {where}", _ADD_BOT
    if status in _ADMINS or sees_all:
        return None
    return f"privacy mode is on and the bot is no administrator of {where}: it sees no messages there but commands", PRIVACY_ACTION


def reactions_fault(where: str) -> tuple[str, str]:
    """The same for a group in which it hears, and is no administrator."""
    return f"the bot is no administrator of {where}: it sees no reactions there", _MAKE_ADMIN


LOOK_AGAIN_S = 900.0
"""A connection that comes and goes asks no chat again before."""


class Looks:
    """Which chats were looked at, and when. Lives as long as the account."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._at_s: dict[tuple[str, bool], float] = {}
        self.told: set[str] = set()
        """Chats of which something was told."""

    def due(self, chat_id: str, *, sees_all: bool) -> bool:
        """Whether to look at a chat now; it then counts as looked at."""
        now, key = self._now_s(), (chat_id, sees_all)
        if now - self._at_s.get(key, float("-inf")) < LOOK_AGAIN_S:
            return False
        self._at_s[key] = now
        return True


async def look_at_chats(transport: Transport, intake: Intake, looks: Looks, *, sees_all: bool) -> None:
    """Tell of every routed group in which the bot hears nothing. A look-up that fails says nothing, and does no harm."""
    for chat_id in sorted(intake.routed_chats()):
        if not chat_id.startswith("-") or not looks.due(chat_id, sees_all=sees_all):
            continue  # all of a private chat is for the bot
        call = Call("GetChatMember", {"chat_id": chat_id, "user_id": int(transport.bot_id)})
        try:
            member = record(await transport.call(call))
        except ChatDown as error:
            intake.notice(error.reason, error.action, chat_id=chat_id)
            looks.told.add(chat_id)
            continue
        except (DeliveryError, AccountDown):
            continue
        fault = hearing_fault(words(member.get("status")), chat_id, sees_all=sees_all)
        if fault is not None:
            intake.notice(*fault, chat_id=chat_id)
            looks.told.add(chat_id)
        elif chat_id in looks.told:
            looks.told.discard(chat_id)
            intake.chat_restored(chat_id)


async def hears_all(transport: Transport, *, before: bool) -> bool:
    """Whether privacy mode is off by now; as before, if that cannot be told."""
    try:
        me = record(await transport.call(Call("GetMe", {})))
    except (DeliveryError, AccountDown):
        return before
    return me.get("can_read_all_group_messages") is True
