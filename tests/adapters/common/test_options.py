"""A token or key that no request can carry is a fault of bridge.yaml, not trouble with a server."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from adapters.slack.config import SlackOptions
from adapters.slack.config import check_options as slack_faults
from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.config import check_options as teamspirit_faults
from adapters.telegram.config import TelegramOptions
from adapters.telegram.config import check_options as telegram_faults

BROKEN = ["a\nb", "a\r", "a\x00b", "a\r\nHost: x", "a\x85b"]
FOREIGN = ["a b", "a€", "ключ", "a\u202eb"]


def telegram(token: str) -> list[str]:
    return [fault.key for fault in telegram_faults(TelegramOptions(token=SecretStr(f"123:{token}")))]


def slack(token: str) -> list[str]:
    given = SlackOptions(bot_token=SecretStr(f"xoxb-{token}"), app_token=SecretStr(f"xapp-{token}"))
    return [fault.key for fault in slack_faults(given)]


def teamspirit(key: str) -> list[str]:
    given = TeamSpiritOptions(server="http://127.0.0.1:9", api_key=SecretStr(key))
    return [fault.key for fault in teamspirit_faults(given)]


@pytest.mark.parametrize("token", BROKEN)
def test_control_characters_are_in_no_key(token: str) -> None:
    assert telegram(token) == ["token"]
    assert slack(token) == ["bot_token", "app_token"]
    assert teamspirit(token) == ["api_key"]


@pytest.mark.parametrize("token", FOREIGN)
def test_tokens_of_telegram_and_slack_are_ascii(token: str) -> None:
    assert telegram(token) == ["token"]
    assert slack(token) == ["bot_token", "app_token"]
    assert teamspirit(token) == []


@pytest.mark.parametrize("token", ["AAE-x_1", "a.b-C_9"])
def test_what_can_be_sent_is_none(token: str) -> None:
    assert [telegram(token), slack(token), teamspirit(token)] == [[], [], []]


def test_it_is_not_quoted() -> None:
    (fault,) = telegram_faults(TelegramOptions(token=SecretStr("123:hush\nhush")))
    assert "hush" not in str(fault)
