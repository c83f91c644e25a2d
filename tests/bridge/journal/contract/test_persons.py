"""Decisions, links, claims, the audit and dead letters that were shown, asked of every implementation of the journal."""

from __future__ import annotations

from msgspec.structs import replace

from bridge.journal.contract import (
    Audited,
    Claim,
    Claimant,
    ClaimStep,
    Dead,
    Decision,
    DecisionKind,
    Journal,
    LinkedUser,
    UserKey,
)
from bridge.model.refs import AccountName
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, at, created, deliver, message


def user(name: str, account: str = "tg") -> UserKey:
    return UserKey(account=AccountName(account), user_id=f"u-{name}")


def linked(name: str, account: str, person: str) -> LinkedUser:
    return LinkedUser(user=user(name, account), person=person, name=name, username="", at=at(0))


async def test_a_decision_holds_until_it_is_taken_back(journal: Journal) -> None:
    persons = journal.persons
    muted = Decision(user=user("a"), kind=DecisionKind.MUTED, name="Anna", at=at(1), by="command line", until=at(9))
    await persons.decide(muted)
    await persons.decide(replace(muted, kind=DecisionKind.OPTED_OUT, at=at(2), until=None))
    await persons.decide(replace(muted, until=None, at=at(3)))
    assert [(one.kind, one.until) for one in await persons.decisions()] == [
        (DecisionKind.OPTED_OUT, None),
        (DecisionKind.MUTED, None),
    ]
    assert await persons.undecide(user("a"), DecisionKind.MUTED)
    assert not await persons.undecide(user("a"), DecisionKind.MUTED)
    assert len(await persons.decisions()) == 1


async def test_links_of_links_are_one_person(journal: Journal) -> None:
    persons = journal.persons
    await persons.link_users(linked("a", "tg", "p1"), linked("a", "team", "p1"))
    await persons.link_users(linked("a", "guild", "p2"), linked("a", "spirit", "p2"))
    assert len({one.person for one in await persons.linked()}) == 2
    await persons.link_users(linked("a", "team", "p3"), linked("a", "guild", "p3"))
    assert {one.person for one in await persons.linked()} == {"p3"}
    assert len(await persons.linked()) == 4
    assert await persons.unlink_user(user("a", "tg"))
    assert not await persons.unlink_user(user("a", "tg"))
    assert await persons.unlink_user(user("a", "team"))
    assert await persons.unlink_user(user("a", "guild"))
    assert await persons.linked() == [], "one that is left alone is linked with nobody"


async def test_a_claim_is_one_a_user_and_ends(journal: Journal) -> None:
    persons = journal.persons
    asker = Claimant(user=user("a"), name="Anna", username="anna", address="-1", thread_id="5")
    claim = Claim(asker=asker, step=ClaimStep.ASKED, code_hash=b"one", created_at=at(0), valid_until=at(10))
    await persons.put_claim(claim)
    said = replace(claim, step=ClaimStep.SAID, code_hash=b"", other=replace(asker, user=user("b", "team")))
    await persons.put_claim(said)
    assert await persons.claims(at=at(9)) == [said]
    assert await persons.claims(at=at(10)) == []
    assert await persons.drop_claim(user("a"))
    assert not await persons.drop_claim(user("a"))


async def test_the_audit_is_newest_first(journal: Journal) -> None:
    for number in range(3):
        await journal.persons.audit(Audited(at=at(number), actor="tg/7", action="mute", subject=f"tg/{number}"))
    found = await journal.persons.audited(limit=2)
    assert [one.subject for one in found] == ["tg/2", "tg/1"]
    assert found[0].number > found[1].number


async def test_a_dead_letter_is_shown_once_and_recovers(journal: Journal) -> None:
    persons = journal.persons
    result = await accept(journal, created("1"), A, B)
    dead, alive = result.delivery_ids
    await journal.record(journal.lease(A.account), [Dead(delivery_id=dead, reason="gone", at=at(1))])
    assert await persons.unshown_dead() == [dead]
    await persons.dead_shown([dead], at=at(2))
    assert await persons.unshown_dead() == []
    assert await persons.recovered() == []
    await journal.retry_dead([dead])
    await deliver(journal, replace(result, delivery_ids=(dead,)), (A, "100"))
    assert await persons.recovered() == [dead]
    await persons.forget_shown([dead])
    assert await persons.recovered() == []
    assert alive not in await persons.unshown_dead()


async def test_what_somebody_wrote_is_found_and_blanked(journal: Journal) -> None:
    first = await accept(journal, created("1"), A)
    await accept(journal, created("2"), A)
    await deliver(journal, first, (A, "100"))
    author = created("1").meta.author
    assert author is not None
    key = UserKey(account=CHAT.account, user_id=author.user_id)
    found = await journal.persons.messages_of(key)
    assert [ref for _, ref in found] == [message(CHAT, "1"), message(CHAT, "2")]
    assert [ref for _, ref in await journal.persons.messages_of(key, after=found[0][0])] == [message(CHAT, "2")]
    await journal.persons.blank([found[0][0]])
    link = await journal.link(message(CHAT, "1"), A)
    assert link is not None
    assert (link.author_name, [part.copy.message_ids for part in link.copies]) == ("", [("100",)])
    assert [ref for _, ref in await journal.persons.messages_of(key)] == [message(CHAT, "2")]


async def test_a_mark_tells_namesakes_apart_and_stays(journal: Journal) -> None:
    persons = journal.persons
    anna = [("", "anna"), (" (2)", "anna2"), (" (3)", "anna3")]
    assert await persons.mark_of(A, "tg/1", anna, at=at(0)) == ""
    assert await persons.mark_of(A, "tg/2", anna, at=at(1)) == " (2)"
    assert await persons.mark_of(A, "tg/9", [("", "anna2"), (" (2)", "anna22")], at=at(2)) == " (2)", "it looks like the second"
    assert await persons.mark_of(A, "tg/3", anna, at=at(3)) == " (3)"
    assert await persons.mark_of(A, "tg/4", anna, at=at(3)) == " (3)", "the last where none is free"
    assert await persons.mark_of(B, "tg/2", anna, at=at(4)) == "", "another chat"
    assert await persons.mark_of(A, "tg/2", anna, at=at(5)) == " (2)"
    assert await persons.mark_of(A, "tg/1", anna, at=at(6)) == ""
