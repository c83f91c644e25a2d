"""When a thread that could not be made is tried again."""

from __future__ import annotations

import pytest

from bridge.delivery import thread_retries
from bridge.delivery.thread_retries import FIRST_WAIT_S, LONGEST_WAIT_S, ThreadRetries
from bridge.model.refs import AccountName, ChatAddress, ChatRef, ThreadRef
from tests.support.clock import ManualClock

HERE = ThreadRef(ChatRef(AccountName("one"), "c"), "7")
THERE, ELSEWHERE = (ChatAddress(AccountName("two"), chat) for chat in "cd")


def test_more_and_more_rarely_until_it_is_made() -> None:
    clock = ManualClock()
    retries, waits = ThreadRetries(clock, lambda: "routes"), []
    assert retries.is_due(HERE, THERE), "nothing is known of it after a start"
    for _ in range(8):
        retries.failed(HERE, THERE)
        waited_s = 0.0
        while not retries.is_due(HERE, THERE):
            clock.forward(600.0)
            waited_s += 600.0
        waits.append(waited_s)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (FIRST_WAIT_S, LONGEST_WAIT_S)
    retries.made(HERE, THERE)
    retries.failed(HERE, THERE)
    clock.forward(FIRST_WAIT_S)
    assert retries.is_due(HERE, THERE)


def test_at_once_after_a_reload_or_when_the_chat_allows_more() -> None:
    routes = [object()]
    retries = ThreadRetries(ManualClock(), lambda: routes[-1])
    for target in (THERE, ELSEWHERE):
        retries.failed(HERE, target)
    retries.restored(THERE)
    assert retries.is_due(HERE, THERE)
    assert not retries.is_due(HERE, ELSEWHERE)
    routes.append(object())
    assert retries.is_due(HERE, ELSEWHERE)


def test_it_remembers_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_retries, "KEPT", 10)
    retries = ThreadRetries(ManualClock(), lambda: None)
    for number in range(25):
        retries.failed(ThreadRef(HERE.chat, str(number)), THERE)
    known = [number for number in range(25) if not retries.is_due(ThreadRef(HERE.chat, str(number)), THERE)]
    assert known
    assert len(known) <= 10
