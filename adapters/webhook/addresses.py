"""What an address of bridge.yaml may be: the name of an end. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from adapters.webhook import MANIFEST

if TYPE_CHECKING:
    from adapters.webhook.config import WebhookOptions

_NAME = re.compile(MANIFEST.chat_id)

NO_NAME = "an end's name has letters, digits, '_', '-' and '.' only, at most 64"


def check_address(address: str) -> str | None:
    return None if _NAME.fullmatch(address) else NO_NAME


def check_end(options: WebhookOptions, name: str, receives: bool) -> str | None:
    """Faults of an end that a route names: the account's options list all ends."""
    end = options.ends.get(name)
    if end is None:
        return f"the account has no end {name!r}: its ends are {', '.join(options.ends)}"
    if receives and end.url is None and not end.fetch and options.style != "matterbridge":
        return f"nothing can be sent to the end {name!r}: give it url or fetch, or let the route only relay from it (from, to)"
    return None


def check_thread(_: str) -> str | None:
    return "an end of a webhook account has no threads"
