"""Events as ntfy writes them: what is strict, what is shown, and that an odd value costs no more than itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messenger_bridge_ntfy.decode import Undecodable, decode, edit_of, parse

from bridge.model.events import AttachmentKind, Content, Ignored, MessageCreated, MessageDeleted
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of

NOW = datetime(2026, 11, 26, tzinfo=UTC)
EVENT: dict[str, Any] = {"id": "hwQ2YpKdmgAb", "time": 1635528741, "event": "message", "topic": "alerts", "message": "Disk full"}
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text()), st.dictionaries(st.text(), st.text())
)


def created(**more: Any) -> MessageCreated:
    event = decode(parse(json.dumps({**EVENT, **more}).encode()), AccountName("acc"), is_own=False, now=NOW)
    assert isinstance(event, MessageCreated)
    return event


def content(**more: Any) -> Content:
    return created(**more).content


def test_the_title_is_who_says_it_and_else_the_topic() -> None:
    titled, bare = created(title="Backup").meta.author, created().meta.author
    assert titled is not None
    assert bare is not None
    assert (titled.name, bare.name) == ("Backup", "alerts")


def test_all_that_an_app_shows_is_told() -> None:
    shown = content(
        priority=5,
        tags=["warning", "skull"],
        click="https://a.example/x",
        actions=[
            {"action": "view", "label": "Open", "url": "https://b.example"},
            {"action": "http", "label": "Reboot", "url": "https://c.example"},
        ],
    )
    assert text_of(shown.text).splitlines() == [
        "Disk full",
        "‼️ highest priority",
        "🏷️ warning, skull",
        "🔗 https://a.example/x",
        "▶️ Open https://b.example",
        "▶️ Reboot",
    ]


def test_an_attachment_is_a_handle_and_one_that_has_expired_says_so() -> None:
    told = {"name": "a.png", "type": "image/png", "size": 7, "expires": 4102444800, "url": "https://ntfy.sh/file/x.png"}
    shown = content(message="You received a file: a.png", attachment=told)
    (attachment,) = shown.attachments
    assert text_of(shown.text) == ""
    assert (attachment.kind, attachment.name, attachment.size_bytes, attachment.problem) == (AttachmentKind.PHOTO, "a.png", 7, "")
    assert content(attachment={**told, "expires": 1635528742}).attachments[0].problem


def test_an_update_has_the_id_of_its_message_and_a_key_of_its_own() -> None:
    update = created(sequence_id="backup-7", message="Disk empty")
    edit = edit_of(update, EVENT["id"])
    assert (update.message_id, edit.message_id) == ("backup-7", "backup-7")
    assert update.meta.event_key != edit.meta.event_key


def test_a_deletion_names_its_message() -> None:
    event = decode({**EVENT, "event": "message_delete", "sequence_id": "backup-7"}, AccountName("acc"), is_own=False, now=NOW)
    assert isinstance(event, MessageDeleted)
    assert event.message_id == "backup-7"


@pytest.mark.parametrize("kind", ["poll_request", "message_clear", "of another version"])
def test_what_is_understood_and_no_message_is_ignored(kind: str) -> None:
    assert isinstance(decode({**EVENT, "event": kind}, AccountName("acc"), is_own=False, now=NOW), Ignored)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        *(json.dumps({**EVENT, key: odd}).encode() for key in ("id", "topic", "event", "time") for odd in (None, [], 1.5, True)),
        json.dumps({**EVENT, "id": "x&since=all"}).encode(),
        json.dumps({**EVENT, "time": 10**30}).encode(),
    ],
)
def test_what_has_no_id_time_or_topic_is_undecodable(line: bytes) -> None:
    with pytest.raises(Undecodable):
        parse(line)


@given(
    st.dictionaries(
        st.sampled_from(
            ["title", "message", "tags", "priority", "click", "actions", "attachment", "sequence_id", "expires", "icon"]
        ),
        ODD,
    )
)
def test_an_odd_value_costs_no_more_than_itself(odd: dict[str, Any]) -> None:
    event = decode({**EVENT, **odd}, AccountName("acc"), is_own=False, now=NOW)
    assert isinstance(event, MessageCreated)
    if "message" not in odd:
        assert "Disk full" in text_of(event.content.text)
