"""Names of channels as Slack writes them."""

from __future__ import annotations

import pytest

from adapters.slack.outbound.chats import channel_name


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("War Room", "war-room"),
        ("  a  &  b!  ", "a-b"),
        ("Команда №1", "команда-1"),
        ("x" * 200, "x" * 80),
        ("!?…", ""),
        ("under_score", "under_score"),
    ],
)
def test_small_letters_digits_and_hyphens(name: str, written: str) -> None:
    found = channel_name(name)
    assert found.replace("--", "-") == written
