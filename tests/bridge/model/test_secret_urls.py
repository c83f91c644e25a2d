"""Which parts of a secret URL are secrets by themselves."""

from __future__ import annotations

import pytest

from bridge.model.secret_urls import keys_in


@pytest.mark.parametrize(
    ("secret", "keys"),
    [
        ("https://chat.example.com/hooks/k8hr5ecrethookid9abcdefghi", ["k8hr5ecrethookid9abcdefghi"]),
        ("https://chat.example.com/hooks/k8hr5ecrethookid9/ ", ["k8hr5ecrethookid9"]),
        ("https://chat.example.com/hooks/an%20id%2Bhere", ["an%20id%2Bhere", "an id+here"]),
        ("https://chat.example.com/post?key=0123456789&n=1", ["0123456789"]),
        ("https://chat.example.com/hooks/x", []),
        ("https://chat.example.com", []),
        ("https://[broken/0123456789", []),
        ("0123456789/0123456789", []),
    ],
)
def test_keys_in(secret: str, keys: list[str]) -> None:
    assert list(keys_in(secret)) == keys
