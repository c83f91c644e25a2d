"""What a moderator is told of a chat: its routes, where its messages go, what became of one; and nothing of other routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.accounts.health import Condition, HealthReport, Status
from bridge.intake.overview import Overview
from bridge.journal.contract import AcceptRequest, Dead, Deferred, Delivered, PlannedDelivery
from bridge.journal.sqlite import SqliteJournal
from bridge.model.events import Author, Content, EventMeta, MessageCreated
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef
from bridge.model.rich_text import plain
from bridge.policy.routing import Route, RouteEnd, RoutingTable
from tests.support.clock import ManualClock
from tests.support.strategies import NOON, TEAM, TG

GENERAL, GROUP, OPS, LOG = (
    ChatAddress(account, chat) for account, chat in ((TEAM, "#general"), (TG, "-1"), (TG, "-2"), (TEAM, "#log"))
)
TABLE = RoutingTable(
    [
        Route(name="lobby", ends=(RouteEnd(chat=GENERAL), RouteEnd(chat=GROUP))),
        Route(name="log", ends=(RouteEnd(chat=GENERAL, receives=False), RouteEnd(chat=LOG, sends=False))),
        Route(name="in", ends=(RouteEnd(chat=OPS, receives=False), RouteEnd(chat=GENERAL, sends=False))),
        Route(name="topic", ends=(RouteEnd(chat=GROUP, thread_id="7"), RouteEnd(chat=OPS))),
    ]
)


class Health(HealthReport):
    """All is well, but for what a test says."""

    def __init__(self, **troubles: Condition) -> None:
        super().__init__({}, TABLE, lambda _: None, ManualClock())
        self._accounts = {AccountName(name): condition for name, condition in troubles.items()}


class Asked:
    def __init__(self, folder: Path) -> None:
        self.journal = SqliteJournal(folder / "bridge.journal")
        self.health = Health()
        self.overview = Overview(self.journal, lambda: TABLE, lambda: self.health)
        self.message = MessageRef(ChatRef(TEAM, "C1"), "5")

    async def accept(self, *targets: ChatAddress, route: str = "lobby", skip: Skip | None = None) -> tuple[int, ...]:
        meta = EventMeta(
            event_key=f"{route} {targets}",
            origin=self.message.chat,
            occurred_at=NOON,
            received_at=NOON,
            author=Author(user_id="1", name="Anna"),
        )
        event = MessageCreated(meta=meta, message_id=self.message.message_id, content=Content(text=plain("a secret")))
        planned = tuple(PlannedDelivery(route=route, target=target, skip_rule=skip) for target in targets)
        request = AcceptRequest(event=event, deliveries=planned)
        (accepted,) = await self.journal.accept(self.journal.lease(TEAM), [request], (), received_at=NOON)
        return accepted.delivery_ids


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    made = Asked(tmp_path)
    await made.journal.open()
    yield made
    await made.journal.close()


def test_where_messages_go_and_come_from(tmp_path: Path) -> None:
    overview = Asked(tmp_path).overview
    assert overview.where(overview.here([GENERAL], None)).splitlines() == [
        "lobby: to and from tg/-1",
        "log: to team/#log",
        "in: from tg/-2",
    ]
    assert overview.where(overview.here([GROUP], "7")) == "topic: to and from tg/-2", "the topic's own route"
    assert overview.where(overview.here([GROUP], "8")) == "lobby: to and from team/#general"
    assert overview.where(overview.here([], None)) == "No route has this chat."


async def test_what_became_of_a_message(asked: Asked) -> None:
    done, waits, dead = await asked.accept(GROUP, OPS, LOG)
    lease = asked.journal.lease(TG)
    await asked.journal.record(lease, [Delivered(delivery_id=done, at=NOON)])
    later = Deferred(delivery_id=waits, attempt=1, not_before=NOON + timedelta(minutes=5), error="slow\ndown")
    await asked.journal.record(lease, [later, Dead(delivery_id=dead, reason="x" * 1000, at=NOON)])
    (traced,) = await asked.journal.trace(asked.message)
    lines = asked.overview.became(traced).splitlines()
    assert lines[0] == f"tg/-1: delivered at {NOON:%Y-%m-%d %H:%M:%S} UTC"
    assert lines[1] == f"tg/-2: waits: slow down, tried again at {NOON + timedelta(minutes=5):%Y-%m-%d %H:%M:%S} UTC"
    assert lines[2].startswith("team/#log: not delivered at")
    assert len(lines[2]) <= 160, "an error of a platform is not as long as it likes"
    assert "secret" not in " ".join(lines)


async def test_a_skip_says_its_rule(asked: Asked) -> None:
    await asked.accept(GROUP, skip=Skip.BOTS_OFF)
    (traced,) = await asked.journal.trace(asked.message)
    assert asked.overview.became(traced) == "tg/-1: skipped: bots are off"


async def test_the_status_is_of_the_chats_own_routes(asked: Asked) -> None:
    here = asked.overview.here([GENERAL], None)[:1]
    assert await asked.overview.status(here) == "lobby: all is well."
    waits, *dead = await asked.accept(GROUP, GROUP, GROUP)
    await asked.accept(OPS, route="topic")
    await asked.journal.record(
        asked.journal.lease(TG),
        [
            Deferred(delivery_id=waits, attempt=1, not_before=NOON, error="429"),
            *(Dead(delivery_id=one, reason="no", at=NOON) for one in dead),
        ],
    )
    asked.health = Health(tg=Condition(Status.FAIL, "the token is wrong", "give another one"))
    assert (await asked.overview.status(here)).splitlines() == [
        "lobby: 1 in trouble.",
        "tg/-1: account tg: the token is wrong - give another one",
        f"1 wait for tg/-1 since {NOON:%Y-%m-%d %H:%M:%S} UTC: 429",
        "2 could not be delivered: `messenger-bridge dead list`, or `retry`",
    ]


async def test_only_who_may_is_told_of_everything_within_bounds(asked: Asked) -> None:
    troubles = {f"account{number}": Condition(Status.WARN, "connecting") for number in range(30)}
    asked.health = Health(**troubles)
    assert (await asked.overview.status([])).startswith("No route has this chat.")
    lines = (await asked.overview.status([], of_all=True)).splitlines()
    assert lines[0] == "all accounts: 30 in trouble."
    assert lines[1] == "account0: connecting"
    assert lines[-1] == "... 19 more: messenger-bridge status"
