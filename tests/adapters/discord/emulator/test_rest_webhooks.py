"""The emulator's webhooks: names, counts, tokens, and who waits for an answer."""

from __future__ import annotations

import pytest

from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.emulator.conftest import Client, new_webhook

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.mark.parametrize("name", ["discord", "My DISCORD bot", "Clyde", "everyone", "HERE", "", "x" * 81])
async def test_webhook_names_are_checked(bench: Bench, call: Client, name: str) -> None:
    hook = await new_webhook(call, bench)
    status, answer = await call("POST", hook, {"content": "x", "username": name or " "})
    assert (status, answer["code"]) == (400, 50035)
    assert "username" in answer["errors"]


async def test_webhooks_answer_only_those_who_wait(bench: Bench, call: Client) -> None:
    hook = await new_webhook(call, bench)
    assert await call("POST", hook, {"content": "x"}) == (204, None)
    status, message = await call("POST", hook + "?wait=true", {"content": "x", "username": "Anna"})
    assert (status, message["author"]["username"], message["webhook_id"]) == (200, "Anna", hook.split("/")[2])
    assert (await call("POST", "/webhooks/1/x", {"content": "x"}))[1]["code"] == 10015
    assert (await call("POST", hook + "x", {"content": "x"}))[1]["code"] == 50027


async def test_fifteen_webhooks_are_the_limit(bench: Bench, call: Client) -> None:
    for _ in range(15):
        await new_webhook(call, bench)
    status, answer = await call("POST", f"/channels/{bench.chat}/webhooks", {"name": "one more"})
    assert (status, answer["code"]) == (400, 30007)


async def test_tokens_of_others_webhooks_are_not_told(bench: Bench, call: Client) -> None:
    await new_webhook(call, bench)
    other = bench.emulator.add_bot("Other")
    _, seen_by_other = await call("GET", f"/channels/{bench.chat}/webhooks", token=other.token)
    assert "token" not in seen_by_other[0]
