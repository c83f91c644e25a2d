"""systemd's socket: what is told arrives, and nobody waits for whoever does not read it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.systemd import Notifier
from tests.support.patience import PATIENCE_S, eventually


@pytest.fixture
def notifiers() -> Iterator[list[Notifier]]:
    made: list[Notifier] = []
    yield made
    for one in made:
        one.close()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    path = str(tmp_path / "notify")
    reader = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    reader.bind(path)
    reader.setblocking(False)
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    yield reader
    reader.close()


def read(reader: socket.socket) -> list[str]:
    told = []
    try:
        while True:
            told.append(reader.recv(65536).decode())
    except BlockingIOError:
        return told


def fill(notifier: Notifier) -> None:
    """Until the socket takes no more."""
    for number in range(100_000):
        notifier.notify(f"STATUS={number}")
        if notifier._again is not None:
            return
    raise AssertionError("the socket takes everything")


async def test_what_is_told_arrives_in_order(systemd: socket.socket, notifiers: list[Notifier]) -> None:
    notifiers.append(notifier := Notifier())
    notifier.notify("READY=1")
    notifier.notify("WATCHDOG=1\nSTATUS=all well")
    assert read(systemd) == ["READY=1", "WATCHDOG=1\nSTATUS=all well"]


async def test_an_unread_socket_holds_nobody_up_and_gets_the_latest_of_each_when_it_is_read(
    systemd: socket.socket, notifiers: list[Notifier]
) -> None:
    notifiers.append(notifier := Notifier())
    fill(notifier)
    before = time.monotonic()
    for state in ("RELOADING=1", "READY=1", "WATCHDOG=1", "STATUS=old", "STATUS=new", "STOPPING=1"):
        notifier.notify(state)
    assert time.monotonic() - before < PATIENCE_S
    read(systemd)
    told = await eventually(lambda: read(systemd))
    assert told == ["WATCHDOG=1\nSTATUS=new\nSTOPPING=1"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library lets go of a socket it cannot connect
async def test_nobody_there_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, systemd: socket.socket, notifiers: list[Notifier]
) -> None:
    notifiers.append(notifier := Notifier())
    systemd.close()
    notifier.notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    Notifier().notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "none"))
    Notifier().notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "")
    Notifier().notify("READY=1")
