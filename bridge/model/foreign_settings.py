"""The settings of another bridge's account, as an importer reads them: what was used, what is secret, what to tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_FALSE = ("", "false", "0", "no", "off")


@dataclass(frozen=True)
class Note:
    """Something that an admin should know of one setting. `place`: as the file names it, such as `telegram.main.MessageFormat`."""

    place: str
    why: str
    action: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.why}" + (f" - {self.action}" if self.action else "")


@dataclass
class ForeignSection:
    """One account's settings. Keys have no case; one that the account lacks is looked for in `defaults`.

    A setting that is asked for counts as used. What is left at the end has no counterpart, and is told."""

    place: str
    values: Mapping[str, Any]
    """By the key in lower case."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Keys as they are written in the file, by the key in lower case."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    """Values that must not be printed, by the variable that stands for them."""
    used: set[str] = field(default_factory=set)
    gateways: list[str] = field(default_factory=list)
    """The names of the gateways that the account is in."""

    def given(self, key: str) -> Any:
        """The value, or None."""
        self.used.add(key.lower())
        value = self.values.get(key.lower())
        return self.defaults.get(key.lower()) if value is None else value

    def text(self, key: str) -> str:
        """Empty if it is missing."""
        value = self.given(key)
        if value is None or isinstance(value, list | dict):
            if value:
                self.note(key, "is not a text", "write it anew")
            return ""
        return str(value).strip()

    def flag(self, key: str) -> bool:
        value = self.given(key)
        return value if isinstance(value, bool) else str(value or "").strip().lower() not in _FALSE

    def number(self, key: str) -> int | None:
        """None if it is missing or no whole number."""
        value = self.text(key)
        if value and not re.fullmatch(r"-?\d{1,15}", value):
            self.note(key, f"is not a whole number: {value[:40]!r}")
            return None
        return int(value) if value else None

    def words(self, key: str) -> list[str]:
        """A list of texts, or a text of words with spaces between."""
        value = self.given(key)
        found = value if isinstance(value, list) else str(value or "").split()
        return [str(one) for one in found if not isinstance(one, list | dict)]

    def pairs(self, key: str) -> list[tuple[str, str]]:
        """A list of lists of two texts; others are told."""
        value, found = self.given(key), []
        for one in value if isinstance(value, list) else []:
            if isinstance(one, list) and len(one) == 2 and all(isinstance(part, str) for part in one):
                found.append((one[0], one[1]))
            else:
                self.note(key, "has an entry that is not a pair of texts", "it was left out")
        return found

    def secret(self, key: str) -> str:
        """A reference to a variable of the environment for a secret; empty if there is none."""
        value = self.text(key)
        if not value:
            return ""
        variable = re.sub(r"[^A-Z0-9]+", "_", f"MATTERBRIDGE_{self.place}_{key}".upper())
        self.secrets[variable] = value
        return f"${{{variable}}}"

    def note(self, key: str, why: str, action: str = "") -> None:
        self.used.add(key.lower())
        self.notes.append(Note(f"{self.place}.{self.names.get(key.lower(), key)}", why, action))

    def tell_given(self, keys: Iterable[str], why: str, action: str = "") -> None:
        """The same note for each of these that is set."""
        for key in keys:
            if self.given(key) not in (None, "", False):
                self.note(key, why, action)

    def unused(self) -> Iterator[str]:
        """Keys of the account itself that nobody asked for, as they are written."""
        for key in self.values:
            if key not in self.used:
                yield self.names.get(key, key)


@dataclass(frozen=True)
class ForeignPlatform:
    """How the accounts and channels of another bridge become those of one of our platforms (`matterbridge.py` of its package)."""

    platform: str
    account: Callable[[ForeignSection], dict[str, Any]]
    """The options of an account, as bridge.yaml has them."""
    chat: Callable[[str, Mapping[str, Any]], str]
    """The chat of an address, from a channel and its options. Raises ValueError."""
    by_gateway: bool = False
    """Whether a chat is that of a gateway: `chat` gets the gateway's name for the channel's, and `account` those of all."""
