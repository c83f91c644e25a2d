"""Accounts whose platform calls the bridge need `web.public`: the check says so, where, and what else would do."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import registry
from bridge.config.load import load_config
from bridge.model.errors import ConfigFault

SLACK = "slack, bot_token: xoxb-1, app_token: xapp-1, signing_secret: s"
SPIRIT = "teamspirit, server: 'https://im.example.com', api_key: k"
OWN_WEBHOOK = "webhook: {path: a-path-hard-to-guess, key: k, secret: s}"
BY_WEBHOOKS = "teamspirit, dialect: teamspirit-webhooks, chats: {duty: {incoming_webhook: 'https://im.example.com/hooks/1'}}"

NEEDING = [
    (f"{SLACK}, events: http", "events", "http", "set events: socket"),
    (f"{SPIRIT}, receive: webhook", "receive", "webhook", "set receive: history"),
    (f"{SPIRIT}, {OWN_WEBHOOK}", "webhook", "{path:", "set receive: history"),
    (f"{BY_WEBHOOKS}, {OWN_WEBHOOK}", "webhook", "{path:", "add web.public"),
    (BY_WEBHOOKS, "dialect", "teamspirit-webhooks", "add web.public"),
]
CONTENT = [
    SLACK,
    SPIRIT,
    f"{SPIRIT}, receive: history",
    f"{SPIRIT}, dialect: mattermost",
    "telegram, token: '1:abc'",
    "discord, token: x.y.z",
]
PUBLIC = "web: {public: {listen: '127.0.0.1:8080', url: 'https://bridge.example.com'}}"


def faults(folder: Path, account: str, web: str) -> list[ConfigFault]:
    path = folder / "bridge.yaml"
    path.write_text(f"accounts:\n  one: {{platform: {account}}}\n{web}\n")
    path.chmod(0o600)
    return load_config(path, {}, registry.load_platform, registry.platforms()).faults


@pytest.mark.parametrize("web", ["", "web: {admin: {listen: '127.0.0.1:9100'}}", "web:", "web: {public: }"])
@pytest.mark.parametrize(("account", "key", "value", "hint"), NEEDING)
def test_without_it_the_option_that_needs_it_is_a_fault(
    tmp_path: Path, account: str, key: str, value: str, hint: str, web: str
) -> None:
    (fault,) = [fault for fault in faults(tmp_path, account, web) if fault.key != "web.public"]
    line = f"  one: {{platform: {account}}}"
    assert (fault.line, fault.column, fault.key) == (2, line.index(f"{key}: {value}") + len(key) + 3, f"accounts.one.{key}")
    assert "web.public" in fault.why
    assert hint in fault.hint


@pytest.mark.parametrize("account", [account for account, *_ in NEEDING] + CONTENT)
def test_with_it_there_is_none(tmp_path: Path, account: str) -> None:
    assert not faults(tmp_path, account, PUBLIC)


@pytest.mark.parametrize("account", CONTENT)
def test_accounts_that_call_the_platform_do_without(tmp_path: Path, account: str) -> None:
    assert not faults(tmp_path, account, "")


def test_a_section_with_faults_of_its_own_is_not_taken_for_missing(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, NEEDING[0][0], "web: {public: {listen: '127.0.0.1:8080'}}")
    assert "url is missing" in fault.why


def test_nothing_secret_is_shown(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, f"{SPIRIT}, {OWN_WEBHOOK}", "")
    assert "hard-to-guess" not in str(fault)


def test_who_is_believed_behind_a_proxy(tmp_path: Path) -> None:
    listener = "web: {public: {listen: '127.0.0.1:8080', url: 'https://example.com/bridge/', %s}}"
    good = "trusted_proxies: [10.0.0.5, '2001:db8::/32'], forwarded: forwarded"
    assert not faults(tmp_path, "telegram, token: '1:abc'", listener % good)
    bad = "trusted_proxies: [10.0.0.5/8, nonsense], forwarded: x-real-ip"
    found = {fault.key: fault.why for fault in faults(tmp_path, "telegram, token: '1:abc'", listener % bad)}
    assert set(found) == {"web.public.trusted_proxies[0]", "web.public.trusted_proxies[1]", "web.public.forwarded"}
    assert "10.0.0.0/8" in found["web.public.trusted_proxies[0]"]


def test_what_a_platform_advises_is_a_warning_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    lines = ["accounts:", "  one:", "    platform: webhook", "    ends:", "      a:"]
    lines += ["        signature: {secret: s, header: X-Sig,", "          scheme: hmac}", PUBLIC, ""]
    path.write_text("\n".join(lines))
    path.chmod(0o600)
    loaded = load_config(path, {}, registry.load_platform, registry.platforms())
    assert not loaded.faults
    (warning,) = [one for one in loaded.warnings if "recorded" in one.why]
    assert (warning.line, warning.key) == (7, "accounts.one.ends.a.signature.scheme")
