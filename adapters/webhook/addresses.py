"""What an address of bridge.yaml may be: the name of an end. Pure."""

from __future__ import annotations

import re

from adapters.webhook import MANIFEST

_NAME = re.compile(MANIFEST.chat_id)

NO_NAME = "an end's name has letters, digits, '_', '-' and '.' only, at most 64"


def check_address(address: str) -> str | None:
    return None if _NAME.fullmatch(address) else NO_NAME


def check_thread(_: str) -> str | None:
    return "an end of a webhook account has no threads"
