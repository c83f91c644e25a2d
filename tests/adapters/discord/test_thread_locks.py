"""Which locks of threads are the bot's own: each is told once, soon, or never."""

from __future__ import annotations

from adapters.discord.thread_locks import ThreadLocks


def test_a_lock_that_was_never_told_is_not_waited_for_for_ever() -> None:
    now_s = [0.0]
    locks = ThreadLocks(lambda: now_s[0])
    locks.expect("1", locked=True)
    locks.expect("1", locked=True)  # it was so already: nothing is told of it
    assert locks.is_ours("1", locked=True)
    assert not locks.is_ours("1", locked=False), "somebody opens it again"
    now_s[0] = 3600.0
    assert not locks.is_ours("1", locked=True), "somebody locks it"


def test_what_is_told_ends_what_was_expected_before_it() -> None:
    locks = ThreadLocks(lambda: 0.0)
    for locked in (True, True, False, True):
        locks.expect("1", locked=locked)
    assert locks.is_ours("1", locked=False)
    assert locks.is_ours("1", locked=True)
    assert not locks.is_ours("1", locked=True)
    locks.expect("1", locked=True)
    locks.forget("1")
    assert not locks.is_ours("1", locked=True)
