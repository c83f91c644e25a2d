"""An account of matterbridge's as one of Slack here."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.registry import load_platform, matterbridge
from bridge.model.foreign_settings import ForeignSection


def section(**values: Any) -> ForeignSection:
    return ForeignSection("slack.main", {key.lower(): value for key, value in values.items()}, {key.lower(): key for key in values})


def test_tokens_become_variables() -> None:
    given = section(Token="xoxb-1", AppToken="xapp-1")
    options = matterbridge()["slack"].account(given)
    assert options == {"bot_token": "${MATTERBRIDGE_SLACK_MAIN_TOKEN}", "app_token": "${MATTERBRIDGE_SLACK_MAIN_APPTOKEN}"}
    assert not given.notes


def test_an_account_without_an_app_needs_one() -> None:
    given = section(Token="xoxp-1", WebhookURL="https://hooks.slack.com/x")
    assert matterbridge()["slack-legacy"].account(given) == {"bot_token": "${SLACK_BOT_TOKEN}", "app_token": "${SLACK_APP_TOKEN}"}
    assert not given.secrets
    assert [note.place for note in given.notes] == ["slack.main.Token", "slack.main.AppToken", "slack.main.WebhookURL"]


@pytest.mark.parametrize(("channel", "chat"), [("general", "#general"), ("#general", "#general"), ("ID:C024BE7LH", "C024BE7LH")])
def test_channels(channel: str, chat: str) -> None:
    assert matterbridge()["slack"].chat(channel, {}) == chat
    assert load_platform("slack").check_address(chat) is None


def test_no_channel() -> None:
    with pytest.raises(ValueError, match="Slack channel"):
        matterbridge()["slack"].chat("#", {})
