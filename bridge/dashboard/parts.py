"""What the pages need of the bridge, and a request as they see it. Types only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bridge.config.model import Config
from bridge.config.showing import Shown
from bridge.dashboard.access import Who
from bridge.journal.contract import DeadLetterStore, PersonStore
from bridge.model.clock import Clock
from bridge.model.platform import Platform
from bridge.model.refs import MessageRef
from bridge.observability.history import Point
from bridge.reloading import Reloaded
from bridge.tracing.finding import FindingStore

if TYPE_CHECKING:
    from aiohttp import web


class Store(FindingStore, DeadLetterStore, Protocol):
    @property
    def persons(self) -> PersonStore: ...


class Reloads(Protocol):
    """The part of a `Reloader` that pages ask."""

    async def reload(self, *, keep: bool = False, agreed: Callable[[str], bool] | None = None) -> Reloaded: ...

    async def look(self) -> Reloaded: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """`config` is what is in force. `status` gives what `messenger-bridge status` shows, `points` the last hour, `shown` the
    file with its secrets masked (it raises ReadingFailed)."""

    config: Callable[[], Config]
    journal: Store
    status: Callable[[], Awaitable[Mapping[str, Any]]]
    points: Callable[[], Sequence[Point]]
    reloads: Reloads
    shown: Callable[[], Shown]
    """Blocks for a second or so."""
    words: Callable[[MessageRef], str]
    """What was said there a moment ago, as far as it may be shown."""
    manifests: Callable[[str], Platform]
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request whose sender is known, and may do it."""

    request: web.Request
    who: Who
    form_token: str
    form: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def asked(self, name: str, most_chars: int = 500) -> str:
        """A value of the query, or of the form that was sent."""
        given = self.form.get(name) or self.request.query.getall(name, [])
        return given[0][:most_chars].strip() if given else ""

    def numbers(self, name: str, most: int) -> list[int]:
        """All values of a field that are numbers of deliveries."""
        given = [one for one in self.form.get(name, ()) if one.isascii() and one.isdecimal() and len(one) < 16]
        return list(dict.fromkeys(map(int, given)))[:most]
