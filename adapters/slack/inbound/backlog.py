"""Brings every relayed channel up to date when a connection is up, while its live events wait. Called by `adapter.run`.

Channels for which something waits come first, so that a long list under Slack's limit (some 50 calls a minute) delays none that
talks.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from adapters.common.platform_time import DATE_ERROR, PlatformTime
from adapters.slack.inbound.catch_up import CatchUp, Missed
from adapters.slack.inbound.receiver import Position, Receiver, cursor_name
from adapters.slack.lenient import Undecodable
from adapters.slack.timestamps import is_ts, moment, to_ts
from bridge.model.adapter import Intake
from bridge.model.clock import Clock
from bridge.model.errors import ChatDown, Rejected, RetryLater

log = structlog.get_logger("slack")

_AT_ONCE = 3
_BATCH = 200
_LONGEST = timedelta(days=7)
"""Older messages are not brought after a downtime; the gap is told instead."""
_RETRY_WAIT_S = 2.0
_TRIES = 5


class Backlog:
    """One connection's catching up."""

    def __init__(self, catch_up: CatchUp, receiver: Receiver, intake: Intake, slack_time: PlatformTime, clock: Clock) -> None:
        self._clock = clock
        self._time = slack_time
        self._catch_up = catch_up
        self._receiver = receiver
        self._intake = intake
        self._waiting: dict[str, None] = {}
        self._urgent: dict[str, None] = {}
        self._more = asyncio.Event()
        receiver.on_held = self._hurry

    def begin(self) -> None:
        """From now on the channels' live events wait. Call before the first one is read."""
        for chat_id in sorted(self._intake.routed_chats()):
            self._receiver.hold(chat_id)
            self._waiting[chat_id] = None

    def again(self, chat_id: str) -> None:
        """The bot is back in a channel: what was said without it is fetched, and its live events wait meanwhile."""
        if chat_id not in self._waiting and self._receiver.position(chat_id) is not None:
            self._receiver.hold(chat_id)
            self._waiting[chat_id] = None
            self._more.set()

    async def run(self) -> None:
        """Until cancelled. Raises AccountDown, and RetryLater if Slack cannot be reached for long."""
        await self._start_new_ones()
        while True:
            self._more.clear()
            async with asyncio.TaskGroup() as group:
                for number in range(_AT_ONCE):
                    group.create_task(self._work(), name=f"slack catch-up {number}")
            await self._more.wait()

    async def _start_new_ones(self) -> None:
        """Channels that were never read begin now: what was said before they were relayed stays where it is."""
        now = to_ts(self._time.earliest_now())
        new: list[str] = []
        for chat_id in list(self._waiting):
            stored = await self._intake.cursor(cursor_name(chat_id))
            position = await self._possible(chat_id, Position.parse(stored)) if stored is not None else Position(now, now)
            self._receiver.start_at(chat_id, position)
            if stored is None:
                new.append(chat_id)
        if new:
            cursors = [Position(now, now).cursor(chat_id) for chat_id in new]
            await self._intake.accept([], cursors=cursors)
        for chat_id in new:
            self._waiting.pop(chat_id, None)
            await self._receiver.release(chat_id)

    async def _possible(self, chat_id: str, stored: Position) -> Position:
        """The position itself, unless it lies ahead of Slack's clock: a wrong local clock has made it once, and nothing would ever
        be newer. Then the latest message that the bridge knows is where reading stands."""
        now = self._time.now()
        latest = to_ts(now + DATE_ERROR)
        if stored.ts <= latest and stored.floor <= latest:
            return stored
        known = [ts for ts in await self._intake.message_ids(chat_id, 1) if is_ts(ts)]
        ts = min(stored.ts, known[0] if known else to_ts(now))
        log.warning("cursor is ahead of Slack's clock", chat=chat_id, cursor=stored.ts, reading_from=ts)
        return Position(ts, min(stored.floor, ts))

    def _hurry(self, chat_id: str) -> None:
        if chat_id in self._waiting:
            self._urgent[chat_id] = None

    async def _work(self) -> None:
        while self._waiting:
            chat_id = next(iter(self._urgent or self._waiting))
            self._urgent.pop(chat_id, None)
            del self._waiting[chat_id]
            await self._bring(chat_id)
            await self._receiver.release(chat_id)

    async def _bring(self, chat_id: str) -> None:
        position = self._receiver.position(chat_id)
        assert position is not None, "only chats with a position wait"
        now = self._time.now()
        try:
            since = moment(position.ts)
        except Undecodable:
            log.warning("cursor not understood; starting anew", chat=chat_id)
            return
        earliest = now - _LONGEST
        if since < earliest:
            await self._intake.gap(chat_id, since=since, until=earliest, reason="the bridge was away for more than 7 days")
            position = Position(to_ts(earliest), max(position.floor, to_ts(earliest)))
        missed = await self._read(chat_id, position)
        if missed is not None:
            await self._hand_over(chat_id, moment(position.ts), missed)

    async def _read(self, chat_id: str, position: Position) -> Missed | None:
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._catch_up.missed(chat_id, position, self._intake, last_try=attempt == _TRIES)
            except ChatDown as error:
                self._intake.notice(error.reason, error.action, chat_id=chat_id)
                return None
            except Rejected as error:
                action = "check the app's scopes (adapters/slack/README.md)"
                self._intake.notice(f"missed messages cannot be read: {error.reason}", action, chat_id=chat_id)
                await self._intake.gap(chat_id, since=moment(position.ts), until=self._time.now(), reason=error.reason)
                return None
            except RetryLater as error:
                if attempt == _TRIES and not error.rate_limited:
                    raise
                await self._clock.sleep(error.after_s if error.after_s is not None else _RETRY_WAIT_S * attempt)
        raise RetryLater("conversations.history: Slack's rate limit")

    async def _hand_over(self, chat_id: str, since: datetime, missed: Missed) -> None:
        if missed.gap_until is not None and missed.gap_until > since:
            await self._intake.gap(chat_id, since=since, until=missed.gap_until, reason="too many messages")
        if missed.threads_unread:
            reason = f"replies in threads may be missing: {missed.threads_unread}"
            self._intake.notice(reason, "look into the threads of the channel", chat_id=chat_id)
        self._receiver.learn_versions(chat_id, missed.versions)
        for at in range(0, len(missed.events), _BATCH):
            await self._intake.accept(missed.events[at : at + _BATCH])
            self._receiver.heard(missed.events[at : at + _BATCH])
        for raw, reason in missed.unreadable:
            await self._intake.undecodable(raw, f"read back: {reason}")
        cursor = self._receiver.advance(chat_id, missed.newest_ts) if missed.newest_ts else None
        if cursor is not None:
            await self._intake.accept([], cursors=[cursor])
