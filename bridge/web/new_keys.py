"""New keys of the public listener, and the URLs that they open: for the command `keys`, and for the page behind an invitation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

from bridge.journal.contract import KeySecret, StoredKey
from bridge.model.refs import ChatAddress
from bridge.model.web_mount import KeyDirection
from bridge.policy.access_keys import DEFAULT_MOST_BYTES, DEFAULT_PER_MINUTE, hash_of, new_key_id, new_secret

_LONGEST_LABEL = 80
_HOST = re.compile(r"[\w.-]{1,253}|[0-9a-f:.]{2,45}")


def make_key(
    chat: ChatAddress,
    direction: KeyDirection,
    *,
    now: datetime,
    label: str = "",
    is_form: bool = False,
    origins: Iterable[str] = (),
    per_minute: int = DEFAULT_PER_MINUTE,
    most_bytes: int = DEFAULT_MOST_BYTES,
    valid_until: datetime | None = None,
) -> tuple[StoredKey, str]:
    """The record to store, and the key itself, which cannot be recovered later. Raises ValueError for a wrong origin."""
    secret = new_secret()
    stored = StoredKey(
        key_id=new_key_id(),
        account=chat.account,
        chat=chat.address,
        direction=direction,
        label=" ".join(label.split())[:_LONGEST_LABEL],
        is_form=is_form,
        origins=tuple(dict.fromkeys(map(as_origin, origins))),
        per_minute=per_minute,
        most_bytes=most_bytes,
        created_at=now,
        secrets=(KeySecret(hash=hash_of(secret), created_at=now, valid_until=valid_until),),
    )
    return stored, secret


def as_origin(text: str) -> str:
    """A site as browsers name it: `https://example.com`, without a path, and in ASCII. Raises ValueError."""
    parts = urlsplit(text.strip().lower())
    host = parts.hostname or ""
    is_site = parts.scheme in ("http", "https") and "@" not in parts.netloc and _HOST.fullmatch(host) is not None
    if not is_site or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is no site: write it as https://example.com, without a path")
    port = parts.port  # raises ValueError for one that cannot be
    is_usual = port in (None, 443 if parts.scheme == "https" else 80)
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    return f"{parts.scheme}://{name}" + ("" if is_usual else f":{port}")


def url_of(public_url: str, direction: KeyDirection, secret: str) -> str:
    """The URL to use the key at; empty if `web.public` is not configured."""
    return f"{public_url}/{direction.value}/{secret}" if public_url else ""
