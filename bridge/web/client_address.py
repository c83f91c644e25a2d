"""The caller's address: that of the connection, or the one that a trusted proxy states. Pure.

Anybody can send the header, so only the part that trusted proxies wrote counts: it is read from its end, past the trusted proxies,
to the first other address. The configuration names the header (`web.public.forwarded`): a proxy sets one of them and passes the
other on as its caller wrote it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from bridge.model.forwarded import ForwardedHeader, Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MOST_HOPS = 32


class Proxies:
    """The proxies in front of a listener."""

    def __init__(self, trusted: Iterable[Network] = (), header: ForwardedHeader = ForwardedHeader.X_FORWARDED_FOR) -> None:
        self._trusted = tuple(trusted)
        self._header = header

    def client(self, peer: str | None, headers: Mapping[str, str]) -> str:
        """The caller's address, as text. `peer`: the other end of the connection."""
        address = parse(peer or "")
        if address is None:
            return ""
        if not self._is_trusted(address):
            return str(address)
        for hop in reversed(self._hops(headers)[-_MOST_HOPS:]):
            before = parse(hop)
            if before is None:
                break  # hidden, or written by who wanted it to look odd: what stands before it is nobody's word
            address = before
            if not self._is_trusted(address):
                break
        return str(address)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)

    def _hops(self, headers: Mapping[str, str]) -> list[str]:
        getall = getattr(headers, "getall", None)
        lines = getall(self._header.value, []) if getall is not None else [headers.get(self._header.value, "")]
        listed = [hop.strip() for line in lines for hop in line.split(",")]
        if self._header is ForwardedHeader.X_FORWARDED_FOR:
            return [hop for hop in listed if hop]
        return [_for_of(hop) for hop in listed if hop]


def _for_of(element: str) -> str:
    """`for` of one element, as in `for="[2001:db8::1]:4711";proto=https`; empty if it has none."""
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value.strip().strip('"')
    return ""


def parse(text: str) -> Address | None:
    """An address, with or without brackets and port. An IPv4 address in IPv6 form is returned as IPv4."""
    name = text.strip()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def household(address: str) -> str:
    """The unit that counts as one caller: an IPv4 address, or an IPv6 network of 64 bits, which one household has."""
    parsed = parse(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
