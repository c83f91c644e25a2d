"""At the most talkative level every decision about a message is a line, and no line holds what people said."""

from __future__ import annotations

import json
import re

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from tests.flows.process import Daemon
from tests.flows.world import PLATFORMS, World
from tests.support.patience import eventually

SECRET = "xyzzy-plugh"
"""In everything that people write: words, captions, names of files, edits."""
REPORT = Upload(name=f"{SECRET}.txt", mime="text/plain", content=b"secret " + SECRET.encode())


async def test_every_decision_is_a_line_and_no_line_holds_peoples_words(quiet_world: World) -> None:
    quiet_world.settings["log"] = {"level": "debug", "format": "json"}
    quiet_world.route_options["filter"] = [{"drop": {"text": "^DROPPED"}}]
    daemon = Daemon(quiet_world.write_config())
    try:
        await daemon.start()
        for platform in PLATFORMS:
            await daemon.until_notified(f"{platform} up")
        await people_talk(quiet_world)
    finally:
        await daemon.kill()
        daemon.close()
    lines = [json.loads(line) for line in daemon.output.splitlines() if line.startswith("{")]
    said = {line["event"] for line in lines if line["level"] == "debug"}
    assert {"delivered", "skipped", "deferred", "accepted", "no route"} <= said
    for line in lines:
        if line["level"] == "debug" and line["event"] in ("delivered", "skipped", "dead", "deferred"):
            assert line["key"], line
            assert line["message"].partition("/")[0] in PLATFORMS, line
            assert line["route"] == "lobby", line
            assert line["target"].partition("/")[0] in PLATFORMS, line
            assert isinstance(line["delivery"], int), line
    (dropped,) = {line["rule"] for line in lines if line["event"] == "skipped" and "rule" in line and "filter" in line["rule"]}
    assert re.fullmatch(r"filter 1: drop text \^DROPPED \(line \d+\)", dropped)
    leaked = [line for line in daemon.output.splitlines() if SECRET in line]
    assert not leaked, leaked[0]


async def test_words_of_what_is_relayed_alone_are_in_its_lines_if_that_is_wanted(quiet_world: World) -> None:
    quiet_world.settings["log"] = {"level": "debug", "format": "json", "content": True}
    quiet_world.route_options["filter"] = [{"drop": {"text": "^DROPPED"}}]
    daemon = Daemon(quiet_world.write_config())
    try:
        await daemon.start()
        for platform in PLATFORMS:
            await daemon.until_notified(f"{platform} up")
        discord = quiet_world.emulators["discord"]
        await discord.say(discord.add_chat("nowhere").chat_id, "Anna", f"no route begins here: {SECRET}")
        await quiet_world.say("discord", f"DROPPED {SECRET}")
        await quiet_world.say("discord", f"hello {SECRET}")
        await quiet_world.copy("telegram", SECRET)
    finally:
        await daemon.kill()
        daemon.close()
    lines = [json.loads(line) for line in daemon.output.splitlines() if line.startswith("{")]
    assert "no route" in {line["event"] for line in lines}
    found = [(line["event"], line["words"]) for line in lines if SECRET in str(line)]
    assert found == [("accepted", f"hello {SECRET}")]


async def people_talk(world: World) -> None:
    for emulator in world.emulators.values():
        await emulator.say(emulator.add_chat("nowhere").chat_id, "Anna", f"no route begins here: {SECRET}")
    for platform in PLATFORMS:
        emulator, chat = world.emulators[platform], world.chats[platform].chat_id
        message = await world.say(platform, f"hello {SECRET} from {platform}")
        await world.say(platform, f"DROPPED {SECRET}")
        await world.say(platform, f"caption {SECRET} of {platform}", files=[REPORT])
        await emulator.edit(chat, message, f"hello edited {SECRET} from {platform}")
        await everywhere(world, platform, f"edited {SECRET} from {platform}")
    for kind in (FaultKind.SERVER_ERROR, FaultKind.DROP, FaultKind.RATE_LIMIT, FaultKind.DROP_AFTER):
        for emulator in world.emulators.values():
            emulator.inject(Fault(kind=kind, operation="*", times=4, retry_after_s=0.1))
        for platform in PLATFORMS:
            await world.say(platform, f"{kind} {SECRET} from {platform}")
        for platform in PLATFORMS:
            await everywhere(world, platform, f"{kind} {SECRET} from {platform}")


async def everywhere(world: World, origin: str, words: str) -> None:
    for target in PLATFORMS:
        if target != origin:
            # twice after a lost answer, where the platform cannot be asked
            await eventually(lambda target=target: world.copies(target, words), what=f"{words} on {target}")
