"""trace: what became of a message, from links, references and delivery numbers, in every state that a delivery can be in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
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
    PartReceipt,
    Piece,
    PiecesSet,
    PlannedDelivery,
    Skipped,
)
from bridge.journal.sqlite import SqliteJournal
from bridge.model.adapter import Receipt
from bridge.model.events import (
    Author,
    ChatEvent,
    Content,
    EventMeta,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
)
from bridge.model.outcomes import Loss, LossOf, NamedSkip, Skip, SkipRule
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain

CONFIG = """\
accounts:
  tg: {platform: telegram, token: "${TELEGRAM_TOKEN}"}
  team: {platform: slack, bot_token_file: /nowhere/bot, app_token: "${SLACK_APP_TOKEN}"}
  guild: {platform: discord, token: "${DISCORD_TOKEN}"}
  spirit: {platform: teamspirit, dialect: mattermost, server: 'https://im.example.com', api_key: "${KEY}"}
routes:
  - name: lobby
    between: [tg/-1001234567890, "team/#general", guild/112233445566778899, spirit/lobby]
  - name: alerts
    from: spirit/alerts
    to: tg/-1009876543210/45
"""

NOW = datetime.now(UTC).replace(microsecond=0)
TG, TEAM, GUILD, SPIRIT = (
    ChatAddress(AccountName(a), c)
    for a, c in (("tg", "-1001234567890"), ("team", "#general"), ("guild", "112233445566778899"), ("spirit", "lobby"))
)
ALERTS = ChatAddress(AccountName("tg"), "-1009876543210")
POST = "w4d5kpxn1fbmuczk9s5yqmbu6y"
TS, SNOWFLAKE = "1715000000.000100", "1122334455667788999"
LINK = "https://acme.slack.com/archives/C024BE7LH/p1715000000000100"


def said(message_id: str, chat: ChatRef, text: str = "the words of a person") -> MessageCreated:
    meta = EventMeta(
        event_key=f"{chat}:{message_id}", origin=chat, occurred_at=NOW, received_at=NOW, author=Author(user_id="1", name="Anna")
    )
    return MessageCreated(meta=meta, message_id=message_id, content=Content(text=plain(text)))


Fill = Callable[[SqliteJournal], Awaitable[None]]


@pytest.fixture
def journal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Fill], None]:
    """Fills the default journal, in which the addresses are known."""
    for name in ("TELEGRAM_TOKEN", "SLACK_APP_TOKEN", "DISCORD_TOKEN", "KEY"):
        monkeypatch.delenv(name, raising=False)
    (folder / "bridge.yaml").write_text(CONFIG)

    def made(fill: Fill) -> None:
        async def run() -> None:
            opened = SqliteJournal(folder / "messenger-bridge.journal")
            await opened.open()
            try:
                await opened.set_native_id(opened.lease(TEAM.account), TEAM, "C024BE7LH")
                await opened.set_native_id(opened.lease(TEAM.account), SPIRIT, "channel1")
                await fill(opened)
            finally:
                await opened.close()

        asyncio.run(run())

    return made


async def accept(journal: SqliteJournal, event: ChatEvent, *targets: tuple[ChatAddress, SkipRule | None]) -> list[Any]:
    planned = tuple(PlannedDelivery(route="lobby", target=target, skip_rule=rule) for target, rule in targets)
    (accepted,) = await journal.accept(
        journal.lease(event.meta.origin.account), [AcceptRequest(event=event, deliveries=planned)], [], received_at=NOW
    )
    return [accepted.event_seq, *accepted.delivery_ids]


def sent(delivery: int, seq: int, target: ChatAddress, chat: str, *ids: str) -> PartReceipt:
    return PartReceipt(
        delivery_id=delivery,
        event_seq=seq,
        part=0,
        chat=ChatRef(target.account, chat),
        target=target,
        receipt=Receipt(message_ids=ids),
        at=NOW,
    )


async def relayed(journal: SqliteJournal) -> None:
    """A Slack message: on Telegram, dead on Discord, filtered on TeamSpirit."""
    event = said(TS, ChatRef(AccountName("team"), "C024BE7LH"))
    rule = NamedSkip(Skip.FILTER, "filter 1: drop text ^DEBUG")
    seq, tg, guild, _ = await accept(journal, event, (TG, None), (GUILD, None), (SPIRIT, rule))
    loss = LossOf(Loss.FILE_AS_LINE, "video shown as a line: too large")
    await journal.record(
        journal.lease(TEAM.account),
        [
            AttemptStarted(delivery_id=tg, part=0, attempt=1, at=NOW),
            sent(tg, seq, TG, "-1001234567890", "45", "46"),
            Delivered(delivery_id=tg, at=NOW, losses=(Loss.SENDER_AS_LINE, loss)),
            AttemptStarted(delivery_id=guild, part=0, attempt=1, at=NOW),
            Dead(delivery_id=guild, reason="refused: Missing Access", at=NOW),
        ],
    )


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
def test_every_outcome_is_told_from_original_copy_and_delivery(cli: Any, journal: Callable[[Fill], None], what: str) -> None:
    journal(relayed)
    done = cli("trace", what)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("message team/C024BE7LH#1715000000.000100 by Anna, accepted 20")
    assert ("is a copy of it" in done.out) == (what.startswith(("tg/", "https://t.me")))
    row = {line.split()[1]: line for line in lines if line[:1].isdigit()}
    assert "delivered" in row[str(TG)]
    assert row[str(TG)].endswith("as 45, 46; sender shown as a line in the text; video shown as a line: too large")
    assert row[str(GUILD)].endswith("refused: Missing Access; `dead retry 2` tries again")
    assert row[str(SPIRIT)].endswith("filter 1: drop text ^DEBUG (filter)")
    assert "the words" not in done.out + done.err


def test_as_json(cli: Any, journal: Callable[[Fill], None]) -> None:
    journal(relayed)
    data = cli("trace", LINK, "--json").data
    assert data["ok"] is True
    (message,) = data["messages"]
    assert (message["original"], message["is_original"], message["author"]) == ("team/C024BE7LH#1715000000.000100", True, "Anna")
    states = {one["target"]: (one["state"], one["rule"]) for one in message["deliveries"]}
    assert states == {str(TG): ("delivered", None), str(GUILD): ("dead", None), str(SPIRIT): ("skipped", "filter")}
    assert message["deliveries"][0]["copies"] == ["tg/-1001234567890#45", "tg/-1001234567890#46"]


def test_it_needs_no_secrets_and_changes_nothing(cli: Any, journal: Callable[[Fill], None], folder: Path) -> None:
    journal(relayed)
    before = (folder / "messenger-bridge.journal").read_bytes()
    assert cli("trace", LINK).code == 0
    assert (folder / "messenger-bridge.journal").read_bytes() == before


def test_what_waits_says_until_when_and_why(cli: Any, journal: Callable[[Fill], None]) -> None:
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

    journal(fill)
    first = {one["target"]: one for one in cli("trace", "tg/-1001234567890#11", "--json").data["messages"][0]["deliveries"]}
    assert first[str(TEAM)]["why"] == "attempt 3 failed: Slack asked to wait"
    assert datetime.fromisoformat(first[str(TEAM)]["next_attempt_at"]) == due
    assert first[str(SPIRIT)]["why"].startswith("attempt 1 is being made since ")
    second = {
        one["target"]: one for one in cli("trace", "https://t.me/c/1234567890/12", "--json").data["messages"][0]["deliveries"]
    }
    assert second[str(TEAM)]["why"] == "behind another of this chat, 1; that one: Slack asked to wait"
    assert datetime.fromisoformat(second[str(TEAM)]["next_attempt_at"]) == due
    assert "the platform's rate limit holds the account back until " in second[str(SPIRIT)]["why"]
    assert f"{due:%Y-%m-%d %H:%M:%S}" in cli("trace", "1").out


def test_held_shared_and_deleted_copies(cli: Any, journal: Callable[[Fill], None]) -> None:
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

    journal(fill)
    found = cli("trace", f"https://im.example.com/team-a/pl/{POST}")
    assert "in one message with 1 more" in found.out
    assert "may have arrived; `dead retry 2` sends it, `dead drop 2` does not" in found.out
    gone = cli("trace", f"https://discord.com/channels/100000000000000001/112233445566778899/{SNOWFLAKE[:-1]}1")
    assert "is a copy of it, deleted since" in gone.out
    # a thread's messages are known by their id, whatever channel the link names
    assert cli("trace", f"https://discord.com/channels/100000000000000001/999999999999999999/{SNOWFLAKE[:-1]}2").code == 0


def test_the_latest_edit_is_told_too(cli: Any, journal: Callable[[Fill], None]) -> None:
    async def fill(opened: SqliteJournal) -> None:
        await relayed(opened)
        chat = ChatRef(AccountName("team"), "C024BE7LH")
        meta = EventMeta(event_key="edit", origin=chat, occurred_at=NOW, received_at=NOW)
        edit = MessageEdited(meta=meta, message_id=TS, content=Content(text=plain("other words of a person")))
        await accept(opened, edit, (TG, None), (SPIRIT, Skip.EDITS_OFF))

    journal(fill)
    done = cli("trace", LINK)
    assert done.code == 0
    _, _, changed = done.out.partition("changed, accepted ")
    rows = {line.split()[1]: line for line in changed.splitlines() if line[:1].isdigit() and "/" in line}
    assert rows[str(SPIRIT)].endswith("edits are off (edits_off)")
    assert "not tried yet" in rows[str(TG)]
    assert "words" not in done.out
    (change,) = cli("trace", LINK, "--json").data["messages"][0]["changes"]
    assert [one["rule"] for one in change["deliveries"]] == [None, "edits_off"]
    assert change["is_deletion"] is False


def test_a_deletion_is_told_as_one(cli: Any, journal: Callable[[Fill], None]) -> None:
    async def fill(opened: SqliteJournal) -> None:
        await relayed(opened)
        meta = EventMeta(event_key="gone", origin=ChatRef(AccountName("team"), "C024BE7LH"), occurred_at=NOW, received_at=NOW)
        await accept(opened, MessageDeleted(meta=meta, message_id=TS), (TG, None), (SPIRIT, Skip.DELETES_OFF))

    journal(fill)
    _, _, deleted = cli("trace", LINK).out.partition("deleted, accepted ")
    rows = {line.split()[1]: line for line in deleted.splitlines() if line[:1].isdigit() and "/" in line}
    assert rows[str(SPIRIT)].endswith("deletes are off (deletes_off)")
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
    await accept(opened, MessageDeleted(meta=changed_meta("gone", there), message_id=TS), (TG, None))


ALL_CHANGES = ["edit", "edit", "edit", "reactions", "reactions", "pin", "unpin", "deletion"]


@pytest.mark.parametrize("what", [LINK, "tg/-1001234567890#45"])
def test_every_change_is_told_in_order_with_its_outcome(cli: Any, journal: Callable[[Fill], None], what: str) -> None:
    journal(changed_often)
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
        "deleted",
    ]
    assert "other words" not in out


def test_of_many_changes_the_newest_of_each_kind_are_told_and_the_rest_counted(cli: Any, journal: Callable[[Fill], None]) -> None:
    """A flood of reactions hides no edit."""

    async def fill(opened: SqliteJournal) -> None:
        await changed_often(opened)
        there = ChatRef(AccountName("team"), "C024BE7LH")
        for number in range(50):
            await accept(opened, ReactionsChanged(meta=changed_meta(f"more{number}", there), message_id=TS, added=("👍",)))

    journal(fill)
    (message,) = cli("trace", LINK, "--json").data["messages"]
    kinds = [change["kind"] for change in message["changes"]]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"edit": 3, "reactions": 20, "pin": 1, "unpin": 1, "deletion": 1}
    assert message["changes_left_out"] == {"reactions": 32}
    assert "reactions changed: 32 earlier ones are left out" in cli("trace", LINK).out


def test_the_delivery_of_a_change_says_which_message_was_changed(cli: Any, journal: Callable[[Fill], None]) -> None:
    journal(changed_often)
    assert cli("trace", "4").out.startswith("changed: message team/C024BE7LH#1715000000.000100, accepted ")
    (message,) = cli("trace", "4", "--json").data["messages"]
    assert message["change"] == {"kind": "edit", "of": "team/C024BE7LH#1715000000.000100"}


def test_threads_and_what_waits_beside_the_line(cli: Any, journal: Callable[[Fill], None]) -> None:
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

    journal(fill)
    done = cli("trace", "1")
    rows = {line.split()[1]: line for line in done.out.splitlines() if line[:1].isdigit() and "/" in line}
    assert set(rows) == {f"{ALERTS}/45", f"{ALERTS}/46"}
    assert "beside the line, what comes after it does not wait: " in rows[f"{ALERTS}/45"]
    assert rows[f"{ALERTS}/46"].endswith("refused too; `dead retry 2` tries again")


def test_a_route_that_is_gone_or_new_is_told(cli: Any, journal: Callable[[Fill], None], folder: Path) -> None:
    async def fill(opened: SqliteJournal) -> None:
        elsewhere = ChatAddress(AccountName("team"), "#old")
        _, _, old = await accept(opened, said("11", ChatRef(AccountName("tg"), "-1001234567890")), (TEAM, None), (elsewhere, None))
        await opened.record(opened.lease(TEAM.account), [Skipped(delivery_id=1, rule=Skip.NOTHING_CHANGED, at=NOW)])
        assert old == 2

    journal(fill)
    done = cli("trace", "1")
    assert "its route is no longer in bridge.yaml" in done.out
    assert "the edit changed nothing that is shown (nothing_changed)" in done.out
    assert f"{GUILD} (route lobby): not planned" in done.out
    assert f"{SPIRIT} (route lobby): not planned" in done.out


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
def test_what_the_journal_does_not_know_is_explained(cli: Any, journal: Callable[[Fill], None], what: str, words: str) -> None:
    journal(relayed)
    done = cli("trace", what)
    assert done.code == 1
    assert words in done.out
    data = cli("trace", what, "--json").data
    assert (data["ok"], data["messages"]) == (False, [])
    assert words in data["unknown"]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("nonsense", "neither a link, nor ACCOUNT/CHAT#ID, nor the number of a delivery"),
        ("tg/-100", "neither a link"),
        ("nobody/-100#3", "there is no account 'nobody'; there is guild, spirit, team, tg"),
        ("https://example.com/x", "no link to a message on a platform or server that an account of bridge.yaml is on"),
    ],
)
def test_what_is_no_message_is_wrong_usage(cli: Any, journal: Callable[[Fill], None], what: str, words: str) -> None:
    journal(relayed)
    done = cli("trace", what)
    assert done.code == 2
    assert words in done.err


def test_without_a_journal(cli: Any, folder: Path) -> None:
    assert cli("trace", "1").code == 69
