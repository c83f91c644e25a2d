"""Commands in an admin's shell, which lacks what the service has: CREDENTIALS_DIRECTORY, variables, files that only root reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.cli import options

CONFIG = """\
accounts:
  tg: {platform: telegram, token_file: "${CREDENTIALS_DIRECTORY}/telegram-token"}
  spirit: {platform: teamspirit, server: 'http://127.0.0.1:9', api_key: a-teamspirit-key}
routes:
  - name: engineering
    between: [tg/-1001234567890, spirit/engineering]
"""
TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


@pytest.fixture
def service(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """bridge.yaml as the documentation sets a service up; returns the folder it is in."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    (folder / "bridge.yaml").write_text(CONFIG)
    return folder


def credentials(folder: Path, token: str = TOKEN) -> Path:
    made = folder / "credentials"
    made.mkdir(mode=0o700)
    (made / "telegram-token").write_text(token + "\n")
    (made / "telegram-token").chmod(0o600)
    return made


def test_check_tells_what_it_could_not_check(cli: Any, service: Path) -> None:
    done = cli("check")
    assert (done.code, done.out.splitlines()[0]) == (0, "bridge.yaml: ok, 2 accounts, 1 route")
    assert "bridge.yaml:2:40: accounts.tg.token_file: not checked: the environment variable CREDENTIALS_DIRECTORY" in done.err
    assert "run this as root" in done.err
    assert cli("check", "--json").data["ok"] is True


def test_everything_else_is_still_checked(cli: Any, service: Path) -> None:
    (service / "bridge.yaml").write_text(
        CONFIG.replace("tg/-1001234567890", "tg/nonsense here").replace('-token"}', '-token", poll_timeout_s: 99}')
    )
    done = cli("check")
    assert done.code == 78
    assert "poll_timeout_s" in done.err
    assert "a Telegram chat is a number" in done.err


def test_a_variable_that_is_not_systemds_is_still_a_fault(cli: Any, service: Path) -> None:
    (service / "bridge.yaml").write_text(CONFIG.replace("a-teamspirit-key", "'${TEAMSPIRIT_KEY}'"))
    done = cli("check")
    assert done.code == 78
    assert "fault: bridge.yaml:3:73: accounts.spirit.api_key: the environment variable TEAMSPIRIT_KEY is not set" in done.err


def test_the_folder_that_systemd_copies_from_is_used_where_it_can_be_read(cli: Any, service: Path) -> None:
    credentials(service)
    done = cli("check")
    assert done.code == 0
    assert "CREDENTIALS_DIRECTORY" not in done.err
    assert "not checked" not in done.err


def test_what_is_in_it_is_checked(cli: Any, service: Path) -> None:
    credentials(service, token="")
    done = cli("check")
    assert done.code == 78
    assert "telegram-token is empty" in done.err


def test_systemds_own_folder_goes_first(service: Path) -> None:
    credentials(service)
    path = service / "bridge.yaml"
    assert options.service_environ(path, {})["CREDENTIALS_DIRECTORY"] == str(service / "credentials")
    assert options.service_environ(path, {"CREDENTIALS_DIRECTORY": "/run/x"})["CREDENTIALS_DIRECTORY"] == "/run/x"


def test_online_does_not_ask_an_account_whose_token_it_cannot_read(cli: Any, service: Path) -> None:
    found = {one["account"]: one for one in cli("check", "--online", "--timeout", "5", "--json").data["online"]}
    assert found["tg"]["detail"] == "not checked: its secrets cannot be read here"
    assert (found["tg"]["ok"], found["tg"]["temporary"]) == (False, False)


def test_what_needs_no_secret_does_without(cli: Any, service: Path) -> None:
    (service / "bridge.yaml").write_text(CONFIG.replace("a-teamspirit-key", "'${TEAMSPIRIT_KEY}'"))
    done = cli("routes")
    assert done.code == 0
    assert "engineering" in done.out
