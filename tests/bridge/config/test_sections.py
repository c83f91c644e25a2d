"""The sections of bridge.yaml that belong to no platform: addresses, URLs and networks in every form that people write."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.config.model import Listener
from bridge.config.web import AdminSection, PublicSection


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:1", "::1", 1), ("localhost:65535", "localhost", 65535)],
)
def test_addresses(written: str, host: str, port: int) -> None:
    assert AdminSection.model_validate({"listen": written}).listen == Listener(host=host, port=port)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("::1:8080", "brackets"),
        ("8080", "host:port"),
        (":8080", "host:port"),
        ("a:0", "1 to 65535"),
        ("a:65536", "1 to 65535"),
        ("a:٣", "1 to 65535"),
    ],
)
def test_what_is_no_address_says_what_one_is(written: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        AdminSection.model_validate({"listen": written})


@pytest.mark.parametrize(
    ("written", "why"), [("bridge.example.com", "https://"), ("ftp://e.com", "https://"), ("https://e.com/?a", "base URL")]
)
def test_what_is_no_base_url_says_what_one_is(written: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        PublicSection.model_validate({"listen": "a:1", "url": written})


def test_a_base_url_has_no_slash_at_its_end() -> None:
    assert PublicSection.model_validate({"listen": "a:1", "url": "https://e.com/bridge/"}).url == "https://e.com/bridge"


def test_a_proxy_is_an_address_or_a_network() -> None:
    made = PublicSection.model_validate({"listen": "a:1", "url": "https://e.com", "trusted_proxies": ["10.0.0.1", "10.1.0.0/16"]})
    assert len(made.trusted_proxies) == 2
    with pytest.raises(ValidationError):
        PublicSection.model_validate({"listen": "a:1", "url": "https://e.com", "trusted_proxies": ["proxy.example.com"]})
