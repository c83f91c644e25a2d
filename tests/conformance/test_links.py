"""Links as people copy them, and which message each leads to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from adapters.discord.links import link_to_message as discord_link
from adapters.registry import load_platform
from adapters.slack.links import link_to_message as slack_link
from adapters.teamspirit.links import link_to_message as teamspirit_link
from adapters.telegram.links import link_to_message as telegram_link
from bridge.model.platform import LinkedMessage

PRIVATE = "-1001234567890"
CHANNEL, POST = "1122334455667788990", "1122334455667788999"
TS = "1715000000.000100"

LINKS = [
    ("slack", "https://acme.slack.com/archives/C024BE7LH/p1715000000000100", "C024BE7LH", TS),
    ("slack", "https://acme.slack.com/archives/C024BE7LH/p1715000000000100?thread_ts=1714.000&cid=C024BE7LH", "C024BE7LH", TS),
    ("slack", "https://acme.enterprise.slack.com/archives/G024BE7LH/p1715000000000100/", "G024BE7LH", TS),
    ("slack", " https://acme.slack-gov.com/archives/D024BE7LH/p1715000000000100#x \n", "D024BE7LH", TS),
    ("telegram", "https://t.me/c/1234567890/45", PRIVATE, "45"),
    ("telegram", "https://t.me/c/1234567890/7/45", PRIVATE, "45"),
    ("telegram", "https://t.me/c/1234567890/45?single&thread=7", PRIVATE, "45"),
    ("telegram", "http://telegram.me/durov/45", "@durov", "45"),
    ("telegram", "https://t.me/durov/7/45?comment=9", "@durov", "45"),
    ("telegram", "https://t.me/s/durov/45", "@durov", "45"),
    ("telegram", "https://durov.t.me/45", "@durov", "45"),
    ("telegram", "tg://privatepost?channel=1234567890&post=45&thread=7", PRIVATE, "45"),
    ("telegram", "tg://resolve?domain=durov&post=45", "@durov", "45"),
    ("discord", f"https://discord.com/channels/112233445566778899/{CHANNEL}/{POST}", CHANNEL, POST),
    ("discord", f"https://ptb.discord.com/channels/112233445566778899/{CHANNEL}/{POST}", CHANNEL, POST),
    ("discord", f"https://canary.discordapp.com/channels/@me/{CHANNEL}/{POST}/", CHANNEL, POST),
    ("discord", f"discord://-/channels/112233445566778899/{CHANNEL}/{POST}", CHANNEL, POST),
    ("teamspirit", "https://im.example.com/team-a/pl/w4d5kpxn1fbmuczk9s5yqmbu6y", "", "w4d5kpxn1fbmuczk9s5yqmbu6y"),
    ("teamspirit", "https://im.example.com/_redirect/pl/w4d5kpxn1fbmuczk9s5yqmbu6y", "", "w4d5kpxn1fbmuczk9s5yqmbu6y"),
]

NO_LINKS = [
    "",
    "not a link",
    "https://[",
    "https://im.example.com:x/t/pl/a",
    "ftp://acme.slack.com/archives/C024BE7LH/p1715000000000100",
    "https://acme.slack.com.evil.example/archives/C024BE7LH/p1715000000000100",
    "https://acme.slack.com/archives/C024BE7LH",
    "https://acme.slack.com/archives/C024BE7LH/p17150000",
    "https://t.me/durov",
    "https://t.me/+AbCdEf",
    "https://t.me.evil.example/durov/45",
    "https://t.me/c/1234567890",
    "tg://resolve?domain=durov",
    "tg://resolve?domain=durov&post=x",
    f"https://discord.com/channels/112233445566778899/{CHANNEL}",
    f"https://discord.gg/channels/112233445566778899/{CHANNEL}/{POST}",
    "https://other.example.com/team-a/pl/w4d5kpxn1fbmuczk9s5yqmbu6y",
    "https://im.example.com/team-a/channels/town-square",
]

OPTIONS: dict[str, Any] = {
    "teamspirit": SimpleNamespace(server="https://im.example.com"),
    "slack": SimpleNamespace(api_url="https://slack.com/api"),
}


@pytest.mark.parametrize(("platform", "link", "chat", "message"), LINKS)
def test_a_link_leads_to_its_message_on_its_own_platform_alone(platform: str, link: str, chat: str, message: str) -> None:
    found = {
        name: load_platform(name).message_of_link(OPTIONS.get(name), link)
        for name in ("slack", "telegram", "discord", "teamspirit")
    }
    unique = platform in ("discord", "teamspirit")
    exact = "comment" not in link
    assert found.pop(platform) == LinkedMessage(message_id=message, chat=chat, is_unique=unique, is_exact=exact)
    assert set(found.values()) == {None}


@pytest.mark.parametrize("link", NO_LINKS)
@pytest.mark.parametrize("platform", ["slack", "telegram", "discord", "teamspirit"])
def test_what_is_no_link_to_a_message_leads_nowhere(platform: str, link: str) -> None:
    assert load_platform(platform).message_of_link(OPTIONS.get(platform), link) is None


def test_a_server_of_ones_own_is_known_by_its_address() -> None:
    below = SimpleNamespace(server="https://example.com:8443/chat")
    of = load_platform("teamspirit").message_of_link
    assert of(below, "https://example.com:8443/chat/team/pl/abc") == LinkedMessage(message_id="abc", is_unique=True)
    assert of(below, "https://example.com/chat/team/pl/abc") is None
    assert of(None, "https://anywhere.example/team/pl/abc") == LinkedMessage(message_id="abc", is_unique=True)
    local = SimpleNamespace(api_url="http://127.0.0.1:8080/api")
    link = "http://127.0.0.1:8080/archives/C024BE7LH/p1715000000000100"
    assert load_platform("slack").message_of_link(local, link) == LinkedMessage(message_id=TS, chat="C024BE7LH")


MADE = [
    ("telegram", telegram_link(PRIVATE, "45", None), "https://t.me/c/1234567890/45"),
    ("telegram", telegram_link(PRIVATE, "45", "7"), "https://t.me/c/1234567890/7/45"),
    ("telegram", telegram_link(PRIVATE, "45", "1"), "https://t.me/c/1234567890/45"),
    ("telegram", telegram_link("-4567", "45", None), ""),
    (
        "slack",
        slack_link("https://acme.slack.com/", "C024BE7LH", TS, None),
        "https://acme.slack.com/archives/C024BE7LH/p1715000000000100",
    ),
    (
        "slack",
        slack_link("https://acme.slack.com/", "C024BE7LH", TS, "1714000000.000200"),
        "https://acme.slack.com/archives/C024BE7LH/p1715000000000100?thread_ts=1714000000.000200&cid=C024BE7LH",
    ),
    ("slack", slack_link("", "C024BE7LH", TS, None), ""),
    (
        "discord",
        discord_link("112233445566778899", CHANNEL, POST),
        f"https://discord.com/channels/112233445566778899/{CHANNEL}/{POST}",
    ),
    ("discord", discord_link("", CHANNEL, POST), ""),
    ("teamspirit", teamspirit_link("https://im.example.com/", "abc"), "https://im.example.com/_redirect/pl/abc"),
    ("teamspirit", teamspirit_link("", "abc"), ""),
]


@pytest.mark.parametrize(("platform", "made", "link"), MADE)
def test_a_link_that_is_made_is_one_that_is_read(platform: str, made: str, link: str) -> None:
    assert made == link
    read = load_platform(platform).message_of_link(OPTIONS.get(platform), made)
    assert (read is not None and read.is_exact) is bool(link)
