"""What is taken for another bridge's copy, and what never is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.events import Author, Content, EventMeta, MessageCreated
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import plain
from bridge.policy.loops import RecentMessages
from tests.support.strategies import NOON


def message(text: str, name: str, *, chat: str = "one", is_bot: bool = False, after_s: float = 0) -> MessageCreated:
    at = NOON + timedelta(seconds=after_s)
    meta = EventMeta(
        event_key=f"{chat} {text} {name}",
        origin=ChatRef(AccountName(chat), "c"),
        occurred_at=at,
        received_at=at,
        author=Author(user_id=name, name=name, is_bot=is_bot),
    )
    return MessageCreated(meta=meta, message_id="1", content=Content(text=plain(text)))


def is_copy(said: str, author: str, repeated: str, bot: str, *, after_s: float = 1) -> bool:
    recent = RecentMessages()
    recent.remember(["r"], message(said, author))
    return recent.is_copy("r", message(repeated, bot, chat="two", is_bot=True, after_s=after_s))


@pytest.mark.parametrize(
    ("repeated", "bot"),
    [
        ("see you at 5", "Anna"),
        ("see you at 5", "Anna (telegram)"),
        ("See you at **5**", "anna"),
        ("<Anna> see you at 5", "relay"),
        ("[tg] <Anna> see you at 5", "relay"),
        ("Anna: see you at 5", "relay"),
        ("**Anna**\nsee you at 5", "relay"),
        ("[telegram] Anna » see you at 5", "relay"),
    ],
)
def test_the_same_words_under_or_behind_the_authors_name_are_a_copy(repeated: str, bot: str) -> None:
    assert is_copy("see you at 5", "Anna", repeated, bot)


@pytest.mark.parametrize(
    ("said", "author", "repeated", "bot"),
    [
        ("done", "Ed", "Nightly build finished on main, 2 tests failed. Deployment to staging done", "CI"),
        ("done", "Ed", "Deployed. Deployment done", "CI"),
        ("done", "Staging", "Deployment to staging done", "CI"),
        ("ok", "Max", "Max memory: 3 GB of 4 GB used, swap ok", "Monitor"),
        ("42", "Al", "Al: build 42", "CI"),
        ("failed", "Anna", "Build of Anna failed", "CI"),
        ("see you at 5", "Anna", "Anna: see you at 5 and bring cake", "relay"),
        ("see you at 5", "Anna", "see you at 5", "Hanna"),
        ("see you at 5", "Anna", "see you at 5", "relay"),
        ("5", "Anna", "Anna: 15", "relay"),
        ("👍", "Anna", "Anna: 👍", "relay"),
    ],
)
def test_a_bot_that_says_anything_else_is_heard(said: str, author: str, repeated: str, bot: str) -> None:
    assert not is_copy(said, author, repeated, bot)


@given(
    st.text(min_size=1, max_size=20),
    st.text(max_size=40),
    st.lists(st.text("abcdefgh", min_size=3, max_size=9), min_size=4, max_size=30),
)
def test_words_that_nobody_said_are_never_a_copy(author: str, said: str, words: list[str]) -> None:
    """More than two words before those repeated, none of them the author's, are a message of the bot's own."""
    assert not is_copy(said, author, " ".join(["report", "of", "today", *words, "ends"]) + f" with {said}", "CI")


def test_people_and_messages_of_another_time_or_the_same_chat_are_no_copies() -> None:
    recent = RecentMessages()
    recent.remember(["r"], message("hello", "Anna"))
    assert not recent.is_copy("r", message("hello", "Anna", chat="two"))
    assert not recent.is_copy("r", message("hello", "Anna", is_bot=True))
    assert not recent.is_copy("other", message("hello", "Anna", chat="two", is_bot=True))
    assert not is_copy("hello", "Anna", "hello", "Anna", after_s=301)
