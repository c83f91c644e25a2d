"""A platform's case for the conformance suite (`tests/conformance/`): what the suite cannot learn from the manifest. Types only.

A package outside this tree offers its case by an entry point of the group `ENTRY_POINT_GROUP`, under its platform's name; the
suite's own `cases.py` has those of the platforms in the tree. docs/adding-a-platform.md tells how to run the suite.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bridge.model.rich_text import RichText

ENTRY_POINT_GROUP = "messenger_bridge.conformance"


class Lacks(StrEnum):
    """What the people of a platform cannot do, so that the suite does not try it."""

    REPLIES = "replies"
    """A message cannot be a reply to another."""
    FORMATTING = "formatting"
    """The text that people write is plain text."""
    DELETES = "deletes"
    """What was said cannot be taken back."""
    HUMANS = "humans"
    """Whoever speaks is a program."""
    SIGNS_OF_LIFE = "signs of life"
    """It is called by others, and opens no connection: silence says nothing."""
    OWN_NAME = "own name"
    """Nobody sees the account under a name."""
    UNKNOWN_OUTCOMES = "unknown outcomes"
    """A message that is sent again is known for the same: no outcome is unknown."""
    ONE_CREDENTIAL = "one credential"
    """Each chat has a server of its own: what it refuses concerns that chat alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """The adapter's two pure text functions in a common form: rich text to the wire format, and back."""

    encode: Callable[[RichText], Any]
    """Gives a text, or a value whose `text` is what the platform counts."""
    decode: Callable[[Any], RichText]
    """Reads what `encode` gave."""
    decode_raw: Callable[[str], RichText]
    """Reads what a person wrote in the platform's own composer or API."""


Ask = Callable[[], Awaitable[Any]]
"""One request of the adapter's transport. Raises the bridge's errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCase:
    """Single requests of the platform, to test every kind of network failure. Of platforms with `NetworkOptions`."""

    options: Callable[[str], Mapping[str, Any]]
    """The options without which no account is, for a server at that URL (http or https, without a path)."""
    calls: Callable[[Any], AbstractAsyncContextManager[tuple[Ask, Ask]]]
    """Of an account with these (validated) options: a request that may be repeated, and one that creates a message."""
    pages_are_foreign: bool = True
    """Whether an HTML page that refuses cannot be the platform's own answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformanceCase:
    """What the suite needs of one platform."""

    codecs: Mapping[str, Codec]
    """By name: one of the platform's own name, and further ones where it speaks several dialects."""
    absent_chat: str
    """A valid native chat id of a chat that the emulator does not know, or that the account may not enter."""
    network: NetworkCase | None = None
    """None: the suite's network failures are not tested with it."""
    lacks: Mapping[Lacks, str] = field(default_factory=dict)
    """Each with the reason; its tests are skipped and show it."""
