"""Other programs with the bot's token: Telegram ends a poll when somebody else polls, and refuses polls while a webhook is set.

Source: platforms.md 1.1 (single consumer).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

CONFLICTS_MAX = 5
CONFLICTS_WITHIN_S = 600.0
"""This many polls ended by somebody else in that time are no accident of a restart: each of ours ends one of theirs, and messages
go to whichever polled last."""

POLLED_ELSEWHERE = ("another program polls with this bot's token", "stop the other program, or use a bot of its own for the bridge")
WEBHOOK_ELSEWHERE = (
    "another program receives this bot's messages through a webhook",
    "delete the webhook, or set take_over_webhook: true, or use a bot of its own for the bridge",
)


def conflict_of(reason: str) -> tuple[str, str] | None:
    """The cause of a refused poll, and what to do about it; None if it was refused for another reason."""
    if "webhook is active" in reason:
        return WEBHOOK_ELSEWHERE
    return POLLED_ELSEWHERE if "terminated by other getUpdates" in reason else None


class Conflicts:
    """Counts polls that were ended by somebody else. Lives as long as the account, over all its connections."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._at_s: deque[float] = deque(maxlen=CONFLICTS_MAX)
        self.is_reported = False
        """Whether a notice about one is out."""

    def add(self) -> bool:
        """Whether it is time to stop: each try of ours disturbs the other program as well."""
        now = self._now_s()
        self._at_s.append(now)
        return len(self._at_s) == CONFLICTS_MAX and now - self._at_s[0] <= CONFLICTS_WITHIN_S
