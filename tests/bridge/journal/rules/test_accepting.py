"""What the journal decides, without any storage: a native message is called by its id here, an event's key is its own."""

from __future__ import annotations

from itertools import count
from typing import get_args

import msgspec
import pytest

from bridge.journal.contract import (
    AcceptRequest,
    Answered,
    AttemptStarted,
    Change,
    CopyCameLate,
    Dead,
    Deferred,
    Delivered,
    DeliveryStatus,
    PartGone,
    PiecesSet,
    PlannedDelivery,
    StoredPart,
    Verdict,
)
from bridge.journal.rules import accepting, changes, links, pieces, reactions, states
from bridge.journal.rules.accepting import Known, Stored
from bridge.journal.rules.changes import LatestChange
from bridge.journal.rules.links import KnownMessage, LinkKind
from bridge.journal.rules.reactions import Reacting
from bridge.model.adapter import Copy
from bridge.model.events import Attachment, AttachmentKind, ChatEvent, MessageCreated, PinsChanged, ReactionsChanged
from bridge.model.outcomes import Skip
from tests.bridge.journal.journal_makers import CHAT, A, B, End, created, deleted, edited, entry, reacted


def accept(known: Known[str], event: ChatEvent, *targets: End) -> Stored[str] | Verdict:
    """The event's number is that of the events before it."""
    key = event.meta.event_key.encode()
    seqs = count(len(known.event_keys) + 1)
    return accepting.accept(known, entry(event, *targets), key, accepting.messages_of(event), lambda: next(seqs))


def stored(known: Known[str], event: ChatEvent, *targets: End) -> Stored[str]:
    answer = accept(known, event, *targets)
    assert isinstance(answer, Stored)
    return answer


def pin(message: str) -> PinsChanged:
    return PinsChanged(meta=reacted(message, version=1).meta, message_id=message, pinned=True)


@pytest.mark.parametrize("kind", [LinkKind.COPY, LinkKind.GONE])
@pytest.mark.parametrize(
    "event", [created("1"), created("0", also=("1",)), edited("1"), deleted("1")], ids=lambda event: type(event).__name__
)
def test_our_own_copy_that_comes_back_is_an_echo_also_when_it_is_gone(kind: LinkKind, event: ChatEvent) -> None:
    known = Known(messages={"1": KnownMessage(7, kind)})
    assert accept(known, event) is Verdict.ECHO
    assert not known.event_keys


@pytest.mark.parametrize("event", [reacted("1", version=1, added=("👍",)), pin("1")], ids=["reaction", "pin"])
def test_what_people_do_with_a_copy_is_no_echo(event: ChatEvent) -> None:
    assert stored(Known(messages={"1": KnownMessage(7, LinkKind.COPY)}), event).event_seq == 1


def test_an_edit_of_an_original_is_no_echo_and_a_key_counts_once() -> None:
    known: Known[str] = Known()
    assert stored(known, created("1"), A).originals == ("1",)
    assert stored(known, edited("1"), A).event_seq == 2
    assert accept(known, edited("1"), A) is Verdict.DUPLICATE


def test_a_message_that_was_deleted_before_it_came_is_skipped_at_every_target() -> None:
    known: Known[str] = Known()
    stored(known, deleted("1"), A)
    message = stored(known, created("1"), A, B)
    assert [(one.state, one.rule) for one in message.deliveries] == [(DeliveryStatus.SKIPPED, Skip.DELETED_BEFORE)] * 2
    assert message.open == 0


def test_a_message_that_was_edited_before_it_came_is_stored_as_edited() -> None:
    known: Known[str] = Known()
    stored(known, edited("2", version=1), A)
    stored(known, edited("1", version=2), A)
    message = stored(known, created("1", also=("2",)), A)
    assert isinstance(message.event, MessageCreated)
    assert message.event.content == edited("1", version=2).content
    assert [one.state for one in message.deliveries] == [DeliveryStatus.WAITING]


def test_what_was_deleted_stays_so_and_words_alone_keep_the_files() -> None:
    gone = LatestChange(1, None)
    assert changes.combined(gone, edited("1"), 2) == gone
    file = Attachment(kind=AttachmentKind.PHOTO, file_id="f", name="a.png")
    content = msgspec.structs.replace(edited("1").content, attachments=(file,))
    told = msgspec.structs.replace(edited("1"), content=content, attachments_known=True)
    words = msgspec.structs.replace(edited("1", version=2), attachments_known=False)
    now = changes.combined(LatestChange(1, told), words, 2)
    assert now.edit is not None
    assert (now.event_seq, now.edit.content.text, now.edit.content.attachments) == (2, words.content.text, (file,))
    silent = msgspec.structs.replace(edited("1", version=3), attachments_known=True)
    assert changes.combined(now, silent, 3).edit == silent
    assert changes.combined(now, deleted("1"), 3) == LatestChange(3, None)


def test_the_newest_change_of_any_of_its_messages_counts() -> None:
    message = created("1", also=("2",))
    older, newer = LatestChange(4, edited("1")), LatestChange(5, None)
    assert changes.newest(message, [newer, older]) == deleted("1").__class__(meta=message.meta, message_id="1")
    assert changes.newest(message, [older]) == edited("1")
    assert changes.newest(message, []) is None


def test_our_own_reactions_are_nobodys() -> None:
    assert reactions.of_people(reacted("1", version=1, added=("👍",), ours=True)) is None
    assert reactions.of_people(reacted("1", version=1, who=None, added=("👍",))) == Reacting("", (), ("👍",))
    known: Known[str] = Known()
    stored(known, created("1"))
    reaction = stored(known, reacted("1", version=1, added=("👍",), ours=True))
    assert (reaction.reacts_to, reaction.reacting) == (1, None)


def test_emoji_are_told_once_in_their_order_but_for_messages_left_out() -> None:
    rows = [("🎉", "a"), ("👍", "b"), ("🎉", "b"), ("❤", "c")]
    assert reactions.held(rows, {"c"}) == ["🎉", "👍"]


def test_a_delivery_is_begun_skipped_or_waits_as_it_was_planned() -> None:
    planned = (
        PlannedDelivery(route="r", target=A, prerecorded=True),
        PlannedDelivery(route="r", target=B, skip_rule=Skip.OTHER_BRIDGE),
        PlannedDelivery(route="r", target=B),
    )
    one = accepting.accept(Known[str](), AcceptRequest(event=created("1"), deliveries=planned), b"k", ("1",), lambda: 1)
    assert isinstance(one, Stored)
    assert [delivery.state for delivery in one.deliveries] == [
        DeliveryStatus.SENDING,
        DeliveryStatus.SKIPPED,
        DeliveryStatus.WAITING,
    ]
    assert one.open == 2


def test_every_change_of_a_delivery_says_in_which_states_it_is_taken() -> None:
    assert set(states.TAKEN_IN) == set(get_args(Change)) - {Answered, PartGone, PiecesSet, CopyCameLate}
    assert (
        states.TAKEN_IN[AttemptStarted]
        == states.TAKEN_IN[Deferred]
        == {DeliveryStatus.WAITING, DeliveryStatus.SENDING, DeliveryStatus.BEHIND}
    )
    assert (
        states.TAKEN_IN[Delivered]
        == states.TAKEN_IN[Dead]
        == set(DeliveryStatus) - {DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED}
    )
    assert states.AFTER_A_PART[DeliveryStatus.SENDING] is DeliveryStatus.WAITING
    assert all(state is then for state, then in states.AFTER_A_PART.items() if state is not DeliveryStatus.SENDING)


def test_a_part_keeps_the_messages_that_it_still_has() -> None:
    assert links.no_copies_any_more(["1", "2"], ["2", "3"]) == ["1"]
    assert links.no_copies_any_more(["1", "2"]) == ["1", "2"]


def test_the_chat_itself_is_tried_before_its_threads() -> None:
    def part(message: str) -> list[StoredPart]:
        return [StoredPart(part=0, copy=Copy(chat_id=CHAT.chat_id, message_ids=(message,)))]

    found = links.elsewhere({"b": part("1"), None: part("2"), "a": part("3")})
    assert [one.thread_id for one in found] == [None, "a", "b"]


def test_pieces_are_in_the_order_of_their_events_and_named_only_while_they_are_sent() -> None:
    merged = pieces.merged(3, [(5, b"second"), (3, b"first")])
    assert [piece.content for piece in merged.pieces] == [b"first", b"second"]
    assert [state for state in DeliveryStatus if pieces.names_its_message(state)] == [DeliveryStatus.SENDING]
    assert (pieces.shared_with(0), pieces.shared_with(1), pieces.shared_with(3)) == (0, 0, 2)


def test_a_reaction_that_came_before_its_message_follows_it() -> None:
    known: Known[str] = Known()
    early = stored(known, reacted("2", version=1, added=("👍", "🎉")), A)
    stored(known, reacted("2", version=2, removed=("🎉",)), A)
    assert early.reacts_to == 0
    message = stored(known, created("1", also=("2",)), A, B)
    (following,) = message.following
    assert isinstance(following.event, ReactionsChanged)
    assert (following.event.message_id, following.event.added) == ("2", ("👍",))
    assert [one.planned.target for one in following.deliveries] == [A]
    assert (following.event_seq > message.event_seq, following.reacting, message.claims) == (True, None, ("2",))
    assert stored(known, reacted("2", version=3, added=("🎉",)), A).reacts_to == message.event_seq


def test_a_pin_that_came_before_its_message_follows_it_unless_it_was_taken_back() -> None:
    known: Known[str] = Known()
    stored(known, pin("1"), A)
    (following,) = stored(known, created("1"), A).following
    assert isinstance(following.event, PinsChanged)
    assert following.event.pinned
    unpinned = Known[str]()
    stored(unpinned, pin("1"), A)
    meta = reacted("1", version=2).meta
    stored(unpinned, PinsChanged(meta=meta, message_id="1", pinned=False), A)
    assert stored(unpinned, created("1"), A).following == ()


def test_nothing_follows_a_message_that_was_deleted_or_whose_reactions_were_taken_back() -> None:
    known: Known[str] = Known()
    stored(known, reacted("1", version=1, added=("👍",)), A)
    stored(known, deleted("1"), A)
    stored(known, reacted("2", version=1, added=("👍",)), A)
    stored(known, reacted("2", version=2, removed=("👍",)), A)
    stored(known, reacted("3", version=1, added=("👍",), ours=True), A)
    for message in "123":
        assert stored(known, created(message), A).following == ()
