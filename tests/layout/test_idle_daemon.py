"""What an idle daemon has imported: its size is mostly that. Modules are looked at, since sizes differ between machines."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
_READY_WITHIN_S = PATIENCE_S

_RUN_AND_TELL = """
import atexit, json, pathlib, sys
atexit.register(lambda: pathlib.Path("modules.json").write_text(json.dumps(sorted(sys.modules))))
sys.argv = ["messenger-bridge", "run", "--config", "bridge.yaml"]
from bridge.cli import main
main()
"""

_ACCOUNTS = {
    "spirit": "{platform: teamspirit, server: 'http://127.0.0.1:9', api_key: a-teamspirit-key}",
    "team": "{platform: slack, bot_token: xoxb-1-2-three, app_token: xapp-1-2-three, api_url: 'http://127.0.0.1:9/api'}",
    "guild": "{platform: discord, token: a.discord.token, api_url: 'http://127.0.0.1:9/api/v10'}",
    "tg": "{platform: telegram, token: '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw', base_url: 'http://127.0.0.1:9'}",
}

_FOR_PEOPLE = ("typer", "click", "rich", "pygments")
_FOR_READING = ("pydantic", "pydantic_core", "yaml", "bridge.config.load")
"""bridge.yaml is read in another process. aiogram's own types need pydantic."""
_FOR_LISTENERS = ("aiohttp.web", "prometheus_client")
_NEVER = ("greenlet", "emoji", "PIL", "pydantic.v1")
_CLIENTS = {"team": "slack_sdk", "guild": "discord", "tg": "aiogram"}


def _modules(folder: Path, accounts: Sequence[str], more: str = "") -> set[str]:
    """What a daemon with these accounts, none of which reaches its platform, has imported when it was ready and was stopped."""
    lines = [f"  {name}: {_ACCOUNTS[name]}" for name in accounts]
    (folder / "bridge.yaml").write_text("\n".join(["accounts:", *lines, more, ""]))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(folder / "notify"))
        environ = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify"), "PYTHONPATH": str(ROOT)}
        with subprocess.Popen([sys.executable, "-c", _RUN_AND_TELL], cwd=folder, env=environ, stderr=subprocess.PIPE) as daemon:
            ready = _is_ready(notify, daemon)
            daemon.send_signal(signal.SIGTERM if ready else signal.SIGKILL)
            _, errors = daemon.communicate(timeout=_READY_WITHIN_S)
    assert daemon.returncode == 0, errors.decode()
    return set(json.loads((folder / "modules.json").read_text()))


def _is_ready(notify: socket.socket, daemon: subprocess.Popen[bytes]) -> bool:
    """Waits for it; False if the daemon ends before, or takes too long."""
    notify.settimeout(0.2)
    until_s = time.monotonic() + _READY_WITHIN_S
    while daemon.poll() is None and time.monotonic() < until_s:
        try:
            if b"READY=1" in notify.recv(4096):
                return True
        except TimeoutError:
            continue
    return False


def _of(packages: Sequence[str], modules: set[str]) -> list[str]:
    return [name for name in modules if any(name == package or name.startswith(f"{package}.") for package in packages)]


@pytest.mark.parametrize("accounts", [("spirit", "team"), ("spirit", "team", "guild"), ("tg",)], ids="+".join)
def test_a_daemon_imports_what_its_accounts_need(tmp_path: Path, accounts: tuple[str, ...]) -> None:
    modules = _modules(tmp_path, accounts)
    unused = [library for name, library in _CLIENTS.items() if name not in accounts]
    reading = ["bridge.config.load", "yaml"] if "tg" in accounts else _FOR_READING
    assert _of([*_FOR_PEOPLE, *_FOR_LISTENERS, *_NEVER, *unused, *reading], modules) == []
    assert {_CLIENTS[name] for name in accounts if name in _CLIENTS} <= modules


def test_listeners_bring_their_server(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    modules = _modules(tmp_path, ["spirit"], f"web: {{admin: {{listen: '127.0.0.1:{port}'}}}}")
    assert "aiohttp.web" in modules
    assert _of(["bridge.dashboard"], modules) == [], "pages are loaded when somebody looks"
