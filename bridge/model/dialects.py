"""Dialects: wire formats that are data, as a platform's package shows them, tries them against a server and records its answers.

Types only. A package offers a `Dialects` (`bridge.model.platform.Platform.dialects`); `messenger-bridge dialect` asks it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from bridge.model.errors import ConfigFault

if TYPE_CHECKING:
    from bridge.model.platform import AdapterContext


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


class DialectEntry(_Value, frozen=True):
    """One entry of the effective dialect."""

    key: str
    """Dotted, as in the file: `operations.send.path`."""
    value: Any
    source: str
    """`mattermost.yaml:98`; empty for one that the account overrides."""


class DialectSheet(_Value, frozen=True):
    """A dialect whole: the shipped one or the file, with what the account overrides laid over it."""

    name: str = ""
    title: str = ""
    verified: str = ""
    entries: tuple[DialectEntry, ...] = ()
    faults: tuple[ConfigFault, ...] = ()
    """With faults there is nothing else."""


class StepState(StrEnum):
    OK = "ok"
    WRONG = "WRONG"
    """The server refused, or its answer is not what the dialect says."""
    SKIPPED = "skipped"
    """It could not be tried: what it needs is missing."""


class Exchanged(_Value, frozen=True):
    """One call as it was made, and its answer. Texts may hold secrets: whoever shows them masks them."""

    operation: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: Any = None
    """JSON, or the fields of a form as a list of pairs."""
    status: int = 0
    """0: there was no answer."""
    answer: Any = None
    """JSON, or text where it is none."""


class ReadEntry(_Value, frozen=True):
    """What an entry of the dialect found in an answer; None: nothing."""

    entry: str
    query: str
    found: Any = None


class Complaint(_Value, frozen=True):
    """What is wrong, which entry of the dialect says it, where that stands, and what may be right."""

    entry: str
    why: str
    source: str = ""
    hint: str = ""


class Step(_Value, frozen=True):
    """One operation that was tried."""

    operation: str
    state: StepState
    detail: str = ""
    exchanges: tuple[Exchanged, ...] = ()
    read: tuple[ReadEntry, ...] = ()
    complaints: tuple[Complaint, ...] = ()


class Dialects(Protocol):
    """What a package offers whose wire format is data."""

    def names(self) -> Sequence[str]:
        """The dialects that are shipped."""
        ...

    def sheet(self, options: Any) -> DialectSheet:
        """The effective dialect of an account's options."""
        ...

    def sheet_of(self, name_or_path: str, overrides: Mapping[str, Any] | None = None) -> DialectSheet:
        """A shipped dialect (empty: the platform's default), or a file, without an account's other options. With a fault if there
        is none of that name."""
        ...

    def operations(self, options: Any) -> Sequence[str]:
        """What `trial` would try, in its order."""
        ...

    def writes(self, options: Any, chat: str, only: Collection[str]) -> Sequence[str]:
        """What `trial` would change on the server, one short sentence each; none if it only reads."""
        ...

    def trial(
        self, context: AdapterContext, chat: str, *, only: Collection[str] = (), reading: bool = False, played: Any = None
    ) -> AsyncGenerator[Step, None]:
        """Try the dialect, operation by operation; what was made is removed at the end. `only` these (and what they need);
        `reading`: nothing that writes; `played`: answers come from a recording (its JSON) and not from a server. Raises ConfigFault
        if that is none."""
        ...

    def recording(self, context: AdapterContext, chat: str, steps: Sequence[Step]) -> Any:
        """The exchanges of a trial as JSON that `trial` can play, without secrets and personal data."""
        ...
