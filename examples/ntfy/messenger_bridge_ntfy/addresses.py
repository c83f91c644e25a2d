"""What an address of bridge.yaml may be on ntfy. Pure."""

from __future__ import annotations

import re

_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")


def check_address(address: str) -> str | None:
    return None if _TOPIC.fullmatch(address) else "a topic of ntfy has 1 to 64 letters, digits, - and _"


def check_thread(_: str) -> str:
    return "ntfy has no threads"
