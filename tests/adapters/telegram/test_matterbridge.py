"""An account of matterbridge's as one of Telegram here."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.registry import load_platform, matterbridge
from bridge.model.foreign_settings import ForeignSection


def section(**values: Any) -> ForeignSection:
    return ForeignSection(
        "telegram.main", {key.lower(): value for key, value in values.items()}, {key.lower(): key for key in values}
    )


def test_the_token_becomes_a_variable() -> None:
    given = section(Token="12345:AAA", MessageFormat="HTML", UseInsecureURL=True)
    assert matterbridge()["telegram"].account(given) == {"token": "${MATTERBRIDGE_TELEGRAM_MAIN_TOKEN}"}
    assert given.secrets == {"MATTERBRIDGE_TELEGRAM_MAIN_TOKEN": "12345:AAA"}
    assert [note.place for note in given.notes] == ["telegram.main.MessageFormat", "telegram.main.UseInsecureURL"]


@pytest.mark.parametrize("channel", ["-1001234567890", "-1001234567890/45", "42"])
def test_chats_and_topics_stay_as_they_are(channel: str) -> None:
    found = matterbridge()["telegram"].chat(channel, {})
    assert found == channel
    assert load_platform("telegram").check_address(found.partition("/")[0]) is None


@pytest.mark.parametrize("channel", ["", "general", "-100/x", "/"])
def test_others_are_no_chat(channel: str) -> None:
    with pytest.raises(ValueError, match="Telegram chat"):
        matterbridge()["telegram"].chat(channel, {})
