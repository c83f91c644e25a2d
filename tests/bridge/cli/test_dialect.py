"""`messenger-bridge dialect` as an admin calls it: show, test, record; it asks before it writes, and shows no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

OVERRIDES = """\
    overrides:
      base: "{{ account.server }}/rest/2"
      operations:
        send:
          answer: {id: message.id}
        typing: null
"""


def with_overrides(folder: Path, overrides: str = OVERRIDES) -> None:
    path = folder / "bridge.yaml"
    flow = "  spirit: {platform: teamspirit, server: 'http://127.0.0.1:9', api_key: a-teamspirit-key}\n"
    block = "  spirit:\n    platform: teamspirit\n    server: 'http://127.0.0.1:9'\n    api_key: a-teamspirit-key\n"
    assert flow in path.read_text()
    path.write_text(path.read_text().replace(flow, block + overrides))


def test_show_tells_where_each_entry_comes_from(cli: Any, folder: Path) -> None:
    with_overrides(folder)
    done = cli("dialect", "show", "spirit", "--json")
    assert done.code == 0
    entries = {one["key"]: (one["value"], one["from"]) for one in done.data["entries"]}
    assert entries["base"] == ("{{ account.server }}/rest/2", "bridge.yaml:8")
    assert entries["operations.send.answer.id"] == ("message.id", "bridge.yaml:11")
    assert entries["operations.send.method"][0] == "POST"
    assert entries["operations.send.method"][1].startswith("teamspirit.yaml:")
    assert not any(key.startswith("operations.typing") for key in entries)
    text = cli("dialect", "show", "spirit").out
    assert "bridge.yaml:11" in text
    assert "a-teamspirit-key" not in text


def test_show_needs_no_secrets(cli: Any, folder: Path) -> None:
    with_overrides(folder)
    path = folder / "bridge.yaml"
    path.write_text(path.read_text().replace("a-teamspirit-key", "${NOT_IN_THIS_SHELL}"))
    entries = {one["key"]: one["from"] for one in cli("dialect", "show", "spirit", "--json").data["entries"]}
    assert entries["operations.send.answer.id"] == "bridge.yaml:11"
    assert entries["operations.send.method"].startswith("teamspirit.yaml:")
    done = cli("dialect", "test", "spirit", "--yes")
    assert done.code in (1, 78)
    assert "NOT_IN_THIS_SHELL" in done.err or "root" in done.err


def test_show_takes_a_shipped_dialect_or_a_file(cli: Any, folder: Path) -> None:
    (folder / "bridge.yaml").unlink()
    assert cli("dialect", "show", "mattermost").out.startswith("mattermost (Mattermost), ")
    shipped = Path(__file__).parents[3] / "adapters/teamspirit/dialects/mattermost.yaml"
    (folder / "mine.yaml").write_text(shipped.read_text().replace("dialect: mattermost", "dialect: mine"))
    assert cli("dialect", "show", "mine.yaml").out.startswith("mine (Mattermost), ")
    (folder / "mine.yaml").write_text(shipped.read_text().replace("operations:", "operatoins:"))
    done = cli("dialect", "show", "mine.yaml")
    assert done.code == 78
    assert "mine.yaml" in done.err
    assert "did you mean 'operations'" in done.err


def test_what_is_no_dialect_is_said(cli: Any, folder: Path) -> None:
    for arguments in (("show", "matermost"), ("test", "nobody", "--yes"), ("test", "tg", "--yes"), ("show", "tg")):
        done = cli("dialect", *arguments)
        assert done.code in (2, 78), arguments
        assert done.err
        assert not done.out
    assert "did you mean 'mattermost'" in cli("dialect", "show", "matermost").err
    assert "not data" in cli("dialect", "test", "tg", "--yes").err
    done = cli("dialect", "test", "spirit", "--only", "sned", "--yes")
    assert "it has me, chats" in done.err


def test_it_says_what_it_would_write_and_does_nothing_unasked(cli: Any) -> None:
    done = cli("dialect", "test", "spirit")
    assert done.code == 2
    assert "posts a test message into engineering" in done.err
    assert "nothing was done" in done.err
    assert not done.out
    assert cli("dialect", "record", "spirit", "x.json").code == 2
    assert cli("dialect", "test", "spirit", "--json").data["ok"] is False


def test_a_right_dialect_against_the_emulator(cli: Any) -> None:
    done = cli("dialect", "test", "spirit", "--emulator")
    assert done.code == 0, done.out
    assert "18 operations tried" in done.out
    assert "operations.me.answer.name (name): bridge" in done.out


def test_a_wrong_entry_is_told_with_its_line_and_the_right_one(cli: Any, folder: Path) -> None:
    with_overrides(folder, OVERRIDES.replace('      base: "{{ account.server }}/rest/2"\n', ""))
    done = cli("dialect", "test", "spirit", "--emulator", "--only", "send")
    assert done.code == 1
    assert "-> operations.send.answer.id (bridge.yaml:10): 'message.id' finds nothing in the answer - the answer has id" in done.out
    assert "Authorization: Bearer ***" in done.out
    assert "1 of 4 operations are wrong: send" in done.out
    data = cli("dialect", "test", "spirit", "--emulator", "--only", "send", "--json").data
    assert data["ok"] is False
    (step,) = [step for step in data["steps"] if step["state"] == "WRONG"]
    assert step["complaints"][0]["source"] == "bridge.yaml:10"


def test_a_server_that_is_away(cli: Any) -> None:
    done = cli("dialect", "test", "spirit", "--read-only")
    assert done.code == 1
    assert "no answer" in done.out
    assert "a-teamspirit-key" not in done.out + done.err


def test_what_is_recorded_can_be_played(cli: Any, folder: Path) -> None:
    done = cli("dialect", "record", "spirit", "answers.json", "--emulator")
    assert done.code == 0, done.err
    assert "exchanges" in done.out
    recording = (folder / "answers.json").read_text()
    assert "127.0.0.1" not in recording
    played = cli("dialect", "test", "spirit", "--played", "answers.json")
    assert played.code == 0, played.out
    with_overrides(folder)
    assert cli("dialect", "test", "spirit", "--played", "answers.json").code == 1


def test_what_is_no_recording_is_said(cli: Any, folder: Path) -> None:
    assert "cannot read" in cli("dialect", "test", "spirit", "--played", "nowhere.json").err
    (folder / "x.json").write_text("{")
    assert "not JSON" in cli("dialect", "test", "spirit", "--played", "x.json").err
    (folder / "x.json").write_text(json.dumps({"exchanges": 5}))
    assert "no recording" in cli("dialect", "test", "spirit", "--played", "x.json").err
