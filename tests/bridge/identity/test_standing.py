"""Who is not relayed: of which events, until when, and by whose decision."""

from __future__ import annotations

from datetime import timedelta

from bridge.identity.people import People, Person
from bridge.identity.standing import Ruling, Standing
from bridge.model.events import Author, Content, EventMeta, MembershipChanged, MembershipKind, MessageCreated, MessageDeleted
from bridge.model.outcomes import Skip
from bridge.model.refs import ChatRef
from tests.support.clock import ManualClock
from tests.support.strategies import TEAM, TG

ANNA, BOB, CLARA = (Author(user_id=name, name=name) for name in ("anna", "bob", "clara"))
CLOCK = ManualClock()


def meta(author: Author | None) -> EventMeta:
    now = CLOCK.now()
    return EventMeta(event_key="k", origin=ChatRef(TG, "1"), occurred_at=now, received_at=now, author=author)


def said(author: Author | None) -> MessageCreated:
    return MessageCreated(meta=meta(author), message_id="1", content=Content())


def test_each_decision_has_its_rule_and_its_end() -> None:
    now = CLOCK.now()
    people = People([Person(name="Clara", ids={TG: "clara"}, relay=False)])
    rulings = [
        Ruling(account=TG, user_id="anna", hides=True),
        Ruling(account=TG, user_id="bob", hides=False, until=now + timedelta(minutes=5)),
    ]
    standing = Standing(people, rulings)
    assert standing.rule_of(said(ANNA), now) is Skip.OPTED_OUT
    assert standing.rule_of(said(BOB), now) is Skip.MUTED
    assert standing.rule_of(said(BOB), now + timedelta(minutes=6)) is None
    assert standing.rule_of(said(CLARA), now) is Skip.NOT_RELAYED
    assert standing.rule_of(said(None), now) is None
    joined = MembershipChanged(meta=meta(BOB), member=ANNA, change=MembershipKind.JOINED)
    assert standing.rule_of(joined, now) is Skip.OPTED_OUT
    assert standing.rule_of(MessageDeleted(meta=meta(ANNA), message_id="1"), now) is None, "what is deleted is deleted everywhere"


def test_a_decision_counts_for_all_accounts_of_the_person() -> None:
    people = People([Person(name="Anna", ids={TG: "anna", TEAM: "U1"})])
    standing = Standing(people, [Ruling(account=TEAM, user_id="U1", hides=False)])
    assert standing.rule_of(said(ANNA), CLOCK.now()) is Skip.MUTED
    assert standing.rule_of(said(BOB), CLOCK.now()) is None
