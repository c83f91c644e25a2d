"""Words are looked for in what the journal still has, newest first, a page at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from bridge.journal.contract import Journal
from bridge.journal.sqlite import SqliteJournal
from bridge.journal.sqlite.tracing import Tracing
from bridge.journal.tracing import Traced
from bridge.model.events import Content
from bridge.model.refs import MessageRef
from bridge.model.rich_text import plain
from tests.bridge.journal.journal_makers import A, accept, created, deliver, edited


async def search(journal: Journal, words: str, rows: int) -> list[str]:
    found: list[str] = []
    before = None
    for _ in range(20):
        page = await journal.find_words(words, before=before, rows=rows, most=20)
        assert page.looked_through <= rows
        found += [str(one.original or one.event.of) for one in page.messages]
        before = page.before
        if before is None:
            return found
    raise AssertionError("the search does not end")


async def test_newest_first_in_any_case_whatever_the_page(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "bridge.journal")
    await journal.open()
    for number, text in enumerate(["The PUMP is broken", "lunch?", "which pump", "straße"]):
        await accept(journal, created(f"{number}", text=text), A)
    await deliver(journal, await accept(journal, created("8", text="the pump is fine"), A), (A, "c8"))
    await deliver(journal, await accept(journal, created("9", text="fine"), A), (A, "c9"))
    edit = replace(edited("9"), content=Content(text=plain("the pump, I mean")))
    await accept(journal, edit, A)
    for rows in (1, 2, 3, 100):
        assert await search(journal, "pump", rows) == ["origin/C1#9", "origin/C1#2", "origin/C1#0"], rows
    assert await search(journal, "STRASSE", 100) == ["origin/C1#3"]
    assert await search(journal, "nothing of it", 2) == []
    (first, *_) = (await journal.find_words("pump", before=None, rows=100, most=1)).messages
    assert first.event.of == MessageRef(edit.meta.origin, "9")
    await journal.close()


async def test_only_what_is_shown_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = SqliteJournal(tmp_path / "bridge.journal")
    await journal.open()
    for number in range(9):
        await accept(journal, created(f"{number}", text="pump"), A)
    read: list[int] = []
    whole = Tracing.whole

    def counted(self: Tracing, seq: int) -> Traced:
        read.append(seq)
        return whole(self, seq)

    monkeypatch.setattr(Tracing, "whole", counted)
    page = await journal.find_words("pump", before=None, rows=100, most=2)
    assert ([str(one.original) for one in page.messages], page.hits) == (["origin/C1#8", "origin/C1#7"], 9)
    assert len(read) == 2
    await journal.close()
