"""What a reload is about to change, in the words of bridge.yaml."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from adapters.registry import load_platform
from bridge.config.difference import Changed, Difference, difference
from bridge.config.load import load_config
from bridge.config.model import Config
from bridge.config.plain_options import bare

TOKEN, OTHER = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "987654321:BBHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
FILE = f"""
accounts:
  tg: {{platform: telegram, token: '{TOKEN}'}}
  team: {{platform: slack, bot_token: xoxb-1-2-three, app_token: xapp-1-2-three}}
  hooks:
    platform: webhook
    secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
    ends: {{alerts: {{url: 'https://example.com/a', author: hush}}}}
routes:
  - name: lobby
    between: [tg/-1001234567890, team/C024BE7LH]
    filter: [{{drop: {{text: '^DEBUG'}}}}]
    rewrite: [{{find: cat, replace: dog}}]
  - name: alerts
    from: team/C0ALERTS1
    to: [tg/-1009876543210, hooks/alerts]
people:
  - {{name: Anna, tg: '1', team: U024BE7LH}}
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Config]:
    """A configuration as the daemon has it: read by another process, in part without its models."""

    def of(text: str) -> Config:
        path = tmp_path / "bridge.yaml"
        path.write_text(text)
        loaded = load_config(path, {}, load_platform)
        assert loaded.config is not None, loaded.faults
        plain = {name: replace(one, options=bare(one.options)) for name, one in loaded.config.accounts.items()}
        found: Config = pickle.loads(pickle.dumps(replace(loaded.config, accounts=plain)))
        return found

    return of


def differs(read: Callable[[str], Config], old: str, new: str) -> Difference:
    before = read(old)
    return difference(before, read(new), started_with=before)


@pytest.mark.parametrize("text", [FILE, "# a line above\n\n" + FILE, FILE.replace("\n  - name: alerts", "\n\n\n  - name: alerts")])
def test_what_only_looks_different_is_no_difference(read: Callable[[str], Config], text: str) -> None:
    found = differs(read, FILE, text)
    assert not found, list(found.lines())
    assert list(found.lines()) == ["nothing differs"]


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        (TOKEN, OTHER, ["~ account tg: token (connects anew)"]),
        ("app_token: xapp-1-2-three", "app_token: xapp-9-9-nine", ["~ account team: app_token (connects anew)"]),
        ("author: hush", "author: other", ["~ account hooks: ends.alerts (connects anew)"]),
        ("    filter: [{drop: {text: '^DEBUG'}}]\n", "", ["~ route lobby: filter"]),
        ("'^DEBUG'", "'^TRACE'", ["~ route lobby: filter"]),
        ("replace: dog", "replace: cow", ["~ route lobby: rewrite"]),
        ("team/C024BE7LH]", "team/C0OTHER99]", ["~ route lobby: + team/C0OTHER99, - team/C024BE7LH"]),
        ("name: alerts\n", "name: alerts\n    edits: false\n    sender: '{name}:'\n", ["~ route alerts: sender, edits"]),
        ("name: lobby", "name: hall", ["+ route hall", "- route lobby"]),
        ("name: Anna", "name: Anya", ["~ people"]),
        ("people:", "log: {level: debug}\nmedia: {convert: off, spool_mb: 9}\nshutdown: {drain_s: 3}\npeople:", None),
        ("people:", "reserved_names: [Root]\npeople_match: email\npeople:", ["~ people_match", "~ reserved_names"]),
        ("people:", "web: {admin: {listen: '127.0.0.1:8081'}}\npeople:", ["! web.admin: in force after a restart"]),
    ],
)
def test_each_difference_is_told_by_its_key(read: Callable[[str], Config], old: str, new: str, lines: list[str] | None) -> None:
    assert FILE.count(old) == 1
    found = differs(read, FILE, FILE.replace(old, new))
    expected = lines or [
        *("~ shutdown.drain_s", "~ media.convert", "~ log.level"),
        "! media.spool_mb: in force after a restart",
    ]
    assert list(found.lines()) == expected


def test_accounts_and_routes_that_come_and_go(read: Callable[[str], Config]) -> None:
    less = yaml.safe_load(FILE)
    del less["accounts"]["tg"], less["people"]
    less["routes"] = [{"name": "alerts", "from": "team/C0ALERTS1", "to": ["hooks/alerts"]}]
    smaller = yaml.safe_dump(less)
    assert list(differs(read, FILE, smaller).lines()) == [
        *("- account tg", "- route lobby", "~ route alerts: - tg/-1009876543210", "~ people"),
    ]
    assert list(differs(read, smaller, FILE).lines()) == [
        *("+ account tg", "+ route lobby", "~ route alerts: + tg/-1009876543210", "~ people"),
    ]


def test_the_order_of_routes_counts(read: Callable[[str], Config]) -> None:
    turned = yaml.safe_load(FILE)
    turned["routes"].reverse()
    found = differs(read, yaml.safe_dump(yaml.safe_load(FILE)), yaml.safe_dump(turned))
    assert list(found.lines()) == ["~ the order of the routes"]


def test_a_restart_is_needed_until_the_value_is_the_one_of_the_start(read: Callable[[str], Config]) -> None:
    started = read(FILE)
    now = read(FILE + "web: {admin: {listen: '127.0.0.1:8081'}}\n")
    assert difference(now, now, started_with=started).needs_restart == ("web.admin",)
    assert not difference(now, started, started_with=started)


def test_no_value_is_shown(read: Callable[[str], Config]) -> None:
    changed = FILE
    for old, new in ((TOKEN, OTHER), ("xoxb-1-2-three", "xoxb-9-9-nine"), ("hush", "secret"), ("example.com/a", "example.com/b")):
        changed = changed.replace(old, new)
    found = differs(read, FILE, changed)
    shown = "\n".join([*found.lines(), str(found.data())])
    assert not [value for value in (TOKEN, OTHER, "xoxb", "hush", "secret", "example.com") if value in shown], shown
    assert [one.name for one in found.accounts_reconnecting] == ["tg", "team", "hooks"]


def test_a_thing_with_very_many_differences_is_one_line() -> None:
    assert str(Changed("r", tuple(f"k{number}" for number in range(100)))).endswith("k11 and 88 more")
