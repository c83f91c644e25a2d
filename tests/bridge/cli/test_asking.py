"""Which daemon a command asks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import asking
from bridge.web.control import ControlWeb
from bridge.web.control_place import Listening
from tests.support.patience import PATIENCE_S


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A service's daemon, in a thread."""
    path = tmp_path / "service" / "control.sock"
    path.parent.mkdir()
    monkeypatch.setattr(asking, "SERVICE_SOCKET", path)
    stop, started = asyncio.Event(), threading.Event()
    loop = asyncio.new_event_loop()

    async def status(_: Any) -> dict[str, Any]:
        return {"ok": True, "status": "pass", "config": "/etc/messenger-bridge/bridge.yaml", "accounts": {}, "pid": 1}

    async def run() -> None:
        task = asyncio.create_task(ControlWeb(Listening(path), {("GET", "/status"): status}).run())
        started.set()
        await stop.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert started.wait(PATIENCE_S)
    yield path
    loop.call_soon_threadsafe(stop.set)
    thread.join(PATIENCE_S)
    loop.close()


def test_without_a_file_the_service_is_asked(cli: Any, folder: Path, service: Path) -> None:
    (folder / "bridge.yaml").unlink()
    done = cli("status")
    assert done.code == 0, done
    assert f"asking the service at {service}" in done.err
    assert "relaying" in done.out


def test_a_file_that_is_there_has_its_own_daemon(cli: Any, folder: Path, service: Path) -> None:
    done = cli("status")
    assert done.code == 75
    assert f"no daemon runs with {folder / 'bridge.yaml'}" in done.err


def test_a_socket_that_is_named_is_asked_whatever_runs_there(cli: Any, folder: Path, service: Path) -> None:
    assert cli("status", "--socket", str(service)).code == 0
    missing = cli("reload", "--socket", str(folder / "none.sock"))
    assert (missing.code, missing.err.count("\n")) == (75, 1)


def test_a_file_that_cannot_be_read_is_a_fault(cli: Any, folder: Path) -> None:
    done = cli("status", "--config", "none.yaml")
    assert done.code == 78
    assert "none.yaml" in done.err
