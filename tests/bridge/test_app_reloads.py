"""A reload while something waits: whatever it replaces or removes, what waited goes on with what there is now, or ends by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.config.model import Config
from bridge.model.adapter import FileStream, Intake, Outbound, Receipt
from bridge.model.errors import AccountDown, OutcomeUnknown, RetryLater, Scope
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.outcomes import Skip
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from bridge.policy.routing import RelayOptions, Route
from tests.support.patience import PATIENCE_S, eventually, stays
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, all_done, bridge, end, skipped_by

LONG_S = 3600.0


class Platform(ScriptedPlatform):
    def __init__(self, name: str, **more: Any) -> None:
        super().__init__(name, adapter=TokenAdapter, **more)
        self.revoked: set[object] = set()
        """Tokens that are refused. An account's options are its token; it begins with None."""
        self.sent_by: list[object] = []


class TokenAdapter(ScriptedAdapter):
    platform: Platform

    def __init__(self, platform: Platform, context: AdapterContext) -> None:
        super().__init__(platform, context)
        self.token = context.options

    def check(self) -> None:
        if self.token in self.platform.revoked:
            raise AccountDown("the token was revoked", action="make a new one, put it into bridge.yaml, reload")

    async def run(self, intake: Intake) -> None:
        self.check()
        await super().run(intake)

    async def send(self, outbound: Outbound) -> Receipt:
        self.check()
        self.platform.sent_by.append(self.token)
        return await super().send(outbound)


@pytest.fixture
def one() -> Platform:
    return Platform("one")


@pytest.fixture
def two() -> Platform:
    return Platform("two")


def with_token(config: Config, name: str, token: object) -> Config:
    account = AccountName(name)
    return replace(config, accounts={**config.accounts, account: replace(config.accounts[account], options=token)})


def without_account(config: Config, name: str) -> Config:
    kept = {account: configured for account, configured in config.accounts.items() if account != name}
    return replace(config, accounts=kept, routes=())


Removal = Callable[[Config, str], Config]
"""What a configuration becomes without something of that account."""


def without_routes(config: Config) -> Config:
    return replace(config, routes=())


async def is_in(app: App, account: str, state: AccountState) -> None:
    await eventually(lambda: app.account_states()[account].state is state, what=f"{account} {state}")


def lines(platform: Platform) -> list[str]:
    """Of all messages, since what had to wait may go out merged."""
    return "\n".join(platform.texts()).splitlines()


# -- parked -----------------------------------------------------------------------------------------------------------------


async def parked(app: App, one: Platform, two: Platform) -> None:
    """Two messages wait for an account whose token was revoked."""
    await is_in(app, "two", AccountState.UP)
    two.revoked.add(None)
    one.say("m1")
    one.say("m2")
    await is_in(app, "two", AccountState.PARKED)
    await eventually(lambda: len(one.confirmed) == 2)


async def test_a_new_token_brings_what_waited_and_what_comes_after(tmp_path: Path, one: Platform, two: Platform) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await parked(app, one, two)
        await app.reload(with_token(app._config, "two", "new"))
        await is_in(app, "two", AccountState.UP)
        one.say("m3")
        await eventually(lambda: two.texts() == ["m1", "m2", "m3"])
        await all_done(app)
    assert set(two.sent_by) == {"new"}


async def test_a_new_token_that_is_wrong_too_and_then_a_right_one(tmp_path: Path, one: Platform, two: Platform) -> None:
    two.revoked.add("wrong")
    async with bridge(tmp_path, [one, two]) as app:
        await parked(app, one, two)
        await app.reload(with_token(app._config, "two", "wrong"))
        await is_in(app, "two", AccountState.PARKED)
        await app.reload(with_token(app._config, "two", "right"))
        await eventually(lambda: two.texts() == ["m1", "m2"])
        await all_done(app)


@pytest.mark.parametrize("removed", [without_account, lambda config, _: without_routes(config)], ids=["account", "route"])
async def test_what_waits_for_an_account_or_route_that_is_removed_ends_by_name(
    tmp_path: Path, one: Platform, two: Platform, removed: Removal
) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await parked(app, one, two)
        await app.reload(removed(app._config, "two"))
        await all_done(app)
        assert skipped_by(app) == {str(Skip.ROUTE_REMOVED): 2}
        assert not await app._journal.dead_letters()
    assert two.texts() == []


async def test_an_account_that_comes_back_takes_what_is_said_from_then_on(tmp_path: Path, one: Platform, two: Platform) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        before = app._config
        await parked(app, one, two)
        await app.reload(without_account(before, "two"))
        await all_done(app)
        two.revoked.clear()
        await app.reload(before)
        one.say("m3")
        await eventually(lambda: two.texts() == ["m3"])


async def test_a_reload_that_changes_nothing_leaves_a_parked_account_as_it_is(tmp_path: Path, one: Platform, two: Platform) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await parked(app, one, two)
        supervisor = app._supervisors[AccountName("two")]
        await app.reload(app._config)
        assert app._supervisors[AccountName("two")] is supervisor
        two.revoked.clear()
        await eventually(lambda: two.texts() == ["m1", "m2"])


async def test_how_messages_are_relayed_is_no_reason_to_connect_anew(tmp_path: Path, one: Platform, two: Platform) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)
        two.hang = asyncio.Event()
        one.say("m1")
        await eventually(lambda: two.sends == 1)
        config = app._config
        relayed = {name: replace(account, relay=RelayOptions(max_file_mb=1)) for name, account in config.accounts.items()}
        await app.reload(replace(config, accounts=relayed))
        two.hang.set()
        await eventually(lambda: two.texts() == ["m1"])
    assert (one.connections, two.connections) == (1, 1)


# -- a wait that the platform asked for ---------------------------------------------------------------------------------------


async def limited(app: App, one: Platform, two: Platform, scope: Scope) -> None:
    two.faults.append((RetryLater("too many", after_s=LONG_S, rate_limited=True, scope=scope), False))
    one.say("m1")
    await eventually(lambda: two.sends == 1)
    one.say("m2")
    await eventually(lambda: len(one.confirmed) == 2)


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("removed", [without_account, lambda config, _: without_routes(config)], ids=["account", "route"])
async def test_a_wait_for_what_is_removed_ends(
    tmp_path: Path, one: Platform, two: Platform, scope: Scope, removed: Removal
) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await limited(app, one, two, scope)
        await app.reload(removed(app._config, "two"))
        await all_done(app)
        assert skipped_by(app) == {str(Skip.ROUTE_REMOVED): 2}


@pytest.mark.parametrize("scope", Scope)
async def test_a_wait_of_one_token_does_not_bind_another(tmp_path: Path, one: Platform, two: Platform, scope: Scope) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await limited(app, one, two, scope)
        await app.reload(with_token(app._config, "two", "another"))
        await eventually(lambda: lines(two) == ["m1", "m2"])


@pytest.mark.parametrize("scope", Scope)
async def test_a_wait_outlasts_a_reload_that_does_not_concern_it(
    tmp_path: Path, one: Platform, two: Platform, scope: Scope
) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await limited(app, one, two, scope)
        await app.reload(with_token(app._config, "one", "another"))
        await is_in(app, "one", AccountState.UP)
        await stays(lambda: two.sends == 1)
        assert app._outbox is not None
        app._outbox.try_now(AccountName("two"))
        await eventually(lambda: lines(two) == ["m1", "m2"])


async def test_a_route_that_is_removed_and_added_again_while_its_chat_waits(tmp_path: Path, one: Platform, two: Platform) -> None:
    """What the lane looked at while it was away ended by name; all else arrives."""
    async with bridge(tmp_path, [one, two]) as app:
        await limited(app, one, two, Scope.CHAT)
        before = app._config
        await app.reload(without_routes(before))
        await app.reload(before)
        one.say("m3")
        await eventually(lambda: "m3" in lines(two))
        await all_done(app)
        skipped = skipped_by(app).get(str(Skip.ROUTE_REMOVED), 0)
    assert lines(two) == ["m1", "m2", "m3"][skipped:]


# -- at work ----------------------------------------------------------------------------------------------------------------


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


# -- what does not let go ---------------------------------------------------------------------------------------------------


class Clinging(TokenAdapter):
    """Needs a moment to let go of its connection, as a websocket's closing handshake."""

    async def run(self, intake: Intake) -> None:
        try:
            await super().run(intake)
        finally:
            await asyncio.sleep(0.3)


class Deaf(TokenAdapter):
    """Ignores that it is cancelled, once."""

    async def run(self, intake: Intake) -> None:
        try:
            await super().run(intake)
        except asyncio.CancelledError:
            intake.connected()
            await asyncio.sleep(0.3)


@pytest.mark.parametrize("adapter", [Clinging, Deaf])
async def test_a_stop_while_a_parked_account_is_torn_down(
    tmp_path: Path, one: Platform, two: Platform, adapter: type[TokenAdapter]
) -> None:
    two.adapter = adapter
    app = bridge(tmp_path, [one, two])
    await app.start()
    await is_in(app, "two", AccountState.UP)
    two.revoked.add(None)
    one.say("m1")
    await is_in(app, "two", AccountState.PARKED)
    async with asyncio.timeout(PATIENCE_S):
        await app.stop(drain_s=0)
    await eventually(lambda: not [task for task in asyncio.all_tasks() if task.get_name() in ("account two", "adapter two")])


@pytest.mark.parametrize("adapter", [Clinging, Deaf])
async def test_a_reload_while_a_parked_account_is_torn_down(
    tmp_path: Path, one: Platform, two: Platform, adapter: type[TokenAdapter]
) -> None:
    two.adapter = adapter
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)
        two.revoked.add(None)
        one.say("m1")
        await is_in(app, "two", AccountState.PARKED)
        async with asyncio.timeout(PATIENCE_S):
            await app.reload(with_token(app._config, "two", "new"))
        await eventually(lambda: two.texts() == ["m1"])


async def test_an_end_that_is_not_found_at_once_is_looked_up_until_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two new ends at once, the first of which fails for a moment: the second is found, and then the first."""
    monkeypatch.setattr("bridge.accounts.ends._LOOK_UP_S", 0.05)
    failures = 3

    class Slow(ScriptedAdapter):
        async def resolve(self, address: str) -> str:
            nonlocal failures
            if address == "#new" and failures:
                failures -= 1
                raise RetryLater("not now")
            return address.removeprefix("#")

    one, two = ScriptedPlatform("one", adapter=Slow), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        await eventually(lambda: app.account_states()["one"].state is AccountState.UP)
        added = [Route(name=name, ends=(end(f"one/#{name}"), end(f"two/{name}"))) for name in ("new", "other")]
        await app.reload(replace(app._config, routes=(*app._config.routes, *added)))
        one.say("in the other", chat="other")
        await eventually(lambda: two.texts("other") == ["in the other"])
        await eventually(lambda: not failures and not app._supervisors[AccountName("one")].has_unresolved)
        one.say("in the new", chat="new")
        await eventually(lambda: two.texts("new") == ["in the new"])


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


async def test_what_is_said_during_reloads_is_heard(tmp_path: Path) -> None:
    """The addresses are ids, which nobody keeps in the journal; the look-up of another end takes its time."""
    looking = asyncio.Event()

    class Slow(ScriptedAdapter):
        async def resolve(self, address: str) -> str:
            if address.startswith("#slow"):
                looking.set()
                await asyncio.sleep(0.2)
            return address.removeprefix("#")

    one, two = ScriptedPlatform("one", adapter=Slow), ScriptedPlatform("two")
    slow = Route(name="slow", ends=(end("one/#slow"), end("two/slow")))
    everyday = Route(name="all", ends=(end("one/c"), end("two/c")))
    async with bridge(tmp_path, [one, two], [everyday]) as app:
        await eventually(lambda: app.account_states()["one"].state is AccountState.UP)
        for number in range(3):
            looking.clear()
            added = msgspec.structs.replace(slow, ends=(end(f"one/#slow{number}"), end("two/slow")))
            reloading = asyncio.create_task(app.reload(replace(app._config, routes=(added, everyday))))
            await looking.wait()
            one.say(f"during reload {number}")
            await reloading
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        assert two.texts() == [*(f"during reload {number}" for number in range(3)), "end"]


# -- the first moments of a new route -----------------------------------------------------------------------------------------


class Unhurried(ScriptedAdapter):
    """Answers where a `#name` leads when it is told to, but for `#lost`, of which nothing is ever known."""

    asked: ClassVar[list[str]] = []
    answer: ClassVar[asyncio.Event]

    async def resolve(self, address: str) -> str:
        if address.startswith("#"):
            type(self).asked.append(address)
            await (asyncio.Event() if address == "#lost" else type(self).answer).wait()
        return address.removeprefix("#")


@pytest.fixture
def unhurried() -> type[Unhurried]:
    return type("Unhurried", (Unhurried,), {"asked": [], "answer": asyncio.Event()})


def with_routes(app: App, *names: str) -> Config:
    added = [Route(name=name, ends=(end(f"one/#{name}"), end(f"two/{name}"))) for name in names]
    return replace(app._config, routes=(*app._config.routes, *added))


async def test_what_is_said_while_and_after_a_route_is_added_is_heard(tmp_path: Path, unhurried: type[Unhurried]) -> None:
    """The end's look-up takes its time. What other chats say goes on."""
    one, two = ScriptedPlatform("one", adapter=unhurried), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        one.say("of no route", chat="elsewhere")  # a chat that is unknown was looked for a moment ago
        await eventually(lambda: len(one.confirmed) == 1)
        reloading = asyncio.create_task(app.reload(with_routes(app, "new")))
        await eventually(lambda: unhurried.asked == ["#new"])
        one.say("known")
        await eventually(lambda: two.texts() == ["known"])
        one.say("during", chat="new")
        await eventually(lambda: one.incoming.empty())
        assert not reloading.done()
        unhurried.answer.set()
        await reloading
        one.say("after", chat="new")
        await eventually(lambda: two.texts("new") == ["during", "after"])


async def test_an_end_that_cannot_be_found_now_holds_no_reload_and_no_other_end(
    tmp_path: Path, unhurried: type[Unhurried], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.accounts.ends._AHEAD_S", 0.3)
    unhurried.answer.set()
    one, two = ScriptedPlatform("one", adapter=unhurried), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        one.say("of no route", chat="elsewhere")
        await eventually(lambda: len(one.confirmed) == 1)
        async with asyncio.timeout(PATIENCE_S):
            await app.reload(with_routes(app, "lost", "new"))
        one.say("after", chat="new")
        await eventually(lambda: two.texts("new") == ["after"])


async def test_a_chat_that_no_route_is_added_for_waits_for_no_reload_but_its_look_up(
    tmp_path: Path, unhurried: type[Unhurried], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a new end leads there is not known before: then it is let go, and what comes behind it is relayed."""
    monkeypatch.setattr("bridge.accounts.ends._AHEAD_S", 0.3)
    one, two = ScriptedPlatform("one", adapter=unhurried), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        one.say("of no route", chat="elsewhere")
        await eventually(lambda: len(one.confirmed) == 1)
        reloading = asyncio.create_task(app.reload(with_routes(app, "lost")))
        await eventually(lambda: unhurried.asked == ["#lost"])
        one.say("of no route either", chat="elsewhere")
        one.say("known")
        await eventually(lambda: two.texts() == ["known"])
        await reloading


async def test_a_reload_that_fails_lets_go_what_waited_for_it(
    tmp_path: Path, unhurried: type[Unhurried], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = ScriptedPlatform("one", adapter=unhurried), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        reloading = asyncio.create_task(app.reload(with_routes(app, "new")))
        await eventually(lambda: unhurried.asked == ["#new"])
        one.say("during", chat="new")
        one.say("known")
        await eventually(lambda: one.incoming.qsize() == 1)
        reloading.cancel()
        await eventually(lambda: two.texts() == ["known"])
