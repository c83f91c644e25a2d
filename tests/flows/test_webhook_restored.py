"""A receiver that remembers the ids of events, while the bridge's journal is restored from a backup: it takes no new event for one
that it had."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from bridge.policy.echo import parse_token
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path, ("telegram", "webhook"))
    port = free_port()
    made.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    await made.start_platforms()
    await made.start_bridge()
    yield made
    await made.stop_bridge()
    await made.stop_platforms()


def back_up(journal: Path, to: Path) -> None:
    with contextlib.closing(sqlite3.connect(journal)) as origin, contextlib.closing(sqlite3.connect(to)) as copy:
        origin.backup(copy)


def restore(backup: Path, journal: Path) -> None:
    for name in ("", "-wal", "-shm"):
        journal.with_name(journal.name + name).unlink(missing_ok=True)
    backup.rename(journal)


async def test_new_events_have_new_ids_and_what_waited_in_the_backup_keeps_its_own(world: World) -> None:
    journal, backup = world.folder / "bridge.journal", world.folder / "backup"
    await world.say("telegram", "in the backup, sent")
    first = (await world.copy("webhook", "in the backup, sent")).message_id
    world.emulators["webhook"].inject(Fault(kind=FaultKind.SERVER_ERROR))
    await world.say("telegram", "in the backup, waiting")
    await eventually(lambda: len(world.emulators["webhook"].calls()) > 1, "an attempt")
    back_up(journal, backup)
    world.emulators["webhook"].clear_faults()
    waited = (await world.copy("webhook", "in the backup, waiting")).message_id
    for number in range(3):
        await world.say("telegram", f"after the backup {number}")
    lost = [(await world.copy("webhook", f"after the backup {number}")).message_id for number in range(3)]
    await world.stop_bridge()
    restore(backup, journal)  # Telegram does not send again what was confirmed
    await world.start_bridge()
    for number in range(3):
        await world.say("telegram", f"since {number}")
    ids = [(await world.copy("webhook", f"since {number}")).message_id for number in range(3)]
    assert not {first, waited, *lost} & set(ids)
    numbers = [{token.delivery_id for one in group if (token := parse_token(one))} for group in (lost, ids)]
    assert numbers[0] & numbers[1], "the journal gave the same numbers again, so that only the mark tells them apart"
    again = [one.text for one in world.seen("webhook") if one.is_bot]
    assert again.count("in the backup, waiting") == 1, "sent again under its id, and known by it"
