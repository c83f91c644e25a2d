"""--env-file before and behind every command, and for the daemon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.cli import daemon_config
from bridge.cli.env_option import take_env_file
from bridge.config.env_file import VARIABLE
from tests.bridge.cli.conftest import TOKEN


@pytest.fixture
def env_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TELEGRAM_TOKEN")
    monkeypatch.setenv(VARIABLE, "")  # so that it is as it was afterwards
    (folder / "env").write_text(f"TELEGRAM_TOKEN={TOKEN}\n")
    return folder / "env"


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("joined", [True, False])
def test_it_may_stand_before_a_command_and_behind_it(cli: Any, env_file: Path, before: bool, joined: bool) -> None:
    option = [f"--env-file={env_file}"] if joined else ["--env-file", str(env_file)]
    assert cli("check").code == 78, "without it the token is missing"
    done = cli(*option, "check") if before else cli("check", *option)
    assert (done.code, done.err) == (0, "")


def test_commands_on_the_journal_take_it_too(cli: Any, env_file: Path, folder: Path) -> None:
    text = (folder / "bridge.yaml").read_text()
    (folder / "bridge.yaml").write_text(text + "journal: {path: '${WHERE}/a.journal'}\n")
    env_file.write_text(f"TELEGRAM_TOKEN={TOKEN}\nWHERE=elsewhere\n")
    assert "elsewhere/a.journal" in cli("dead", "list", "--env-file", "env").err


def test_its_faults_end_a_command_like_those_of_bridge_yaml(cli: Any, env_file: Path) -> None:
    env_file.write_text("nonsense\n")
    done = cli("check", "--env-file", "env")
    assert done.code == 78
    assert f"{env_file}:1: must be NAME=value" in done.err
    assert cli("check", "--env-file", "nowhere", "--json").data["faults"][0]["why"].startswith("cannot be read")


@pytest.mark.parametrize(
    "arguments", [["check", "--env-file"], ["--env-file=", "check"], ["--env-file=a", "check", "--env-file=b"]]
)
def test_wrong_usage(cli: Any, arguments: list[str]) -> None:
    assert cli(*arguments).code == 2


def test_the_daemon_starts_past_the_command_parser_all_the_same() -> None:
    arguments, environ = ["messenger-bridge", "run", "--env-file", "~/env", "-c", "a.yaml"], dict[str, str]()
    assert take_env_file(arguments, environ) == ""
    assert daemon_config(arguments[1:], environ) == Path("a.yaml")
    assert environ[VARIABLE] == str(Path("~/env").expanduser())


def test_what_stands_behind_two_dashes_is_not_the_option() -> None:
    arguments = ["messenger-bridge", "trace", "--", "--env-file"]
    assert take_env_file(arguments, {}) == ""
    assert arguments[-1] == "--env-file"
