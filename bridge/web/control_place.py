"""Where the control socket of a daemon is, for the daemon that listens there and for the commands that ask it.

Only its owner and its group may connect (mode 0660). A socket that a killed daemon left behind is replaced; who is alive is known
by the lock on a file beside it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

SOCKET_NAME = "control.sock"
SERVICE_SOCKET = Path("/run/messenger-bridge") / SOCKET_NAME
"""In the unit's RuntimeDirectory=: an admin's shell does not have the service's environment."""
_MODE = 0o660
_LONGEST_PATH_BYTES = 107
"""sun_path of unix(7), less its end."""
_BACKLOG = 16


class InUse(OSError):
    """Another daemon listens there."""


def places(journal: Path, environ: Mapping[str, str]) -> list[Path]:
    """Where a daemon listens: in the first of these that it can."""
    # systemd sets it for units with RuntimeDirectory=; several are separated by colons
    folder = environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    beside = journal.with_suffix(".sock")
    return [Path(folder) / SOCKET_NAME, beside] if folder else [beside]


def places_to_ask(journal: Path, environ: Mapping[str, str]) -> list[Path]:
    """Where a command looks for it."""
    return list(dict.fromkeys((*places(journal, environ), SERVICE_SOCKET)))


class Listening:
    """A socket that listens, in non-blocking mode. `close` takes it away."""

    def __init__(self, path: Path) -> None:
        """Raises InUse, OSError."""
        self.path = path
        self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _take(self._lock, path)
            _clear(path)
            self.socket = _listen(path)
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        self.socket.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
        os.close(self._lock)  # its file stays: a lock on a file that is deleted is nobody else's


def _take(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InUse(errno.EADDRINUSE, "another daemon listens there", str(path)) from None


def _clear(path: Path) -> None:
    """Take away what a killed daemon left, and nothing else."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(errno.EEXIST, "is there, and no socket: move it away", str(path))
        path.unlink()
    except FileNotFoundError:
        pass


def _listen(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(path) as name:
            made.bind(name)
        os.chmod(path, _MODE)  # before anybody can connect
        made.listen(_BACKLOG)
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made


def connect(path: Path, timeout_s: float) -> socket.socket:
    """Raises OSError: FileNotFoundError and ConnectionRefusedError if nobody listens, PermissionError, TimeoutError."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(timeout_s)
        with _short(path) as name:
            made.connect(name)
    except BaseException:
        made.close()
        raise
    return made


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name for the path that is not too long for a socket's address."""
    if len(os.fsencode(path)) <= _LONGEST_PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
