"""The section `ops`: an end as in routes, that need not be in one; URLs that are secret and that apprise knows."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from adapters.registry import load_platform
from bridge.config.load import load_config
from bridge.config.model import Loaded
from bridge.config.secrets import secrets_of
from bridge.model.refs import AccountName, ChatAddress

HEAD = """\
accounts:
  tg: {platform: telegram, token: "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"}
  guild: {platform: discord, token: a.discord.token}
  team: {platform: slack, bot_token: xoxb-1-2-three, app_token: xapp-1-2-three}
routes:
  - {name: lobby, between: [tg/-1001234567890, guild/112233445566778899]}
"""


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def load(ops: str, **environ: str) -> Loaded:
        path = tmp_path / "bridge.yaml"
        path.write_text(HEAD + ops)
        path.chmod(0o600)
        return load_config(path, environ, load_platform)

    return load


def test_a_chat_that_is_in_no_route_is_looked_up_all_the_same(load: Any) -> None:
    loaded = load("ops: {chat: 'team/#ops', quiet_min: 2.5}")
    assert loaded.warnings == [], "team is used"
    ops = loaded.config.ops
    assert (ops.chat, ops.thread_id, ops.quiet_min, ops.is_on) == (ChatAddress(AccountName("team"), "#ops"), None, 2.5, True)
    table = loaded.config.routing_table()
    assert table.addresses(AccountName("team")) == [ops.chat]
    assert not table.hears(ops.chat)


def test_a_topic_may_be_told(load: Any) -> None:
    ops = load("ops: {chat: tg/-1001234567890/45}").config.ops
    assert (ops.chat, ops.thread_id) == (ChatAddress(AccountName("tg"), "-1001234567890"), "45")


def test_nobody_is_told_unless_asked_for(load: Any) -> None:
    for ops in ("", "ops:\n", "x-ops: {chat: tg/1}"):
        assert not load(ops).config.ops.is_on


def test_urls_are_secrets(load: Any, tmp_path: Path) -> None:
    urls = "json://user:a-password@127.0.0.1 json://127.0.0.2/another-secret"
    config = load("ops: {apprise: '${OPS}'}", OPS=urls).config
    assert config.ops.apprise.get_secret_value() == urls
    assert "a-password" not in repr(config)
    assert secrets_of(config) >= {urls, "json://127.0.0.2/another-secret"}
    (tmp_path / "ops").write_text("json://127.0.0.1\njson://127.0.0.2\n")
    (tmp_path / "ops").chmod(0o600)
    assert load("ops: {apprise_file: ops}").config.ops.apprise.get_secret_value() == "json://127.0.0.1\njson://127.0.0.2"


@pytest.mark.parametrize(
    ("ops", "words"),
    [
        ("ops: {quiet_min: 5}", "ops: tells nobody - give chat"),
        ("ops: {chat: team}", "ops.chat"),
        ("ops: {chat: nobody/1}", "unknown account 'nobody'"),
        ("ops: {chat: tg/-1001234567890, quiet_min: -1}", "ops.quiet_min: must be at least 0"),
        ("ops: {chat: tg/-1001234567890, chatt: 1}", "unknown key 'chatt'"),
        ("ops: {apprise: 'nonsense://x:a-password@y'}", "ops.apprise: has a URL that apprise does not know"),
        ("ops: [tg/1]", "ops: must be a mapping"),
    ],
)
def test_faults(load: Any, ops: str, words: str) -> None:
    faults = [str(fault) for fault in load(ops).faults]
    assert any(words in fault for fault in faults), faults
    assert "a-password" not in str(faults)


def test_without_the_extra_it_says_how_to_get_it(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "apprise":
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    (fault,) = load("ops: {apprise: 'json://127.0.0.1'}").faults
    assert "pip install 'messenger-bridge[ops]'" in str(fault)
