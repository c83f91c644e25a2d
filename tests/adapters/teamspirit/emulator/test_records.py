"""What the server keeps: unique names, a bounded number of messages, one message per client id."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.teamspirit.emulator.records import IDEMPOTENCY_S, State


def test_names_are_unique(state: State) -> None:
    assert [state.new_chat("team").name for _ in range(3)] == ["team", "team-2", "team-3"]
    assert [state.new_user("Anna P.").name for _ in range(2)] == ["anna_p", "anna_p2"]
    with pytest.raises(ValueError, match="a chat named team exists"):
        state.rename(state.chats[state.chat_names["team-2"]], "team")


def test_a_renamed_chat_is_found_by_its_new_name_only(state: State) -> None:
    chat = state.new_chat("old")
    state.rename(chat, "new")
    assert state.chat("new") is chat
    assert state.chat(chat.chat_id) is chat
    assert state.chat("old") is None


def test_old_messages_are_forgotten_and_positions_go_on(state: State) -> None:
    state.messages_kept = 10
    chat = state.new_chat("team")
    said = [state.post(chat, state.bot, f"{number}", client_id=f"c{number}") for number in range(30)]
    assert len(chat.messages) <= 11
    assert chat.sent_before("c0") is None
    assert chat.after(said[28].position, 5) == said[28:]


def test_a_client_id_is_known_for_a_day(state: State) -> None:
    chat = state.new_chat("team")
    message = state.post(chat, state.bot, "x", client_id="c")
    assert chat.sent_before("c") is message
    message.sent_at -= timedelta(seconds=IDEMPOTENCY_S + 1)
    assert chat.sent_before("c") is None


def test_what_a_person_sees_has_every_part(state: State) -> None:
    chat = state.new_chat("team")
    parent = state.post(chat, state.new_user("Anna"), "*who*?")
    message = state.post(
        chat,
        state.bot,
        "**me**",
        sender_name="Bo",
        reply_to=parent.message_id,
        links=[("https://e.com/a", "a[1].txt")],
        location={"title": "Park", "lat": 1, "lon": 2},
    )
    seen = state.seen(message)
    assert (seen.author_name, seen.is_bot, seen.reply_quote) == ("Bo", True, "who?")
    assert seen.text.splitlines() == ["me", "a[1].txt", "📍 Park (1, 2)"]
    assert '<a href="https://e.com/a">' in seen.html


@pytest.fixture
def state() -> State:
    return State()
