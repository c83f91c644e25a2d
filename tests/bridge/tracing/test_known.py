"""What trace says of a message: in every state that a delivery can be in, and of every change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.journal.contract import (
    AcceptRequest,
    AttemptStarted,
    Change,
    Dead,
    Deferred,
    Delivered,
    PartGone,
    Piece,
    PiecesSet,
    PlannedDelivery,
    Skipped,
)
from bridge.journal.sqlite import SqliteJournal
from bridge.model.events import (
    Author,
    Content,
    EventMeta,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    PollVotesChanged,
    ReactionsChanged,
)
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain
from tests.bridge.cli.traced import (
    ALERTS,
    GUILD,
    LINK,
    NOW,
    POST,
    SNOWFLAKE,
    SPIRIT,
    TEAM,
    TG,
    TS,
    Fill,
    accept,
    relayed,
    said,
    sent,
)


def test_what_waits_says_until_when_and_why(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    due = NOW + timedelta(hours=5)

    async def fill(opened: SqliteJournal) -> None:
        for number in ("11", "12"):
            await accept(opened, said(number, ChatRef(AccountName("tg"), "-1001234567890")), (TEAM, None), (SPIRIT, None))
        await opened.record(
            opened.lease(TEAM.account),
            [
                AttemptStarted(delivery_id=1, part=0, attempt=1, at=NOW),
                Deferred(delivery_id=1, attempt=3, not_before=due, error="Slack asked to wait"),
                AttemptStarted(delivery_id=2, part=0, attempt=1, at=NOW),
            ],
        )
        await opened.set_wait(opened.lease(TEAM.account), "account:spirit", due, at=due)

    traced_journal(fill)
    first = {one["target"]: one for one in cli("trace", "tg/-1001234567890#11", "--json").data["messages"][0]["deliveries"]}
    assert first[str(TEAM)]["why"] == (
        "attempt 3 failed: Slack asked to wait; wait, or try now: messenger-bridge retry-now team/#general"
    )
    assert datetime.fromisoformat(first[str(TEAM)]["next_attempt_at"]) == due
    assert first[str(SPIRIT)]["why"].startswith("attempt 1 is being made since ")
    second = {
        one["target"]: one for one in cli("trace", "https://t.me/c/1234567890/12", "--json").data["messages"][0]["deliveries"]
    }
    assert second[str(TEAM)]["why"].startswith("behind another of this chat, 1; that one: Slack asked to wait; ")
    assert datetime.fromisoformat(second[str(TEAM)]["next_attempt_at"]) == due
    assert "the platform's rate limit holds the account back until " in second[str(SPIRIT)]["why"]
    assert f"{due:%Y-%m-%d %H:%M:%S}" in cli("trace", "1").out


def test_held_shared_and_deleted_copies(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    async def fill(opened: SqliteJournal) -> None:
        chat = ChatRef(AccountName("spirit"), "channel1")
        changes: list[Change] = []
        for number in (POST, "second"):
            seq, tg, guild = await accept(opened, said(number, chat), (TG, None), (GUILD, None))
            changes += [sent(tg, seq, TG, "-1001234567890", "70"), Delivered(delivery_id=tg, at=NOW)]
            changes += [
                sent(guild, seq, GUILD, "112233445566778899", f"{SNOWFLAKE[:-1]}{seq}"),
                Dead(delivery_id=guild, reason="may have arrived", at=NOW, held=True),
            ]
        changes.append(PiecesSet(target=TG, lead_seq=1, pieces=(Piece(event_seq=1, content=b""), Piece(event_seq=2, content=b""))))
        changes.append(PartGone(event_seq=1, target=GUILD, part=0))
        await opened.record(opened.lease(TEAM.account), changes)

    traced_journal(fill)
    found = cli("trace", f"https://im.example.com/team-a/pl/{POST}")
    assert "in one message with 1 more" in found.out
    assert "may have arrived; `dead retry 2` sends it, `dead drop 2` does not" in found.out
    gone = cli("trace", f"https://discord.com/channels/100000000000000001/112233445566778899/{SNOWFLAKE[:-1]}1")
    assert "is a copy of it, deleted since" in gone.out
    # a thread's messages are known by their id, whatever channel the link names
    assert cli("trace", f"https://discord.com/channels/100000000000000001/999999999999999999/{SNOWFLAKE[:-1]}2").code == 0


def test_the_latest_edit_is_told_too(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    async def fill(opened: SqliteJournal) -> None:
        await relayed(opened)
        chat = ChatRef(AccountName("team"), "C024BE7LH")
        meta = EventMeta(event_key="edit", origin=chat, occurred_at=NOW, received_at=NOW)
        edit = MessageEdited(meta=meta, message_id=TS, content=Content(text=plain("other words of a person")))
        await accept(opened, edit, (TG, None), (SPIRIT, Skip.EDITS_OFF))

    traced_journal(fill)
    done = cli("trace", LINK)
    assert done.code == 0
    _, _, changed = done.out.partition("changed, accepted ")
    rows = {line.split()[1]: line for line in changed.splitlines() if line[:1].isdigit() and "/" in line}
    assert rows[str(SPIRIT)].endswith(
        "edits are off (edits_off) - if it should cross, set edits: true in bridge.yaml, then messenger-bridge reload"
    )
    assert "not tried yet: no daemon runs with" in rows[str(TG)]
    assert "words" not in done.out
    (change,) = cli("trace", LINK, "--json").data["messages"][0]["changes"]
    assert [one["rule"] for one in change["deliveries"]] == [None, "edits_off"]
    assert change["is_deletion"] is False


def test_a_deletion_is_told_as_one(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    async def fill(opened: SqliteJournal) -> None:
        await relayed(opened)
        meta = EventMeta(event_key="gone", origin=ChatRef(AccountName("team"), "C024BE7LH"), occurred_at=NOW, received_at=NOW)
        await accept(opened, MessageDeleted(meta=meta, message_id=TS), (TG, None), (SPIRIT, Skip.DELETES_OFF))

    traced_journal(fill)
    _, _, deleted = cli("trace", LINK).out.partition("deleted, accepted ")
    rows = {line.split()[1]: line for line in deleted.splitlines() if line[:1].isdigit() and "/" in line}
    assert "deletes are off (deletes_off) - if it should cross, set deletes: true" in rows[str(SPIRIT)]
    (change,) = cli("trace", LINK, "--json").data["messages"][0]["changes"]
    assert change["is_deletion"] is True


def changed_meta(key: str, chat: ChatRef) -> EventMeta:
    return EventMeta(event_key=key, origin=chat, occurred_at=NOW, received_at=NOW, author=Author(user_id="2", name="Boris"))


async def changed_often(opened: SqliteJournal) -> None:
    """Edited three times, reacted to there and on its copy, pinned, unpinned and deleted."""
    await relayed(opened)
    there, copy = ChatRef(AccountName("team"), "C024BE7LH"), ChatRef(AccountName("tg"), "-1001234567890")
    for number in range(3):
        words = Content(text=plain(f"other words {number}"))
        edit = MessageEdited(meta=changed_meta(f"edit{number}", there), message_id=TS, content=words)
        rule = Skip.NOTHING_CHANGED if number == 1 else None
        (_, delivery) = await accept(opened, edit, (TG, rule))
        if number == 0:
            await opened.record(opened.lease(TEAM.account), [Delivered(delivery_id=delivery, at=NOW)])
    for chat, message_id in ((there, TS), (copy, "45")):
        reaction = ReactionsChanged(meta=changed_meta(f"reacted{chat}", chat), message_id=message_id, added=("👍",))
        await accept(opened, reaction, (SPIRIT, Skip.REACTIONS_OFF))
    for pinned in (True, False):
        pins = PinsChanged(meta=changed_meta(f"pin{pinned}", there), message_id=TS, pinned=pinned)
        await accept(opened, pins, (TG, Skip.PINS_OFF))
    voted = PollVotesChanged(meta=changed_meta("votes", copy), message_id="45", votes=(1, 2))
    await accept(opened, voted, (SPIRIT, Skip.POLL_VOTES_OFF))
    await accept(opened, MessageDeleted(meta=changed_meta("gone", there), message_id=TS), (TG, None))


ALL_CHANGES = ["edit", "edit", "edit", "reactions", "reactions", "pin", "unpin", "votes", "deletion"]


@pytest.mark.parametrize("what", [LINK, "tg/-1001234567890#45"])
def test_every_change_is_told_in_order_with_its_outcome(cli: Any, traced_journal: Callable[[Fill], None], what: str) -> None:
    traced_journal(changed_often)
    (message,) = cli("trace", what, "--json").data["messages"]
    assert [change["kind"] for change in message["changes"]] == ALL_CHANGES
    assert message["changes_left_out"] == {}
    outcomes = [(one["state"], one["rule"]) for change in message["changes"] for one in change["deliveries"]]
    assert outcomes == [
        ("delivered", None),
        ("skipped", "nothing_changed"),
        ("waiting", None),
        ("skipped", "reactions_off"),
        ("skipped", "reactions_off"),
        ("skipped", "pins_off"),
        ("skipped", "pins_off"),
        ("skipped", "poll_votes_off"),
        ("waiting", None),
    ]
    out = cli("trace", what).out
    titles = [line.partition(", accepted ")[0] for line in out.splitlines() if line.endswith(":")]
    assert titles == [
        *["changed"] * 3,
        "reactions changed",
        "reactions changed on tg/-1001234567890#45",
        "pinned",
        "unpinned",
        "votes counted on tg/-1001234567890#45",
        "deleted",
    ]
    assert "other words" not in out


def test_of_many_changes_the_newest_of_each_kind_are_told_and_the_rest_counted(
    cli: Any, traced_journal: Callable[[Fill], None]
) -> None:
    """A flood of reactions hides no edit."""

    async def fill(opened: SqliteJournal) -> None:
        await changed_often(opened)
        there = ChatRef(AccountName("team"), "C024BE7LH")
        for number in range(50):
            await accept(opened, ReactionsChanged(meta=changed_meta(f"more{number}", there), message_id=TS, added=("👍",)))

    traced_journal(fill)
    (message,) = cli("trace", LINK, "--json").data["messages"]
    kinds = [change["kind"] for change in message["changes"]]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "edit": 3,
        "reactions": 20,
        "pin": 1,
        "unpin": 1,
        "votes": 1,
        "deletion": 1,
    }
    assert message["changes_left_out"] == {"reactions": 32}
    assert "reactions changed: 32 earlier ones are left out" in cli("trace", LINK).out


def test_the_delivery_of_a_change_says_which_message_was_changed(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    traced_journal(changed_often)
    assert cli("trace", "4").out.startswith("changed: message team/C024BE7LH#1715000000.000100, accepted ")
    (message,) = cli("trace", "4", "--json").data["messages"]
    assert message["change"] == {"kind": "edit", "of": "team/C024BE7LH#1715000000.000100"}


def test_threads_and_what_waits_beside_the_line(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    """Topics of one chat are ends of their own; a retried dead letter holds nobody up."""

    async def fill(opened: SqliteJournal) -> None:
        event = said("9", ChatRef(AccountName("spirit"), "channel2"))
        planned = tuple(PlannedDelivery(route="alerts", target=ALERTS, thread_id=topic) for topic in ("45", "46"))
        (accepted,) = await opened.accept(
            opened.lease(event.meta.origin.account), [AcceptRequest(event=event, deliveries=planned)], [], received_at=NOW
        )
        first, second = accepted.delivery_ids
        await opened.record(
            opened.lease(TEAM.account),
            [
                AttemptStarted(delivery_id=first, part=0, attempt=1, at=NOW),
                Dead(delivery_id=first, reason="refused", at=NOW),
                AttemptStarted(delivery_id=second, part=0, attempt=1, at=NOW),
                Dead(delivery_id=second, reason="refused too", at=NOW),
            ],
        )
        await opened.retry_dead([first])

    traced_journal(fill)
    done = cli("trace", "1")
    rows = {line.split()[1]: line for line in done.out.splitlines() if line[:1].isdigit() and "/" in line}
    assert set(rows) == {f"{ALERTS}/45", f"{ALERTS}/46"}
    assert "beside the line, later deliveries do not wait for it: " in rows[f"{ALERTS}/45"]
    assert rows[f"{ALERTS}/46"].endswith("refused too; `dead retry 2` tries again")


def test_a_route_that_is_gone_or_new_is_told(cli: Any, traced_journal: Callable[[Fill], None], folder: Path) -> None:
    async def fill(opened: SqliteJournal) -> None:
        elsewhere = ChatAddress(AccountName("team"), "#old")
        _, _, old = await accept(opened, said("11", ChatRef(AccountName("tg"), "-1001234567890")), (TEAM, None), (elsewhere, None))
        await opened.record(opened.lease(TEAM.account), [Skipped(delivery_id=1, rule=Skip.NOTHING_CHANGED, at=NOW)])
        assert old == 2

    traced_journal(fill)
    done = cli("trace", "1")
    assert "its route is no longer in bridge.yaml" in done.out
    assert "the edit changed nothing that is shown (nothing_changed)" in done.out
    assert f"{GUILD} (route lobby): not planned" in done.out
    assert f"{SPIRIT} (route lobby): not planned" in done.out
