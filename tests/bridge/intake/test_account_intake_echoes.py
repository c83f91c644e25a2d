"""Own messages that come back without any mark, while their receipts are still on their way to the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bridge.journal.contract import Change, Lease, PartReceipt
from bridge.journal.sqlite import SqliteJournal
from bridge.model.events import Author, Content, EventMeta, MessageCreated
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import plain
from tests.support.patience import eventually
from tests.support.scripted import LONG_AGO, Posted, ScriptedPlatform, bridge


class SlowReceipts(SqliteJournal):
    """Receipts wait for the disk until `synced`."""

    synced: asyncio.Event

    async def record(self, lease: Lease, changes: Sequence[Change], *, has_time: bool = False) -> None:
        if any(isinstance(change, PartReceipt) for change in changes):
            await self.synced.wait()
        await super().record(lease, changes, has_time=has_time)


def come_back(platform: ScriptedPlatform, post: Posted) -> None:
    meta = EventMeta(
        event_key=f"created:{post.message_id}",
        origin=ChatRef(AccountName(platform.name), "c"),
        occurred_at=LONG_AGO,
        received_at=LONG_AGO,
        author=Author(user_id="hook", name=post.sender, is_bot=True),
    )
    platform.hear(MessageCreated(meta=meta, message_id=post.message_id, content=Content(text=plain(post.text))))


async def test_a_copy_that_comes_back_before_its_receipt_is_on_disk_is_no_new_message(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    two.text_length = 30
    journal = SlowReceipts(tmp_path / "bridge.journal")
    journal.synced = asyncio.Event()
    try:
        async with bridge(tmp_path, [one, two], journal=journal):
            one.say("a message of some length, in several parts")
            await eventually(lambda: len(two.posted()) == 1)
            come_back(two, two.posted()[0])
            await eventually(lambda: len(two.confirmed) == 1)
            journal.synced.set()
            await eventually(lambda: len(two.posted()) == 2)
            come_back(two, two.posted()[1])
            two.say("end")
            await eventually(lambda: "end" in one.texts())
            assert one.texts() == ["end"]
    finally:
        journal.synced.set()
