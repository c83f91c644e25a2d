"""Addresses of channels and threads, as bridge.yaml has them."""

from __future__ import annotations

import pytest

from adapters.registry import load_platform


@pytest.mark.parametrize("address", ["#general", "#über-uns", "#a_b-c.d", "C024BE7LH", "G024BE7LH", "D024BE7LH"])
def test_addresses(address: str) -> None:
    assert load_platform("slack").check_address(address) is None


@pytest.mark.parametrize("address", ["", "general", "#", "#General", "#two words", "U024BE7LH", "#a/b", "c024be7lh1"])
def test_no_addresses(address: str) -> None:
    assert load_platform("slack").check_address(address)


def test_threads() -> None:
    assert load_platform("slack").check_thread("1700000000.123456") is None
    for thread in ("1700000000", "p1700000000123456", "", "1700000000.12345"):
        assert load_platform("slack").check_thread(thread)
