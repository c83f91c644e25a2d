"""A reload that has to come up: what does not is undone, and neither the trial nor its end loses or doubles a message."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bridge import account_trial
from bridge.account_trial import NotUp
from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.config.model import AccountConfig, Config
from bridge.journal.contract import JournalError
from bridge.model.adapter import Intake, ProbeItem
from bridge.model.errors import ChatDown, ConnectionLost, RetryLater, Scope
from bridge.model.refs import AccountName
from bridge.policy.routing import RelayOptions, Route
from tests.support.patience import PATIENCE_S, eventually, stays
from tests.support.reloads import Platform, TokenAdapter, is_in, with_token, without_routes
from tests.support.scripted import all_done, bridge, end, skipped_by

SOON_S = 0.3
ONE, TWO, THREE = AccountName("one"), AccountName("two"), AccountName("three")


class Careful(TokenAdapter):
    """As platforms do: what was not accepted comes again."""

    async def run(self, intake: Intake) -> None:
        self.check()
        if "hangs" in str(self.token):
            await asyncio.Event().wait()
        if "late" not in str(self.token):
            intake.connected()
        self.platform.connections += 1
        while True:
            events, cursors = await self.platform.incoming.get()
            try:
                await intake.accept(events, cursors=cursors)
            except (asyncio.CancelledError, JournalError):
                self.platform.incoming.put_nowait((events, cursors))
                raise
            intake.connected()
            self.platform.confirmed += [event.meta.event_key for event in events]


class Sealed(Careful):
    """Does not connect, and lets go only when it likes."""

    async def run(self, intake: Intake) -> None:
        if self.token != "hangs":
            return await super().run(intake)
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(1000):
                await asyncio.sleep(0)


@pytest.fixture
def one() -> Platform:
    return careful("one")


@pytest.fixture
def two() -> Platform:
    return careful("two")


def careful(name: str) -> Platform:
    platform = Platform(name)
    platform.adapter = Careful
    return platform


def lines(platform: Platform) -> list[str]:
    return "\n".join(platform.texts()).splitlines()


async def refused(app: App, config: Config, *, within_s: float = PATIENCE_S) -> str:
    """The reasons for which it was undone."""
    before, table = app.config, app._table
    with pytest.raises(NotUp) as told:
        await app.reload(config, up_within_s=within_s)
    assert app.config is before
    assert app._table is table
    return str(told.value)


async def relays(app: App, one: Platform, two: Platform, *texts: str) -> None:
    """Everything that was said, and what is said now, is there once, in order."""
    await is_in(app, "one", AccountState.UP)
    await is_in(app, "two", AccountState.UP)
    one.say("end")
    await eventually(lambda: "end" in lines(two), what=str(lines(two)))
    await all_done(app)
    assert lines(two) == [*texts, "end"]
    assert not await app._journal.dead_letters()
    assert skipped_by(app) == {}


async def test_a_token_that_is_refused_is_told_with_what_to_do_and_the_old_one_goes_on(
    tmp_path: Path, one: Platform, two: Platform
) -> None:
    two.revoked.add("bad")
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)
        one.say("before")
        assert await refused(app, with_token(app.config, "two", "bad")) == (
            "two: the token was revoked - make a new one, put it into bridge.yaml, reload"
        )
        await relays(app, one, two, "before")
    assert set(two.sent_by) == {None}


async def test_a_good_token_takes_over(tmp_path: Path, one: Platform, two: Platform) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)
        await app.reload(with_token(app.config, "two", "good"), up_within_s=PATIENCE_S)
        assert app.account_states()["two"].state is AccountState.UP
        await relays(app, one, two)
    assert set(two.sent_by) == {"good"}


@pytest.mark.parametrize("adapter", [Careful, Sealed])
async def test_an_adapter_that_hangs_in_its_start_is_given_up(
    tmp_path: Path, one: Platform, two: Platform, adapter: type[TokenAdapter]
) -> None:
    two.adapter = adapter
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)
        told = await refused(app, with_token(app.config, "two", "hangs"), within_s=SOON_S)
        assert told == f"two: not connected within {SOON_S} s"
        await relays(app, one, two)


async def test_a_platform_that_is_not_reached_is_told_by_its_reason(tmp_path: Path, one: Platform, two: Platform) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)
        two.adapter = lambda platform, context: Unreachable(platform, context) if context.options else Careful(platform, context)
        assert "name or service not known" in await refused(app, with_token(app.config, "two", "new"), within_s=10 * SOON_S)
        await relays(app, one, two)


class Unreachable(Careful):
    async def run(self, intake: Intake) -> None:
        raise ConnectionLost("name or service not known")


async def test_what_is_heard_on_trial_is_accepted_once_whatever_becomes_of_it(tmp_path: Path, one: Platform, two: Platform) -> None:
    """One account comes up and hears, another keeps the reload from being applied."""
    two.revoked.add("bad")
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        both = with_token(with_token(app.config, "one", "good"), "two", "hangs")
        reloading = asyncio.create_task(refused(app, both, within_s=1.0))
        await eventually(lambda: one.connections == 2)
        one.say("on trial")
        await eventually(lambda: app._supervisors[ONE].was_heard)
        assert one.confirmed == []
        assert "two" in await reloading
        await relays(app, one, two, "on trial")
        assert len(one.confirmed) == 2

        good = with_token(app.config, "one", "good")
        reloading_well = asyncio.create_task(app.reload(good, up_within_s=PATIENCE_S))
        one.say("meanwhile")
        await reloading_well
        await eventually(lambda: lines(two)[-1] == "meanwhile")


async def test_an_account_that_is_up_only_when_its_first_input_is_accepted(tmp_path: Path, one: Platform, two: Platform) -> None:
    """Telegram takes what waited before it says that it is connected; that waits for the end of the trial."""
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        reloading = asyncio.create_task(app.reload(with_token(app.config, "one", "late"), up_within_s=PATIENCE_S))
        await eventually(lambda: one.connections == 2)
        one.say("waited")
        await reloading
        await relays(app, one, two, "waited")


async def test_nothing_is_sent_on_trial(tmp_path: Path, one: Platform, two: Platform) -> None:
    """The new options may be another bot's, in another place: what is said meanwhile goes out by those that stay."""
    three = careful("three")
    async with bridge(tmp_path, [one, two, three]) as app:
        await is_in(app, "two", AccountState.UP)
        await is_in(app, "three", AccountState.UP)
        both = with_token(with_token(app.config, "two", "good"), "one", "hangs")
        reloading = asyncio.create_task(refused(app, both, within_s=1.5))
        await eventually(lambda: two.connections == 2)
        three.say("meanwhile")
        await eventually(lambda: three.confirmed)
        await stays(lambda: two.sends == 0)
        await reloading
        await eventually(lambda: two.texts() == one.texts() == ["meanwhile"])
        await all_done(app)
        assert set(two.sent_by) == {None}
        await app.reload(with_token(app.config, "two", "good"), up_within_s=PATIENCE_S)
        three.say("afterwards")
        await eventually(lambda: two.texts() == ["meanwhile", "afterwards"])
    assert two.sent_by == [None, "good"]


async def test_a_backlog_outlasts_a_reload_that_is_undone(tmp_path: Path, one: Platform, two: Platform) -> None:
    """Also where the new file has no route for what waits: routes are as they were until everything is up."""
    two.revoked.add("bad")
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)
        two.faults.append((RetryLater("too many", after_s=3600.0, rate_limited=True, scope=Scope.CHAT), False))
        for number in range(5):
            one.say(f"m{number}")
        await eventually(lambda: len(one.confirmed) == 5)
        await refused(app, without_routes(with_token(app.config, "two", "bad")))
        assert app._outbox is not None
        app._outbox.try_now(TWO)
        await relays(app, one, two, *(f"m{number}" for number in range(5)))


async def test_a_send_under_way_ends_before_its_account_is_tried_anew(tmp_path: Path, one: Platform, two: Platform) -> None:
    two.revoked.add("bad")
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)
        two.hang = asyncio.Event()
        one.say("under way")
        await eventually(lambda: two.sends == 1)
        reloading = asyncio.create_task(refused(app, with_token(app.config, "two", "bad")))
        two.hang.set()
        await reloading
        await relays(app, one, two, "under way")


def with_three(config: Config, token: object = None) -> Config:
    """A third account, in the same route."""
    account = AccountConfig(name=THREE, platform="three", options=token, relay=RelayOptions())
    (route,) = config.routes
    longer = Route(name=route.name, ends=(*route.ends, end("three/c")))
    return replace(config, accounts={**config.accounts, THREE: account}, routes=(longer,))


@pytest.mark.parametrize("token", ["bad", None], ids=["refused", "works"])
async def test_an_account_that_is_added(tmp_path: Path, one: Platform, two: Platform, token: object) -> None:
    three = careful("three")
    three.revoked.add("bad")

    def without_three(config: Config) -> Config:
        kept = {name: account for name, account in config.accounts.items() if name != "three"}
        return replace(config, accounts=kept, routes=(Route(name="all", ends=(end("one/c"), end("two/c"))),))

    async with bridge(tmp_path, [one, two, three], change=without_three) as app:
        await is_in(app, "one", AccountState.UP)
        wanted = with_three(app.config, token)
        if token == "bad":
            assert "three: the token was revoked" in await refused(app, wanted)
            assert set(app.account_states()) == {"one", "two"}
        else:
            await app.reload(wanted, up_within_s=PATIENCE_S)
            one.say("for three")
            await eventually(lambda: three.texts() == ["for three"])
        assert "for three" in two.texts() or token == "bad"


class Roomless(Careful):
    """Knows no chat but `c`."""

    async def resolve(self, address: str) -> str:
        if address == "gone":
            raise ChatDown("no such chat", action="invite the bot")
        if address == "slow":
            raise RetryLater("busy")
        return address


def with_route(config: Config, *ends: str) -> Config:
    return replace(config, routes=(*config.routes, Route(name="more", ends=tuple(end(one) for one in ends))))


async def test_a_new_end_whose_chat_is_not_there_keeps_the_file_from_being_applied(
    tmp_path: Path, one: Platform, two: Platform
) -> None:
    one.adapter = Roomless
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        more = with_route(app.config, "one/gone", "two/d")
        assert await refused(app, more) == "one/gone: no such chat - invite the bot"
        assert not app._supervisors[ONE].end_faults
        assert (await app.report())["status"] == "pass"
        await relays(app, one, two)
        await app.reload(more)
        assert [route.name for route in app.config.routes] == ["all", "more"]
    assert (one.connections, two.connections) == (1, 1)


class Excluded(Careful):
    """Is in no chat but `c`, which only a look at it tells."""

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        if chat_id == "hangs":
            await asyncio.Event().wait()
        gone = ProbeItem(name="membership", ok=False, detail="not in it", action="invite it", chat_id=chat_id, dead=True)
        return [gone] if chat_id == "left" else [ProbeItem(name="pins", ok=False, detail="no right to pin", chat_id=chat_id)]


async def test_a_new_end_that_has_an_id_is_looked_at(
    tmp_path: Path, one: Platform, two: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing right alone is no reason, nor a platform that does not answer."""
    monkeypatch.setattr(account_trial, "_LOOK_S", 1.0)
    one.adapter = Excluded
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        assert await refused(app, with_route(app.config, "one/left", "two/d")) == "one/left: membership: not in it - invite it"
        await app.reload(with_route(app.config, "one/other", "one/hangs", "two/d"), up_within_s=PATIENCE_S)
        assert [route.name for route in app.config.routes] == ["all", "more"]
        await relays(app, one, two)


async def test_what_was_heard_before_an_end_was_found_missing_is_accepted_once(
    tmp_path: Path, one: Platform, two: Platform
) -> None:
    """The account came up with other options, and goes back all the same."""
    one.adapter = Roomless
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        reloading = asyncio.create_task(refused(app, with_route(with_token(app.config, "one", "good"), "one/gone", "two/d")))
        one.say("meanwhile")
        assert await reloading == "one/gone: no such chat - invite the bot"
        await relays(app, one, two, "meanwhile")


async def test_a_new_end_that_cannot_be_asked_about_now_is_looked_up_later(tmp_path: Path, one: Platform, two: Platform) -> None:
    one.adapter = Roomless
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        await app.reload(with_route(app.config, "one/slow", "two/d"), up_within_s=PATIENCE_S)
        assert [route.name for route in app.config.routes] == ["all", "more"]


async def test_a_journal_that_fails_on_the_way_undoes_it_too(
    tmp_path: Path, one: Platform, two: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)

        async def fails(*_: object) -> None:
            raise JournalError("disk I/O error")

        with monkeypatch.context() as broken:
            broken.setattr(app._ends, "recall", fails)
            config = app.config
            with pytest.raises(JournalError):
                await app.reload(with_token(config, "two", "good"), up_within_s=PATIENCE_S)
            assert app.config is config
        await app.reload(app.config, up_within_s=PATIENCE_S)
        await relays(app, one, two)
    assert set(two.sent_by) == {None}


async def test_a_stop_in_the_middle_of_a_trial(tmp_path: Path, one: Platform, two: Platform) -> None:
    app = bridge(tmp_path, [one, two])
    await app.start()
    await is_in(app, "two", AccountState.UP)
    reloading = asyncio.create_task(app.reload(with_token(app.config, "two", "hangs"), up_within_s=3600.0))
    await eventually(lambda: app._supervisors[TWO].health.state is AccountState.CONNECTING)
    one.say("before the end")
    await eventually(lambda: one.confirmed)
    reloading.cancel()
    await asyncio.gather(reloading, return_exceptions=True)
    async with asyncio.timeout(PATIENCE_S):
        await app.stop(drain_s=0)
    async with bridge(tmp_path, [one, two]) as again:
        await relays(again, one, two, "before the end")


async def test_a_webhook_that_calls_during_a_trial_is_told_to_come_again(tmp_path: Path, one: Platform, two: Platform) -> None:
    """It does not wait for ever for an account that is gone."""
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)
        both = with_token(with_token(app.config, "two", "good"), "one", "hangs")
        reloading = asyncio.create_task(refused(app, both, within_s=1.0))
        await eventually(lambda: two.connections == 2)
        calling = asyncio.create_task(app._supervisors[TWO].settled())
        await reloading
        with pytest.raises(JournalError):
            await calling
        await relays(app, one, two)


async def test_an_account_that_is_down_when_it_is_tried_is_no_worse_afterwards(
    tmp_path: Path, one: Platform, two: Platform
) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "two", AccountState.UP)
        two.revoked |= {None, "bad"}
        one.say("m1")
        await is_in(app, "two", AccountState.PARKED)
        await refused(app, with_token(app.config, "two", "bad"))
        await is_in(app, "two", AccountState.PARKED)
        await app.reload(with_token(app.config, "two", "right"), up_within_s=PATIENCE_S)
        await relays(app, one, two, "m1")
