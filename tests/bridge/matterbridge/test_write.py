"""bridge.yaml of a draft: it reads back as what it says, and comments stay comments."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from bridge.matterbridge.convert import Draft
from bridge.matterbridge.write import as_yaml
from bridge.model.foreign_settings import Note

TEXT = st.text(max_size=60)


@given(TEXT, TEXT, TEXT)
def test_it_reads_back(why: str, pattern: str, source: str) -> None:
    accounts = {"a": {"platform": "telegram", "token": "${T}"}}
    routes = [{"name": "r", "between": ["a/1", "a/2"], "filter": [{"drop": {"text": pattern}}]}]
    notes = [Note("p.a.Key", why), Note("general.Key", why, "do this")]
    text = as_yaml(Draft(accounts=accounts, origins={"a": "p.a"}, routes=routes, notes=notes), source)
    assert yaml.safe_load(text) == {"accounts": accounts, "routes": routes}


def test_nothing_is_a_file_too() -> None:
    assert yaml.safe_load(as_yaml(Draft(), "x")) == {"accounts": {}, "routes": []}


def test_it_is_as_people_write_it() -> None:
    draft = Draft(
        accounts={"main": {"platform": "telegram", "token": "${T}"}},
        origins={"main": "telegram.main"},
        routes=[{"name": "r", "between": ["main/1", "main/2"]}],
        notes=[Note("telegram.main.MessageFormat", "is not needed")],
    )
    assert as_yaml(draft, "m.toml").splitlines()[2:] == [
        "accounts:",
        "  # [telegram.main]",
        "  # MessageFormat: is not needed",
        "  main:",
        "    platform: telegram",
        "    token: ${T}",
        "",
        "routes:",
        "  - name: r",
        "    between: [main/1, main/2]",
    ]


def test_a_note_is_of_the_account_that_it_names_though_another_ones_name_begins_so() -> None:
    draft = Draft(
        accounts={"my": {"platform": "slack"}, "my-team": {"platform": "slack"}},
        origins={"my": "slack.my", "my-team": "slack.my.team"},
        notes=[Note("slack.my.team.Debug", "is not needed"), Note("slack.my.Debug", "is needed")],
    )
    lines = as_yaml(draft, "m.toml").splitlines()
    assert [line for line in lines if "needed" in line] == ["  # Debug: is needed", "  # Debug: is not needed"]
