"""trace: which message is meant by a link, a reference or a delivery number, and the answer as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.cli.traced import GUILD, LINK, SPIRIT, TG, Fill, relayed


@pytest.mark.parametrize(
    "what",
    [
        LINK,
        "team/C024BE7LH#1715000000.000100",
        "team/#general#1715000000.000100",
        "https://t.me/c/1234567890/45",
        "tg/-1001234567890#46",
        "2",
    ],
)
def test_every_outcome_is_told_from_original_copy_and_delivery(cli: Any, traced_journal: Callable[[Fill], None], what: str) -> None:
    traced_journal(relayed)
    done = cli("trace", what)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("message team/C024BE7LH#1715000000.000100 by Anna, accepted 20")
    assert ("is a copy of it" in done.out) == (what.startswith(("tg/", "https://t.me")))
    row = {line.split()[1]: line for line in lines if line[:1].isdigit()}
    assert "delivered" in row[str(TG)]
    assert row[str(TG)].endswith("as 45, 46; sender shown as a line in the text; video shown as a line: too large")
    assert row[str(GUILD)].endswith("refused: Missing Access; `dead retry 2` tries again")
    assert "filter 1: drop text ^DEBUG (filter) - if it should cross, change that line" in row[str(SPIRIT)]
    assert "the words" not in done.out + done.err


def test_as_json(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    traced_journal(relayed)
    data = cli("trace", LINK, "--json").data
    assert data["ok"] is True
    (message,) = data["messages"]
    assert (message["original"], message["is_original"], message["author"]) == ("team/C024BE7LH#1715000000.000100", True, "Anna")
    states = {one["target"]: (one["state"], one["rule"]) for one in message["deliveries"]}
    assert states == {str(TG): ("delivered", None), str(GUILD): ("dead", None), str(SPIRIT): ("skipped", "filter")}
    assert message["deliveries"][0]["copies"] == ["tg/-1001234567890#45", "tg/-1001234567890#46"]


def test_it_needs_no_secrets_and_changes_nothing(cli: Any, traced_journal: Callable[[Fill], None], folder: Path) -> None:
    traced_journal(relayed)
    before = (folder / "messenger-bridge.journal").read_bytes()
    assert cli("trace", LINK).code == 0
    assert (folder / "messenger-bridge.journal").read_bytes() == before


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("https://acme.slack.com/archives/C0THERS99/p1715000000000100", "no route has team/C0THERS99 as an end"),
        ("tg/-1009876543210#3", "only receives (route alerts)"),
        ("tg/-1001234567890#999", "the journal has no such message"),
        ("https://im.example.com/team-a/pl/unknown", "the journal has no such message"),
        ("999", "there is no delivery 999"),
    ],
)
def test_what_the_journal_does_not_know_is_explained(
    cli: Any, traced_journal: Callable[[Fill], None], what: str, words: str
) -> None:
    traced_journal(relayed)
    done = cli("trace", what)
    assert done.code == 1
    assert words in done.out
    data = cli("trace", what, "--json").data
    assert (data["ok"], data["messages"]) == (False, [])
    assert words in data["unknown"]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("tg/#3", "neither a link, nor ACCOUNT/CHAT#ID, nor the number of a delivery"),
        ("nobody/-100#3", "there is no account 'nobody'; the accounts are guild, spirit, team, tg"),
        ("https://example.com/x", "does not lead to a message on a platform or server of an account in bridge.yaml"),
    ],
)
def test_what_is_no_message_is_wrong_usage(cli: Any, traced_journal: Callable[[Fill], None], what: str, words: str) -> None:
    traced_journal(relayed)
    done = cli("trace", what)
    assert done.code == 2
    assert words in done.err


def test_without_a_journal(cli: Any, folder: Path) -> None:
    assert cli("trace", "1").code == 69
