"""Who calls, behind proxies that are trusted and headers that are not."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from bridge.model.forwarded import ForwardedHeader
from bridge.web.client_address import Proxies, household, parse

TRUSTED = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"), ip_network("::1/128"))


def client(peer: str | None, *lines: str, header: str = "X-Forwarded-For", kind: str = "x-forwarded-for") -> str:
    headers = CIMultiDict([(header, line) for line in lines])
    return Proxies(TRUSTED, ForwardedHeader(kind)).client(peer, headers)


@pytest.mark.parametrize(
    ("peer", "lines", "expected"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),  # a stranger says anything
        ("127.0.0.1", (), "127.0.0.1"),
        ("127.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("6.6.6.6, 198.51.100.1",), "198.51.100.1"),  # the first was the caller's own invention
        ("127.0.0.1", ("6.6.6.6", "198.51.100.1"), "198.51.100.1"),  # a header of two lines is one
        ("127.0.0.1", ("6.6.6.6, 198.51.100.1, 10.0.0.2",), "198.51.100.1"),
        ("127.0.0.1", ("6.6.6.6, unknown, 10.0.0.2",), "10.0.0.2"),
        ("127.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),  # a caller from the inside
        ("127.0.0.1", ("198.51.100.1:4711",), "198.51.100.1"),
        ("127.0.0.1", ("[2001:db8::1]:4711",), "2001:db8::1"),
        ("::ffff:127.0.0.1", ("::ffff:198.51.100.1",), "198.51.100.1"),
        ("::1", (" , ,198.51.100.1,",), "198.51.100.1"),
        ("127.0.0.1", (", ".join(["6.6.6.6"] * 5000 + ["198.51.100.1"]),), "198.51.100.1"),
        (None, ("198.51.100.1",), ""),
    ],
)
def test_x_forwarded_for(peer: str | None, lines: tuple[str, ...], expected: str) -> None:
    assert client(peer, *lines) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("for=198.51.100.1;proto=https;by=10.0.0.2", "198.51.100.1"),
        ('proto=https; For="[2001:db8::1]:4711"', "2001:db8::1"),
        ("for=6.6.6.6, for=198.51.100.1, for=10.0.0.2", "198.51.100.1"),
        ("for=_hidden, for=10.0.0.2", "10.0.0.2"),
        ("proto=https", "127.0.0.1"),
    ],
)
def test_forwarded(line: str, expected: str) -> None:
    assert client("127.0.0.1", line, header="Forwarded", kind="forwarded") == expected


def test_the_header_that_the_proxy_does_not_set_counts_for_nothing() -> None:
    assert client("127.0.0.1", "for=6.6.6.6", header="Forwarded") == "127.0.0.1"
    assert client("127.0.0.1", "6.6.6.6", kind="forwarded") == "127.0.0.1"


@given(st.text(max_size=300))
def test_nothing_in_it_raises(line: str) -> None:
    for kind in ForwardedHeader:
        found = client("127.0.0.1", line, header=kind.value, kind=kind.value)
        assert parse(found) is not None


def test_a_household_of_ipv6_is_one_caller() -> None:
    assert household("2001:db8::1") == household("2001:db8::ffff") != household("2001:db8:0:1::1")
    assert household("198.51.100.1") == "198.51.100.1"
    assert household("") == ""
