"""A link where an end belongs: the fault says what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.registry import load_platform
from bridge.config.load import load_config

ACCOUNTS = """
accounts:
  tg: {platform: telegram, token: '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw'}
  team: {platform: slack, bot_token: xoxb-1-2-three, app_token: xapp-1-2-three}
  guild: {platform: discord, token: a.discord.token}
  spirit: {platform: teamspirit, server: 'https://im.example.com', api_key: a-teamspirit-key}
routes:
"""


def faults(folder: Path, end: str, more: str = "") -> list[str]:
    path = folder / "bridge.yaml"
    path.write_text(ACCOUNTS + f"  - {{name: a, between: [tg/-1001, '{end}']}}\n" + more)
    return [str(fault) for fault in load_config(path, {}, load_platform).faults]


@pytest.mark.parametrize(
    ("link", "end"),
    [
        ("https://discord.com/channels/112233445566778899/998877665544332211", "guild/998877665544332211"),
        ("https://discord.com/channels/112233445566778899/998877665544332211/998877665544332299", "guild/998877665544332211"),
        ("guild/https://ptb.discord.com/channels/112233445566778899/998877665544332211", "guild/998877665544332211"),
        ("https://acme.slack.com/archives/C024BE7LH", "team/C024BE7LH"),
        ("https://acme.slack.com/archives/C024BE7LH/p1715000000000100?thread_ts=1", "team/C024BE7LH"),
        ("https://app.slack.com/client/T024BE7LD/C024BE7LH", "team/C024BE7LH"),
        ("https://t.me/c/1234567890/77", "tg/-1001234567890"),
        ("https://t.me/our_group", "tg/@our_group"),
        ("https://web.telegram.org/k/#-1234567890", "tg/-1234567890"),
        ("https://web.telegram.org/a/#-1001234567890_5", "tg/-1001234567890"),
        ("https://im.example.com/team/channels/town-square", "spirit/town-square"),
    ],
)
def test_a_link_of_a_chat_is_understood(tmp_path: Path, link: str, end: str) -> None:
    (fault,) = faults(tmp_path, link)
    assert "a link is not an end: it must be account/chat" in fault
    assert fault.endswith(f" - write {end}")


@pytest.mark.parametrize(
    "link",
    [
        *("https://example.com/archives/C024BE7LH", "https://discord.com/channels/@me/998877665544332211", "https://t.me/+AbCdEf"),
        *(
            "https://t.me/addstickers/Cats",
            "https://discord.gg/abc",
            "https://im.other.com/team/channels/town-square",
            "https://[::1",
        ),
    ],
)
def test_what_leads_to_no_chat_of_an_account_says_how_to_find_one(tmp_path: Path, link: str) -> None:
    (fault,) = faults(tmp_path, link)
    assert "messenger-bridge chats ACCOUNT shows how its chats are written" in fault


def test_two_accounts_may_be_meant(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    second = ACCOUNTS.replace("routes:", "  other: {platform: discord, token: another.discord.token}\nroutes:")
    path.write_text(
        second + "  - {name: a, between: [tg/-1001, 'https://discord.com/channels/112233445566778899/998877665544332211']}\n"
    )
    (fault,) = map(str, load_config(path, {}, load_platform).faults)
    assert "write guild/998877665544332211 or other/998877665544332211" in fault


def test_an_address_that_only_looks_like_a_link_stays_one(tmp_path: Path) -> None:
    assert faults(tmp_path, "spirit/see http://x") == []
