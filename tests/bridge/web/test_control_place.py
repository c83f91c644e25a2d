"""Where the control socket is: who may connect, what a killed daemon leaves, two daemons, long paths."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bridge.web.control_place import InUse, Listening, connect, places, places_to_ask

JOURNAL = Path("/var/lib/mb/messenger-bridge.journal")


def test_in_the_runtime_folder_else_beside_the_journal() -> None:
    beside = Path("/var/lib/mb/messenger-bridge.sock")
    assert places(JOURNAL, {}) == [beside]
    assert places(JOURNAL, {"RUNTIME_DIRECTORY": "/run/mb:/run/other"}) == [Path("/run/mb/control.sock"), beside]
    assert places_to_ask(JOURNAL, {}) == [beside, Path("/run/messenger-bridge/control.sock")]


def test_only_owner_and_group_may_connect_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        listening = Listening(tmp_path / "s")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o660
    connect(tmp_path / "s", 5).close()
    listening.close()
    assert not (tmp_path / "s").exists()
    with pytest.raises(FileNotFoundError):
        connect(tmp_path / "s", 5)


def test_what_a_killed_daemon_left_is_replaced(tmp_path: Path) -> None:
    killed = Listening(tmp_path / "s")
    killed.socket.close()
    os.close(killed._lock)
    with pytest.raises(ConnectionRefusedError):
        connect(tmp_path / "s", 5)
    again = Listening(tmp_path / "s")
    connect(tmp_path / "s", 5).close()
    again.close()


def test_a_daemon_that_is_alive_keeps_its_socket(tmp_path: Path) -> None:
    first = Listening(tmp_path / "s")
    with pytest.raises(InUse):
        Listening(tmp_path / "s")
    connect(tmp_path / "s", 5).close()
    first.close()
    Listening(tmp_path / "s").close()


def test_a_folder_with_a_long_name(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("longer" * 20)
    folder.mkdir(parents=True)
    listening = Listening(folder / "s")
    connect(folder / "s", 5).close()
    listening.close()
    assert list(folder.iterdir()) == [folder / "s.lock"]


def test_what_is_no_socket_stays(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("somebody's")
    with pytest.raises(FileExistsError, match="no socket: move it away"):
        Listening(tmp_path / "s")
    assert (tmp_path / "s").read_text() == "somebody's"
    (tmp_path / "t").symlink_to(tmp_path / "s")
    (tmp_path / "u.lock").symlink_to(tmp_path / "s")
    for name in ("t", "u"):
        with pytest.raises(OSError, match=r"."):
            Listening(tmp_path / name)
    assert (tmp_path / "s").read_text() == "somebody's"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Listening(tmp_path / "none" / "s")
    with pytest.raises(OSError, match=r"."):
        connect(tmp_path / ("none" * 60) / "s", 5)
