"""Asks the running daemon, over its control socket. For `status`, `reload`, `check --diff` and `test`."""

from __future__ import annotations

import http.client
import json as json_format
import os
import socket
from pathlib import Path
from typing import Any

from bridge.web.control_place import connect, places_to_ask

_CONNECT_S = 5.0
_FIND_S = 10.0
_MOST_BYTES = 64 * 1024 * 1024


class NoDaemon(Exception):
    """None can be asked. As text: one line, with what to do."""


class _NobodyListens(NoDaemon):
    pass


class Daemon:
    """The daemon of a configuration file."""

    def __init__(self, config: Path, journal: Path, socket_path: Path | None = None) -> None:
        """`socket_path`: there and nowhere else."""
        self._config = os.path.abspath(config)
        self._places = [socket_path] if socket_path is not None else places_to_ask(journal, os.environ)
        self._is_given = socket_path is not None
        self._found: Path | None = None

    def ask(self, method: str, path: str, *, within_s: float) -> dict[str, Any]:
        """Raises NoDaemon."""
        if self._found is None:
            self._found = self._find(within_s)
        return self._call(self._found, method, path, within_s)

    def _find(self, within_s: float) -> Path:
        """Several daemons may run on a machine: the one that runs this file."""
        others: list[str] = []
        for place in self._places:
            try:
                runs = self._call(place, "GET", "/status", min(within_s, _FIND_S)).get("config", "")
            except _NobodyListens:
                continue
            except NoDaemon as error:
                others.append(str(error))
                continue
            if self._is_given or _is_same(runs, self._config):
                return place
            others.append(f"{place}: that daemon runs {runs}")
        if others:
            raise NoDaemon(others[0])
        places = ", ".join(map(os.path.abspath, self._places))
        if self._is_given:
            raise NoDaemon(f"{places}: nobody listens there; start the daemon, or see whether that is its socket")
        raise NoDaemon(
            f"no daemon runs with {self._config} (asked at {places}): start it, with `messenger-bridge run` or as the service; "
            "if journal.path has changed since it was started, --socket FILE names its socket"
        )

    def _call(self, place: Path, method: str, path: str, within_s: float) -> dict[str, Any]:
        connection = _Connection(place, within_s)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            read = answer.read(_MOST_BYTES)
            found = json_format.loads(read)
        except (FileNotFoundError, ConnectionRefusedError):
            raise _NobodyListens(f"{place}: nobody listens there") from None
        except PermissionError:
            raise NoDaemon(f"{place}: not permitted; run this as root, or as a member of the service's group") from None
        except TimeoutError:
            raise NoDaemon(f"{place}: the daemon does not answer within {within_s:g} s; its log may say why") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoDaemon(f"{place}: no answer: {error or type(error).__name__}") from None
        finally:
            connection.close()
        if not isinstance(found, dict):
            raise NoDaemon(f"{place}: the answer is not one of a daemon")
        if answer.status != http.client.OK:
            raise NoDaemon(f"{place}: {found.get('error', answer.status)}")
        return found


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return one == other


class _Connection(http.client.HTTPConnection):
    """HTTP to a Unix socket."""

    sock: socket.socket | None

    def __init__(self, place: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._place = place
        self._timeout_s = timeout_s

    def connect(self) -> None:
        self.sock = connect(self._place, min(_CONNECT_S, self._timeout_s))
        self.sock.settimeout(self._timeout_s)
