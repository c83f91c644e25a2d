"""The bridge's own disk is never a reason to give a message up."""

from __future__ import annotations

from pathlib import Path

from bridge.journal.contract import JournalError, Link
from bridge.journal.sqlite import SqliteJournal
from bridge.model.events import ReplyTo
from bridge.model.refs import ChatAddress, MessageRef
from tests.support.patience import eventually
from tests.support.scripted import ScriptedPlatform, bridge


class Unreadable(SqliteJournal):
    """Links cannot be read so many times."""

    failures = 0

    async def link(self, message: MessageRef, target: ChatAddress, thread_id: str | None = None) -> Link | None:
        if self.failures > 0:
            self.failures -= 1
            raise JournalError("disk I/O error")
        return await super().link(message, target, thread_id)


async def test_a_journal_that_cannot_be_read_for_a_while_kills_no_message(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("bridge.delivery.patient_journal._JOURNAL_RETRY_S", 0.01)
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    journal = Unreadable(tmp_path / "bridge.journal")
    async with bridge(tmp_path, [one, two], journal=journal) as app:
        first = one.say("first")
        await eventually(lambda: two.texts() == ["first"])
        journal.failures = 20
        one.say("an answer", reply_to=ReplyTo(message_id=first))
        one.edit(first, "first, edited")
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        assert two.texts() == ["first, edited", "an answer", "end"]
        assert not await app._journal.dead_letters()
