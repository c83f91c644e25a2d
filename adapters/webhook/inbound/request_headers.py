"""What the headers of a request say, whatever its body is. Pure."""

from __future__ import annotations

from collections.abc import Mapping

_REQUEST_IDS = (
    "idempotency-key",
    "x-github-delivery",
    "webhook-id",
    "svix-id",
    "x-gitlab-event-uuid",
    "x-atlassian-webhook-identifier",
)
"""Headers that identify a request: a repetition has the same value."""
_LONGEST_ID = 256


def low_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The first header of each name. Invalid UTF-8, which aiohttp passes on as lone surrogates, becomes U+FFFD."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        found.setdefault(name.lower(), value.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return found


def request_id_of(headers: Mapping[str, str]) -> str:
    """What identifies the request among its sender's; empty if nothing does."""
    return next((f"{name} {value[:_LONGEST_ID]}" for name in _REQUEST_IDS if (value := headers.get(name, "").strip())), "")
