"""`trace` and `/health` beside a running bridge of four platforms: every outcome can be read, from original and copies."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from typing import Any

from tests.flows.world import PLATFORMS, World
from tests.support.patience import PATIENCE_S


async def trace(world: World, what: str) -> tuple[int | None, dict[str, Any]]:
    """The command as an admin calls it: without tokens in its environment, while the bridge runs."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "bridge.cli", "trace", what, "--json", "-c", str(world.folder / "bridge.yaml")],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    assert not err, err.decode()
    return process.returncode, json.loads(out)


async def steps(world: World, *options: str) -> list[dict[str, Any]]:
    """All that happened so far, by the live tap's command."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "bridge.cli", "trace", "--from", "1", "--json", *options, "-c", str(world.folder / "bridge.yaml")],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    return [json.loads(line) for line in out.splitlines()]


def link(world: World, platform: str, message_id: str) -> str:
    """As the platform's app copies it."""
    chat = world.chats[platform].chat_id
    options = world.emulators[platform].account_options()
    match platform:
        case "telegram":
            return f"https://t.me/c/{chat.removeprefix('-100')}/{message_id}"
        case "slack":
            return f"https://acme.slack.com/archives/{chat}/p{message_id.replace('.', '')}"
        case "discord":
            return f"https://discord.com/channels/100000000000000001/{chat}/{message_id}"
        case _:
            return f"{options['server']}/team/pl/{message_id}"


async def test_a_message_is_traced_from_the_link_to_any_of_its_copies(world: World) -> None:
    ids = {"slack": await world.say("slack", "where is it")}
    for target in PLATFORMS:
        if target != "slack":
            ids[target] = (await world.copy(target, "where is it")).message_id
    for platform in PLATFORMS:
        code, found = await trace(world, link(world, platform, ids[platform]))
        assert code == 0, found
        (message,) = found["messages"]
        assert message["original"] == f"slack/{world.chats['slack'].chat_id}#{ids['slack']}"
        assert message["is_original"] is (platform == "slack")
        outcomes = {one["target"].partition("/")[0]: (one["state"], one["copies"]) for one in message["deliveries"]}
        assert outcomes == {
            target: ("delivered", [f"{target}/{world.chats[target].chat_id}#{ids[target]}"])
            for target in PLATFORMS
            if target != "slack"
        }


async def test_what_goes_nowhere_is_explained(quiet_world: World) -> None:
    quiet_world.route_options["filter"] = [{"drop": {"text": "^DEBUG"}}]
    await quiet_world.start_bridge()
    dropped = await quiet_world.say("discord", "DEBUG noise")
    await quiet_world.say("discord", "the end")
    await quiet_world.copy("telegram", "the end")
    code, found = await trace(quiet_world, link(quiet_world, "discord", dropped))
    assert code == 0, found
    ((state, rule, note),) = {(one["state"], one["rule"], one["note"]) for one in found["messages"][0]["deliveries"]}
    assert (state, rule) == ("skipped", "filter")
    assert re.fullmatch(r"filter 1: drop text \^DEBUG \(line \d+\)", note)
    skipped = await steps(quiet_world, "--outcome", "skipped")
    assert {(one["message"].rpartition("#")[2], one["deliveries"][0]["note"]) for one in skipped} == {(dropped, note)}
    assert sorted(one["deliveries"][0]["target"].partition("/")[0] for one in skipped) == ["slack", "teamspirit", "telegram"]
    elsewhere = quiet_world.emulators["discord"].add_chat("elsewhere").chat_id
    lost = await quiet_world.emulators["discord"].say(elsewhere, "Anna", "nobody hears this")
    code, found = await trace(quiet_world, f"discord/{elsewhere}#{lost}")
    assert code == 1
    assert f"no route has discord/{elsewhere} as an end" in found["unknown"]


async def test_every_account_is_heard_of(world: World) -> None:
    """What polls or has a socket says when it was last heard, and is well as long as it is."""
    assert world.app is not None
    app = world.app

    async def heard() -> dict[str, Any]:
        return {name: account["last_heard_s"] for name, account in (await app.report())["accounts"].items()}

    for platform in PLATFORMS:
        await world.say(platform, f"still there, {platform}?")
    await world.copy("telegram", "still there, discord?")
    found = await heard()
    assert all(seconds is not None and seconds < PATIENCE_S for seconds in found.values()), found
    report = await app.report()
    assert (report["ok"], report["status"]) == (True, "pass"), report["to_do"]
