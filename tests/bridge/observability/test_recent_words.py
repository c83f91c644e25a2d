"""What was said a moment ago is kept where that is wanted, in bounds, and no longer than its author lets it be seen."""

from __future__ import annotations

from bridge.model.events import MessageDeleted, MessageEdited
from bridge.model.refs import MessageRef
from bridge.model.rich_text import plain
from bridge.observability.recent_words import RecentWords
from tests.bridge.journal.journal_makers import created
from tests.support.clock import ManualClock

FIRST = created("1", text="what Anna said")
REF = MessageRef(FIRST.meta.origin, "1")


def wanted(clock: ManualClock | None = None) -> RecentWords:
    words = RecentWords(clock or ManualClock())
    words.begin_anew(wanted=True)
    return words


def test_nothing_is_kept_unless_it_is_wanted() -> None:
    words = RecentWords(ManualClock())
    words.take(FIRST, is_relayed=True)
    assert words.of(REF) == ""


def test_what_is_relayed_is_kept_for_an_hour() -> None:
    clock = ManualClock()
    words = wanted(clock)
    words.take(FIRST, is_relayed=True)
    words.take(created("2", text="goes nowhere"), is_relayed=False)
    assert words.of(REF) == "what Anna said"
    assert words.of(MessageRef(FIRST.meta.origin, "2")) == ""
    clock.forward(3600)
    assert words.of(REF) == ""


def test_an_edit_takes_its_place_and_a_deletion_its_words() -> None:
    words = wanted()
    words.take(FIRST, is_relayed=True)
    content = FIRST.content.__class__(text=plain("what Anna meant"))
    words.take(MessageEdited(meta=FIRST.meta, message_id="1", content=content), is_relayed=True)
    assert words.of(REF) == "what Anna meant"
    words.take(MessageDeleted(meta=FIRST.meta, message_id="1"), is_relayed=False)
    assert words.of(REF) == "", "also where nobody is told of the deletion"


def test_an_edit_that_a_rule_leaves_out_leaves_no_words() -> None:
    words = wanted()
    words.take(FIRST, is_relayed=True)
    words.take(MessageEdited(meta=FIRST.meta, message_id="1", content=FIRST.content), is_relayed=False)
    assert words.of(REF) == ""


def test_what_is_kept_has_bounds() -> None:
    words = wanted()
    for number in range(600):
        words.take(created(f"{number}", text="w" * 40_000), is_relayed=True)
    assert len(words._said) == 500
    assert len(words.of(MessageRef(FIRST.meta.origin, "599"))) == 200


def test_another_configuration_or_decision_leaves_nothing() -> None:
    words = wanted()
    words.take(FIRST, is_relayed=True)
    words.begin_anew(wanted=True)
    assert words.of(REF) == ""
