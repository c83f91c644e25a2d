"""The traits of a kind of event: what the core must know of it to carry it. They stand beside each kind in `events`, so that a new
kind cannot be forgotten: routing, intake, journal, delivery and the command line ask them and know no kind by name for it."""

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
    """Carrying it out may post a message, which repeated would be there twice; else an attempt can be repeated freely."""
    echoes: bool = False
    """What the bridge itself does at a target comes back as such an event; about one of its own copies it is an echo."""
    kept: bool = True
    """It is worth keeping until it is delivered; else it is shown now or never."""
    sees: Feature | None = None
    """What the origin's platform must tell of; None: whoever has it tells."""
    needs: Feature | None = None
    """What the target must be able to do; None: a line of text says it."""
    else_a_line: bool = False
    """Where the target cannot do it, a line of text says it."""
