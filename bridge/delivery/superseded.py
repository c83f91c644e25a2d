"""What a delivery has become by changes of its message that were accepted after it, and may have been carried out before. Pure.

In the line a message comes before its changes. Deliveries beside the line (a retried dead letter, a file that follows its text),
and those taken again after a restart, are checked here, so that nothing is sent that its author deleted or edited since."""

from __future__ import annotations

from msgspec import structs
from msgspec.structs import replace

from bridge.journal.contract import CopyCameLate, DeliveryStatus, OpenDelivery
from bridge.model.events import MessageCreated, MessageDeleted, MessageEdited, as_edited
from bridge.model.outcomes import Skip


def as_it_is_now(pending: OpenDelivery) -> OpenDelivery | Skip:
    """The delivery to execute, or the rule by which it is skipped. A message whose outcome is unknown stays as it was: the platform
    is asked with its own text. An edit that was in progress may be older than one that was executed."""
    later, event = pending.later, pending.event
    if pending.state is DeliveryStatus.SENDING and isinstance(event, MessageEdited) and isinstance(later, MessageEdited):
        return _as_the_newest(pending, event, later)
    if later is None or pending.state is DeliveryStatus.SENDING:
        return pending
    match event:
        case MessageCreated() | MessageEdited() if isinstance(later, MessageDeleted):
            return Skip.DELETED_BEFORE
        case _ if pending.state is not DeliveryStatus.BEHIND:
            return pending  # its change follows it in the line
        case MessageCreated() if isinstance(later, MessageEdited) and not pending.parts:
            return replace(pending, event=as_edited(event, later), plan=b"")
        case MessageEdited() if isinstance(later, MessageEdited) and event.attachments_known:
            # the later one may have contained the text alone: then nothing else brings the files
            return _as_the_newest(pending, event, later)
        case MessageEdited():
            return Skip.SUPERSEDED
        case _:
            return pending


def copy_came_late(pending: OpenDelivery) -> CopyCameLate | None:
    """For a delivery, as it was taken up, that may make its copy later than in its turn: what was done with the message meanwhile
    may have been skipped since there was none. The journal knows whether it was."""
    in_its_turn = pending.state is DeliveryStatus.WAITING and not pending.parts
    if in_its_turn or not isinstance(pending.event, MessageCreated):
        return None
    return CopyCameLate(
        delivery_id=pending.delivery_id,
        event_seq=pending.event_seq,
        event=pending.event,
        route=pending.route,
        target=pending.target,
        thread_id=pending.thread_id,
    )


def _as_the_newest(pending: OpenDelivery, event: MessageEdited, later: MessageEdited) -> OpenDelivery:
    return replace(pending, event=structs.replace(later, meta=event.meta, message_id=event.message_id))
