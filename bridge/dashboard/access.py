"""Who asks, and what they may do: by a session, a token, or the word of a proxy that is trusted. Decides nothing about pages.

A listener on loopback without any of these lets whoever asks from this host look. A listener for the network without them shows no
dashboard."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.config.dashboard import DashboardConfig, DashboardUser, Role
from bridge.dashboard.sessions import Sessions
from bridge.identity.names import clean_name
from bridge.model.clock import Clock
from bridge.web.allowance import Allowances
from bridge.web.client_address import Proxies, household, parse

if TYPE_CHECKING:
    from aiohttp import web

COOKIE = "messenger_bridge_dashboard"
_ATTEMPTS_PER_MINUTE = 6
"""Wrong passwords, of one address (or network of 64 bits)."""
_ATTEMPTS_OF_ALL = 120
"""Of all addresses together: nobody tries a dictionary from many. Beyond that an address has one try, so that nobody is kept out by
what others try."""
_BY_PROXIES = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody who may look. `is_known`: signed in, by a password or a proxy."""

    name: str
    role: Role
    is_known: bool = True
    session: str = ""
    """The session's cookie; empty where there is none."""
    by_token: bool = False
    """A program: no other site can make a browser send its token."""

    @property
    def may_operate(self) -> bool:
        return self.role is Role.OPERATE


class Limited(Exception):
    """Too many wrong passwords came from there."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s


class Access:
    """`config` is what is in force now. `is_local`: the listener is on loopback."""

    def __init__(self, config: Callable[[], DashboardConfig], sessions: Sessions, clock: Clock, *, is_local: bool) -> None:
        self._config = config
        self._clock = clock
        self._is_local = is_local
        self._wrong = Allowances()
        self.sessions = sessions

    @property
    def is_open(self) -> bool:
        """Whether there is a dashboard here for anybody."""
        return self._config().is_open(is_local=self._is_local)

    @property
    def has_passwords(self) -> bool:
        return bool(self._config().users)

    def who(self, request: web.Request) -> Who | None:
        """None: not known, and to be sent away or asked for a password. Raises Limited."""
        config = self._config()
        if config.user_header and self._is_trusted(request.remote):
            given = request.headers.getall(config.user_header, [])
            name = clean_name(given[0])[:_LONGEST_NAME] if len(given) == 1 else ""
            if name:
                role = Role.OPERATE if given[0] in config.operators else Role.READ
                return Who(name=name, role=role)
        if config.users and (token := _token(request)) is not None:
            return self._by_token(request, token)
        if (known := self._by_cookie(request)) is not None:
            return known
        if config.has_sign_in or not self._is_local or not _is_from_here(request):
            return None
        return Who(name="this host", role=Role.READ, is_known=False)

    def sign_in(self, request: web.Request, name: str, password: str) -> str | None:
        """The cookie of a new session; None: that is wrong. Raises Limited."""
        self.look_at_limits(request)
        user = self._user_of(password)
        if user is None or not hmac.compare_digest(user.name.encode(), name.encode()):
            self._count_wrong(request)
            return None
        return self.sessions.begin(user.name, user.password.get_secret_value(), self._clock.monotonic_s())

    def client(self, request: web.Request) -> str:
        """The address that asks, as the log shows it."""
        return Proxies(self._config().trusted_proxies).client(request.remote, request.headers)

    def _by_token(self, request: web.Request, token: str) -> Who | None:
        self.look_at_limits(request)
        user = self._user_of(token)
        if user is None:
            self._count_wrong(request)
            return None
        return Who(name=user.name, role=user.role, by_token=True)

    def _by_cookie(self, request: web.Request) -> Who | None:
        cookie = request.cookies.get(COOKIE, "")
        name = self.sessions.claimed_user(cookie)
        user = next((one for one in self._config().users if one.name == name), None) if name else None
        if user is None or not self.sessions.holds(cookie, user.password.get_secret_value(), self._clock.monotonic_s()):
            return None
        return Who(name=user.name, role=user.role, session=cookie)

    def _user_of(self, password: str) -> DashboardUser | None:
        """No two users have one password. All are compared, however many of them match."""
        given, found = _digest(password), None
        for user in self._config().users:
            if hmac.compare_digest(_digest(user.password.get_secret_value()), given):
                found = user
        return found

    def _is_trusted(self, remote: str | None) -> bool:
        address = parse(remote or "")
        return address is not None and any(address in network for network in self._config().trusted_proxies)

    # -- limits -------------------------------------------------------------------------------------------------------------

    def look_at_limits(self, request: web.Request) -> None:
        """Before anything is done with a password that comes from there. Raises Limited."""
        now_s = self._clock.monotonic_s()
        own, everybody = self._callers(request)
        wait_s = self._wrong.wait_s(*own, now_s)
        if not self._wrong.is_unused(*own, now_s):
            wait_s = max(wait_s, self._wrong.wait_s(*everybody, now_s))
        if wait_s > 0:
            raise Limited(wait_s)

    def _count_wrong(self, request: web.Request) -> None:
        for caller, per_minute in self._callers(request):
            self._wrong.take(caller, per_minute, self._clock.monotonic_s())

    def _callers(self, request: web.Request) -> tuple[tuple[str, int], ...]:
        return (household(self.client(request)), _ATTEMPTS_PER_MINUTE), ("everybody", _ATTEMPTS_OF_ALL)


def _token(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _digest(text: str) -> bytes:
    """Of one length, so that comparing tells nothing of how long a password is."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _is_from_here(request: web.Request) -> bool:
    """Whether a program on this host asks for itself, and not a proxy for somebody else, as far as it says so. No browser speaks
    HTTP/1.0 any more, and nginx does to what is behind it, where nobody tells it otherwise. Source: nginx, `proxy_http_version`."""
    address = parse(request.remote or "")
    is_here = address is not None and address.is_loopback
    return is_here and request.version >= (1, 1) and not any(name in request.headers for name in _BY_PROXIES)


def is_same_origin(request: web.Request, hosts: Collection[str]) -> bool:
    """Whether a request that changes something comes from our own page: by `Origin`, which every browser sends with a form, or by
    `Sec-Fetch-Site`. A proxy may have changed `Host`: then `hosts` has the name. Source: Fetch, "Origin header"; OWASP's cheat
    sheet on CSRF, "Verifying Origin With Standard Headers"."""
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Sec-Fetch-Site") == "same-origin"
    try:
        parts = urlsplit(origin)
        is_ours = bool(parts.netloc) and parts.netloc.lower() == request.headers.get("Host", "").lower()
        return parts.scheme in ("http", "https") and (is_ours or parts.hostname in {host.lower() for host in hosts})
    except ValueError:
        return False
