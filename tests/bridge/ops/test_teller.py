"""The loop that tells: into a chat that is heard, through the journal; what it told is known after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.accounts.disk import Room
from bridge.accounts.health import Condition, Status
from bridge.accounts.state import AccountState, Health
from bridge.config.model import OpsConfig
from bridge.journal.contract import DeadLetter, DeliveryStatus, JournalError
from bridge.journal.sqlite import SqliteJournal
from bridge.model.events import BridgeSaid
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import text_of
from bridge.observability.left_out import Omission
from bridge.ops.teller import Ops
from bridge.policy.routing import OWN_ROUTE, RoutingTable
from tests.support.clock import ManualClock
from tests.support.deliveries import readable

TEAM, TG = AccountName("team"), AccountName("tg")
CHAT = ChatAddress(TEAM, "#ops")
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


class Stage:
    """Two accounts, `tg` of which has trouble when the test says so; the ops chat is on `team`."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.journal = journal
        self.clock = ManualClock()
        self.config = OpsConfig(chat=CHAT, quiet_min=0)
        self.up = {TEAM: True, TG: True}
        self.free = {"journal": 10**10}
        self.woken: list[ChatAddress] = []
        self.ops = self.begin()

    def begin(self) -> Ops:
        """As after a start."""
        supervisors: Any = {name: SimpleNamespace(account=name) for name in self.up}
        self.supervisors = supervisors
        return Ops(
            self.journal,
            self.clock,
            supervisors,
            self,  # type: ignore[arg-type]
            wake=self.woken.append,
            config=lambda: self.config,
            table=lambda: RoutingTable((), also=[CHAT]),
        )

    def health(self) -> Stage:
        return self

    def on_omission(self, told: Callable[[Omission], None]) -> None:
        self.hears_omissions = told

    async def room(self) -> dict[str, Room]:
        return {name: Room(free_bytes=size) for name, size in self.free.items()}

    def condition(self, name: AccountName) -> Condition:
        return Condition(Status.PASS) if self.up[name] else Condition(Status.FAIL, "refused", "make a new token")

    def trouble_of(self, end: ChatAddress) -> Condition | None:
        return None

    async def look(self) -> list[str]:
        """All that was ever said, after one more look."""
        for name, is_up in self.up.items():
            self.supervisors[name].health = Health(AccountState.UP if is_up else AccountState.PARKED, datetime.now(UTC))
        self.clock.forward(10)
        await self.ops.look()
        events = [one.event for one in readable(await self.journal.pending(CHAT, 0, 100))]
        return [text_of(event.text) for event in events if isinstance(event, BridgeSaid)]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    journal = SqliteJournal(tmp_path / "bridge.journal")
    await journal.open()
    yield Stage(journal)
    await journal.close()


async def test_a_restart_forgets_nothing_and_repeats_nothing(stage: Stage) -> None:
    assert await stage.look() == []
    stage.up[TG] = False
    down = "⚠️ account tg: refused - make a new token"
    assert await stage.look() == [down]
    assert stage.woken == [CHAT]
    stage.ops = stage.begin()
    assert await stage.look() == [down]
    stage.up[TG] = True
    assert await stage.look() == [down, "✅ account tg is well again"]


async def test_no_secret_is_told_in_a_chat(stage: Stage) -> None:
    stage.ops.gap(ChatRef(TG, "-1"), NOON, NOON, "cannot connect to https://me:a-long-password@proxy.example/?token=abcdef123456")
    (line,) = await stage.look()
    assert "a-long-password" not in line
    assert "abcdef123456" not in line
    assert "cannot connect to https://me:***@proxy.example/?token=***" in line


async def test_while_nobody_hears_it_nothing_piles_up(stage: Stage) -> None:
    stage.up[TEAM] = False
    for _ in range(20):
        stage.up[TG] = not stage.up[TG]
        assert await stage.look() == []
    stage.up.update({TEAM: True, TG: False})
    (said,) = await stage.look()
    assert said == "⚠️ account tg: refused - make a new token (changed 21 times)"


async def test_a_full_disk_is_told_twice_as_it_gets_worse(stage: Stage) -> None:
    for free in (10**9, 10**8, 9 * 10**7, 10**7):
        stage.free = {"journal": free}
        said = await stage.look()
    assert [line.partition(" - ")[0] for line in said] == [
        "⚠️ the disk of the journal: 100 MB left",
        "⚠️ the disk of the journal: 10 MB left",
    ]


async def test_a_journal_that_takes_nothing_is_tried_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object, **__: object) -> None:
        raise JournalError("the disk is full")

    stage.up[TG] = False
    with monkeypatch.context() as patch:
        patch.setattr(stage.journal, "accept", full)
        assert await stage.look() == []
        assert await stage.look() == []
    assert await stage.look() == ["⚠️ account tg: refused - make a new token"]


async def test_its_own_dead_letters_are_not_told(stage: Stage) -> None:
    def letter(route: str) -> DeadLetter:
        return DeadLetter(
            delivery_id=7,
            route=route,
            target=CHAT,
            state=DeliveryStatus.DEAD,
            reason="refused",
            attempts=1,
            died_at=datetime.now(UTC),
            event=None,
            parts_sent=0,
        )

    stage.ops.dead(letter(OWN_ROUTE))
    assert await stage.look() == []
    stage.ops.dead(letter("lobby"))
    assert await stage.look() == ["⚠️ given up into team/#ops: refused (dead letter 7 of route lobby) - messenger-bridge dead list"]


async def test_a_note_that_is_not_understood_counts_as_nothing_told(stage: Stage) -> None:
    for note in ("nonsense", "[]", '{"account tg": 1}', '{"account tg": ["a", "b"]}'):
        await stage.journal.set_note("ops told", note)
        stage.ops = stage.begin()
        await stage.look()


async def test_what_rules_left_out_is_told_where_that_is_asked_for(stage: Stage) -> None:
    omission = Omission("lobby", "tg", "filter 1: drop text ^DEBUG (line 25)", "change that line")
    stage.ops.left_out(omission)
    assert await stage.look() == []
    stage.config = replace(stage.config, skipped=True)
    for _ in range(3):
        stage.ops.left_out(omission)
    assert await stage.look() == [
        "⚠️ left out on route lobby into tg: 3 times, at last: filter 1: drop text ^DEBUG (line 25) - change that line"
    ]


async def test_a_long_wait_is_told_with_its_end_and_a_short_one_is_not(stage: Stage) -> None:
    now = stage.clock.now()
    lease = stage.journal.lease(TEAM)
    await stage.journal.set_wait(lease, "account:tg", now + timedelta(minutes=5), at=now)
    assert await stage.look() == []
    await stage.journal.set_wait(lease, "account:tg", now + timedelta(hours=2), at=now)
    (said,) = await stage.look()
    assert said == (
        "⚠️ sending into tg: what waits is tried again at 2026-01-01 02:16 UTC: the platform's rate limit - "
        "wait, or try now: messenger-bridge retry-now tg"
    )
    await stage.journal.set_wait(lease, "account:tg", now, at=now)
    assert (await stage.look())[-1] == "✅ sending into tg is well again"


async def test_a_wait_of_the_ops_chat_itself_is_not_told_in_it(stage: Stage) -> None:
    now = stage.clock.now()
    for name in ("chat:team/#ops", "account:team"):
        await stage.journal.set_wait(stage.journal.lease(TEAM), name, now + timedelta(hours=2), at=now)
    assert await stage.look() == []
