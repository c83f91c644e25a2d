"""Recording of a trial: its exchanges as JSON that a trial can play, without secrets and personal data.

Values that are no part of the wire format are replaced: ids by others of the same form, each by the same one everywhere; names,
texts and addresses by numbered words; numbers that may be ids, telephone numbers or places by others with the same number of
digits. Times, small whole numbers, booleans, words of a closed set (`type`, `status`) and the test's own texts stay. Used by the
package `dialects`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import secrets
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from adapters.teamspirit.inbound.decode_parts import time_of
from adapters.teamspirit.transport import A_FILE, BROKE_OFF
from adapters.teamspirit.trial.exchanges import THE_FILE
from adapters.teamspirit.trial.masks import Secrets, secrets_of
from adapters.teamspirit.trial.operations import HOOK_URL
from bridge.model.dialects import Exchanged, Step
from bridge.model.errors import ConfigFault

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions

SERVER = "https://server.example"
_TOKEN = re.compile(r"messenger bridge ([0-9a-f]{12})")
_CLOSED = frozenset(
    {"type", "kind", "status", "format", "event", "mime", "mime_type", "content_type", "code", "role", "roles", "locale", "state"}
    | {"emoji", "emoji_name", "extension", "entity_type", "flavour", "method", "error", "direction", "events"}
)
"""Keys whose values are words of the wire format."""
_WORD = re.compile(r"[A-Za-z0-9_.:+/-]{1,60}")
_ID = re.compile(r"[\w.:=+/-]{1,200}", re.ASCII)
_HAS_TIME = re.compile(r"\d{4}-\d\d-\d\dT")
_OURS = frozenset({A_FILE, BROKE_OFF, THE_FILE, HOOK_URL, "online", "***"})
_URL_PART = re.compile(r"[^/]+")
_SECONDS, _MILLISECONDS = range(1_000_000_000, 2_500_000_000), range(1_000_000_000_000, 2_500_000_000_000)
_SMALL = 1000
_ID_LENGTH = 16


class Recording(msgspec.Struct, frozen=True):
    """`answers`: the token of the test's messages, and the exchanges."""

    chat: str
    answers: tuple[str, list[Exchanged]]


class _File(msgspec.Struct, frozen=True):
    exchanges: list[Exchanged]
    dialect: str = ""
    chat: str = ""
    token: str = ""


def as_recording(options: TeamSpiritOptions, chat: str, steps: Sequence[Step]) -> Any:
    """JSON for `read_recording`."""
    exchanges = [one for step in steps for one in step.exchanges]
    found = next((found for one in exchanges if (found := _TOKEN.search(json.dumps(one.body)))), None)
    masks = _Masks(found[1] if found else "", options)
    return {
        "dialect": options.read_dialect.dialect,
        "chat": masks.text(chat),
        "token": found[1] if found else "",
        "exchanges": [_masked(one, masks) for one in exchanges],
    }


def _masked(one: Exchanged, masks: _Masks) -> dict[str, Any]:
    body, answer = masks.value(one.body), masks.value(one.answer)  # first: what is a word there is one in the url too
    return {
        "operation": one.operation,
        "method": one.method,
        "url": masks.url(one.url),
        "body": body,
        "status": one.status,
        "answer": answer,
    }


def read_recording(played: Any) -> Recording:
    """The recording in this JSON. Raises ConfigFault if it is none."""
    try:
        file = msgspec.convert(played, _File)
    except msgspec.ValidationError as error:
        raise ConfigFault(f"no recording of `dialect record`: {error}") from None
    return Recording(file.chat, (file.token, file.exchanges))


class _Masks:
    def __init__(self, token: str, options: TeamSpiritOptions) -> None:
        self._token = token
        self._salt = secrets.token_bytes(16)
        self._words: dict[str, str] = {}
        self._server = str(options.server or "")
        self._secrets = Secrets(secrets_of(options))

    def value(self, value: Any, key: str = "") -> Any:
        match value:
            case str():
                return self.text(value, key)
            case bool() | None:
                return value
            case float():
                return self._fraction(value)
            case int():
                return self._number(value)
            case dict():
                return {self._key(str(name)): self.value(inner, str(name)) for name, inner in value.items()}
            case list():
                return [self.value(inner, key) for inner in value]
            case _:
                return value

    def text(self, text: str, key: str = "") -> str:
        text = self._secrets.hide(text)
        if text in _OURS or (self._token and self._token in text) or not any(letter.isalnum() for letter in text):
            return text
        if _HAS_TIME.match(text) and time_of(text) is not None:
            return text
        if key.lower() in _CLOSED and _WORD.fullmatch(text):
            return text
        if text.isdecimal():
            return str(self._number(int(text))) if text[0] != "0" or text == "0" else self._like(text)
        if text.startswith(("http://", "https://")):
            return f"https://example.com/{self._numbered(text)}"
        if "@" in text:
            return f"{self._numbered(text)}@example.com"
        is_id = _ID.fullmatch(text) and (len(text) >= _ID_LENGTH or any(letter.isdigit() for letter in text))
        return self._like(text) if is_id else self._numbered(text)

    def url(self, url: str) -> str:
        """Its path and query, with ids replaced; the host is an example."""
        url = self._secrets.hide(url)
        known = self._server and url.startswith(self._server)
        rest = url.removeprefix(self._server) if known else "/" + url.split("/", 3)[-1]
        path, mark, query = rest.partition("?")
        told = [(name, self.text(value, name)) for name, value in parse_qsl(query, keep_blank_values=True)]
        return SERVER + _URL_PART.sub(lambda part: self._url_part(part[0]), path) + mark + urlencode(told, safe="*")

    def _url_part(self, part: str) -> str:
        if part in self._words:
            return self._words[part]
        is_id = len(part) >= _ID_LENGTH or (len(part) > 3 and any(letter.isdigit() for letter in part))
        return self.text(part) if is_id else part

    def _key(self, name: str) -> str:
        """Some servers key their messages by id."""
        looks_like_id = len(name) >= _ID_LENGTH and any(letter.isdigit() for letter in name)
        return self.text(name) if looks_like_id or name.isdecimal() or "@" in name else name

    def _number(self, number: int) -> int:
        if abs(number) < _SMALL or number in _SECONDS or number in _MILLISECONDS:
            return number
        like = self._like(str(abs(number)))
        return int(like if like[0] != "0" else "1" + like[1:]) * (1 if number > 0 else -1)

    def _fraction(self, number: float) -> float:
        """Of a place on earth it stays one."""
        if not math.isfinite(number) or number.is_integer() or int(number) in _SECONDS:
            return number
        whole, _, rest = str(abs(number)).partition(".")
        return math.copysign(int(self._like(whole)) % 90 + float(f"0.{self._like(rest)}"), number) if rest.isdecimal() else 0.5

    def _numbered(self, text: str) -> str:
        return self._words.setdefault(text, f"word{len(self._words) + 1}")

    def _like(self, text: str) -> str:
        """A different text of the same form."""
        if text not in self._words:
            stream = hashlib.shake_256(self._salt + text.encode("utf-8", "surrogatepass")).digest(len(text))
            self._words[text] = "".join(map(_as_letter, text, stream))
        return self._words[text]


def _as_letter(letter: str, byte: int) -> str:
    for letters in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        if letter in letters:
            return letters[byte % len(letters)]
    return letter
