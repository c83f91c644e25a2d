"""The changes of a message since it was accepted: platforms guarantee no order, and redeliver late."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from bridge.journal.contract import Original
from bridge.journal.tracing import ChangeKind
from bridge.model.events import (
    ChatEvent,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    PollVotesChanged,
    ReactionsChanged,
)


class LatestChange(NamedTuple):
    """The newest change of a native message that was accepted."""

    event_seq: int
    edit: MessageEdited | None
    """None: it was deleted."""


def kind(event: ChatEvent) -> ChangeKind | None:
    """Which change of a message an event is; None if it is none."""
    match event:
        case MessageEdited():
            return ChangeKind.EDIT
        case MessageDeleted():
            return ChangeKind.DELETION
        case ReactionsChanged():
            return ChangeKind.REACTIONS
        case PinsChanged(pinned=pinned):
            return ChangeKind.PIN if pinned else ChangeKind.UNPIN
        case PollVotesChanged():
            return ChangeKind.VOTES
        case _:
            return None


def is_of_the_whole(event: ChatEvent) -> bool:
    """Whether it says what the message is by now: an edit of one item of an album does not."""
    return isinstance(event, MessageDeleted) or (isinstance(event, MessageEdited) and not event.album_item)


def combined(before: LatestChange | None, event: MessageEdited | MessageDeleted, event_seq: int) -> LatestChange:
    """A deleted message stays deleted; an edit that contained only text leaves the files as an earlier one stated them."""
    if isinstance(event, MessageDeleted):
        return LatestChange(event_seq, None)
    if before is None:
        return LatestChange(event_seq, event)
    if before.edit is None:
        return before
    if not event.attachments_known and before.edit.attachments_known:
        content = msgspec.structs.replace(event.content, attachments=before.edit.content.attachments)
        event = msgspec.structs.replace(event, content=content, attachments_known=True)
    return LatestChange(event_seq, event)


def messages_of(event: ChatEvent) -> tuple[str, ...]:
    """The native messages whose later changes concern this event."""
    match event:
        case MessageCreated():
            return (event.message_id, *event.also_ids)
        case MessageEdited():
            return (event.message_id,)
        case _:
            return ()


def newest(event: MessageCreated | MessageEdited, found: Iterable[LatestChange]) -> MessageEdited | MessageDeleted | None:
    """The one that counts, as an event, of the changes found for the event's messages."""
    latest = max(found, key=lambda change: change.event_seq, default=None)
    if latest is None:
        return None
    return latest.edit or MessageDeleted(meta=event.meta, message_id=event.message_id)


def standing_of(found: Iterable[LatestChange]) -> Original:
    """What became of a message, by the changes found for its native messages."""
    latest = max(found, key=lambda change: change.event_seq, default=None)
    if latest is None:
        return Original()
    return Original(is_deleted=latest.edit is None, edit=latest.edit)
