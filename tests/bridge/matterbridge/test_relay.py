"""Settings that every account has: names, filters, replacements."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.identity.sender_templates import problem
from bridge.matterbridge.relay import network_options, relay_options, source, tell_the_rest
from bridge.model.foreign_settings import ForeignSection


def section(**values: Any) -> ForeignSection:
    return ForeignSection("irc.main", {key.lower(): value for key, value in values.items()}, {key.lower(): key for key in values})


@pytest.mark.parametrize(
    ("given", "sender"),
    [
        ("[{PROTOCOL}] <{NICK}> ", "[{platform}] {name}"),
        ("<{NICK}> ", None),
        ("**{NICK}**: ", None),
        ("{NOPINGNICK} ({BRIDGE}/{CHANNEL})", "{name} ({account}/{chat})"),
        ("{LABEL} {NICK}", None),
        ("{BRIDGE}", None),
        ("{odd} {NICK}", "{{odd}} {name}"),
        ("", None),
    ],
)
def test_the_format_of_names(given: str, sender: str | None) -> None:
    found = relay_options(section(RemoteNickFormat=given)).get("sender")
    assert found == sender
    assert found is None or problem(found) is None


def test_what_goes_to_an_account() -> None:
    given = section(
        ShowJoinPart=True, ShowUserTyping="true", DisableWebPagePreview=True, MessageSplitMaxCount=0, MediaDownloadSize=5_400_000
    )
    found = relay_options(given)
    assert found == {"membership": True, "typing": True, "previews": False, "long_text_parts": 1, "max_file_mb": 5}
    assert network_options(section(http_proxy="http://p:1", SkipTLSVerify=True)) == {"proxy": "http://p:1"}


def test_a_proxy_with_a_password_is_a_secret() -> None:
    given = section(http_proxy="http://me:pw@p:1")
    assert network_options(given) == {"proxy": "${MATTERBRIDGE_IRC_MAIN_HTTP_PROXY}"}
    assert given.secrets == {"MATTERBRIDGE_IRC_MAIN_HTTP_PROXY": "http://me:pw@p:1"}


def test_what_comes_from_an_account() -> None:
    given = section(
        IgnoreNicks="spam ^bot_.*",
        IgnoreMessages="^~~",
        EditDisable=True,
        ReplaceMessages=[[r"(\d)x", "$1-${1}"], ["[[", ""], "odd"],
        ReplaceNicks=[["a", "b"]],
    )
    found = source(given)
    assert found.drops == [{"author": "(?:spam)|(?:^bot_.*)"}, {"text": "^~~"}, {"kind": "edit"}]
    assert found.rewrites == [{"find": r"(\d)x", "replace": r"\g<1>-\g<1>"}]
    assert [note.place for note in given.notes] == ["irc.main.ReplaceMessages", "irc.main.ReplaceMessages", "irc.main.ReplaceNicks"]


def test_the_rest_is_told() -> None:
    given = section(NickFormatter="plain", Whatever=1)
    tell_the_rest(given)
    assert [str(note) for note in given.notes] == [
        "irc.main.NickFormatter: has no counterpart",
        "irc.main.Whatever: has no counterpart",
    ]
