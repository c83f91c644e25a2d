"""What is wrong with one option hides nothing that is wrong with another, and makes nothing wrong that is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from adapters.registry import load_platform, platforms
from bridge.config.load import load_config
from bridge.config.partial import possible


def faults_of(folder: Path, text: str, **environ: str) -> list[tuple[int, str]]:
    """Line and key of each, with the real platforms."""
    path = folder / "bridge.yaml"
    path.write_text(text)
    loaded = load_config(path, environ, load_platform, platforms())
    assert (loaded.config is None) == bool(loaded.faults)
    return [(fault.line, fault.key) for fault in loaded.faults]


ALL_AT_ONCE = """\
accounts:
  tg:
    platform: telegram
    tokn: "1:abcdefgh"
    files_root: /var/lib/telegram-bot-api
  team:
    platform: slack
    bot_token: nope-nope
    app_token: xapp-1-abcdefgh
    events: http
    replies: by carrier pigeon
  guild:
    platform: discord
    token: Bot abcdefgh
    colour: red
  spirit:
    platform: teamspirit
    server: https://im.example.com
    dialect: spirit-of-tomorrow
    ca_file: /nowhere/ca.pem
    receive: by carrier pigeon
  hook:
    platform: webhook
    ends:
      alerts:
        template: no-such-template
        fetch: perhaps
      metrics: {url: "https://example.com/x", fetch: true}
"""


def test_all_faults_are_shown_at_once(tmp_path: Path) -> None:
    assert faults_of(tmp_path, ALL_AT_ONCE) == [
        (2, "accounts.tg"),
        (4, "accounts.tg.tokn"),
        (5, "accounts.tg.files_root"),
        (6, "accounts.team.signing_secret"),
        (8, "accounts.team.bot_token"),
        (10, "accounts.team.events"),
        (11, "accounts.team.replies"),
        (14, "accounts.guild.token"),
        (15, "accounts.guild.colour"),
        (19, "accounts.spirit.dialect"),
        (20, "accounts.spirit.ca_file"),
        (21, "accounts.spirit.receive"),
        (26, "accounts.hook.ends.alerts.template"),
        (27, "accounts.hook.ends.alerts.fetch"),
        (28, "accounts.hook.ends.metrics.secret"),
        (28, "accounts.hook.ends.metrics.fetch"),
    ]


@pytest.mark.parametrize(
    ("account", "keys"),
    [
        ('{platform: telegram, token: "1:abcdefgh", local_server: perhaps, files_root: /x}', ["local_server"]),
        ("{platform: slack, bot_token: xoxb-abcdefgh, events: by carrier pigeon}", ["events"]),
        ("{platform: slack, bot_token: xoxb-abcdefgh, app_token: xapp-abcdefgh, evnts: http}", ["evnts"]),
        (
            "{platform: webhook, ends: {alerts: {signature: {scheme: by-pigeon, secret: abcdefgh}}}}",
            ["ends.alerts.signature.scheme"],
        ),
        ("{platform: webhook, ends: {alerts: 3}}", ["ends.alerts"]),
        ("{platform: webhook, ends: 3}", ["ends"]),
        ("{platform: discord, token: [a]}", ["token"]),
    ],
)
def test_a_fault_makes_no_other(tmp_path: Path, account: str, keys: list[str]) -> None:
    """What is faulty might be anything: what only its absence would make wrong is not told."""
    found = faults_of(
        tmp_path, f"accounts:\n  one: {account}\nweb: {{public: {{listen: '127.0.0.1:8080', url: 'https://b.example.com'}}}}\n"
    )
    assert found == [(2, f"accounts.one.{key}") for key in keys]


def test_an_account_that_a_check_refuses_is_looked_at_by_the_later_ones(tmp_path: Path) -> None:
    """One that needs the public listener, the same credential twice, an end that is none."""
    text = """\
accounts:
  one: {platform: slack, bot_token: xoxb-abcdefgh, events: http, signing_secret: abcdefgh, ca_file: /nowhere/ca.pem}
  two: {platform: slack, bot_token: xoxb-abcdefgh, app_token: xapp-abcdefgh, replies: perhaps}
  hook: {platform: webhook, ends: {alerts: {}}, ca_file: /nowhere/ca.pem}
routes:
  - {name: a, from: hook/alarms, to: one/#general}
"""
    assert {(line, key) for line, key in faults_of(tmp_path, text)} == {
        (2, "accounts.one.ca_file"),
        (2, "accounts.one.events"),
        (3, "accounts.two.bot_token"),
        (3, "accounts.two.replies"),
        (4, "accounts.hook.ca_file"),
        (6, "routes[0].from"),
    }


def test_what_only_the_service_has_hides_nothing_either(tmp_path: Path) -> None:
    text = "accounts:\n  tg: {platform: telegram, token: '${T}', files_root: /x}\n"
    assert faults_of(tmp_path, text) == [(2, "accounts.tg.token"), (2, "accounts.tg.files_root")]


# -- the options alone ------------------------------------------------------------------------------------------------------


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    must: int
    may: int = 0


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    kind: Literal["red", "blue"] = "red"
    inner: dict[str, Inner] = {}
    many: list[Inner] = []


def seen(data: dict[str, Any], *failed: tuple[str | int, ...]) -> tuple[set[str], set[tuple[str | int, ...]]]:
    found = possible(Options, data, failed)
    return {options.kind for options in found.options}, set(found.left_out)


def test_what_is_fine_is_as_it_is() -> None:
    found = possible(Options, {"name": "a", "inner": {"x": {"must": 1}}}, ())
    assert found.left_out == frozenset()
    (only,) = found.options
    assert only == Options(name="a", inner={"x": Inner(must=1)})


def test_a_faulty_word_may_be_each_of_those_that_are_there() -> None:
    assert seen({"name": "a", "kind": "green"}) == ({"red", "blue"}, {("kind",)})
    assert seen({"name": "a"}, ("kind",)) == ({"red", "blue"}, {("kind",)})


def test_a_missing_key_is_filled_in_and_said_to_be_left_out() -> None:
    found = possible(Options, {}, ())
    assert found.left_out == {("name",)}
    assert len({options.name for options in found.options}) > 1
    assert found.concerns(("name",))
    assert not found.concerns(("kind",))


def test_what_lies_deep_is_taken_out_where_it_is() -> None:
    data = {"name": "a", "inner": {"x": {"must": 1, "may": "much"}, "y": {"may": 1}}}
    found = possible(Options, data, ())
    assert found.left_out == {("inner", "x", "may"), ("inner", "y")}
    assert {options.inner["x"].may for options in found.options} >= {0, 1}
    assert found.concerns(("inner",))
    assert found.concerns(("inner", "y", "must"))
    assert not found.concerns(("inner", "x", "must"))
    assert data["inner"] == {"x": {"must": 1, "may": "much"}, "y": {"may": 1}}


def test_a_list_with_something_faulty_goes_as_a_whole() -> None:
    assert seen({"name": "a", "many": [{"must": 1}, {"must": "x"}]})[1] == {("many",)}


def test_with_too_much_left_out_nothing_is_known() -> None:
    found = possible(Options, {"name": "a", "inner": {f"x{n}": {} for n in range(20)}}, ())
    assert not found.options
