"""A message that its platform never takes holds up its chat for a while only; an outage makes no dead letters."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.app import App
from bridge.model.adapter import Outbound, Receipt
from bridge.model.errors import DeliveryError, OutcomeUnknown, RetryLater, Scope
from bridge.model.rich_text import text_of
from bridge.policy.retry import Policy
from bridge.policy.routing import Route
from tests.support.patience import eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, bridge, end

CHATS = ("c", "other")
ERRORS = [lambda: RetryLater("HTTP 500"), lambda: OutcomeUnknown("HTTP 500")]


class Troubled(ScriptedPlatform):
    """Sends fail for which `fails` holds."""

    def __init__(self, name: str, error: Callable[[], DeliveryError], fails: Callable[[str, str], bool]) -> None:
        super().__init__(name, adapter=FailingAdapter)
        self.error = error
        self.fails = fails
        self.failed = 0
        self.arrives_at = 0
        """Which failed send arrives all the same; 0: none does."""


class FailingAdapter(ScriptedAdapter):
    platform: Troubled

    async def send(self, outbound: Outbound) -> Receipt:
        if self.platform.fails(outbound.chat_id, text_of(outbound.text)):
            self.platform.failed += 1
            if self.platform.failed == self.platform.arrives_at:
                await super().send(outbound)
            raise self.platform.error()
        return await super().send(outbound)


QUICK = Policy(base_s=0.01, cap_s=0.05, floor_s=0.01, poison_attempts=4, poison_after_s=0.1)


def of_chats(folder: Path, one: ScriptedPlatform, two: Troubled, policy: Policy = QUICK, **more: Any) -> App:
    routes = [Route(name=chat, ends=(end(f"one/{chat}"), end(f"two/{chat}"))) for chat in CHATS]
    return bridge(folder, [one, two], routes, policy=policy, **more)


@asynccontextmanager
async def talk(one: ScriptedPlatform, chat: str) -> AsyncIterator[None]:
    """Somebody says something there every moment."""

    async def on_and_on() -> None:
        while True:
            one.say("meanwhile", chat=chat)
            await asyncio.sleep(0.02)

    talking = asyncio.create_task(on_and_on())
    try:
        yield
    finally:
        talking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await talking


@pytest.mark.parametrize("reconciles", [True, False])
@pytest.mark.parametrize("error", ERRORS, ids=["later", "unknown"])
async def test_a_message_that_alone_always_fails_is_a_dead_letter_and_its_chat_goes_on(
    tmp_path: Path, error: Callable[[], DeliveryError], reconciles: bool
) -> None:
    """Where the platform can be asked, it has said that the message is not there."""
    one, two = ScriptedPlatform("one"), Troubled("two", error, lambda _, text: text == "poison")
    two.reconciles = reconciles
    async with of_chats(tmp_path, one, two) as app, talk(one, "other"):
        for text in ("before", "poison", "after", "end"):
            one.say(text)
        await eventually(lambda: two.texts() == ["before", "after", "end"])
        (letter,) = await app._journal.dead_letters()
        assert "HTTP 500" in letter.reason
        assert "other chats of the account were served" in letter.reason
        assert ("It may have arrived" in letter.reason) == (isinstance(error(), OutcomeUnknown) and not reconciles)
        assert two.failed >= 4


async def test_what_is_there_after_all_is_no_dead_letter(tmp_path: Path) -> None:
    """The send that would have been the last one arrives, and its answer is lost."""
    one, two = ScriptedPlatform("one"), Troubled("two", ERRORS[1], lambda _, text: text == "poison")
    policy = Policy(base_s=0.3, cap_s=0.3, floor_s=0.3, poison_attempts=1, poison_after_s=0.0)
    two.arrives_at = 2
    async with of_chats(tmp_path, one, two, policy) as app, talk(one, "other"):
        one.say("poison")
        await eventually(lambda: two.texts() == ["poison"])
        one.say("after")
        await eventually(lambda: two.texts() == ["poison", "after"])
        assert not await app._journal.dead_letters()


@pytest.mark.parametrize(
    "error", [*ERRORS, lambda: RetryLater("HTTP 503", scope=Scope.ACCOUNT)], ids=["later", "unknown", "account"]
)
async def test_an_outage_of_the_platform_makes_no_dead_letter(tmp_path: Path, error: Callable[[], DeliveryError]) -> None:
    is_out = True
    one, two = ScriptedPlatform("one"), Troubled("two", error, lambda *_: is_out)
    async with of_chats(tmp_path, one, two) as app:
        said = [f"m{number}" for number in range(5)]
        for text in said:
            for chat in CHATS:
                one.say(text, chat=chat)
        await eventually(lambda: two.failed >= 40)
        is_out = False
        for chat in CHATS:
            await eventually(lambda chat=chat: two.texts(chat) == said)
        assert not await app._journal.dead_letters()


async def test_a_chat_that_is_out_by_itself_costs_one_message_at_most(tmp_path: Path) -> None:
    """The second one in a row says that it is the chat: what is behind waits, in order."""
    is_out = True
    one, two = ScriptedPlatform("one"), Troubled("two", ERRORS[0], lambda chat, _: is_out and chat == "c")
    async with of_chats(tmp_path, one, two) as app, talk(one, "other"):
        said = [f"m{number}" for number in range(5)]
        for text in said:
            one.say(text)
        await eventually(lambda: two.failed >= 40)
        is_out = False
        await eventually(lambda: two.texts() == said[1:])
        assert len(await app._journal.dead_letters()) == 1


@pytest.mark.parametrize("rate_limited", [False, True])
async def test_what_says_nothing_about_the_message_does_not_count_against_it(tmp_path: Path, rate_limited: bool) -> None:
    """A rate limit, and an end that cannot be looked up now, while others are served."""
    left = 12
    if rate_limited:
        limit = RetryLater("too many", after_s=0.01, rate_limited=True)
        one, two = ScriptedPlatform("one"), Troubled("two", lambda: limit, lambda chat, _: chat == "c" and left > two.failed)
    else:

        class Lost(ScriptedAdapter):
            async def resolve(self, address: str) -> str:
                nonlocal left
                if address == "c" and left:
                    left -= 1
                    raise RetryLater("not now")
                return address

        one, two = ScriptedPlatform("one"), Troubled("two", ERRORS[0], lambda *_: False)
        two.adapter = Lost
    async with of_chats(tmp_path, one, two) as app, talk(one, "other"):
        one.say("m1")
        await eventually(lambda: two.texts() == ["m1"])
        assert not await app._journal.dead_letters()
