"""Addresses of chats and topics, as bridge.yaml has them."""

from __future__ import annotations

import pytest

from adapters.registry import load_platform


@pytest.mark.parametrize("address", ["-1001234567890", "12345", "@channel_name"])
def test_addresses(address: str) -> None:
    assert load_platform("telegram").check_address(address) is None


@pytest.mark.parametrize("address", ["", "#general", "@x", "-100x", "https://t.me/c/1", "@имя_канала"])
def test_wrong_addresses_are_explained(address: str) -> None:
    assert "Telegram chat" in (load_platform("telegram").check_address(address) or "")


def test_threads() -> None:
    assert load_platform("telegram").check_thread("45") is None
    assert "leave it out" in (load_platform("telegram").check_thread("1") or "")
    assert load_platform("telegram").check_thread("topic") is not None
