"""Masks secrets in the output and recordings of a trial, in each form on the wire: plain, percent-encoded, and within base64,
as in Basic authentication. Pure; used by `steps` and `recording`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from bridge.model.secret_urls import keys_in

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions

MASK = "***"
_SHORTEST = 4
"""Shorter secrets are not masked: they would match within ordinary words."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")


class Secrets:
    """Secrets may be added during use: those that the server returns."""

    def __init__(self, known: Iterable[str]) -> None:
        self._forms: list[str] = []
        self._raw: list[bytes] = []
        for secret in known:
            self.add(secret)

    def add(self, secret: str) -> None:
        if len(secret) < _SHORTEST:
            return
        self._raw.append(secret.encode("utf-8", "surrogatepass"))
        encoded = secret.encode("utf-8", "replace")
        forms = {secret, quote(encoded, safe=""), quote(encoded), quote_plus(encoded)}
        self._forms = sorted({*self._forms, *forms}, key=len, reverse=True)

    def hide(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, MASK)
        return _BASE64.sub(self._unless_secret, text) if self._raw else text

    def hide_all(self, value: Any) -> Any:
        """The same for each text in a JSON value, keys included."""
        match value:
            case str():
                return self.hide(value)
            case dict():
                return {self.hide(key) if isinstance(key, str) else key: self.hide_all(inner) for key, inner in value.items()}
            case list() | tuple():
                return [self.hide_all(inner) for inner in value]
            case _:
                return value

    def _unless_secret(self, found: re.Match[str]) -> str:
        """Candidates for base64: `/` is both a base64 character and the separator of a path."""
        if self._is_secret(found[0]):
            return MASK
        return "/".join(MASK if self._is_secret(part) else part for part in found[0].split("/"))

    def _is_secret(self, text: str) -> bool:
        plain = _decoded(text)
        return any(secret in plain for secret in self._raw)


def _decoded(text: str) -> bytes:
    """The decoded text, if it is base64; padding may be missing."""
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):
        return b""


def secrets_of(options: TeamSpiritOptions) -> list[str]:
    """All secrets of the account in bridge.yaml."""
    webhook = options.webhook
    found = [options.api_key, options.incoming_webhook, *(chat.incoming_webhook for chat in options.chats.values())]
    if webhook is not None:
        found += [webhook.path, webhook.key, webhook.secret, webhook.previous_key, webhook.previous_secret]
    told = [one.get_secret_value() for one in found if one is not None]
    return told + [part for secret in told for part in keys_in(secret)]
