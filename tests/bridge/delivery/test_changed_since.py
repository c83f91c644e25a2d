"""A delivery that waits is given out with the change of its message that came after it, in bounds."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bridge.delivery.changed_since import ChangedSince
from bridge.delivery.state import DeliveryState, taken_up
from bridge.delivery.superseded import as_it_is_now
from bridge.journal.contract import DeliveryStatus, OpenDelivery
from bridge.model.events import Attachment, AttachmentKind, Content, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.outcomes import Skip
from bridge.model.rich_text import plain, text_of
from tests.bridge.delivery.test_age import delivery, message
from tests.support.clock import ManualClock

CLOCK = ManualClock()
SAID = delivery(message(CLOCK))
FILE = Attachment(kind=AttachmentKind.DOCUMENT, file_id="f", unique_id="u", name="plan.pdf")


def edit(words: str, *files: Attachment, known: bool = True, of: str = "1") -> MessageEdited:
    content = Content(text=plain(words), attachments=files)
    return MessageEdited(meta=SAID.event.meta, message_id=of, content=content, attachments_known=known)


def follows(event: MessageEdited | MessageDeleted, number: int = 1) -> OpenDelivery:
    at = {"delivery_id": SAID.delivery_id + number, "lane_seq": SAID.lane_seq + number, "event_seq": SAID.event_seq + number}
    return replace(SAID, event=event, **at)


DELETED = follows(MessageDeleted(meta=SAID.event.meta, message_id="1"), 9)


def noted(*changes: OpenDelivery) -> ChangedSince:
    changed = ChangedSince()
    for one in changes:
        changed.note(one)
    return changed


def words(pending: OpenDelivery | Skip) -> str:
    assert isinstance(pending, OpenDelivery)
    assert isinstance(pending.event, MessageCreated)
    return text_of(pending.event.content.text)


def test_what_was_deleted_is_skipped_and_what_was_reworded_sent_so() -> None:
    assert as_it_is_now(noted().applied(SAID)) is SAID
    changed = noted(follows(edit("second"), 1), follows(edit("third"), 2))
    assert words(as_it_is_now(changed.applied(SAID))) == "third"
    changed.note(DELETED)
    assert as_it_is_now(changed.applied(SAID)) is Skip.DELETED_BEFORE
    changed.note(follows(edit("an edit of before, told late"), 12))
    assert as_it_is_now(changed.applied(SAID)) is Skip.DELETED_BEFORE


def test_only_what_came_after_it_counts_and_only_for_that_message() -> None:
    changed = noted(follows(edit("second"), -1), follows(edit("of another", of="2"), 3))
    assert changed.applied(SAID) is SAID
    waiting_edit = follows(edit("second"), 2)
    assert noted(waiting_edit, DELETED).applied(waiting_edit) is waiting_edit, "its change follows"


def test_files_that_an_edit_changes_follow_with_the_edit() -> None:
    with_file = replace(SAID, event=replace(SAID.event, content=Content(text=plain("first"), attachments=(FILE,))))
    other = replace(FILE, unique_id="another")
    for change, expected in (
        (edit("second", FILE), "second"),
        (edit("second", known=False), "second"),
        (edit("second", other), "second"),
        (edit("second"), "second"),
        (edit(""), ""),
    ):
        now = as_it_is_now(noted(follows(change)).applied(with_file))
        assert words(now) == expected
        assert isinstance(now, OpenDelivery)
        assert isinstance(now.event, MessageCreated)
        assert now.event.content.attachments == (FILE,)


def test_words_that_became_a_file_are_sent_with_it_following() -> None:
    assert words(as_it_is_now(noted(follows(edit("", FILE))).applied(SAID))) == "hi", "without them it would be empty"


@pytest.mark.parametrize("state", [DeliveryStatus.SENDING, DeliveryStatus.BEHIND])
def test_what_may_be_there_stays_as_it_was(state: DeliveryStatus) -> None:
    begun = replace(SAID, state=state, parts=() if state is DeliveryStatus.SENDING else SAID.parts)
    now = as_it_is_now(noted(follows(edit("second"))).applied(begun))
    assert words(now) == ("hi" if state is DeliveryStatus.SENDING else "second")


def test_bounds() -> None:
    changed = noted(*(follows(edit("w", of=f"{number}"), 1) for number in range(1500)))
    assert len(changed._latest) == 1000


def state_of(pending: OpenDelivery = SAID, *, prerecorded: bool = False) -> DeliveryState:
    return taken_up(pending, CLOCK, prerecorded=prerecorded)


def test_work_that_waits_is_taken_up_anew_once_per_change() -> None:
    clock = ManualClock()
    work = state_of()
    work.time.start(clock.monotonic_s())
    work.attempts.number = 3
    clock.forward(60)
    changed = noted(follows(edit("second")))
    anew = changed.taken_up_anew(work, clock)
    assert anew is not None
    assert words(as_it_is_now(anew)) == "second"
    assert (anew.attempt, anew.state) == (3, DeliveryStatus.WAITING)
    assert anew.first_attempt_at is not None
    assert anew.recorded_at is not None
    assert (anew.recorded_at - anew.first_attempt_at).total_seconds() == 60, "the time that it has had goes on"
    assert changed.taken_up_anew(state_of(anew), clock) is None
    changed.note(DELETED)
    assert changed.taken_up_anew(state_of(anew), clock) is not None


def test_of_what_goes_together_each_counts() -> None:
    work, follower = state_of(), replace(SAID, event=replace(SAID.event, message_id="2"), delivery_id=77, lead_seq=1)
    work.group.followers.append(follower)
    changed = noted(follows(edit("second", of="2")))
    anew = changed.taken_up_anew(work, CLOCK)
    assert anew is not None
    assert (words(anew), anew.later, anew.lead_seq) == ("hi", None, None)


def test_what_is_there_or_may_be_goes_on_as_it_was() -> None:
    changed = noted(DELETED)
    unknown = state_of()
    unknown.unknown.posting(CLOCK.now(), CLOCK.monotonic_s())
    unknown.unknown.is_open = True
    interrupted = state_of(replace(SAID, state=DeliveryStatus.SENDING))
    beside = state_of(replace(SAID, state=DeliveryStatus.BEHIND))
    for work in (unknown, interrupted, beside):
        assert changed.taken_up_anew(work, CLOCK) is None
    prerecorded = state_of(replace(SAID, state=DeliveryStatus.SENDING), prerecorded=True)
    assert changed.taken_up_anew(prerecorded, CLOCK) is not None, "its attempt is on disk and was not made"
