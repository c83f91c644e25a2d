"""The traits of a kind of event: what the core must know to relay it. They are defined with each kind in `events`, so that a new
kind cannot be forgotten: routing, intake, journal, delivery and the command line read the traits instead of checking for kinds."""

from __future__ import annotations

import msgspec

from bridge.model.capabilities import Feature
from bridge.model.outcomes import Skip


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of event."""

    title: str
    """As people read it, in the plural: "joins and leaves"."""
    switch: str | None = None
    """The relay option that lets it cross; None: it always does."""
    off: Skip | None = None
    """The rule by which it is skipped while that option is off."""
    posts: bool = True
    """Executing it may post a message, which a repetition would double; otherwise an attempt can be repeated safely. That
    depends on the target if the kind is made natively or else said by a line."""
    echoes: bool = False
    """The bridge's own action at a target comes back as such an event; if it is about one of its own copies, it is an echo."""
    kept: bool = True
    """It is stored until it is delivered; otherwise it is shown now or never."""
    sees: Feature | None = None
    """What the origin's platform must report; None: every platform that has it reports it."""
    needs: Feature | None = None
    """What the target must be able to do; None: a line of text says it."""
    else_a_line: bool = False
    """If the target cannot do it, a line of text says it."""
