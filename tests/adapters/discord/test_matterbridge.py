"""An account of matterbridge's as one of Discord here."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.registry import load_platform, matterbridge
from bridge.model.foreign_settings import ForeignSection


def section(**values: Any) -> ForeignSection:
    return ForeignSection(
        "discord.main", {key.lower(): value for key, value in values.items()}, {key.lower(): key for key in values}
    )


def test_the_token_becomes_a_variable() -> None:
    given = section(Token="MTk4", AllowMention=["users"])
    assert matterbridge()["discord"].account(given) == {"token": "${MATTERBRIDGE_DISCORD_MAIN_TOKEN}"}
    assert not given.notes


def test_a_user_is_no_bot_and_nobody_pings_everyone_by_default() -> None:
    given = section(Token="User abc")
    matterbridge()["discord"].account(given)
    assert [note.place for note in given.notes] == ["discord.main.Token", "discord.main.AllowMention"]


@pytest.mark.parametrize(
    ("channel", "chat"),
    [("general", "#general"), ("text/general", "#general"), ("ID:112233445566778899", "112233445566778899")],
)
def test_channels(channel: str, chat: str) -> None:
    assert matterbridge()["discord"].chat(channel, {}) == chat
    assert load_platform("discord").check_address(chat) is None


def test_no_channel() -> None:
    with pytest.raises(ValueError, match="Discord channel"):
        matterbridge()["discord"].chat("", {})
