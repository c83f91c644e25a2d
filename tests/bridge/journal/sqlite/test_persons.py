"""What pruning takes of decisions, claims, the audit and dead letters that were shown; and that the audit stays bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.journal.contract import Audited, Claim, Claimant, ClaimStep, Decision, DecisionKind, UserKey
from bridge.journal.sqlite import SqliteJournal, persons
from bridge.model.refs import AccountName
from tests.bridge.journal.journal_makers import at

ANNA = UserKey(account=AccountName("tg"), user_id="7")


async def test_what_is_over_is_forgotten(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "bridge.journal")
    await journal.open()
    try:
        for_good = Decision(user=ANNA, kind=DecisionKind.OPTED_OUT, name="Anna", at=at(0), by="tg/7")
        await journal.persons.decide(for_good)
        await journal.persons.decide(Decision(user=ANNA, kind=DecisionKind.MUTED, name="Anna", at=at(0), by="tg/1", until=at(5)))
        asker = Claimant(user=ANNA, name="Anna", username="", address="-1")
        await journal.persons.put_claim(
            Claim(asker=asker, step=ClaimStep.ASKED, code_hash=b"x", created_at=at(0), valid_until=at(5))
        )
        await journal.persons.audit(Audited(at=at(0), actor="tg/7", action="optout", subject="tg/7"))
        await journal.persons.audit(Audited(at=at(20), actor="tg/7", action="optin", subject="tg/7"))
        await journal.persons.dead_shown([404], at=at(0))
        await journal.prune(before=at(10))
        assert await journal.persons.decisions() == [for_good], "what holds for ever is never too old"
        assert await journal.persons.claims(at=at(-10)) == []
        assert [one.action for one in await journal.persons.audited()] == ["optin"]
        assert await journal.persons.recovered() == []
    finally:
        await journal.close()


async def test_the_audit_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons, "AUDIT_KEPT", 5)
    journal = SqliteJournal(tmp_path / "bridge.journal")
    await journal.open()
    try:
        for number in range(9):
            await journal.persons.audit(Audited(at=at(number), actor="tg/7", action="mute", subject=str(number)))
        assert [one.subject for one in await journal.persons.audited()] == ["8", "7", "6", "5", "4"]
    finally:
        await journal.close()
