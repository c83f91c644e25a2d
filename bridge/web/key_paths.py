"""The places of a key in a request: `/in/<key>` and `/out/<key>`, or `/in`, `/out` and `Authorization: Bearer <key>`. Pure.

The API of matterbridge has the key before its own paths, `/api/<key>/api/message`, for programs that know an address alone; or as a
bearer, `/api/message` (42wim/matterbridge, bridge/api/api.go, read 2026-11-27).

Two more places are for senders who are given a server's address alone, and add the path of their own platform:
- `/hooks/<key>`, where Mattermost has its incoming webhooks (developers.mattermost.com, "Incoming webhooks");
- `/` and `/<topic>` with the key as a bearer, where ntfy takes messages (docs/publish.md, "Publish as JSON", "Access tokens").
Read 2026-11-26. Called by `public` and `keyed`."""

from __future__ import annotations

import re
from typing import NamedTuple

from bridge.model.web_mount import PLACES_OF_API, KeyDirection

_DIRECTIONS = {"in": KeyDirection.IN, "out": KeyDirection.OUT}
_API = "api"
_TOPIC = re.compile(r"[-_A-Za-z0-9]{0,64}", re.ASCII)


class Shown(NamedTuple):
    direction: KeyDirection | None
    secret: str
    place: str
    """See `KeyGrant.place`."""


NOTHING = Shown(None, "", "")


def shown(path: str, authorization: str) -> Shown | None:
    """The key of a request; without a direction if no key can be at that place. None: the path is not for keys."""
    if not path.startswith("/"):
        return None  # a whole URL, or what a tunnel is asked for
    _, root, *rest = path.split("/")
    if root in _DIRECTIONS:
        direction = _DIRECTIONS[root]
        if rest and rest != [""]:
            return Shown(direction, rest[0], root) if len(rest) == 1 else NOTHING
        return Shown(direction, _bearer(authorization), root)
    if root == _API and rest:
        return _of_api(rest, authorization)
    if root == "hooks" and len(rest) == 1:
        return Shown(KeyDirection.IN, rest[0], root)
    if not rest and _TOPIC.fullmatch(root) and _bearer(authorization):
        return Shown(KeyDirection.IN, _bearer(authorization), "")
    return None


def _of_api(rest: list[str], authorization: str) -> Shown:
    """`rest`: the words behind the first `/api/`."""
    match rest:
        case [place] if place in PLACES_OF_API:
            return Shown(KeyDirection.API, _bearer(authorization), f"{_API}/{place}")
        case [secret, root, place] if root == _API and place in PLACES_OF_API:
            return Shown(KeyDirection.API, secret, f"{_API}/{place}")
        case [secret] | [secret, ""]:  # what an admin was given, opened in a browser
            return Shown(KeyDirection.API, secret, f"{_API}/")
    return NOTHING


def _bearer(authorization: str) -> str:
    scheme, _, bearer = authorization.partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else ""
