"""A message is looked for by its words, within bounds; its words are shown nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.journal.sqlite import SqliteJournal
from bridge.model.refs import AccountName, ChatRef
from bridge.tracing import finding
from tests.bridge.cli.traced import GUILD, LINK, TG, Fill, accept, said

CHAT = ChatRef(AccountName("team"), "C024BE7LH")


def waiting(*texts: str) -> Fill:
    async def fill(journal: SqliteJournal) -> None:
        for number, text in enumerate(texts):
            await accept(journal, said(f"17150000{number:02}.000100", CHAT, text), (TG, None), (GUILD, None))

    return fill


def test_the_newest_that_contain_the_words_come_first(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    traced_journal(waiting("The PUMP leaks", "lunch", "which pump?"))
    done = cli("trace", "the pump")
    assert done.code == 0, done.err
    assert [line.split()[1] for line in done.out.splitlines() if line.startswith("message")] == ["team/C024BE7LH#1715000000.000100"]
    found = cli("trace", "pump", "--json").data
    assert [one["original"][-17:] for one in found["messages"]] == ["1715000002.000100", "1715000000.000100"]
    assert "note" not in found
    for shown in (done.out + done.err, str(found)):
        assert "leaks" not in shown, "what people wrote is not printed"


def test_what_is_not_found_says_where_it_was_looked_for(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    traced_journal(waiting("one", "two"))
    done = cli("trace", "a message about pumps")
    assert done.code == 1
    assert "among the 2 that the journal has the words of" in done.out
    assert cli("trace", "pumps", "--json").data["ok"] is False


def test_many_are_cut_off_and_that_is_said(
    cli: Any, traced_journal: Callable[[Fill], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_FOUND", 2)
    traced_journal(waiting("pump 1", "pump 2", "pump 3"))
    done = cli("trace", "pump")
    assert done.out.count("message team/") == 2
    assert "there may be more" in done.err
    assert "there may be more" in cli("trace", "pump", "--json").data["note"]


def test_a_long_search_ends(cli: Any, traced_journal: Callable[[Fill], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_S", -1.0)
    monkeypatch.setattr(finding, "_ROWS", 1)
    traced_journal(waiting("old pump", "new"))
    done = cli("trace", "pump")
    assert done.code == 1
    assert "among the 1 that" in done.out
    assert "there may be more" in done.err


@pytest.mark.parametrize("what", ["https://example.com/ticket/7", "tg/-100#3", "2", LINK])
def test_words_that_look_like_something_else_can_be_looked_for(cli: Any, traced_journal: Callable[[Fill], None], what: str) -> None:
    traced_journal(waiting(f"see {what} please", "the second"))
    done = cli("trace", "--words", what)
    assert done.code == 0, done.err
    assert [line.split()[1] for line in done.out.splitlines() if line.startswith("message")] == ["team/C024BE7LH#1715000000.000100"]
    assert cli("trace", "--words", "no such words").code == 1
    assert cli("trace", "--words").code == 2
    assert cli("trace", "--words", "--follow").code == 2


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("https://example.com/ticket/7", "does not lead to a message"),
        ("tg/-1001234567890#3", "the journal has no such message"),
        ("nobody/x#3", "there is no account 'nobody'"),
        ("4711", "there is no delivery 4711"),
    ],
)
def test_what_names_no_message_is_looked_for_as_words_and_that_is_said(
    cli: Any, traced_journal: Callable[[Fill], None], what: str, why: str
) -> None:
    traced_journal(waiting(f"see {what} please"))
    done = cli("trace", what)
    assert done.code == 0, done.err
    assert "message team/C024BE7LH#1715000000.000100" in done.out
    assert why in done.err
    assert "shown is what has it among its words" in done.err
    data = cli("trace", what, "--json").data
    assert (data["ok"], len(data["messages"])) == (True, 1)
    assert why in data["note"]


def test_a_message_that_is_known_is_not_looked_for_by_words(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    traced_journal(waiting("the first", "2"))
    data = cli("trace", "2", "--json").data
    assert [one["original"][-17:] for one in data["messages"]] == ["1715000000.000100"], "the number of a delivery"


@pytest.mark.parametrize(
    ("what", "is_words"),
    [
        ("pump", True),
        ("see https and #3", True),
        ("and/or", True),
        ("see room a/b #3", True),
        ("tg/-100#3", False),
        ("https://t.me/c/1/2", False),
        ("12", False),
        ("1" * 30, True),
        ("12 pumps", True),
    ],
)
def test_what_names_no_message_is_words(what: str, is_words: bool) -> None:
    from bridge.tracing.asking import is_words as decided

    assert decided(what) is is_words
