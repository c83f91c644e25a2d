"""What the listeners share: a port that cannot be used is named by its key, and which names a loopback listener answers to."""

from __future__ import annotations

import errno
import ipaddress
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.config.model import Listener


class CannotListen(OSError):
    """A port that cannot be used. As text: the key, the port, and why."""


@contextmanager
def named(key: str, place: Listener) -> Iterator[None]:
    """An OSError within becomes CannotListen, which names the key of bridge.yaml."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            why = "another program listens there already"
        elif error.errno == errno.EADDRNOTAVAIL:
            why = "this machine has no such address"
        elif error.errno in (errno.EACCES, errno.EPERM):
            why = "not permitted; ports below 1024 need a capability"
        raise CannotListen(error.errno, f"{key}: cannot listen on {place.host} port {place.port}: {why}") from error


def answers_to(host: str, listen_host: str, more: Collection[str] = ()) -> bool:
    """Whether a request for this `Host` is meant for a listener that asks for no password.

    A web page anywhere can give its own name the address 127.0.0.1 and have a browser on this machine ask us (DNS rebinding); then
    the `Host` is that name. So a listener on loopback answers to addresses, to `localhost` and to `more`; one for the network
    answers to every name, unless `more` says to which."""
    if host.startswith("["):
        name, _, port = host.removeprefix("[").partition("]")
        if port and not port.startswith(":"):
            return False
    else:
        name = host.partition(":")[0]
    name = name.rstrip(".").lower()
    if not name or name in ("localhost", listen_host.lower(), *(one.lower() for one in more)) or _is_address(name):
        return True
    return not more and not is_loopback(listen_host)


def is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
