"""The parts of a message other than its text, for targets whose readers are programs (`model.original`). Pure; called by
`render`."""

from __future__ import annotations

from bridge.model.events import EventMeta, Forward, MessageCreated, MessageEdited
from bridge.model.original import Original


def original_of(event: MessageCreated | MessageEdited, *, forward: Forward | None, is_first: bool, platform: str = "") -> Original:
    """The data of the first part of a message, or of a further one. `forward` has the names that may be shown."""
    if not is_first:
        return bare_original(event.meta, platform)
    content = event.content
    return Original(
        occurred_at=event.meta.occurred_at,
        thread_id=event.meta.thread_id,
        account=event.meta.origin.account,
        platform=platform,
        forwarded_from=forward,
        poll=content.poll,
        location=content.location,
        contact=content.contact,
    )


def bare_original(meta: EventMeta, platform: str = "", kind: str = "") -> Original:
    """The data that every event has."""
    return Original(
        occurred_at=meta.occurred_at, thread_id=meta.thread_id, account=meta.origin.account, platform=platform, kind=kind
    )
