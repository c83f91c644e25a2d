"""What a message is beside its words, as a target's programs are told (`model.original`). Pure; called by `render`."""

from __future__ import annotations

from bridge.identity.names import shorten, show_words
from bridge.model.events import Attachment, EventMeta, Forward, MessageCreated, MessageEdited
from bridge.model.original import Original, OriginalFile
from bridge.render.long_text import is_whole_text

_NAME_LENGTH = 200


def original_of(event: MessageCreated | MessageEdited, *, forward: Forward | None, is_first: bool) -> Original:
    """Of the first part of its message, or of a further one. `forward` has the names that may be shown."""
    if not is_first:
        return bare_original(event.meta)
    content = event.content
    return Original(
        occurred_at=event.meta.occurred_at,
        thread_id=event.meta.thread_id,
        forwarded_from=forward,
        poll=content.poll,
        location=content.location,
        contact=content.contact,
        files=tuple(_file(attachment) for attachment in content.attachments if not is_whole_text(attachment)),
    )


def bare_original(meta: EventMeta) -> Original:
    """What is known of every event."""
    return Original(occurred_at=meta.occurred_at, thread_id=meta.thread_id)


def _file(attachment: Attachment) -> OriginalFile:
    return OriginalFile(
        kind=attachment.kind,
        name=shorten(show_words(attachment.name), _NAME_LENGTH),
        mime=attachment.mime,
        size_bytes=attachment.size_bytes,
    )
