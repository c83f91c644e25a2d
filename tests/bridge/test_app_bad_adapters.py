"""Adapters that hang, raise what they should not, or do not let go: siblings, reloads and stops go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.journal.contract import JournalError
from bridge.model.adapter import FileStream, Outbound, Receipt
from bridge.model.errors import ChatMoved
from bridge.model.events import Attachment
from bridge.model.refs import AccountName
from tests.bridge.delivery.test_outbox_files_apart import files
from tests.support.patience import PATIENCE_S, eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, all_done, bridge, end


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.accounts.ends._RESOLVE_S", 0.2)
    monkeypatch.setattr("bridge.running_accounts._FINISH_S", 0.2)
    monkeypatch.setattr("bridge.accounts.supervisor._CLOSE_S", 0.2)
    monkeypatch.setattr("bridge.accounts.supervisor._GRACE_S", 0.2)


def changed(app: App, name: str) -> Any:
    """The configuration with other options for one account."""
    account = app._config.accounts[AccountName(name)]
    options = object()
    return replace(app._config, accounts={**app._config.accounts, AccountName(name): replace(account, options=options)})


async def is_up(app: App, name: str) -> None:
    await eventually(lambda: app.account_states()[name].state is AccountState.UP)


# -- letting go -------------------------------------------------------------------------------------------------------------


class Closing(ScriptedAdapter):
    async def close(self) -> None:
        raise OSError("the socket is closed already")


class ClosingBadly(ScriptedAdapter):
    async def close(self) -> None:
        raise KeyError("a bug")


class ClosingCancelled(ScriptedAdapter):
    async def close(self) -> None:
        raise asyncio.CancelledError


class NeverClosing(ScriptedAdapter):
    async def close(self) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if self.platform.hang is None:
                    raise


@pytest.mark.parametrize("adapter", [Closing, ClosingBadly, ClosingCancelled, NeverClosing])
async def test_an_adapter_that_does_not_close_keeps_no_reload_and_no_stop_from_ending(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, adapter: Callable[..., Any]
) -> None:
    two.adapter, two.hang = adapter, asyncio.Event()
    two.hang.set()
    app = bridge(tmp_path, [one, two])
    await app.start()
    await is_up(app, "two")
    async with asyncio.timeout(PATIENCE_S):
        await app.reload(changed(app, "two"))
    await is_up(app, "two")
    one.say("m1")
    await eventually(lambda: two.texts() == ["m1"])
    await all_done(app)
    async with asyncio.timeout(PATIENCE_S):
        await app.stop(drain_s=0)
    two.hang = None
    with pytest.raises(JournalError):
        await app.journal.figures()  # closed as well
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


# -- receiving --------------------------------------------------------------------------------------------------------------


async def test_an_adapter_whose_own_task_was_cancelled_connects_again(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    one.run_errors.extend([asyncio.CancelledError(), asyncio.CancelledError()])
    async with bridge(tmp_path, [one, two]) as app:
        await is_up(app, "one")
        one.say("m1")
        await eventually(lambda: two.texts() == ["m1"])


class Unresolving(ScriptedAdapter):
    async def resolve(self, address: str) -> str:
        if address == "new":
            await asyncio.Event().wait()
        return address


async def test_an_end_that_is_never_found_keeps_no_reload_from_ending(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    one.adapter = Unresolving
    async with bridge(tmp_path, [one, two]) as app:
        await is_up(app, "one")
        (route,) = app._config.routes
        wider = replace(changed(app, "two"), routes=(type(route)(name="all", ends=(*route.ends, end("one/new"))),))
        async with asyncio.timeout(PATIENCE_S):
            await app.reload(wider)
        one.say("m1")
        await eventually(lambda: two.texts() == ["m1"])
        await app.stop(drain_s=0)


# -- sending ----------------------------------------------------------------------------------------------------------------


class Hanging(ScriptedAdapter):
    """The first one's sends never end, whatever happens."""

    built = 0

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        Hanging.built += 1
        self.number = Hanging.built

    async def send(self, outbound: Outbound) -> Receipt:
        if self.number > 1:
            return await super().send(outbound)
        self.platform.sends += 1
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if self.platform.hang is None:
                    raise


@pytest.mark.parametrize("clings", [False, True])
async def test_a_send_that_never_ends_is_given_up_once_its_account_is_replaced(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, clings: bool
) -> None:
    Hanging.built = 0
    two.adapter = Hanging
    if clings:
        two.hang = asyncio.Event()
        two.hang.set()
    async with bridge(tmp_path, [one, two]) as app:
        await is_up(app, "two")
        one.say("m1")
        one.say("m2")
        await eventually(lambda: two.sends == 1)
        await app.reload(changed(app, "two"))
        await eventually(lambda: two.texts() == ["m1", "m2"])
        await all_done(app)
    two.hang = None
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


class HangingSource(ScriptedAdapter):
    """The first one's files never come."""

    built = 0

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        HangingSource.built += 1
        self.number = HangingSource.built

    @asynccontextmanager
    async def open_file(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        if self.number == 1:
            self.platform.fetched.append(attachment.file_id)
            await asyncio.Event().wait()
        async with super().open_file(attachment) as stream:
            yield stream


async def test_a_file_that_never_comes_is_given_up_once_its_account_is_replaced(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    HangingSource.built = 0
    one.adapter = HangingSource
    one.files.update(a=b"a" * 10)
    async with bridge(tmp_path, [one, two]) as app:
        await is_up(app, "one")
        one.say("with a file", attachments=files("a"))
        await eventually(lambda: one.fetched)
        await app.reload(changed(app, "one"))
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        await all_done(app)
    assert any(b"a" * 10 in post.files for post in two.posted())


# -- the bridge's own disk --------------------------------------------------------------------------------------------------


async def test_a_disk_that_is_full_when_a_chat_moves(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new id is kept as soon as it can be."""
    async with bridge(tmp_path, [one, two]) as app:
        await is_up(app, "two")
        real = app._journal.set_native_id
        failed: list[Any] = []

        async def set_native_id(*arguments: Any) -> None:
            if len(failed) < 2:
                failed.append(arguments)
                raise JournalError("disk full")
            await real(*arguments)

        monkeypatch.setattr(app._journal, "set_native_id", set_native_id)
        monkeypatch.setattr("bridge.delivery.patient_journal._JOURNAL_RETRY_S", 0.05)
        two.faults.append((ChatMoved("it is a supergroup now", new_chat_id="c2"), False))
        one.say("m1")
        one.say("m2")
        await eventually(lambda: two.texts("c2") == ["m1", "m2"])
        assert await app._journal.native_ids(AccountName("two")) == {"c": "c2"}
        assert not app._outbox._failures  # type: ignore[union-attr]


async def test_a_disk_that_is_full_during_a_reload_leaves_all_as_it_was(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await is_up(app, "two")
        before = app._config

        async def native_ids(*_: Any) -> None:
            raise JournalError("disk full")

        with monkeypatch.context() as patch:
            patch.setattr(app._journal, "native_ids", native_ids)
            with pytest.raises(JournalError):
                await app.reload(replace(before, accounts={AccountName("one"): before.accounts[AccountName("one")]}, routes=()))
        assert app._config is before
        one.say("m1")
        await eventually(lambda: two.texts() == ["m1"])


async def test_a_disk_that_is_full_for_long_costs_few_lines(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.patient_journal._JOURNAL_RETRY_S", 0.001)
    with capture_logs() as log:
        async with bridge(tmp_path, [one, two]) as app:
            await is_up(app, "two")
            real = app._journal.record
            failed: list[Any] = []

            async def record(*arguments: Any, **options: Any) -> None:
                if len(failed) < 100:
                    failed.append(time.monotonic())
                    raise JournalError("disk full")
                await real(*arguments, **options)

            monkeypatch.setattr(app._journal, "record", record)
            one.say("m1")
            await eventually(lambda: two.texts() == ["m1"])
            await all_done(app)
    assert len(failed) == 100
    assert 0 < str(log).count("journal unavailable") < 20
