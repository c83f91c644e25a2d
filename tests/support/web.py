"""Public listeners that nobody can reach, for accounts in tests."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

LOOPBACK = ip_network("127.0.0.0/8")


class NoWeb:
    """For accounts that need none."""

    public_url = ""

    def mount(self, name: str, handler: Any) -> str:
        raise AssertionError("nothing is mounted")

    def unmount(self, name: str) -> None:
        pass

    def serve_keys(self, handler: Any) -> None:
        raise AssertionError("no key is handed out")


class UnreachedWeb(NoWeb):
    """For accounts of any platform, in tests that call none of their webhooks."""

    def mount(self, name: str, handler: Any) -> str:
        return f"/hooks/account/{name}"

    def serve_keys(self, handler: Any) -> None:
        pass
