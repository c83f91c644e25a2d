"""The parts of a message other than its text, for targets whose readers are programs (`Capabilities.takes_data`). Types only."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bridge.model.events import Contact, Forward, Location, Poll


class _Data(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


class Original(_Data, frozen=True):
    """`account` is where it was said, and `platform` the name of its platform, as far as they are known. `occurred_at` is the
    moment that the origin gives for the event, aware UTC; `thread_id` is native to the origin. The rest is set for the first part
    of a message only. Names are as the core shows them."""

    occurred_at: datetime
    thread_id: str | None = None
    account: str = ""
    platform: str = ""
    kind: str = ""
    """Of a line about what happened in a chat: the kind of the event (`membership`, `renamed`)."""
    forwarded_from: Forward | None = None
    poll: Poll | None = None
    location: Location | None = None
    contact: Contact | None = None
