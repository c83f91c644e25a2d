"""What happened in a channel while nobody listened: its history since the cursor, as the events that live delivery would have made.

Called by `backlog` when a connection is up, and by `adapter` for `history`. Slack's history leaves out thread replies (read per
thread), deletions (found by asking for known messages that are not there any more) and reactions (not caught up). Repeated events
are harmless: keys are those of live delivery. Source: docs.slack.dev conversations.history, conversations.replies; read 2026-11.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from adapters.slack.directory import Directory
from adapters.slack.identity import Identity
from adapters.slack.inbound import decode
from adapters.slack.inbound.decode_context import Context
from adapters.slack.inbound.receiver import Position
from adapters.slack.inbound.reorder import LateEvents
from adapters.slack.lenient import Undecodable, convert, next_cursor, objects, words
from adapters.slack.names import Wanted, wanted
from adapters.slack.threads import Threads
from adapters.slack.timestamps import is_ts, moment, to_ts
from adapters.slack.transport import Answer, Transport
from adapters.slack.wire import Message
from bridge.model.adapter import Intake
from bridge.model.clock import Clock
from bridge.model.errors import DeliveryError, RetryLater
from bridge.model.events import ChatEvent, Ignored, MessageCreated

log = structlog.get_logger("slack")

_PAGE = 200
_MOST_EMPTY = 10
"""Empty pages in a row, each with the place of the next one, before reading ends."""
_OVERLAP = timedelta(minutes=10)
"""Read again before the cursor: an event may have been lost although a later one was accepted. Slack itself retries for 6 min."""
_SECOND = timedelta(seconds=1)
_KNOWN_MESSAGES = 100
_LOOKUPS_FOR_DELETED = 20
_THREADS = 50
_PATIENT_TRIES = 3
_WAIT_S = 2.0
_LONGEST_WAIT_S = 90.0
"""Slack's limits are per minute."""


@dataclass(slots=True)
class Missed:
    """What a channel's history brought. `gap_until` is the time before which messages were too many to fetch."""

    events: list[ChatEvent] = field(default_factory=list)
    newest_ts: str = ""
    versions: dict[str, datetime] = field(default_factory=dict)
    """When each edited message got the words it has now."""
    gap_until: datetime | None = None
    threads_unread: str = ""
    """Why replies may be missing; empty: none is."""
    unreadable: list[tuple[bytes, str]] = field(default_factory=list)
    """Messages that are new and not understood, as Slack gave them, with the reason."""


@dataclass(slots=True)
class _Page:
    """A page of a history in Slack's order. `unreadable`: what is no message for us, why, and its `ts` as far as it has one."""

    messages: list[Message] = field(default_factory=list)
    unreadable: list[tuple[Any, str, str]] = field(default_factory=list)
    count: int = 0
    last_ts: str = ""
    newest_ts: str = ""

    def add(self, page: _Page) -> None:
        self.messages += page.messages
        self.unreadable += page.unreadable
        self.count += page.count
        self.last_ts = page.last_ts or self.last_ts
        self.newest_ts = max(self.newest_ts, page.newest_ts)


class CatchUp:
    """Reads history for one account."""

    def __init__(
        self,
        transport: Transport,
        directory: Directory,
        threads: Threads,
        identity: Callable[[], Identity],
        *,
        max_messages: int,
        late: LateEvents,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._late = late
        self._transport = transport
        self._directory = directory
        self._threads = threads
        self._identity = identity
        self._max_messages = max_messages

    async def missed(self, chat_id: str, position: Position, intake: Intake, *, last_try: bool = False) -> Missed:
        """Everything since `position`: messages, thread replies, edits, deletions; oldest first. Raises DeliveryErrors. On the last
        try only the messages themselves count: no thread, and no look for deletions, throws them away."""
        oldest = max(to_ts(moment(position.ts) - _OVERLAP), position.floor)
        read_at = self._transport.time.earliest_now()
        read, gap_until = await self._messages(chat_id, oldest)
        found = read.messages
        result = Missed(gap_until=gap_until, newest_ts=read.newest_ts)
        result.unreadable += [(msgspec.json.encode(item), why) for item, why, ts in read.unreadable if ts > position.ts]
        replies = await self._replies(chat_id, [*found], oldest, result, last_try)
        context = await self._context(chat_id, found, replies)
        for message in (*found, *replies):
            event = self._event(message, context, result.unreadable if message.ts > position.ts else None)
            if event is None:
                continue
            if message.ts > oldest:
                result.events.append(event)
            edit = await self._edit(message, event, oldest, read_at, context, intake)
            if edit is not None:
                result.events.append(edit)
            if edit is not None or message.ts > position.ts:
                # what is new to us has its latest words; changes that happened before they were read are in them
                result.versions[message.ts] = read_at
        try:
            await self._add_deletions(result, chat_id, found, replies, intake, context)
        except DeliveryError as error:
            if isinstance(error, RetryLater) and not last_try:
                raise
            # whether more are gone cannot be told; that is no reason to lose what was read
            log.warning("deleted messages not looked for", chat=chat_id, reason=error.reason)
        result.events.sort(key=lambda event: event.meta.occurred_at)
        return result

    async def _edit(
        self, message: Message, event: ChatEvent, oldest: str, read_at: datetime, context: Context, intake: Intake
    ) -> ChatEvent | None:
        """What became of a message since `oldest`, if it is not new to us: then it is new with its latest words. A mark is in whole
        seconds, so an edit may be as late as the second's end; updates of apps leave none."""
        version = _version(message)
        if version and moment(version) + _SECOND > moment(oldest):
            if message.ts <= oldest or await intake.is_known(event.meta.event_key):
                return decode.edited(message, message.channel, version, context)
        elif isinstance(event, MessageCreated) and self._late.says_otherwise(event):
            return decode.edited(message, message.channel, to_ts(read_at), context)
        return None

    async def since(self, chat_id: str, since: str) -> AsyncIterator[ChatEvent]:
        """Messages after the `ts`, oldest first, thread replies among them."""
        found = (await self._messages(chat_id, since))[0].messages
        result = Missed()
        replies = await self._replies(chat_id, found, since, result, last_try=True)
        context = await self._context(chat_id, found, replies)
        for message in sorted((*found, *replies), key=lambda message: message.ts):
            event = self._event(message, context)
            if event is not None and message.ts > since:
                yield event

    # -- reading ----------------------------------------------------------------------------------------------------------------

    async def _messages(self, chat_id: str, oldest: str) -> tuple[_Page, datetime | None]:
        """Messages newer than `oldest`, and at least the newest page, whose older messages may have been edited or answered in
        threads meanwhile; oldest first. With it the time before which messages were too many, if they were. A page of what is not
        understood is a page like any other."""
        found, cursor, empty = _Page(), "", 0
        while True:
            arguments = {"channel": chat_id, "limit": _PAGE, "include_all_metadata": True, "cursor": cursor or None}
            if found.count:
                arguments["oldest"] = oldest
            answer = await self._transport.call("conversations.history", arguments)
            page = _decode_page(answer, chat_id)
            found.add(page)
            before, cursor = cursor, next_cursor(answer)
            empty = 0 if page.count else empty + 1  # a page may be empty although others follow it
            is_over = not cursor and answer.get("has_more") is not True
            if is_over or (page.last_ts and page.last_ts <= oldest):
                break
            if found.count >= self._max_messages or cursor in ("", before) or empty >= _MOST_EMPTY:
                found.messages.reverse()
                return found, moment(found.last_ts) if found.last_ts else self._transport.time.now()
        found.messages.reverse()
        return found, None

    async def _replies(self, chat_id: str, parents: list[Message], oldest: str, result: Missed, last_try: bool) -> list[Message]:
        """Replies newer than `oldest` in the threads that got some. Without the right to read them the rest still counts."""
        found: list[Message] = []
        moved = [parent for parent in parents if parent.latest_reply and parent.latest_reply > oldest]
        for parent in moved[-_THREADS:]:
            try:
                found += await self._thread(chat_id, parent.ts, oldest, result)
            except DeliveryError as error:
                log.warning("thread not read", chat=chat_id, reason=error.reason)
                if isinstance(error, RetryLater) and not last_try:
                    raise
                result.threads_unread = error.reason
        if len(moved) > _THREADS:
            result.threads_unread = f"more than {_THREADS} threads got replies"
        return found

    async def _thread(self, chat_id: str, parent_ts: str, oldest: str, result: Missed) -> list[Message]:
        """Replies of one thread newer than `oldest`."""
        found: list[Message] = []
        cursor, count, empty = "", 0, 0
        while True:
            arguments = {"channel": chat_id, "ts": parent_ts, "oldest": oldest, "limit": _PAGE, "include_all_metadata": True}
            answer = await self._ask("conversations.replies", {**arguments, "cursor": cursor or None})
            page = _decode_page(answer, chat_id)
            found += [reply for reply in page.messages if reply.ts != parent_ts and reply.ts > oldest]
            result.unreadable += [
                (msgspec.json.encode(item), why) for item, why, ts in page.unreadable if ts > oldest and ts != parent_ts
            ]
            before, cursor, count = cursor, next_cursor(answer), count + page.count
            empty = 0 if page.count else empty + 1
            if not cursor and answer.get("has_more") is not True:
                break
            if count >= self._max_messages or cursor in ("", before) or empty >= _MOST_EMPTY:
                result.threads_unread = "a thread got too many replies"
                break
        return found

    async def _context(self, chat_id: str, found: list[Message], replies: list[Message]) -> Context:
        asked = Wanted()
        for message in (*found, *replies):
            asked = asked | wanted(msgspec.json.encode(message))
        names = await self._directory.names(asked)
        context = Context(self._identity(), names, self._clock.now())
        for message in found:
            event = self._event(message, context)
            if event is not None:
                self._threads.learn(event)
        parents = await self._threads.parents({(chat_id, reply.thread_ts) for reply in replies if reply.thread_ts})
        return replace(context, parents=parents)

    def _event(self, message: Message, context: Context, unreadable: list[tuple[bytes, str]] | None = None) -> ChatEvent | None:
        try:
            event = decode.decode_message(message, context)
        except Undecodable as error:
            if unreadable is not None:
                unreadable.append((msgspec.json.encode(message), error.reason))
            return None
        return None if isinstance(event, Ignored) else event

    async def _add_deletions(
        self,
        result: Missed,
        chat_id: str,
        found: list[Message],
        replies: list[Message],
        intake: Intake,
        context: Context,
    ) -> None:
        """Messages that the bridge knows, that should be in what was read, and are not. Thread replies are not in a channel's
        history, so each candidate is asked for by itself."""
        if not found:
            return
        present = {message.ts for message in (*found, *replies)}
        known = await intake.message_ids(chat_id, _KNOWN_MESSAGES)
        missing = [ts for ts in known if is_ts(ts) and ts >= found[0].ts and ts not in present]
        for ts in missing[:_LOOKUPS_FOR_DELETED]:
            gone = decode.deleted(chat_id, ts, context, at=self._transport.time.now())
            if await intake.is_known(gone.meta.event_key):
                continue
            answer = await self._ask("reactions.get", {"channel": chat_id, "timestamp": ts}, tolerate=("message_not_found",))
            if answer.get("error") == "message_not_found":
                result.events.append(gone)

    async def _ask(self, method: str, arguments: dict[str, Any], *, tolerate: tuple[str, ...] = ()) -> Answer:
        """One of many calls that make up a reading: a moment's refusal for the rate does not make it begin anew."""
        for _ in range(_PATIENT_TRIES):
            try:
                return await self._transport.call(method, arguments, tolerate=tolerate)
            except RetryLater as error:
                if not error.rate_limited or (error.after_s or 0.0) > _LONGEST_WAIT_S:
                    raise
                await self._clock.sleep(_WAIT_S if error.after_s is None else error.after_s)
        return await self._transport.call(method, arguments, tolerate=tolerate)


def _version(message: Message) -> str:
    """The mark of the latest edit; empty if there is none that can be read."""
    try:
        moment(message.edited.ts if message.edited is not None else "")
    except Undecodable:
        return ""
    return message.edited.ts if message.edited is not None else ""


def _decode_page(answer: Answer, chat_id: str) -> _Page:
    """A page's messages as it has them. One of an unknown shape is kept apart; it is logged here only if it has no time, since then
    it cannot be told whether it is new. Raises RetryLater for an answer without a list: it does not say that there are none."""
    page = _Page()
    if not isinstance(answer.get("messages"), list):
        raise RetryLater("Slack's answer holds no list of messages")
    for entry in objects(answer.get("messages")):
        page.count += 1
        ts = words(entry.get("ts"))
        if is_ts(ts):
            page.last_ts, page.newest_ts = ts, max(page.newest_ts, ts)
        try:
            message = convert(entry, Message)
            if not is_ts(message.ts):
                raise msgspec.ValidationError("no time")
        except msgspec.ValidationError as error:
            if is_ts(ts):
                page.unreadable.append((entry, str(error), ts))
            else:
                log.warning("message of the history not understood", chat=chat_id, reason=str(error))
            continue
        message.channel = chat_id
        page.messages.append(message)
    return page
