"""What a moderator asks in a chat: how its routes are, where its messages go, what became of one. A few short lines each, without
anybody's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from bridge.accounts.health import Condition, HealthReport, Status
from bridge.journal.contract import DeadLetterStore, DeliveryStatus, LaneFigures, Upkeep
from bridge.journal.dead_letters import marks
from bridge.journal.tracing import Traced, TracedDelivery
from bridge.model.moments import moment
from bridge.model.refs import ChatAddress
from bridge.policy.commands import ADMIN
from bridge.policy.routing import Route, RouteEnd, RoutingTable

_MOST_LINES, _MOST_CHARACTERS = 12, 160

Here = Sequence[tuple[Route, RouteEnd]]
"""The routes that a chat, or its thread, is in, with its end of each."""


class OverviewStore(DeadLetterStore, Upkeep, Protocol):
    pass


class Overview:
    def __init__(self, journal: OverviewStore, table: Callable[[], RoutingTable], health: Callable[[], HealthReport]) -> None:
        self._journal = journal
        self._table = table
        self._health = health

    def here(self, addresses: Sequence[ChatAddress], thread_id: str | None) -> Here:
        """Those of the thread itself if it has any, else those of the whole chat. Empty if no route has the chat."""
        known = set(addresses)
        ends = [(route, end) for route in self._table().routes for end in route.ends if end.chat in known]
        own = [(route, end) for route, end in ends if thread_id is not None and end.thread_id == thread_id]
        return own or [(route, end) for route, end in ends if end.thread_id is None]

    # -- where does this go -------------------------------------------------------------------------------------------------

    def where(self, here: Here) -> str:
        """Where messages of the chat go to and come from."""
        lines = [f"{route.name}: {there}" for route, end in here if (there := "; ".join(_directions(route, end)))]
        return _lines(lines) or "No route has this chat."

    def became(self, traced: Traced) -> str:
        """What became of a message in each chat."""
        lines = [f"{_place(one)}: {_outcome(one)}" for one in traced.event.deliveries]
        return _lines(lines) or "That message goes to no other chat."

    # -- how is it ----------------------------------------------------------------------------------------------------------

    async def status(self, here: Here, *, of_all: bool = False) -> str:
        """Of the chat's own routes; `of_all`: of the whole bridge. Raises JournalError."""
        if not here and not of_all:
            return (
                f"No route has this chat. People with the role {ADMIN} are told of the whole bridge in a private chat with the bot."
            )
        health, figures = self._health(), await self._journal.figures()
        if not of_all:
            routes = {route.name: route for route, _ in here}
            ends = {str(end): end for route in routes.values() for end in route.ends}
            lines = [line for end in ends.values() if (line := _trouble(str(end), health.end(end)))]
            chats = {end.chat for end in ends.values()}
            waiting = [lane for lane in figures.lanes if lane.target in chats]
            dead = sum([1 async for mark in marks(self._journal) if mark.route in routes])
            what = ", ".join(routes)
        else:
            lines = [line for name in health.accounts() if (line := _trouble(str(name), health.condition(name)))]
            waiting, dead, what = list(figures.lanes), figures.dead, "all accounts"
            lines += [line for chat in self._chats() if (fault := health.trouble_of(chat)) and (line := _trouble(str(chat), fault))]
        head = f"{what}: {f'{len(lines)} in trouble' if lines else 'all is well'}."
        return _lines([head, *lines, *map(_wait, waiting), *_dead(dead)])

    def _chats(self) -> Iterable[ChatAddress]:
        """Of all routes."""
        return dict.fromkeys(end.chat for route in self._table().routes for end in route.ends)


def _directions(route: Route, end: RouteEnd) -> Iterator[str]:
    others = [other for other in route.ends if other is not end]
    to = [str(other) for other in others if end.sends and other.receives]
    come = [str(other) for other in others if other.sends and end.receives]
    for said, chats in (
        ("to and from", [chat for chat in to if chat in come]),
        ("to", [chat for chat in to if chat not in come]),
        ("from", [chat for chat in come if chat not in to]),
    ):
        if chats:
            yield f"{said} {', '.join(chats)}"


def _place(one: TracedDelivery) -> str:
    return f"{one.target}/{one.thread_id}" if one.thread_id else str(one.target)


def _outcome(one: TracedDelivery) -> str:
    at = f" at {moment(one.ended_at)} UTC" if one.ended_at is not None else ""
    match one.state:
        case DeliveryStatus.DELIVERED:
            return f"delivered{at}" + (f" ({one.note})" if one.note else "")
        case DeliveryStatus.SKIPPED:
            return f"skipped: {one.note}"
        case DeliveryStatus.DEAD | DeliveryStatus.HELD:
            return f"not delivered{at}: {one.note}. `retry`, as a reply to the message, tries again"
        case _:
            due = f", tried again at {moment(one.not_before)} UTC" if one.not_before is not None else ""
            return f"waits{f': {one.note}' if one.note else ''}{due}"


def _trouble(what: str, condition: Condition) -> str:
    if condition.status is Status.PASS:
        return ""
    return f"{what}: {condition.reason}" + (f" - {condition.action}" if condition.action else "")


def _wait(lane: LaneFigures) -> str:
    since = f" since {moment(lane.oldest_accepted_at)} UTC" if lane.oldest_accepted_at is not None else ""
    return f"{lane.waiting} wait for {lane.target}{since}" + (f": {lane.last_error}" if lane.last_error else "")


def _dead(count: int) -> Iterator[str]:
    if count:
        yield f"{count} could not be delivered: `messenger-bridge dead list`, or `retry`"


def _lines(lines: Sequence[str]) -> str:
    """Errors of platforms are among them: each is one line, and not a long one."""
    shown = [_cut(" ".join(line.split())) for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        shown.append(f"... {len(lines) - _MOST_LINES} more: messenger-bridge status")
    return "\n".join(shown)


def _cut(line: str) -> str:
    return line if len(line) <= _MOST_CHARACTERS else line[: _MOST_CHARACTERS - 1] + "…"
