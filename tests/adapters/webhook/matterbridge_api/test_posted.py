"""What a program posts is read whatever it is."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.registry import load_platform
from adapters.webhook.inbound.received import Nothing
from adapters.webhook.matterbridge_api.posted import decode_posted
from bridge.model.rich_text import Mark, Text, runs_by_line, text_of

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["file", "Name", "Data", "URL", "x"]), inner, max_size=3)
    ),
    max_leaves=10,
)
FIELDS = ["text", "username", "avatar", "event", "id", "parent_id", "Extra", "format", "gateway"]
EVENTS = st.sampled_from(["", "user_action", "msg_delete", "join_leave", "topic_change", "file_delete"])


def decode(data: dict[str, Any]) -> Any:
    return decode_posted(data, lambda platform, payload: load_platform(platform).decode_post(payload))


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8), EVENTS)
def test_odd_values_cost_only_themselves(data: dict[str, Any], event: str) -> None:
    found = decode({**data, "text": "these words", "event": event})
    if event == "msg_delete":
        return
    assert not isinstance(found, Nothing)
    assert "these words" in text_of(found[0].content.text)


def test_marks_are_those_that_the_program_says() -> None:
    said, _ = decode({"text": "**not bold**"})
    assert text_of(said.content.text) == "**not bold**"
    said, _ = decode({"text": "**bold**", "format": "markdown"})
    assert text_of(said.content.text) == "bold"
    said, _ = decode({"text": "waves", "event": "user_action"})
    (run,) = [run for line in runs_by_line(said.content.text) for run in line if isinstance(run, Text)]
    assert run.marks == int(Mark.ITALIC)


def test_what_the_text_says_is_not_said_again_by_a_comment() -> None:
    files = [
        {"Name": name, "Data": "eA==", "Comment": comment} for name, comment in (("a", "look "), ("b", "look"), ("c", "and c"))
    ]
    said, found = decode({"text": "look", "Extra": {"file": [*files, files[2]]}})
    assert text_of(said.content.text) == "look\nand c"
    assert len(found) == 4
    said, _ = decode({"text": "", "Extra": {"file": files[:2]}})
    assert text_of(said.content.text) == "look"


def test_a_file_without_bytes_is_a_line() -> None:
    entries = [{"URL": "javascript:x", "Name": "a.png"}, {"URL": "https://x.example/b", "Comment": "b it is"}, "odd", {}]
    said, files = decode({"Extra": {"file": entries}})
    assert not files
    assert text_of(said.content.text) == "📎 a.png\nb it is\n📎 https://x.example/b"
