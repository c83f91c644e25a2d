"""check, routes, schema, --version: output, exit codes, and never a traceback for bad input."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bridge.cli import daemon_config
from bridge.files.guards import probed
from tests.support.patience import PATIENCE_S

MODULE = [sys.executable, "-c", "from bridge.cli import main; main()"]


def test_version(cli: Any) -> None:
    done = cli("--version")
    assert done.code == 0
    assert re.fullmatch(r"messenger-bridge \d+\.\d+\.\d+ \(Python 3\.\d+\.\d+\)\n", done.out)


def test_help_names_every_command(cli: Any) -> None:
    done = cli("--help")
    assert done.code == 0
    for name in ("run", "check", "routes", "schema", "dead", "sandbox"):
        assert re.search(rf"\b{name}\b", done.out)
    for name in ("run", "check", "routes", "schema", "sandbox"):
        assert cli(name, "--help").code == 0
    for name in ("list", "show", "retry", "drop"):
        assert cli("dead", name, "--help").code == 0


@pytest.mark.parametrize(
    "arguments", [["chek"], ["check", "--nope"], ["dead", "show"], ["dead", "show", "x"], ["check", "extra"], ["dead", "los"]]
)
def test_wrong_usage_is_2(cli: Any, arguments: list[str]) -> None:
    done = cli(*arguments)
    assert done.code == 2
    assert done.err
    assert not done.out


def test_a_wrong_command_suggests_the_right_one(cli: Any) -> None:
    assert "'check'" in cli("chek").err


# -- check ------------------------------------------------------------------------------------------------------------------


def test_a_good_configuration(cli: Any) -> None:
    done = cli("check")
    said, conversions = done.out.splitlines()
    assert (done.code, said, done.err) == (0, "bridge.yaml: ok, 2 accounts, 2 routes", "")
    assert conversions == ("" if probed().are_whole else "note: ") + probed().in_words()


def test_where_nothing_is_converted_nothing_is_said_of_it(cli: Any, folder: Path) -> None:
    path = folder / "bridge.yaml"
    path.write_text(path.read_text() + "media: {convert: off}\n")
    assert cli("check").out == "bridge.yaml: ok, 2 accounts, 2 routes\n"


def test_faults_go_to_stderr_all_at_once_and_end_with_78(cli: Any, folder: Path) -> None:
    path = folder / "bridge.yaml"
    path.write_text(path.read_text().replace("[tg/-100", "[tgg/-100").replace("drop: {text", "drop: {txt") + "wbe: {}\n")
    done = cli("check")
    assert (done.code, done.out) == (78, "")
    assert done.err.splitlines() == [
        "fault: bridge.yaml:6:15: routes[0].between[0]: unknown account 'tgg' (found 'tgg/-1001234567890') - did you mean 'tg'?",
        "fault: bridge.yaml:10:22: routes[1].filter[0].drop.txt: unknown key 'txt' - did you mean 'text'?",
        "fault: bridge.yaml:11:1: wbe: unknown section 'wbe' - did you mean 'web'?",
        "3 faults in the configuration",
    ]


def test_warnings_do_not_fail(cli: Any, folder: Path) -> None:
    (folder / "bridge.yaml").chmod(0o644)
    done = cli("check")
    assert done.code == 0
    assert done.err.startswith("warning: bridge.yaml:3:")
    assert "ok, 2 accounts" in done.out


def test_check_as_json(cli: Any, folder: Path) -> None:
    told = cli("check", "--json").data
    guards = probed()
    as_told = {"whole": guards.are_whole, "network": list(guards.network), "files": list(guards.files)}
    assert told.pop("conversions") == {"missing_packages": [], "guards": {**as_told, "not_in_force": guards.missing}}
    assert told == {"ok": True, "faults": [], "warnings": []}
    (folder / "bridge.yaml").write_text("accounts: {tg: {platform: telegraph}}\n")
    done = cli("check", "--json")
    assert done.code == 78
    assert done.data["ok"] is False
    (fault,) = done.data["faults"]
    assert fault == {
        "path": "bridge.yaml",
        "line": 1,
        "column": 27,
        "key": "accounts.tg.platform",
        "why": "unknown platform 'telegraph'",
        "value": "telegraph",
        "hint": "did you mean 'telegram'?",
    }
    assert not done.err


@pytest.mark.parametrize(
    "command", [["check"], ["routes"], ["run"], ["dead", "list"], ["routes", "--json"], ["dead", "list", "--json"]]
)
@pytest.mark.parametrize("content", [None, "", "a: [1", "\x00", "accounts: 3\n", b"\xff"])
def test_no_configuration_is_78_for_every_command(cli: Any, folder: Path, command: list[str], content: Any) -> None:
    path = folder / "bridge.yaml"
    path.unlink()
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = cli(*command)
    if command[0] == "dead" and content in ("accounts: 3\n",):
        assert done.code == 69, "dead looks at the journal's section only"
        return
    assert done.code == 78
    assert "bridge.yaml" in done.out + done.err
    if "--json" in command:
        assert done.data["faults"]


def test_configuration_by_option_and_by_environment(cli: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "bridge.yaml").rename(folder / "other.yaml")
    assert cli("check").code == 78
    assert cli("check", "-c", "other.yaml").code == 0
    monkeypatch.setenv("MESSENGER_BRIDGE_CONFIG", "other.yaml")
    assert cli("check").code == 0
    assert cli("check", "--config", "none.yaml").code == 78


def test_no_secret_in_any_output(cli: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "bridge.yaml"
    path.write_text(path.read_text().replace("platform: telegram", "platform: telegram, poll_timeout_s: x"))
    for command in (["check"], ["check", "--json"], ["routes"], ["run"]):
        done = cli(*command)
        assert "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw" not in done.out + done.err


# -- routes -----------------------------------------------------------------------------------------------------------------


def test_routes_says_what_becomes_of_each_kind(cli: Any) -> None:
    done = cli("routes", "engineering")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "engineering"
    assert "  tg/-1001234567890 -> spirit/engineering" in lines
    assert "  spirit/engineering -> tg/-1001234567890" in lines
    assert re.search(r"dropped +deletes \(Telegram", done.out)
    assert (
        re.search(r"converted +[^\n]*sender name \(a line in the text\)", done.out)
        or "sender name (a line in the text)" in done.out
    )
    assert re.search(r"off +.*pins", done.out)
    assert max(map(len, lines)) <= 130


def test_routes_short_and_filters(cli: Any) -> None:
    assert cli("routes", "--short").out.splitlines() == [
        "engineering",
        "  tg/-1001234567890 -> spirit/engineering",
        "  spirit/engineering -> tg/-1001234567890",
        "alerts",
        "  filter 1: drop text ^DEBUG (line 10)",
        "  spirit/alerts -> tg/-1009876543210/45",
    ]


def test_routes_as_json(cli: Any) -> None:
    engineering, alerts = cli("routes", "--json").data
    assert (engineering["name"], alerts["filter"]) == ("engineering", ["filter 1: drop text ^DEBUG (line 10)"])
    (direction,) = alerts["directions"]
    assert (direction["from"], direction["to"]) == ("spirit/alerts", "tg/-1009876543210/45")
    kinds = {one["kind"]: one for one in direction["kinds"]}
    assert kinds["bold"]["level"] == "native"
    assert kinds["pins"]["level"] == "off"
    assert kinds["sender name"] == {"kind": "sender name", "level": "converted", "note": "a line in the text"}


def test_an_unknown_route(cli: Any) -> None:
    done = cli("routes", "enginering")
    assert done.code == 2
    assert "there is no route 'enginering' - did you mean 'engineering'?" in done.err


# -- schema -----------------------------------------------------------------------------------------------------------------


def test_schema_is_one(cli: Any) -> None:
    done = cli("schema")
    assert done.code == 0
    jsonschema.Draft202012Validator.check_schema(done.data)


# -- terminals --------------------------------------------------------------------------------------------------------------


def in_a_terminal(*arguments: str, cwd: Path, **environ: str) -> str:
    """What a terminal shows of a command."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environ}
    process = subprocess.Popen([*MODULE, *arguments], cwd=cwd, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:
        pass  # the terminal is gone: the command has ended
    finally:
        os.close(ours)
        process.wait(timeout=PATIENCE_S)
    return shown.decode()


def test_colours_only_in_a_terminal_and_never_with_no_color(folder: Path) -> None:
    environ = {"NO_COLOR": ""}
    assert "\x1b[" in in_a_terminal("routes", cwd=folder, **environ)
    assert "\x1b[3" not in in_a_terminal("routes", cwd=folder, NO_COLOR="1")
    piped = subprocess.run([*MODULE, "routes"], cwd=folder, capture_output=True, timeout=PATIENCE_S, check=True)
    assert b"\x1b" not in piped.stdout + piped.stderr


def test_a_reader_that_goes_away(folder: Path) -> None:
    command = " ".join(f"'{part}'" for part in MODULE)
    done = subprocess.run(
        f"{command} schema | head -1", shell=True, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.stdout == "{\n"
    assert "Traceback" not in done.stderr


def test_light_commands_import_little(folder: Path) -> None:
    code = (
        "import sys, json, contextlib, bridge.cli; sys.argv = ['messenger-bridge', 'check']\n"
        "with contextlib.suppress(SystemExit): bridge.cli.main()\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & {"aiogram", "discord", "slack_sdk", "rich", "aiohttp", "sqlite3"}


# -- the daemon's short way -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["run"], "bridge.yaml"),
        (["run", "-c", "etc/one.yaml"], "etc/one.yaml"),
        (["run", "--config", "one.yaml"], "one.yaml"),
        (["run", "--config=one.yaml"], "one.yaml"),
        (["run", "--config"], None),
        (["run", "--config", "--help"], None),
        (["run", "--config="], None),
        (["run", "--help"], None),
        (["run", "bridge.yaml"], None),
        (["run", "-c", "a", "-c", "b"], None),
        (["check"], None),
        (["--version"], None),
        ([], None),
    ],
)
def test_a_plain_run_needs_no_parser(arguments: list[str], path: str | None) -> None:
    assert daemon_config(arguments, {}) == (None if path is None else Path(path))


def test_a_plain_run_takes_the_configuration_of_the_environment() -> None:
    environ = {"MESSENGER_BRIDGE_CONFIG": "/etc/bridge.yaml"}
    assert daemon_config(["run"], environ) == Path("/etc/bridge.yaml")
    assert daemon_config(["run", "-c", "other.yaml"], environ) == Path("other.yaml")


@pytest.mark.parametrize("arguments", [["run", "-c", "missing.yaml"], ["run", "--config=missing.yaml"], ["run", "-cmissing.yaml"]])
def test_both_ways_of_starting_are_one_command(arguments: list[str], folder: Path) -> None:
    done = subprocess.run([*MODULE, *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith("fault: missing.yaml: ")
