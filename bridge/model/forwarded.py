"""How a proxy in front of a listener says for whom it calls. Types only; `web.client_address` reads it."""

from __future__ import annotations

import ipaddress
from enum import StrEnum

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ForwardedHeader(StrEnum):
    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"
    """RFC 7239."""
