"""init as somebody types it; a whole newcomer's path is in tests/flows/test_newcomer.py."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

SERVER = "http://127.0.0.1:9"
"""Where nobody listens."""

Types = Callable[..., Any]


@pytest.fixture
def types(cli: Any, monkeypatch: pytest.MonkeyPatch) -> Types:
    def typed(*lines: str, options: tuple[str, ...] = ()) -> Any:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return cli("init", "--config", "new.yaml", *options)

    return typed


def test_an_account_whose_server_is_away_is_told_and_may_be_kept(types: Types, folder: Path) -> None:
    done = types("mattermost", "teamspirit", "spirit", SERVER, "a-key", "n", "", "")
    assert done.code == 0, done
    assert "'mattermost' is none of them" in done.err
    assert "FAILED" in done.err
    assert "There is no route yet" in done.err
    document = yaml.safe_load((folder / "new.yaml").read_text())
    assert document == {
        "accounts": {"spirit": {"platform": "teamspirit", "api_key_file": "credentials/spirit-api-key", "server": SERVER}}
    }
    assert (folder / "credentials/spirit-api-key").read_text() == "a-key\n"


def test_a_chat_may_be_given_although_it_cannot_be_listed(types: Types, folder: Path) -> None:
    one = ("spirit", SERVER, "a-key", "n", "spirit/general")
    other = ("spirit", "other", "http://127.0.0.1:9/b", "another-key", "n", "http://127.0.0.1:9/b/team/channels/hall")
    done = types("teamspirit", *one, "teamspirit", *other, "", "rooms")
    assert done.code == 0, done
    assert "there is an account spirit already" in done.err
    document = yaml.safe_load((folder / "new.yaml").read_text())
    assert document["routes"] == [{"name": "rooms", "between": ["spirit/general", "other/hall"]}]


def test_a_wrong_chat_is_asked_for_again(types: Types, folder: Path) -> None:
    done = types("teamspirit", "", SERVER, "k", "n", "https://example.com/x", "", "")
    assert done.code == 0, done
    assert "that link leads to no chat of TeamSpirit" in done.err


def test_a_name_that_bridge_yaml_cannot_have_is_asked_for_again(types: Types, folder: Path) -> None:
    one = ("../evil", "name", "spirit", SERVER, "a-key", "n", "spirit/general")
    other = ("other", "http://127.0.0.1:9/b", "another-key", "n", "other/hall")
    done = types("teamspirit", *one, "teamspirit", *other, "", "x" * 101, "rooms")
    assert done.code == 0, done
    assert "an account's name has letters" in done.err
    assert "means something else in people" in done.err
    assert "must be 1 to 100 printable characters" in done.err
    document = yaml.safe_load((folder / "new.yaml").read_text())
    assert (list(document["accounts"]), document["routes"][0]["name"]) == (["spirit", "other"], "rooms")


@pytest.mark.parametrize("platform", ["telegram", "slack", "discord", "teamspirit"])
def test_the_page_that_leads_to_a_token_is_named_before_it_is_asked_for(types: Types, platform: str) -> None:
    lines = types(platform, "mine").err.splitlines()
    (named,) = [line.partition("click by click: ")[2] for line in lines if "click by click: " in line]
    assert Path(named) == Path(__file__).parents[3] / "docs" / f"first-bridge-{platform}.md"
    assert Path(named).is_file()


def test_what_is_there_stays(types: Types, folder: Path) -> None:
    (folder / "new.yaml").write_text("mine")
    done = types("teamspirit")
    assert (done.code, (folder / "new.yaml").read_text()) == (2, "mine")
    assert "new.yaml is there already" in done.err


def test_an_end_of_the_input_writes_nothing(types: Types, folder: Path) -> None:
    done = types("teamspirit", "spirit")
    assert done.code == 1
    assert not (folder / "new.yaml").exists()
    assert not (folder / "credentials").exists()


def test_options_that_cannot_be_read_are_told(types: Types) -> None:
    done = types(options=("--set", "nonsense"))
    assert done.code == 2
    assert "must be ACCOUNT.KEY=VALUE" in done.err
