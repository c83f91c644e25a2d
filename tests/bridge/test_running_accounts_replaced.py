"""A reload while something is being sent or fetched: nothing is doubled, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.accounts.state import AccountState
from bridge.model.adapter import FileStream, Outbound, Receipt
from bridge.model.errors import OutcomeUnknown
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from tests.support.patience import eventually
from tests.support.reloads import Platform, TokenAdapter, is_in, with_token, without_account
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, all_done, bridge


@pytest.fixture
def one() -> Platform:
    return Platform("one")


@pytest.fixture
def two() -> Platform:
    return Platform("two")


async def test_an_account_that_is_replaced_during_a_send(tmp_path: Path, one: Platform, two: Platform) -> None:
    """The old adapter ends what it has begun, or is asked what became of it: nothing is there twice."""
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)
        two.hang = asyncio.Event()
        one.say("m1")
        await eventually(lambda: two.sends == 1)
        one.say("m2")
        reloading = asyncio.create_task(app.reload(with_token(app._config, "two", "new")))
        await is_in(app, "two", AccountState.UP)
        two.hang.set()
        await reloading
        await eventually(lambda: two.texts() == ["m1", "m2"])
        await all_done(app)


async def test_an_account_that_is_removed_during_a_send(tmp_path: Path, one: Platform, two: Platform) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)
        two.hang = asyncio.Event()
        one.say("m1")
        await eventually(lambda: two.sends == 1)
        one.say("m2")
        await eventually(lambda: len(one.confirmed) == 2)
        reloading = asyncio.create_task(app.reload(without_account(app._config, "two")))
        await eventually(lambda: "two" not in app.account_states())
        two.hang.set()
        await reloading
        await all_done(app)
    assert two.texts() == ["m1"]


class Supplier(TokenAdapter):
    """Its files come only with the new token; before, a fetch hangs half-way."""

    @asynccontextmanager
    async def open_file(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        self.platform.fetched.append(attachment.file_id)

        async def chunks() -> AsyncIterator[bytes]:
            yield b"x" * 5
            if self.token != "new":
                await self.closed.wait()
                raise ConnectionResetError("the connection was closed")
            yield b"y" * 5

        yield FileStream(chunks=chunks(), size_bytes=10)

    def __init__(self, platform: Platform, context: AdapterContext) -> None:
        super().__init__(platform, context)
        self.closed = asyncio.Event()

    async def close(self) -> None:
        self.closed.set()


async def test_an_account_that_is_replaced_while_a_file_is_fetched_from_it(tmp_path: Path, one: Platform, two: Platform) -> None:
    one.adapter = Supplier
    file = Attachment(kind=AttachmentKind.DOCUMENT, file_id="plan", name="plan.pdf", size_bytes=10)
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        one.say("with a file", attachments=(file,))
        await eventually(lambda: one.fetched)
        await app.reload(with_token(app._config, "one", "new"))
        one.say("end")
        await eventually(lambda: two.texts() == ["with a file", "end"])
    assert [post.files for post in two.posted()] == [(b"xxxxxyyyyy",), ()]


async def test_an_account_that_is_removed_while_a_file_is_fetched_from_it(tmp_path: Path, one: Platform, two: Platform) -> None:
    """Its words arrive, with a line for the file, as long as its route is there."""
    three = Platform("three")
    one.adapter = Supplier
    file = Attachment(kind=AttachmentKind.DOCUMENT, file_id="plan", name="plan.pdf", size_bytes=10)
    async with bridge(tmp_path, [one, two, three]) as app:
        await is_in(app, "one", AccountState.UP)
        one.say("with a file", attachments=(file,))
        await eventually(lambda: one.fetched)
        config = app._config
        (route,) = config.routes
        ends = tuple(end for end in route.ends if end.chat.account != "one")
        left = {name: account for name, account in config.accounts.items() if name != "one"}
        reduced = type(route)(name=route.name, ends=ends)
        await app.reload(replace(config, accounts=left, routes=(reduced,)))
        await all_done(app)
        texts = [*two.texts(), *three.texts()]
        letters = await app._journal.dead_letters()
    assert not letters
    assert all("with a file" in text and "plan.pdf" in text for text in texts)
    assert len(texts) == 2


async def test_a_token_that_changes_during_a_send_doubles_nothing_where_nobody_can_be_asked(tmp_path: Path) -> None:
    """The message is on its way when the account is replaced: the old connection is let go only when its answer is here."""
    asked, answer = asyncio.Event(), asyncio.Event()

    class Slow(ScriptedAdapter):
        async def send(self, outbound: Outbound) -> Receipt:
            receipt = await super().send(outbound)
            asked.set()
            closed = asyncio.create_task(self.closed.wait())
            answered = asyncio.create_task(answer.wait())
            await asyncio.wait({closed, answered}, return_when=asyncio.FIRST_COMPLETED)
            for task in (closed, answered):
                task.cancel()
            if not answer.is_set():
                raise OutcomeUnknown("the connection was closed")
            return receipt

        def __init__(self, platform: ScriptedPlatform, context: AdapterContext) -> None:
            super().__init__(platform, context)
            self.closed = asyncio.Event()

        async def close(self) -> None:
            self.closed.set()

    one, two = ScriptedPlatform("one"), ScriptedPlatform("two", adapter=Slow, reconciles=False)
    async with bridge(tmp_path, [one, two]) as app:
        one.say("m1")
        await asked.wait()
        accounts = dict(app._config.accounts)
        accounts[AccountName("two")] = replace(accounts[AccountName("two")], options="another token")
        reloading = asyncio.create_task(app.reload(replace(app._config, accounts=accounts)))
        await eventually(lambda: app._supervisors[AccountName("two")].health.state is not AccountState.UP)
        answer.set()
        await reloading
        one.say("m2")
        await eventually(lambda: "m2" in two.texts())
        assert two.texts() == ["m1", "m2"]
