"""forget as a user calls it while no daemon runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.cli.exits import EX_FAILED
from bridge.journal.contract import AcceptRequest, Delivered, PartReceipt, PlannedDelivery
from bridge.journal.contract.links import Carried
from bridge.journal.sqlite import SqliteJournal
from bridge.model.adapter import Receipt
from bridge.model.events import Author, Content, EventMeta, MessageCreated
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain
from tests.bridge.cli.conftest import NOW, Cli

TG, SPIRIT = AccountName("tg"), AccountName("spirit")
CHAT, TARGET = ChatRef(TG, "-1001234567890"), ChatAddress(SPIRIT, "engineering")


@pytest.fixture
def written(folder: Path) -> Path:
    """A message with one copy."""

    async def make() -> None:
        journal = SqliteJournal(folder / "messenger-bridge.journal")
        await journal.open()
        author = Author(user_id="777000111", name="Zebulon", username="zeb")
        meta = EventMeta(event_key="created:1", origin=CHAT, occurred_at=NOW, received_at=NOW, author=author)
        event = MessageCreated(meta=meta, message_id="1", content=Content(text=plain("xylophone " * 900)))
        request = AcceptRequest(event=event, deliveries=(PlannedDelivery(route="engineering", target=TARGET),))
        (accepted,) = await journal.accept(journal.lease(TG), [request], [], received_at=NOW)
        (delivery,) = accepted.delivery_ids
        receipt = PartReceipt(
            delivery_id=delivery,
            event_seq=accepted.event_seq,
            part=0,
            chat=ChatRef(SPIRIT, "c1"),
            target=TARGET,
            receipt=Receipt(message_ids=("m1",)),
            carried=Carried(),
            at=NOW,
        )
        await journal.record(journal.lease(SPIRIT), [receipt, Delivered(delivery_id=delivery, at=NOW)])
        await journal.close()

    asyncio.run(make())
    return folder


def test_what_waits_for_the_daemon_is_told_and_the_journal_is_clean_already(cli: Cli, written: Path) -> None:
    dry = cli("forget", "tg/777000111", "--dry-run", "--json")
    assert (dry.code, dry.data["messages"], dry.data["copies"]) == (0, 1, {"spirit/engineering": 1})
    done = cli("forget", "tg/777000111", "--wait", "0", "--json")
    assert (done.code, done.data["ok"], done.data["scrubbed"]) == (EX_FAILED, False, True)
    (left,) = {one["why"] for one in done.data["left"]}
    assert left == "not carried out yet: does the daemon run?"
    files = {path.name: path.read_bytes() for path in written.iterdir() if path.name.startswith("messenger-bridge.journal")}
    assert not [name for name, data in files.items() if b"xylophone" in data or b"Zebulon" in data]
    assert [one["kind"] for one in cli("people", "list", "--json").data["decisions"]] == ["forgotten"]
    assert cli("forget", "tg/777000111", "--wait", "0", "--json").data["messages"] == 0
