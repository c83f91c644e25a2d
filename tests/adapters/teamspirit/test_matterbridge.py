"""Accounts of matterbridge's at Mattermost and Rocket.Chat as dialects here."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.registry import load_platform, matterbridge
from bridge.model.foreign_settings import ForeignSection


def section(**values: Any) -> ForeignSection:
    return ForeignSection(
        "mattermost.main", {key.lower(): value for key, value in values.items()}, {key.lower(): key for key in values}
    )


def test_a_token_is_taken_and_a_password_is_not() -> None:
    given = section(Server="chat.example.com", Token="abc")
    options = {"dialect": "mattermost", "server": "https://chat.example.com", "api_key": "${MATTERBRIDGE_MATTERMOST_MAIN_TOKEN}"}
    assert matterbridge()["mattermost"].account(given) == options
    assert not given.notes
    given = section(Server="chat.example.com", Login="bot", Password="secret", NoTLS=True)
    assert matterbridge()["mattermost"].account(given) == {
        "dialect": "mattermost",
        "server": "http://chat.example.com",
        "api_key": "${MATTERMOST_TOKEN}",
    }
    assert [note.place.rpartition(".")[2] for note in given.notes] == ["Token", "Login", "Password"]
    assert not given.secrets


@pytest.mark.parametrize(("channel", "chat"), [("town-square", "town-square"), ("#general", "general"), ("ID:abc", "abc")])
def test_channels(channel: str, chat: str) -> None:
    assert matterbridge()["rocketchat"].chat(channel, {}) == chat
    assert load_platform("teamspirit").check_address(chat) is None


def test_no_channel() -> None:
    with pytest.raises(ValueError, match="its name"):
        matterbridge()["mattermost"].chat("#", {})
