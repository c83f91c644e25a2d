"""What matterbridge's `[api.*]` becomes: an account whose programs go on speaking matterbridge's API, with an end for each gateway.
Its settings: github.com/42wim/matterbridge, matterbridge.toml.sample; which gateways a message is for: bridge/api/api.go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from bridge.model.foreign_settings import ForeignSection

PROTOCOLS = ("api",)
BY_GATEWAY = True

_MOST_BUFFER = 10_000
_LONGEST_NAME = 64
_HASH_CHARS = 8
_ANOTHER_ADDRESS = (
    "give the programs web.public.url, which bridge.yaml must name, and a key as their token: "
    "messenger-bridge keys create 'ACCOUNT/*' --api (docs/matterbridge-api.md)"
)


def account(section: ForeignSection) -> dict[str, Any]:
    """The options of an account."""
    section.note("BindAddress", "the API is served by the public listener", _ANOTHER_ADDRESS)
    section.tell_given(["Token"], "is replaced by keys", "messenger-bridge keys create 'ACCOUNT/*' --api")
    ends: dict[str, dict[str, str]] = {}
    for gateway in section.gateways:
        name = chat(gateway, {})
        if name in ends:
            section.note("gateway", f"{gateway!r} would be the end {name}, which is another's", "rename the gateway")
            continue
        ends[name] = {"gateway": gateway} if name != gateway else {}
    buffer = section.number("Buffer")
    kept = {} if buffer is None else {"buffer": min(max(buffer, 0), _MOST_BUFFER)}
    return {"style": "matterbridge", **kept, "ends": ends or {"api": {}}}


def chat(gateway: str, options: Mapping[str, Any]) -> str:
    """The name of a gateway's end. One that had to be changed ends in a hash of the original: two gateways never share an end."""
    clean = re.sub(r"[^A-Za-z0-9_.-]+", "-", gateway.strip()).strip("-._")
    if clean == gateway.strip() and 0 < len(clean) <= _LONGEST_NAME:
        return clean
    suffix = sha256(gateway.strip().encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARS]
    return f"{clean[: _LONGEST_NAME - _HASH_CHARS - 1].strip('-._') or 'api'}-{suffix}"
