"""Ends that nothing can be relayed at, and where nobody says anything: `/health` knows them all the same."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.discord.emulator.records import Permission
from bridge import app as app_module
from bridge.accounts.chat_probes import Lookout
from tests.flows.world import PLATFORMS, World
from tests.support.patience import eventually_asked


async def report_when(world: World, *ends: str) -> dict[str, Any]:
    """The report once it tells exactly these platforms' ends as dead."""
    assert world.app is not None

    def are_dead(report: dict[str, Any]) -> bool:
        (route,) = report["routes"]["list"]
        return sorted(one["end"].partition("/")[0] for one in route["ends"] if one["status"] == "fail") == sorted(ends)

    return await eventually_asked(world.app.report, holds=are_dead)


async def test_ends_that_nobody_writes_to_are_told_when_they_are_dead(quiet_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "Lookout", lambda *arguments: Lookout(*arguments, first_s=0.01, soon_s=0.05))
    world = quiet_world
    emulators: dict[str, Any] = world.emulators
    chats = {name: chat.chat_id for name, chat in world.chats.items()}
    world.chats["telegram"] = emulators["telegram"].add_group("team")
    chats["telegram"] = world.chats["telegram"].chat_id
    await world.start_bridge()
    assert (await report_when(world))["ok"] is True
    await world.stop_bridge()

    emulators["telegram"].kick(chats["telegram"])
    emulators["slack"].remove_bot(chats["slack"])
    emulators["discord"].deny(chats["discord"], Permission.VIEW_CHANNEL)
    await world.start_bridge()
    report = await report_when(world, "telegram", "slack", "discord")
    assert (report["ok"], report["status"]) == (False, "fail")
    assert report["routes"]["counts"]["fail"] == 1
    assert report["to_do"]

    emulators["discord"].deny(chats["discord"], Permission(0))
    slack = emulators["slack"].workspace
    slack.join(slack.channels[chats["slack"]], slack.bot_user_id)
    report = await report_when(world, "telegram")
    assert report["ok"] is False
    emulators["telegram"].promote(chats["telegram"])
    assert (await report_when(world))["ok"] is True


async def test_a_telegram_group_in_which_nobody_is_heard_fails(quiet_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Privacy mode on and the bot no administrator: what people write there is lost, while copies still arrive."""
    monkeypatch.setattr(app_module, "Lookout", lambda *arguments: Lookout(*arguments, first_s=0.01, soon_s=0.05))
    world = quiet_world
    telegram: Any = world.emulators["telegram"]
    chat = world.chats["telegram"].chat_id
    telegram.bot().sees_everything = False
    await world.start_bridge()
    assert (await report_when(world))["ok"] is True, "as an administrator it hears everything"
    telegram.promote(chat, admin=False)
    report = await report_when(world, "telegram")
    assert (report["ok"], report["status"]) == (False, "fail")
    assert any("privacy mode is on" in line and "/setprivacy" in line for line in report["to_do"])
    await world.say("slack", "still arrives")
    await world.copy("telegram", "still arrives")
    telegram.promote(chat)
    assert (await report_when(world))["ok"] is True


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_bot_that_is_thrown_out_is_told_and_goes_on_once_it_is_back(
    quiet_world: World, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    """What was said meanwhile waits for that chat alone."""
    monkeypatch.setattr(app_module, "Lookout", lambda *arguments: Lookout(*arguments, first_s=0.01, soon_s=0.05))
    world = quiet_world
    emulator: Any = world.emulators[platform]
    chat = world.chats[platform].chat_id
    await world.start_bridge()
    assert (await report_when(world))["ok"] is True
    emulator.remove_bot(chat)
    speaker, *others = (name for name in PLATFORMS if name != platform)
    await world.say(speaker, "said meanwhile")
    for other in others:
        await world.copy(other, "said meanwhile")
    report = await report_when(world, platform)
    assert any(line.startswith(f"{platform}/") for line in report["to_do"]), report["to_do"]
    # chat:write.public: Slack lets apps post into public channels without being members
    assert len(world.copies(platform, "said meanwhile")) == (platform == "slack")
    emulator.bring_bot_back(chat)
    await world.copy(platform, "said meanwhile")
    assert (await report_when(world))["ok"] is True
