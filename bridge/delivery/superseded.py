"""What a delivery has become by changes of its message that were accepted after it, and may have been carried out before. Pure.

In the line a message comes before its changes. Whatever waited (in the line; beside it, as a retried dead letter or a file that
follows its text; in the journal, during a restart) is checked here, so that nothing is sent that its author took back since."""

from __future__ import annotations

from datetime import datetime

from msgspec import structs
from msgspec.structs import replace

from bridge.delivery.message_plan import Together, decode_plan
from bridge.journal.contract import CopyCameLate, DeliveryStatus, OpenDelivery
from bridge.model.events import MessageCreated, MessageDeleted, MessageEdited, as_edited
from bridge.model.outcomes import Skip
from bridge.model.rich_text import text_of

_SAID = "may have arrived"
"""In the reasons of dead letters of unknown outcome. Earlier versions kept nothing else of it."""


def doubt_of(pending: OpenDelivery) -> datetime | None:
    """For a dead letter that is retried and whose next part may be there: since when to look for it, by the local clock of that
    time."""
    if pending.state is not DeliveryStatus.BEHIND:
        return None
    plan = decode_plan(pending.plan)
    if plan is not None and plan.unknown_since is not None:
        return plan.unknown_since
    is_told = plan is None and _SAID in pending.last_error
    return pending.first_attempt_at or pending.event.meta.received_at if is_told else None


def together_of(pending: OpenDelivery) -> Together | None:
    """For a dead letter that is retried: the merged message that it was given up in."""
    plan = decode_plan(pending.plan) if pending.state is DeliveryStatus.BEHIND and not pending.parts else None
    return plan.together if plan is not None else None


def as_it_is_now(pending: OpenDelivery) -> OpenDelivery | Skip:
    """The delivery to execute, or the rule by which it is skipped. A message whose outcome is unknown stays as it was: the platform
    is asked with its own text. An edit that was in progress may be older than one that was executed."""
    later, event = pending.later, pending.event
    if isinstance(event, MessageCreated) and (doubt_of(pending) is not None or _is_taken_back(pending)):
        return pending
    if pending.state is DeliveryStatus.SENDING and isinstance(event, MessageEdited) and isinstance(later, MessageEdited):
        return _as_the_newest(pending, event, later)
    if later is None or pending.state is DeliveryStatus.SENDING:
        return pending
    match event:
        case MessageCreated() | MessageEdited() if isinstance(later, MessageDeleted):
            return Skip.DELETED_BEFORE
        case MessageCreated() if isinstance(later, MessageEdited) and pending.state is DeliveryStatus.WAITING and not pending.parts:
            return _reworded(pending, event, later)
        case _ if pending.state is not DeliveryStatus.BEHIND:
            return pending  # its change follows it in the line
        case MessageEdited() if isinstance(later, MessageEdited) and (event.attachments_known or _is_moving(event)):
            # the later one may have contained the text alone: then nothing else brings the files; and those of a place that moves
            # were skipped for this one, which is to show the newest
            return _as_the_newest(pending, event, later)
        case MessageEdited():
            return Skip.SUPERSEDED
        case MessageCreated() if isinstance(later, MessageEdited) and not pending.parts:
            return replace(pending, event=as_edited(event, later), plan=b"", last_error="")
        case _:
            return pending


def _reworded(pending: OpenDelivery, event: MessageCreated, later: MessageEdited) -> OpenDelivery:
    """With the words of the edit and the message's own files: the edit follows in the line, and brings others."""
    edited = as_edited(event, structs.replace(later, attachments_known=False))
    if event.content.attachments != later.content.attachments and not (text_of(edited.content.text) or edited.content.attachments):
        return pending  # words that became a file: nothing is left to send without it
    return replace(pending, event=edited, plan=b"", last_error="")


def _is_moving(event: MessageEdited) -> bool:
    return event.content.location is not None and event.content.location.live


def _is_taken_back(pending: OpenDelivery) -> bool:
    plan = decode_plan(pending.plan) if pending.state is DeliveryStatus.BEHIND else None
    return plan is not None and plan.taken_back


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
