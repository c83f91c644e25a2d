"""What comes back as an event is known: messages posted, and the new names of chats, each once."""

from __future__ import annotations

import pytest

from bridge.delivery import recent_posts
from bridge.delivery.recent_posts import Posted
from bridge.model.events import ChatRenamed
from bridge.model.refs import AccountName, ChatRef
from tests.support.strategies import meta

HERE = meta().origin


def renamed(name: str, thread: str | None = None) -> ChatRenamed:
    return ChatRenamed(meta=meta(thread_id=thread), name=name)


def test_a_name_that_a_chat_was_given_comes_back_once_as_the_platform_writes_it() -> None:
    posted = Posted()
    posted.renaming(HERE, "War Room!", 0.0)
    assert not posted.has(renamed("something else"), 1.0)
    assert not posted.has(renamed("war-room", "5"), 1.0), "a thread of that name"
    assert posted.has(renamed("war-room"), 1.0)
    assert not posted.has(renamed("war-room"), 2.0), "somebody gave it that name again"


def test_the_name_asked_for_and_the_name_got_are_both_known() -> None:
    for name in ("Café", "cafe"):
        posted = Posted()
        posted.renaming(HERE, "Café", 0.0)
        posted.renamed(HERE, "Café", "cafe")
        assert posted.has(renamed(name), 1.0)


def test_each_of_several_names_comes_back_once() -> None:
    posted = Posted()
    posted.renaming(HERE, "one", 0.0)
    posted.renaming(HERE, "two", 1.0)
    posted.renaming(HERE, "two", 2.0)  # tried again
    assert [posted.has(renamed(name), 3.0) for name in ("one", "two", "two", "one")] == [True, True, False, False]


def test_a_name_that_came_back_before_the_answer_is_over() -> None:
    posted = Posted()
    posted.renaming(HERE, "War Room", 0.0)
    assert posted.has(renamed("war-room"), 0.1)
    posted.renamed(HERE, "War Room", "war-room")
    assert not posted.has(renamed("war-room"), 60.0), "somebody gave it another name meanwhile, and then that one again"


def test_a_renaming_that_failed_or_is_long_ago_is_nobodys() -> None:
    posted = Posted()
    posted.renaming(HERE, "war room", 0.0)
    posted.not_renamed(HERE)
    assert not posted.has(renamed("war room"), 1.0)
    posted.renaming(HERE, "war room", 0.0)
    assert not posted.has(renamed("war room"), 700.0)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_posts, "_RENAMES_KEPT", 5)
    posted = Posted()
    for number in range(50):
        posted.renaming(ChatRef(AccountName("tg"), str(number)), "x", 0.0)
    assert len(posted._renamed) == 5
    for number in range(50):
        posted.renaming(HERE, str(number), 0.0)
    assert len(posted._renamed[HERE][0]) == recent_posts._NAMES_KEPT
