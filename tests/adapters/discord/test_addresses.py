"""What bridge.yaml may name on Discord."""

from __future__ import annotations

import pytest

from adapters.registry import load_platform


@pytest.mark.parametrize(
    ("address", "ok"),
    [("112233445566778899", True), ("general", True), ("#general", True), ("12345", False), ("a b", False), ("@anna", False)],
)
def test_addresses(address: str, ok: bool) -> None:
    assert (load_platform("discord").check_address(address) is None) is ok


def test_threads_are_ids() -> None:
    assert load_platform("discord").check_thread("112233445566778899") is None
    assert load_platform("discord").check_thread("general")
