"""The first bridge.yaml: what is asked, and what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.registry import load_platform
from bridge.cli.drafting import AccountDraft, DraftFailed, NotAnAddress, as_yaml, parse_settings, write
from bridge.config.load import load_config

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
ANSWERS = {
    "telegram": {"token": TOKEN},
    "slack": {"bot_token": "xoxb-1-2-three", "app_token": "xapp-1-2-three"},
    "discord": {"token": "a.discord.token"},
    "teamspirit": {"server": "https://im.example.com", "api_key": "a-teamspirit-key"},
}


def draft(platform: str, **given: Any) -> AccountDraft:
    return AccountDraft(platform, load_platform(platform), dict(given))


@pytest.mark.parametrize("platform", ANSWERS)
def test_it_asks_for_what_is_needed_and_nothing_else(platform: str) -> None:
    account = draft(platform)
    asked = {}
    while (wanted := account.next_question()) is not None:
        assert wanted.problem == ""
        assert wanted.description
        asked[wanted.key] = wanted.is_secret
        account.answer(wanted.key, ANSWERS[platform][wanted.key])
    assert set(asked) == set(ANSWERS[platform])
    assert account.secrets().keys() == {key for key, is_secret in asked.items() if is_secret}
    assert account.account_config().options is not None


def test_a_wrong_answer_is_asked_for_again_with_the_reason() -> None:
    account = draft("slack", bot_token=TOKEN, app_token="xapp-1-2-three")
    wanted = account.next_question()
    assert wanted is not None
    assert (wanted.key, wanted.problem) == ("bot_token", "not a token of this kind: it would start with xoxb-")
    server = draft("teamspirit", server="im.example.com", api_key="k").next_question()
    assert server is not None
    assert server.key == "server"
    assert server.problem


@pytest.mark.parametrize(
    ("platform", "written", "address"),
    [
        ("telegram", "-1001234567890", "-1001234567890"),
        ("telegram", "telegram/@group_name/45", "@group_name/45"),
        ("telegram", "https://t.me/c/1234567890/5/77", "-1001234567890"),
        ("telegram", "https://t.me/group_name", "@group_name"),
        ("slack", "#general", "#general"),
        ("slack", "https://app.slack.com/client/T024BE7LD/C024BE7LH", "C024BE7LH"),
        ("discord", "https://discord.com/channels/112233445566778899/998877665544332211", "998877665544332211"),
        ("teamspirit", "https://im.example.com/team/channels/town-square", "town-square"),
    ],
)
def test_an_address_or_a_link_is_a_chat(platform: str, written: str, address: str) -> None:
    assert draft(platform, **ANSWERS[platform]).address_of(written) == address


@pytest.mark.parametrize(
    ("platform", "written"),
    [
        ("telegram", "general"),
        ("slack", "https://example.com/archives/C024BE7LH"),
        ("discord", "12"),
        ("telegram", "https://t.me/+x"),
    ],
)
def test_what_is_no_chat_is_told(platform: str, written: str) -> None:
    found = draft(platform, **ANSWERS[platform]).address_of(written)
    assert isinstance(found, NotAnAddress)
    assert str(found)


def test_what_is_written_is_read_back_and_has_no_secret(tmp_path: Path) -> None:
    accounts = [draft(name, **given) for name, given in ANSWERS.items()]
    accounts.append(AccountDraft("odd", load_platform("discord"), {"token": "x${y}:#z", "webhook_name": "a: ${b} # c"}))
    ends = ["telegram/-1001234567890", "slack/#general", "discord/998877665544332211", "odd/112233445566778899", "teamspirit/1"]
    path = tmp_path / "bridge.yaml"
    written = write(path, accounts, "yes", ends)
    assert written[-1] == path
    loaded = load_config(path, {}, load_platform)
    assert loaded.config is not None, loaded.faults
    assert [str(end) for end in loaded.config.routes[0].ends] == ends
    assert loaded.config.routes[0].name == "yes"
    odd = next(one for name, one in loaded.config.accounts.items() if name == "odd")
    assert (odd.options.webhook_name, odd.options.token.get_secret_value()) == ("a: ${b} # c", "x${y}:#z")
    secrets = [secret for account in accounts for secret in account.secrets().values()]
    assert not [secret for secret in secrets if secret in path.read_text()]
    for one in written[:-1]:
        assert one.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "credentials").stat().st_mode & 0o777 == 0o700


def test_nothing_that_is_there_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    path.write_text("mine")
    with pytest.raises(DraftFailed, match=r"bridge\.yaml is there already"):
        write(path, [draft("discord", token="a.discord.token")], "lobby", [])
    assert path.read_text() == "mine"
    assert not list((tmp_path / "credentials").iterdir()), "what was begun is taken away"
    (tmp_path / "credentials/discord-token").write_text("old")
    with pytest.raises(DraftFailed, match="discord-token is there already"):
        write(tmp_path / "other.yaml", [draft("discord", token="new")], "lobby", [])
    assert (tmp_path / "credentials/discord-token").read_text() == "old"
    assert not (tmp_path / "other.yaml").exists()


def test_without_two_chats_there_is_an_example_of_a_route() -> None:
    text = as_yaml([draft("discord", token="t")], "", ["discord/112233445566778899"])
    assert "#routes:" in text
    assert "112233445566778899" in text
    assert set(yaml.safe_load(text)) == {"accounts"}


def test_settings_are_yaml() -> None:
    assert parse_settings(["tg.poll_timeout_s=5", "tg.base_url=http://x", "a.b=[1, 2]"]) == {
        "tg": {"poll_timeout_s": 5, "base_url": "http://x"},
        "a": {"b": [1, 2]},
    }
    for wrong in ("tg=5", "tg.x", ".x=1", "tg.x=[1"):
        with pytest.raises(ValueError, match="--set"):
            parse_settings([wrong])
