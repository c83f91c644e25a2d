"""The emulator's rules: pings, reactions, rate budgets."""

from __future__ import annotations

import pytest

from adapters.discord.emulator.rules import RateBudgets
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.emulator.conftest import Client, new_webhook

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def test_pings_follow_allowed_mentions(bench: Bench, call: Client) -> None:
    anna = bench.emulator.add_person("Anna")
    text = f"<@{anna}> @everyone"
    path = f"/channels/{bench.chat}/messages"
    _, by_default = await call("POST", path, {"content": text})
    _, none = await call("POST", path, {"content": text, "allowed_mentions": {"parse": []}})
    _, one = await call("POST", path, {"content": text, "allowed_mentions": {"parse": [], "users": [anna]}})
    hook = await new_webhook(call, bench)
    _, by_webhook = await call("POST", hook + "?wait=1", {"content": text})
    pinged = [([u["id"] for u in m["mentions"]], m["mention_everyone"]) for m in (by_default, none, one, by_webhook)]
    assert pinged == [([anna], False), ([], False), ([anna], False), ([anna], False)]
    _, edited = await call("PATCH", f"{path}/{none['id']}", {"content": text})
    assert [u["id"] for u in edited["mentions"]] == [anna], "an edit is read anew, by the defaults"


async def test_twenty_kinds_of_reactions_are_the_limit(bench: Bench, call: Client) -> None:
    message = await bench.emulator.say(bench.chat, "Anna", "hello")
    path = f"/channels/{bench.chat}/messages/{message}/reactions/"
    emoji = [chr(0x1F600 + n) for n in range(21)]
    answers = [await call("PUT", f"{path}{e}/@me") for e in emoji]
    assert [status for status, _ in answers[:20]] == [204] * 20
    assert answers[20][1]["code"] == 30010
    assert (await call("PUT", f"{path}nonsense/@me"))[1]["code"] == 10014
    assert (await call("PUT", f"{path}party:123/@me"))[1]["code"] == 10014


async def test_strict_budgets_answer_as_discord_does(bench: Bench, call: Client) -> None:
    bench.emulator.budgets = RateBudgets.strict()
    path = f"/channels/{bench.chat}/messages"
    for left in (4, 3, 2, 1, 0):
        assert (await call("POST", path, {"content": "x"}))[0] == 200
        assert call.headers["X-RateLimit-Remaining"] == str(left)
    status, answer = await call("POST", path, {"content": "x"})
    assert status == 429
    assert 0 < answer["retry_after"] <= 5
    assert {"Via", "Retry-After", "X-RateLimit-Scope"} <= set(call.headers)
