"""A webhook's message has no address of its own. Called by the manifest."""

from __future__ import annotations

from bridge.model.platform import LinkedMessage


def message_of_link(_: object, link: str) -> LinkedMessage | None:
    return None
