"""Puts the journal's rows about a message into words, by bridge.yaml, and finds the message that was asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from datetime import datetime
from typing import Any, Self

from bridge.accounts.health import LONG, retry_now
from bridge.config.model import Config
from bridge.delivery.throttle import ACCOUNT_WAIT, CHAT_WAIT
from bridge.journal.contract import DeliveryStatus
from bridge.journal.tracing import ChangeKind, Traced, TracedDelivery, TracedEvent
from bridge.model.moments import moment
from bridge.model.outcomes import read_skip
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef
from bridge.policy.remedies import REMEDIES
from bridge.policy.routing import Route, RouteEnd
from bridge.tracing.answers import answers_data
from bridge.tracing.asking import Asked
from bridge.tracing.conditions import Conditions, nobody


class Known:
    """bridge.yaml, with the native ids and the waits that the journal has, at one moment."""

    def __init__(
        self,
        config: Config,
        native_ids: Mapping[AccountName, Mapping[str, str]],
        waits: Mapping[str, datetime],
        now: datetime,
        conditions: Conditions | None = None,
    ) -> None:
        self._config = config
        self._conditions = conditions or Conditions(nobody)
        self._native_ids = native_ids
        self._waits = waits
        self._now = now
        self._table = config.routing_table()
        for account, known in native_ids.items():
            for address in self._table.addresses(account):
                # an address that is itself a native id is in no table
                self._table.set_native_id(address, known.get(address.address, address.address))

    def at(self, waits: Mapping[str, datetime], now: datetime, conditions: Conditions | None = None) -> Self:
        """The same at another moment: cheap, however many routes there are."""
        again = copy(self)
        again._waits, again._now = waits, now
        again._conditions = conditions or self._conditions
        return again

    # -- which message ------------------------------------------------------------------------------------------------------

    def messages(self, asked: Asked) -> Iterator[MessageRef]:
        """As the journal may know it."""
        chats = dict.fromkeys(self._chats(asked))
        return (MessageRef(ChatRef(asked.account, chat), asked.message_id) for chat in chats)

    def _chats(self, asked: Asked) -> Iterator[str]:
        if not asked.chat:
            return
        without_thread = asked.chat.rpartition("/")[0]
        for chat in (asked.chat, without_thread):
            if chat:
                for address, native in self._native_ids.get(asked.account, {}).items():
                    if address.lower() == chat.lower():
                        yield native
                yield chat

    def why_unknown(self, asked: list[Asked]) -> str:
        """Why the journal does not know the message, as one line."""
        one = asked[0]
        ends = [
            (route, end)
            for asked_one in asked
            for message in self.messages(asked_one)
            for address in self._table.addresses_of(message.chat)
            for route, end in self._ends(address)
        ]
        if not ends and one.chat:
            return f"unknown: no route has {one.account}/{one.chat} as an end, so its messages are not relayed (no_route)"
        sending = [(route, end) for route, end in ends if end.sends]
        if ends and not sending:
            names = ", ".join(sorted({route.name for route, _ in ends}))
            return f"unknown: {one.account}/{one.chat} only receives (route {names}), so its messages are not relayed (no_route)"
        threads = sorted({str(end) for _, end in sending if end.thread_id is not None})
        only = (
            f" Only {', '.join(threads)} of it is relayed." if threads and len(threads) == len({str(e) for _, e in sending}) else ""
        )
        return (
            f"unknown: the journal has no such message.{only} Either the platform did not report it (see /health of that time), or"
            f" it is of a kind that is never relayed (metric messenger_bridge_ignored), or is from before the chat was relayed, or"
            f" older than journal.keep_days ({self._config.journal.keep_days:g}).{self._now_there(asked)}"
        )

    def _now_there(self, asked: list[Asked]) -> str:
        """How the chats are from which the message did not come."""
        chats = dict.fromkeys(
            address for one in asked for message in self.messages(one) for address in self._table.addresses_of(message.chat)
        )
        found = [(address, *self._conditions.of(address)) for address in chats]
        said = [f"{address}: {reason}" + (f" - {action}" if action else "") for address, reason, action in found if reason]
        return "".join(f" Now {one}" for one in (*said, *self._conditions.whole))

    def _ends(self, address: ChatAddress) -> Iterator[tuple[Route, RouteEnd]]:
        for route in self._table.routes:
            for end in route.ends:
                if end.chat == address:
                    yield route, end

    # -- what became of it --------------------------------------------------------------------------------------------------

    def due(self, one: TracedDelivery) -> datetime | None:
        """When an open delivery is tried next, as far as the journal knows."""
        if one.state is DeliveryStatus.BEHIND:
            return one.not_before if one.not_before is not None and one.not_before > self._now else None
        if one.state is not DeliveryStatus.WAITING:
            return None
        waits = (self._waits.get(f"{CHAT_WAIT}:{one.target}"), self._waits.get(f"{ACCOUNT_WAIT}:{one.target.account}"))
        first = one.behind.not_before if one.behind else None
        moments = [at for at in (one.not_before, first, *waits) if at is not None and at > self._now]
        return max(moments, default=None)

    def why(self, one: TracedDelivery) -> str:
        match one.state:
            case DeliveryStatus.DELIVERED:
                return _delivered(one)
            case DeliveryStatus.SKIPPED:
                skip = read_skip(one.note)
                if skip is None:
                    return one.note
                action = f" - {REMEDIES[skip]}" if skip in REMEDIES else ""
                return f"{one.note} ({skip.label}){action}"
            case DeliveryStatus.DEAD:
                return f"{one.note}; `dead retry {one.delivery_id}` tries again"
            case DeliveryStatus.HELD:
                return f"{one.note}; `dead retry {one.delivery_id}` sends it, `dead drop {one.delivery_id}` does not"
            case DeliveryStatus.SENDING:
                since = f" since {moment(one.first_attempt_at)}" if one.first_attempt_at else ""
                return f"attempt {one.attempts} is being made{since}, or its outcome is unknown until the bridge runs again"
            case DeliveryStatus.BEHIND:
                return f"beside the line, later deliveries do not wait for it: {one.note or 'retried by an admin'}"
            case DeliveryStatus.WAITING:
                return self._waiting(one)

    def _waiting(self, one: TracedDelivery) -> str:
        end = self._table.end(one.route, one.target, one.thread_id)
        if end is None:
            return "its route is no longer in bridge.yaml: skipped when its turn comes"
        said = []
        if end.options.hold_s is not None and not one.attempts:
            said.append(f"new messages are held for {end.options.hold_s:g} s there (hold_s in bridge.yaml)")
        if one.behind is not None:
            ahead = one.behind.ahead
            others = f"{ahead} others of this chat, the first of which is" if ahead > 1 else "another of this chat,"
            said.append(f"behind {others} {one.behind.delivery_id}")
            if one.behind.last_error:
                said.append(f"that one: {one.behind.last_error}")
        if one.note:
            said.append(f"attempt {one.attempts} failed: {one.note}" if one.attempts else one.note)
        for name, what in ((f"{CHAT_WAIT}:{one.target}", "chat"), (f"{ACCOUNT_WAIT}:{one.target.account}", "account")):
            until = self._waits.get(name)
            if until is not None and until > self._now:
                said.append(f"the platform's rate limit holds the {what} back until {moment(until)}")
        said += self._now_at(one.target, "; ".join(said))
        due = self.due(one)
        if due is not None and due - self._now > LONG:
            said.append(retry_now(str(one.target)))
        if not said and self._conditions.fault:
            said.append(f"not tried yet: {self._conditions.fault}")
        elif not said:
            said.append("not tried yet: its account connects, or its rates are used up (see messenger-bridge status)")
        return "; ".join(said)

    def _now_at(self, target: ChatAddress, said: str) -> Iterator[str]:
        """What is wrong with the target now, and what to do; a reason that was said already is not repeated."""
        reason, action = self._conditions.of(target)
        if reason and reason not in said:
            yield f"now {target}: {reason}" + (f" - {action}" if action else "")
        elif action:
            yield action

    def missing(self, traced: Traced) -> Iterator[str]:
        """Targets of today's routes that the message was not planned for."""
        if traced.original is None:
            return
        planned = {(one.target, one.thread_id) for one in traced.event.deliveries}
        reported = set()
        for address in self._table.addresses_of(traced.original.chat):
            for route, origin in self._ends(address):
                if not origin.sends:
                    continue
                for end in route.ends:
                    if end.receives and end != origin and (end.chat, end.thread_id) not in planned and str(end) not in reported:
                        reported.add(str(end))
                        yield f"{end} (route {route.name}): not planned: another thread, or a route added since"

    # -- for scripts --------------------------------------------------------------------------------------------------------

    def data(self, traced: Traced) -> dict[str, Any]:
        return {
            "asked": str(traced.asked) if traced.asked else None,
            "change": {"kind": traced.event.change, "of": str(traced.event.of)} if traced.event.change else None,
            "is_original": traced.is_original,
            "is_gone": traced.is_gone,
            "original": str(traced.original) if traced.original else None,
            "also": list(traced.also_ids),
            "author": str(traced.author_name),
            "accepted_at": traced.event.accepted_at,
            "deliveries": self.deliveries_data(traced.event.deliveries),
            "changes": [
                {
                    "kind": change.change,
                    "of": str(change.of),
                    "accepted_at": change.accepted_at,
                    "is_deletion": change.change is ChangeKind.DELETION,
                    "deliveries": self.deliveries_data(change.deliveries),
                }
                for change in traced.changes
            ],
            "changes_left_out": dict(traced.left_out),
            "not_planned": list(self.missing(traced)),
        }

    def deliveries_data(self, deliveries: Iterable[TracedDelivery]) -> list[dict[str, Any]]:
        return [
            {
                "id": one.delivery_id,
                "route": one.route,
                "target": str(one.target),
                "thread": one.thread_id,
                "state": one.state.value,
                "rule": skip.label if one.state is DeliveryStatus.SKIPPED and (skip := read_skip(one.note)) is not None else None,
                "note": one.note,
                "why": self.why(one),
                "attempts": one.attempts,
                "first_attempt_at": one.first_attempt_at,
                "ended_at": one.ended_at,
                "next_attempt_at": self.due(one),
                "ahead": one.behind.ahead if one.behind else 0,
                "copies": [
                    f"{one.target.account}/{part.copy.chat_id}#{id_}" for part in one.copies for id_ in part.copy.message_ids
                ],
                "shared_with": one.shared_with,
                "answers": answers_data(one.answers),
            }
            for one in deliveries
        ]


def titles(traced: Traced) -> Iterator[str]:
    """The lines above the rows: the message, and whether a copy of it was asked for."""
    by = f" by {traced.author_name}" if traced.author_name else ""
    what = f"message {traced.original}{by}" if traced.original else "a notice"
    if traced.event.change is not None:
        what = f"{_DONE[traced.event.change]}: message {traced.event.of}"
    yield f"{what}, accepted {moment(traced.event.accepted_at)}"
    if traced.asked is not None and not traced.is_original:
        yield f"{traced.asked} is a copy of it" + (", deleted since" if traced.is_gone else "")


_DONE = {
    ChangeKind.EDIT: "changed",
    ChangeKind.DELETION: "deleted",
    ChangeKind.REACTIONS: "reactions changed",
    ChangeKind.PIN: "pinned",
    ChangeKind.UNPIN: "unpinned",
    ChangeKind.VOTES: "votes counted",
}


def change_title(event: TracedEvent, traced: Traced) -> str:
    """The line above the rows of a change."""
    where = f" on {event.of}" if event.of not in (None, traced.original) else ""
    return f"{_DONE[event.change or ChangeKind.EDIT]}{where}, accepted {moment(event.accepted_at)}:"


def left_out(traced: Traced) -> Iterator[str]:
    for kind, count in traced.left_out.items():
        yield f"{_DONE[kind]}: {count} earlier one{' is' if count == 1 else 's are'} left out"


def _delivered(one: TracedDelivery) -> str:
    ids = [message_id for part in one.copies for message_id in part.copy.message_ids]
    said = [f"as {', '.join(ids)}"] if ids else []
    if one.shared_with:
        said.append(f"in one message with {one.shared_with} more")
    if one.note:
        said.append(one.note)
    return "; ".join(said)
