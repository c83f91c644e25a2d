"""Checks over the whole file: one bot twice, doubled messages, folders, listeners, accounts without a route."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters import registry
from bridge.config.load import load_config

ROUTE = "routes: [{name: a, between: [polly/#x, coco/#y, owl/z]}]\n"


def test_two_accounts_with_one_credential(zoo: Any) -> None:
    (zoo.folder / "token").write_text("the-same\n")
    loaded = zoo.load(
        "accounts:\n  a: {platform: parrot, token: the-same}\n  b: {platform: parrot, token_file: token}\n"
        "  c: {platform: owl, secret: the-same}\n"
    )
    (fault,) = loaded.faults
    assert "3:37: accounts.b.token: the same token as account 'a'" in str(fault)
    assert "the-same" not in str(fault)


def test_accounts_without_a_route_are_a_warning(zoo: Any) -> None:
    assert zoo.warnings("routes: [{name: a, between: [polly/#x, owl/y]}]") == ["3:3: accounts.coco: no route uses this account"]


# -- doubles ----------------------------------------------------------------------------------------------------------------


def routes(*lines: str) -> str:
    return "routes:\n" + "".join(f"  - {{name: r{number}, {line}}}\n" for number, line in enumerate(lines))


def test_one_chat_by_two_accounts_in_one_route_is_a_fault(zoo: Any) -> None:
    found = zoo.faults(routes("between: [polly/-1001234567, coco/-1001234567]"))
    assert found == [
        "6:45: routes[0]: polly/-1001234567 and coco/-1001234567 are the same chat: its messages would be repeated in it"
    ]


def test_names_may_be_other_chats_on_other_servers(zoo: Any) -> None:
    assert zoo.good(routes("between: [polly/#general, coco/#general]"))


def test_threads_of_a_chat_are_different_places(zoo: Any) -> None:
    assert zoo.good(routes("between: [polly/-1001234567/1, polly/-1001234567/2, polly/-1001234567]"))


def test_two_routes_between_the_same_ends_are_a_warning(zoo: Any) -> None:
    found = zoo.warnings(routes("between: [polly/#x, owl/y]", "between: [owl/y, polly/#x, coco/#z]"))
    assert len(found) == 1
    assert "routes[1]: route 'r0' (line 6) relays owl/y -> polly/#x already - messages arrive once" in found[0]


def test_opposite_directions_are_no_doubles(zoo: Any) -> None:
    assert not zoo.warnings(routes("from: polly/#x, to: owl/y", "from: owl/y, to: polly/#x", "from: owl/y, to: coco/#x"))


def test_hubs_and_rings_are_no_doubles(zoo: Any) -> None:
    """Copies are never relayed on, so a ring of routes is no loop."""
    ring = routes("between: [polly/#x, owl/y]", "between: [owl/y, coco/#z]", "between: [coco/#z, polly/#x]")
    assert not zoo.warnings(ring)


def test_the_same_way_through_two_accounts_is_a_fault(zoo: Any) -> None:
    found = zoo.faults(routes("from: polly/-1001234567, to: owl/y", "from: coco/-1001234567, to: owl/y"))
    assert len(found) == 1
    assert found[0].startswith("7:44: routes[1]: doubles messages: route 'r0' (line 6) relays polly/-1001234567 -> owl/y")
    found = zoo.faults(routes("from: owl/y, to: polly/-1001234567", "from: owl/y, to: coco/-1001234567"))
    assert "doubles messages" in found[0]


# -- folders and listeners --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("journal: {path: /nowhere/at/all}", "6:17: journal.path: there is no folder /nowhere/at"),
        ("journal: {path: .}", "journal.path:"),
        ("media: {spool: /nowhere/at/all}", "6:16: media.spool: there is no folder /nowhere/at"),
        ("media: {spool: ./}", "6:16: media.spool: the journal's folder, or one around it, cannot be the spool"),
        ("media: {spool: ..}", "6:16: media.spool: the journal's folder, or one around it, cannot be the spool"),
        ("media: {spool: /}", "6:16: media.spool: the journal's folder, or one around it, cannot be the spool"),
        ("media: {spool: ./a/../}", "6:16: media.spool: the journal's folder, or one around it, cannot be the spool"),
        ("media: {spool: /usr/share}", "/usr/share is not the bridge's own: it holds "),
        ("media: {spool: bridge.yaml}", "bridge.yaml is not a folder - name a folder that holds nothing else"),
        ("media: {spool_mb: 0}", "media.spool_mb: must be at least 1"),
        ("web: {admin: {listen: 8080}}", "web.admin.listen: must be host:port"),
        ("web: {admin: {listen: ':8080'}}", "web.admin.listen: must be host:port"),
        ("web: {admin: {listen: 'localhost:http'}}", "the port must be a number"),
        ("web: {admin: {listen: 'localhost:70000'}}", "the port must be a number"),
        ("web: {admin: {listen: '::1:80'}}", "an IPv6 address needs brackets"),
        ("web: {admin: {listen: [a]}}", "web.admin.listen: "),
        ("web: {admin: {}}", "6:7: web.admin: listen is missing"),
        ("web: {public: {listen: '0.0.0.0:80'}}", "6:7: web.public: url is missing"),
        ("web: {public: {listen: '0.0.0.0:80', url: bridge.example}}", "must be a URL that begins with https://"),
        ("web: {public: {listen: '0.0.0.0:80', url: 'https://x/?y'}}", "must be a base URL"),
        ("web: {public: {listen: '0.0.0.0:80', url: 'https://x'}, admin: {listen: '127.0.0.1:80'}}", "the same address"),
        ("web: {pubic: {}}", "unknown key 'pubic' - did you mean 'public'?"),
        ("log: {level: trace}", "must be one of debug, info, warning, error"),
        ("log: json", "log: must be a mapping"),
        ("shutdown: {drain_s: -1}", "must be at least 0"),
        ("shutdown: {drain_s: soon}", "must be a number"),
        ("reserved_names: admin", "reserved_names: must be a list"),
    ],
)
def test_faults_of_sections(zoo: Any, section: str, words: str) -> None:
    found = zoo.faults(ROUTE + section + "\n")
    assert any(words in fault for fault in found), found


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("web: {admin: {listen: '0.0.0.0:9100'}}", "health and metrics on 0.0.0.0 ask for no password"),
        ("web: {admin: {listen: 'host.example:9100'}}", "ask for no password"),
        ("web: {public: {listen: '127.0.0.1:1', url: 'http://bridge.example'}}", "is not https"),
        ("web: {admin: {listen: '127.0.0.1:9100'}}", ""),
        ("web: {admin: {listen: 'localhost:9100'}}", ""),
        ("web: {admin: {listen: '[::1]:9100'}}", ""),
        ("web: {public: {listen: '127.0.0.1:1', url: 'http://127.0.0.1:1'}}", ""),
    ],
)
def test_warnings_of_listeners(zoo: Any, section: str, words: str) -> None:
    found = zoo.warnings(ROUTE + section + "\n")
    assert any(words in warning for warning in found) if words else not found


# -- encryption -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "is_warned"),
    [
        ("base_url: 'http://api.example.com'", True),
        ("base_url: 'http://8.8.8.8:8081'", True),
        ("base_url: 'http://user@api.example.com:80/x'", True),
        ("base_url: 'https://api.example.com'", False),
        ("base_url: 'http://localhost:8081'", False),
        ("base_url: 'http://botapi:8081'", False),
        ("base_url: 'http://10.1.2.3:8081'", False),
        ("base_url: 'http://[::1]:8081'", False),
        ("base_url: 'http://im.company.internal'", False),
        ("proxy: 'http://proxy.example.com:3128'", False),
    ],
)
def test_servers_on_the_internet_without_tls_are_a_warning(tmp_path: Path, option: str, is_warned: bool) -> None:
    path = tmp_path / "bridge.yaml"
    path.write_text(f"accounts:\n  tg: {{platform: telegram, token: '1:abc',\n    {option}}}\n")
    loaded = load_config(path, {}, registry.load_platform, registry.platforms())
    found = [str(warning) for warning in loaded.warnings if "not encrypted" in str(warning)]
    assert len(found) == is_warned
    assert not found or "bridge.yaml:3:" in found[0]


def test_every_url_that_carries_a_secret_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    path.write_text(
        "accounts:\n"
        "  d: {platform: discord, token: x.y.z, gateway_url: 'ws://gateway.example.com'}\n"
        "  t: {platform: teamspirit, dialect: teamspirit-webhooks, receive: history, "
        "chats: {duty: {incoming_webhook: 'http://im.example.com/hooks/1'}}}\n"
    )
    loaded = load_config(path, {}, registry.load_platform, registry.platforms())
    found = [str(warning) for warning in loaded.warnings if "not encrypted" in str(warning)]
    assert any("accounts.d.gateway_url" in one for one in found)
    assert not any("hooks/1" in one for one in found)


@pytest.mark.parametrize(("level", "words"), [("debug", "goes into the log"), ("info", "no effect without level: debug")])
def test_words_in_the_log_are_a_warning(zoo: Any, level: str, words: str) -> None:
    (warning,) = zoo.warnings(ROUTE + f"log: {{level: {level}, content: true}}\n")
    assert "log.content" in warning
    assert words in warning
