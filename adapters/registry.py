"""Platform name -> its package. An explicit table for ours, entry points (`messenger_bridge.platforms`) for third parties'.

Loading a manifest imports no client library; `Platform.build` does. Called by the composition root and the CLI only.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from bridge.model.adapter import Platform

_OURS = {
    "teamspirit": "adapters.teamspirit",
    "telegram": "adapters.telegram",
    "slack": "adapters.slack",
    "discord": "adapters.discord",
}

_ENTRY_POINT_GROUP = "messenger_bridge.platforms"


def platforms() -> tuple[str, ...]:
    """Names of all known platforms, ours first."""
    return (*_OURS, *sorted(set(_third_party()) - set(_OURS)))


@cache
def load_platform(platform: str) -> Platform:
    """The platform's manifest. Raises KeyError for an unknown platform."""
    if platform in _OURS:
        found = import_module(_OURS[platform]).MANIFEST
    else:
        found = _third_party()[platform].load()
    if not isinstance(found, Platform) or found.platform != platform:
        raise TypeError(f"platform {platform!r}: its package offers no manifest of that name")
    return found


@cache
def _third_party() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=_ENTRY_POINT_GROUP)}
