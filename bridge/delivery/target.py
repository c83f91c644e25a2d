"""The resolved target of a delivery: the route's end, the chat's current id, its adapter and how to call it."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeVar

from bridge.model.adapter import Adapter, Pins, Reconciles
from bridge.model.capabilities import Capabilities, Feature
from bridge.model.events import ChatEvent
from bridge.model.refs import ChatRef
from bridge.policy.routing import RelayOptions, RouteEnd
from bridge.render.attachments import Target

T = TypeVar("T")


class Call(Protocol):
    def __call__(self, work: Coroutine[Any, Any, T], /) -> Coroutine[Any, Any, T]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedTarget:
    """`chat` has the current native id; `rendering` is what `render` must know of it."""

    end: RouteEnd
    chat: ChatRef
    adapter: Adapter
    rendering: Target
    call: Call
    """Calls the adapter: bounded in time, also if it is closed meanwhile. Raises TimeoutError then."""

    @property
    def options(self) -> RelayOptions:
        return self.end.options

    @property
    def capabilities(self) -> Capabilities:
        return self.rendering.capabilities


def can_reconcile(adapter: Adapter) -> bool:
    """Whether the platform can be asked what became of a message."""
    return adapter.capabilities.native(Feature.RECONCILE) and _reconciles(type(adapter))


@cache
def _reconciles(kind: type) -> bool:
    """Asking for an ability is slow, and this is asked for each message."""
    return issubclass(kind, Reconciles)


def can_pin(adapter: Adapter) -> bool:
    """Whether a pin is set on the message itself; otherwise a line says so."""
    return isinstance(adapter, Pins)


def posts(event: ChatEvent, adapter: Adapter) -> bool:
    """Whether executing the event posts a message at this target. A change that the target makes itself posts none: an attempt can
    be repeated."""
    return event.traits.posts and not (event.traits.needs is Feature.PIN and can_pin(adapter))
