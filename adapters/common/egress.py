"""The one guard for addresses that are not the account's own servers: of a file that a peer names, of where a server's redirect
leads, of an endpoint that messages are posted to.

Nobody must make the bridge ask its own machine, its private network or a cloud's metadata service. So every hop is looked at: its
scheme, its host, and the address that the host has. The connection is made to the address that was looked at, also through a
proxy: a name that resolves differently a moment later leads nowhere else.

Only what bridge.yaml allows may be private: the account's own servers (exactly that host and port), and the hosts of the option
that `Purpose` names. Used by the platforms' transports. Source of the ranges: IANA special-purpose address registries.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import aiohttp
from yarl import URL

from bridge.model.errors import Rejected, RetryLater

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Body = bytes | Callable[[], Awaitable[bytes | aiohttp.FormData | None]]
"""A form is made anew for each address that is tried: aiohttp closes its files if nobody answers."""

_MOST_REDIRECTS = 5
_NAMED = re.compile(r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_LOOKUP_TIMEOUT_S = 10.0
_MOST_SILENT = 2
"""So many addresses of a host may take the whole time for a connection."""

_NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4"),
        # Azure's host for metadata and name service: a public address that only its own machines reach
        "168.63.129.16/32",
    )
)
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(network)
    # protocol assignments (Teredo and ORCHID among them), documentation, 6to4 (it wraps an IPv4 address), documentation
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str | Address) -> bool:
    """Whether an address is one of the open internet. What is no address at all is not."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_4)
    if ip.scope_id:
        return False
    if ip in _NAT64:
        # machines without IPv4 reach all of it there
        return is_public(IPv4Address(int(ip) & 0xFFFF_FFFF))
    return ip in _GLOBAL_6 and not any(ip in network for network in _NOT_PUBLIC_6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What is asked for at the addresses, in the words of errors. `plain`: whether a first address without TLS is allowed."""

    what: str
    where: str
    """A sentence's part: {host} is not such a place."""
    option: str
    plain: bool = False


FILES = Purpose(what="file", where="the file lies on {host}, where files are not fetched from", option="file_hosts")


class Egress:
    """What one account may ask beside its own servers. Keeps no state but the configuration.

    `own`: URLs of the account's configured servers. `only`: the platform's hosts, where it has a closed list; `.example.com` stands
    for every host below example.com. `also`: the hosts that the admin allows. `proxy`: the account's proxy."""

    def __init__(
        self,
        own: Iterable[str],
        *,
        only: Iterable[str] | None = None,
        also: Iterable[str] = (),
        proxy: str | None = None,
        purpose: Purpose = FILES,
    ) -> None:
        self._purpose = purpose
        self._own = {origin for url in own if (origin := _origin(url)) is not None}
        self._is_secure = all(origin.scheme == "https" for origin in self._own)
        self._only = None if only is None else tuple(host.lower() for host in only)
        self._networks: list[Network] = []
        self._also: set[str] = set()
        for entry in also:
            try:
                self._networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                self._also.add(entry.lower())
        self._proxy = proxy

    async def open(
        self,
        session: aiohttp.ClientSession,
        url: str | URL,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        credentials: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        """The answer at the end of all redirects; the caller closes it. `credentials` are headers for the first hop's origin alone,
        and only if that is one of the account's servers or the platform's.

        Raises Rejected for an address that is not allowed, RetryLater for one that cannot be found and for endless redirects, and
        aiohttp's errors."""
        here, before = self._parsed(url), None
        is_ours = here.origin() in self._own or self._is_listed(here)
        sent = {**(headers or {}), **(credentials or {} if is_ours else {})}
        for _ in range(_MOST_REDIRECTS + 1):
            answer = await self._hop(session, method, here, before, sent, timeout)
            where = answer.headers.get("Location")
            if answer.status not in (301, 302, 303, 307, 308) or not where:
                return answer
            answer.close()
            before, here = here, self._parsed(where, base=here)
            if here.origin() != before.origin():
                sent = dict(headers or {})
        raise RetryLater(f"the {self._purpose.what}'s server redirects without end")

    async def ask(
        self,
        session: aiohttp.ClientSession,
        url: str | URL,
        *,
        method: str,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,
        body: Body,
        middlewares: Sequence[aiohttp.ClientMiddlewareType] | None = None,
    ) -> aiohttp.ClientResponse:
        """One request, whose answer the caller closes: a redirect is an answer like any other. Raises as `open` does."""
        return await self._hop(session, method, self._parsed(url), None, dict(headers), timeout, body, middlewares)

    async def look(self, url: str | URL) -> None:
        """Whether `ask` would be allowed there now, without asking. Raises Rejected, RetryLater."""
        here = self._parsed(url)
        if not self.admit(here):
            await self._checked(here)

    def admit(self, url: str | URL, before: URL | None = None) -> bool:
        """Look at an address without asking for it. Raises Rejected.

        True: bridge.yaml (or the platform, behind a proxy) vouches for the host; False: the address that it resolves to decides."""
        here = self._parsed(url)
        is_own = here.origin() in self._own
        is_listed = self._is_listed(here)
        if here.scheme == "http" and not (before is None and self._purpose.plain):
            was_secure = self._is_secure if before is None else before.scheme == "https"
            if is_listed or (was_secure and not (before is None and is_own)):
                raise Rejected(f"the {self._purpose.what}'s address is not encrypted (http://{here.host})")
        if is_own or self._is_named(here):
            return True
        if self._only is not None and not is_listed:
            raise self._elsewhere(here)
        # a proxy often knows hosts that this machine cannot look up, and may let only names pass; TLS proves the platform's hosts
        return is_listed and self._proxy is not None

    def _is_named(self, url: URL) -> bool:
        host = (url.host or "").lower()
        if {host, f"{host}:{url.port}", f"[{host}]:{url.port}"} & self._also:
            return True
        try:
            ip = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(ip in network for network in self._networks)

    def _is_listed(self, url: URL) -> bool:
        host = (url.host or "").lower()
        if url.origin() in self._own or self._only is None:
            return False
        return any(host == entry or (entry.startswith(".") and host.endswith(entry)) for entry in self._only)

    async def _hop(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: URL,
        before: URL | None,
        headers: dict[str, str],
        timeout: aiohttp.ClientTimeout,
        body: Body | None = None,
        middlewares: Sequence[aiohttp.ClientMiddlewareType] | None = None,
    ) -> aiohttp.ClientResponse:
        async def ask(target: URL, headers: dict[str, str], server_name: str | None) -> aiohttp.ClientResponse:
            return await session.request(
                method,
                target,
                headers=headers,
                data=await body() if callable(body) else body,
                proxy=self._proxy,
                timeout=timeout,
                allow_redirects=False,
                server_hostname=server_name,
                middlewares=middlewares,
            )

        if self.admit(url, before):
            try:
                return await ask(url, headers, None)
            except aiohttp.InvalidURL:
                raise self._unusable() from None
        failure: aiohttp.ClientConnectionError | None = None
        left, silent = list(await self._checked(url)), 0
        while left and silent < _MOST_SILENT:
            address = left.pop(0)
            pinned = url.with_host(address)
            try:
                return await ask(pinned, {**headers, "Host": url.host_port_subcomponent or ""}, url.raw_host)
            except aiohttp.ClientConnectorError as error:
                failure = error
            except aiohttp.ConnectionTimeoutError as error:
                failure, silent = error, silent + 1
                # often one family leads nowhere from here: the other one comes next
                left.sort(key=lambda other: (":" in other) == (":" in address))
        assert failure is not None, "a name that resolves has addresses"
        raise failure

    async def _checked(self, url: URL) -> Sequence[str]:
        """The addresses of a host, each of which may be asked. Raises Rejected, RetryLater."""
        host, port = url.raw_host or "", url.port or 0
        try:
            addresses = await _addresses(host, port)
        except (OSError, UnicodeError):
            if self._proxy is None:
                raise RetryLater(f"the {self._purpose.what}'s server {host} cannot be found") from None
            why = f"only the proxy knows where {host} is, the {self._purpose.what}'s server; {self._purpose.option} allows it"
            raise Rejected(why) from None
        own: set[tuple[Address, int]] | None = None
        for address in addresses:
            ip = ipaddress.ip_address(address)
            if is_public(ip) or any(ip in network for network in self._networks):
                continue
            own = await self._own_places() if own is None else own
            if (ip, port) not in own:
                raise self._elsewhere(url)
        return addresses

    def _parsed(self, url: str | URL, *, base: URL | None = None) -> URL:
        """An absolute http(s) URL with a host and without a login. Raises Rejected."""
        try:
            parsed = url if isinstance(url, URL) else URL(url)
            parsed = parsed if base is None else base.join(parsed)
            is_usable = parsed.scheme in ("http", "https") and parsed.host and parsed.user is None and parsed.password is None
            parsed.origin()
        except (ValueError, TypeError):
            is_usable = False
        if not is_usable:
            raise self._unusable()
        return parsed

    def _unusable(self) -> Rejected:
        return Rejected(f"the {self._purpose.what}'s address is no usable one")

    def _elsewhere(self, url: URL) -> Rejected:
        where = self._purpose.where.format(host=url.host)
        return Rejected(f"{where}; {self._purpose.option} in bridge.yaml can allow it")

    async def _own_places(self) -> set[tuple[Address, int]]:
        """Where the account's servers are: the same place by another name is no other place."""
        places: set[tuple[Address, int]] = set()
        for origin in self._own:
            port = origin.port or 0
            try:
                places |= {(ipaddress.ip_address(each), port) for each in await _addresses(origin.raw_host or "", port)}
            except (OSError, UnicodeError):
                continue
        return places


def _origin(url: str) -> URL | None:
    try:
        return URL(url).origin()
    except ValueError:
        return None


async def _addresses(host: str, port: int) -> Sequence[str]:
    """What a host resolves to, in the system's order of preference. Raises OSError (TimeoutError among them), UnicodeError."""
    async with asyncio.timeout(_LOOKUP_TIMEOUT_S):
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(sockaddr[0]) for _, _, _, _, sockaddr in found))


def host_fault(entry: str) -> str | None:
    """What is wrong with an entry of `file_hosts`, if anything: it is a host, a host:port, an address or a network."""
    try:
        ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pass
    else:
        return None
    return None if _NAMED.fullmatch(entry) else "neither a host, host:port, address nor network (10.0.0.0/8)"
