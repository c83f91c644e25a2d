"""The export: every event with the outcome of its deliveries, in order, page by page; words only where they are asked for."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.journal.contract import Audited, Dead, Decision, DecisionKind, JournalError, UserKey
from bridge.journal.sqlite import SqliteJournal, exporting
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, created, deliver
from tests.bridge.journal.journal_makers import T0 as NOW

OLD = Path(__file__).parents[1] / "journal-version-8.sql"


def lines(path: Path, *, words: bool = False) -> list[Any]:
    return [msgspec.json.decode(msgspec.json.encode(one)) for one in exporting.export(path, words=words, busy_timeout_s=5.0)]


async def filled(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    await deliver(journal, await accept(journal, created("1", text="a secret"), A), (A, "9"))
    accepted = await accept(journal, created("2", text="another secret"), A, B)
    await journal.record(journal.lease(A.account), [Dead(delivery_id=accepted.delivery_ids[0], reason="chat not found", at=NOW)])
    await journal.keep_undecodable(journal.lease(CHAT.account), b'{"odd": "a third secret"}', "odd", (), received_at=NOW)
    user = UserKey(account=CHAT.account, user_id="7")
    await journal.persons.decide(Decision(user=user, kind=DecisionKind.MUTED, name="Mallory Secret", at=NOW, by="tg/1", until=None))
    await journal.persons.audit(Audited(at=NOW, actor="Anna Secret", action="mute", subject="tg/7", result="done"))
    await journal.close()


async def test_every_event_with_its_deliveries_and_none_of_the_words(path: Path) -> None:
    await filled(path)
    head, first, second, undecodable, audit, decision = lines(path)
    assert (head["type"], head["words"]) == ("journal", False)
    assert (first["type"], first["message"], first["chat"]) == ("event", "1", str(CHAT))
    (one,) = first["deliveries"]
    assert (one["state"], one["target"], one["copies"]) == ("delivered", str(A), ["9"])
    assert {(one["target"], one["state"], one["note"]) for one in second["deliveries"]} == {
        (str(A), "dead", "chat not found"),
        (str(B), "waiting", ""),
    }
    assert (undecodable["reason"], undecodable["size_bytes"]) == ("odd", 25)
    assert (audit["action"], audit["result"]) == ("mute", "done")
    assert (decision["user"], decision["kind"]) == ("7", "muted")
    assert "secret" not in str(lines(path)).lower()


async def test_words_where_they_are_asked_for(path: Path) -> None:
    await filled(path)
    found = lines(path, words=True)
    assert found[0]["words"] is True
    assert found[1]["event"] is None, "they are kept only as long as they are needed"
    assert "another secret" in str(found[2]["event"])
    assert found[2]["author"]
    assert "a third secret" in found[3]["raw"]


@pytest.mark.parametrize("page", [1, 2, 3, 100])
async def test_pages_leave_out_and_repeat_nothing(path: Path, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", page)
    journal = SqliteJournal(path)
    await journal.open()
    for number in range(7):
        await accept(journal, created(str(number)), A)
    await journal.prune(before=NOW)
    assert [one["message"] for one in lines(path) if one["type"] == "event"] == [str(number) for number in range(7)]
    await journal.close()


async def test_a_damaged_row_costs_itself(path: Path) -> None:
    await filled(path)
    connection = sqlite3.connect(path)
    connection.executescript("UPDATE delivery SET route = 99 WHERE event = 1; UPDATE body SET json = x'7b'")
    connection.close()
    _, damaged, second, *_ = lines(path, words=True)
    assert (damaged["type"], damaged["number"]) == ("damaged", 1)
    assert (second["message"], second["event"]) == ("2", None)


def test_an_older_journal_is_refused_and_stays_as_it_is(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(OLD.read_text(encoding="utf-8"))
    connection.close()
    with pytest.raises(JournalError, match="older version"):
        lines(path)
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (8,)
