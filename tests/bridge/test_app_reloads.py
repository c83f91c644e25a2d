"""A reload while something waits: whatever it replaces or removes, what waited goes on with what there is now, or ends by name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.model.adapter import Intake
from bridge.model.errors import RetryLater, Scope
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName
from bridge.policy.routing import RelayOptions
from tests.support.patience import PATIENCE_S, eventually, stays
from tests.support.reloads import Platform, Removal, TokenAdapter, is_in, with_token, without_account, without_routes
from tests.support.scripted import all_done, bridge, skipped_by

LONG_S = 3600.0


@pytest.fixture
def one() -> Platform:
    return Platform("one")


@pytest.fixture
def two() -> Platform:
    return Platform("two")


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
