"""Reloads: what is read, compared, applied and told, and that none of it can break the next one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge import reloading
from bridge.account_trial import NotUp
from bridge.cli.reload import show_answer
from bridge.config.difference import Difference
from bridge.config.model import Config, Loaded
from bridge.config.reader_process import Reading, ReadingFailed
from bridge.journal.contract import JournalError
from bridge.model.errors import ConfigFault
from bridge.reloading import Reloader
from tests.support.patience import eventually

FAULTY = Loaded(None, faults=[ConfigFault("unknown key 'x'", path="bridge.yaml", line=3), ConfigFault("another")])


class Bridge:
    """An app that is reloaded, and what systemd was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.config = Config(path=Path("bridge.yaml"), accounts={}, routes=())
        self.loaded = Loaded(Config(path=Path("bridge.yaml"), accounts={}, routes=()))
        self.reading: Exception | None = None
        self.applying: Exception | None = None
        self.applying_late = False
        """It fails once the new configuration is in force."""
        self.later: tuple[str, ...] = ()
        self.applied = 0
        self.hang: asyncio.Event | None = None
        self.under_way = 0
        self.within_s: list[float | None] = []
        self.hang_up = asyncio.Event()
        self.reloader = Reloader(self, read=self.read, preload=lambda _: None, notify=self.told.append)

    def read(self) -> Reading:
        if self.reading is not None:
            raise self.reading
        return Reading(self.loaded, frozenset())

    def difference(self, config: Config) -> Difference:
        return Difference(routes_added=("new",), needs_restart=self.later)

    async def reload(self, config: Config, *, up_within_s: float | None = None) -> tuple[str, ...]:
        self.within_s.append(up_within_s)
        self.under_way += 1
        assert self.under_way == 1, "one at a time"
        try:
            if self.hang is not None:
                await self.hang.wait()
            if self.applying_late:
                self.config = config
            if self.applying is not None:
                raise self.applying
            self.config = config
        finally:
            self.under_way -= 1
        self.applied += 1
        return self.later

    async def hup(self) -> str:
        """SIGHUP; returns the status that systemd has then."""
        before = self.told.count("READY=1")
        self.hang_up.set()
        await eventually(lambda: self.told.count("READY=1") > before and self.told[-1].startswith("STATUS="))
        assert self.told[-3].startswith("RELOADING=1\nMONOTONIC_USEC=")
        return self.told[-1].removeprefix("STATUS=")


@pytest.fixture
async def one(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bridge]:
    monkeypatch.setattr(reloading, "set_up_logging", lambda *_, **__: None)
    bridge = Bridge()
    task = asyncio.create_task(bridge.reloader.on_signal(bridge.hang_up))
    yield bridge
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await bridge.reloader.close()


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (lambda one: setattr(one, "applying", JournalError("disk I/O error")), "disk I/O error"),
        (lambda one: setattr(one, "applying", OSError(28, "no space left")), "[Errno 28] no space left"),
        (lambda one: setattr(one, "applying", KeyError("a bug")), "unexpected KeyError; see the log"),
        (lambda one: setattr(one, "reading", RuntimeError("a bug")), "unexpected RuntimeError; see the log"),
        (lambda one: setattr(one, "reading", ReadingFailed("it was killed")), "it was killed"),
        (lambda one: setattr(one, "loaded", FAULTY), "bridge.yaml:3: unknown key 'x' (and 1 more)"),
        (
            lambda one: setattr(one, "applying", NotUp(["tg: refused - make a new token", "x"])),
            "tg: refused - make a new token (and 1 more); what was in force before is in force",
        ),
    ],
    ids=["journal", "disk", "bug", "bug in reading", "reader", "faults", "not up"],
)
async def test_a_reload_that_fails_is_told_and_leaves_the_next_one_possible(
    one: Bridge, break_it: Callable[[Any], None], told: str
) -> None:
    sound = one.loaded
    break_it(one)
    assert await one.hup() == f"bridge.yaml not reloaded: {told}"
    assert one.reloader.outcome == f"bridge.yaml not reloaded: {told}"
    assert one.reloader.latest()["ok"] is False
    answer = (await one.reloader.reload()).data()
    assert (answer["ok"], answer["applied"]) == (False, False)
    assert answer["faults"] or answer["config_faults"]
    one.applying = one.reading = None
    one.loaded = sound
    assert await one.hup() == "bridge.yaml reloaded"
    assert (one.applied, one.reloader.outcome, one.reloader.latest()["ok"]) == (1, "", True)


@pytest.mark.parametrize("error", [JournalError("disk I/O error"), KeyError("a bug")], ids=["journal", "bug"])
async def test_what_fails_once_the_file_is_in_force_does_not_say_that_nothing_changed(
    one: Bridge, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    one.applying, one.applying_late = error, True
    assert (await one.hup()).startswith("bridge.yaml reloaded, but not all of it is done; reload once more: ")
    answer = (await one.reloader.reload()).data()
    assert (answer["ok"], answer["applied"], answer["lines"]) == (False, True, ["+ route new"])
    show_answer(answer)
    shown = capsys.readouterr()
    assert shown.out.endswith("+ route new\n")
    assert "the file is in force, but not all of it is done: reload once more" in shown.err
    one.applying = None
    assert await one.hup() == "bridge.yaml reloaded"


async def test_what_takes_a_restart_is_named_until_a_reload_has_nothing_to_name(one: Bridge) -> None:
    one.later = ("journal.path", "web.admin")
    assert await one.hup() == "reloaded, but journal.path, web.admin changed and take a restart"
    assert one.reloader.outcome == "reloaded, but journal.path, web.admin changed and take a restart"
    one.later = ()
    assert await one.hup() == "bridge.yaml reloaded"
    assert one.reloader.outcome == ""


async def test_what_would_change_is_told_and_nothing_changes(one: Bridge) -> None:
    answer = (await one.reloader.look()).data()
    assert (answer["ok"], answer["applied"], answer["lines"]) == (True, False, ["+ route new"])
    assert (one.applied, one.told, one.reloader.latest()) == (0, [], {})


async def test_keep_waits_for_nothing(one: Bridge) -> None:
    assert (await one.reloader.reload(keep=True)).ok
    assert (await one.reloader.reload()).ok
    assert one.within_s == [None, reloading.UP_WITHIN_S]


async def test_a_reload_in_the_middle_of_a_reload_comes_after_it(one: Bridge) -> None:
    """Both are applied, the second with what the file says by then; a look waits too."""
    one.hang = asyncio.Event()
    first = asyncio.create_task(one.reloader.reload())
    await eventually(lambda: one.under_way == 1)
    one.hang_up.set()
    look = asyncio.create_task(one.reloader.look())
    one.loaded = FAULTY
    one.hang.set()
    assert (await first).ok
    assert [str(fault) for fault in (await look).config_faults] == ["bridge.yaml:3: unknown key 'x'", "another"]
    await eventually(lambda: one.told.count("READY=1") == 2)
    assert one.applied == 1
    assert one.reloader.outcome.startswith("bridge.yaml not reloaded: bridge.yaml:3")


async def test_a_reload_whose_asker_goes_away_is_finished(one: Bridge) -> None:
    one.hang = asyncio.Event()
    asking = asyncio.create_task(one.reloader.reload())
    await eventually(lambda: one.under_way == 1)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    one.hang.set()
    await eventually(lambda: one.applied == 1)
    await eventually(lambda: one.told[-1] == "STATUS=bridge.yaml reloaded")


async def test_a_crowd_of_reloads_is_bounded(one: Bridge) -> None:
    one.hang = asyncio.Event()
    asking = [asyncio.create_task(one.reloader.reload()) for _ in range(30)]
    refused = await eventually(lambda: [task.result() for task in asking if task.done()])
    assert all("others are under way" in found.faults[0] for found in refused)
    one.hang.set()
    done = [found for found in await asyncio.gather(*asking) if found.ok]
    assert 0 < len(done) < 30
    assert one.applied == len(done)


async def test_a_signal_in_a_crowd_is_not_lost(one: Bridge) -> None:
    one.hang = asyncio.Event()
    asking = [asyncio.create_task(one.reloader.reload()) for _ in range(30)]
    await eventually(lambda: any(task.done() for task in asking))
    one.hang_up.set()
    await eventually(lambda: not one.hang_up.is_set())
    one.hang.set()
    done = [found for found in await asyncio.gather(*asking) if found.ok]
    await eventually(lambda: one.applied == len(done) + 1)


async def test_looks_are_bounded_and_keep_no_reload_away(one: Bridge) -> None:
    one.hang = asyncio.Event()
    first = asyncio.create_task(one.reloader.reload())
    await eventually(lambda: one.under_way == 1)
    looking = [asyncio.create_task(one.reloader.look()) for _ in range(30)]
    refused = await eventually(lambda: [task.result() for task in looking if task.done()])
    assert all("others are under way" in found.faults[0] for found in refused)
    second = asyncio.create_task(one.reloader.reload())
    one.hang.set()
    assert (await first).ok
    assert (await second).ok
    assert 0 < sum(found.ok for found in await asyncio.gather(*looking)) < 30


async def test_only_what_was_agreed_to_is_applied(one: Bridge) -> None:
    one.loaded = replace(one.loaded, seen="before")
    seen = (await one.reloader.look()).seen
    assert seen == "before"
    one.loaded = replace(one.loaded, seen="after")
    refused = await one.reloader.reload(agreed=seen.__eq__)
    assert (refused.ok, refused.is_other, one.applied) == (False, True, 0)
    assert (one.told, one.reloader.latest()) == ([], {}), "nothing was begun"
    assert (await one.reloader.reload(agreed="after".__eq__)).ok
    assert (one.applied, one.told[0].startswith("RELOADING=1")) == (1, True)
