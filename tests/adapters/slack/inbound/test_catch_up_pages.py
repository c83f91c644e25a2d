"""Pages of a channel's history that are not as expected: what may be missing is read, asked for again, or told."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from adapters.slack.directory import Directory
from adapters.slack.inbound.catch_up import CatchUp, Missed
from adapters.slack.inbound.reorder import LateEvents
from adapters.slack.threads import Threads
from adapters.slack.transport import Transport
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.errors import RetryLater

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def catch_up(*answers: Any) -> CatchUp:
    """Slack gives these answers one after the other, and then the last one for ever."""
    left = list(answers)

    async def call(method: str, arguments: dict[str, Any], **more: Any) -> Any:
        answer = left.pop(0) if len(left) > 1 else left[0]
        return answer() if callable(answer) else answer

    transport = SimpleNamespace(call=call, time=SimpleNamespace(now=lambda: NOW))
    return CatchUp(
        cast(Transport, transport),
        cast(Directory, None),
        cast(Threads, None),
        lambda: cast(Any, None),
        max_messages=1000,
        late=cast(LateEvents, None),
        clock=SYSTEM_CLOCK,
    )


def page(*seconds: int, cursor: str = "", **more: Any) -> dict[str, Any]:
    """Newest first, as Slack has them."""
    messages = [{"type": "message", "user": "U1", "text": "x", "ts": f"{second}.000100"} for second in seconds]
    return {"ok": True, "messages": messages, "response_metadata": {"next_cursor": cursor}, **more}


async def test_an_empty_page_is_no_end_while_it_names_the_next_one() -> None:
    found, gap = await catch_up(page(1700000009, cursor="a"), page(cursor="b"), page(1700000005))._messages("C1", "1600000000.0")
    assert [message.ts for message in found.messages] == ["1700000005.000100", "1700000009.000100"]
    assert gap is None
    missed = Missed()
    replies = await catch_up(page(cursor="a"), page(1700000007))._thread("C1", "1700000001.0", "1700000002.0", missed)
    assert [reply.ts for reply in replies] == ["1700000007.000100"]
    assert not missed.threads_unread


async def test_empty_pages_without_end_are_a_gap() -> None:
    cursors = iter(range(10**6))
    answer = lambda: page(cursor=str(next(cursors)))  # noqa: E731
    assert (await catch_up(page(1700000009, cursor="a"), answer)._messages("C1", "1600000000.0"))[1] is not None
    missed = Missed()
    assert await catch_up(answer)._thread("C1", "1700000001.0", "1700000002.0", missed) == []
    assert missed.threads_unread
    assert next(cursors) < 100


async def test_more_without_a_place_to_read_on_from_is_a_gap() -> None:
    _, gap = await catch_up(page(1700000009, has_more=True))._messages("C1", "1600000000.0")
    assert gap == datetime.fromtimestamp(1700000009.0001, UTC)
    assert (await catch_up(page(1700000009, has_more=True))._messages("C1", "1700000009.5"))[1] is None, "what comes is known"
    missed = Missed()
    replies = await catch_up(page(1700000007, has_more=True))._thread("C1", "1700000001.0", "1700000002.0", missed)
    assert len(replies) == 1
    assert missed.threads_unread


@pytest.mark.parametrize("messages", [None, {}, "none", 0])
async def test_an_answer_that_is_no_list_is_not_an_empty_channel(messages: Any) -> None:
    odd = {"ok": True, "messages": messages}
    with pytest.raises(RetryLater, match="no list"):
        await catch_up(odd)._messages("C1", "1600000000.0")
    with pytest.raises(RetryLater, match="no list"):
        await catch_up(odd)._thread("C1", "1700000001.0", "1700000002.0", Missed())
