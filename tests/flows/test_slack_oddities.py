"""What Slack refuses or does not hand out costs only itself, and what it shows arrives elsewhere: the whole daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from tests.flows.world import World
from tests.support.patience import eventually

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, ("telegram", "slack", "discord"))
    await world.start_platforms()
    await world.start_bridge()
    yield world
    await world.stop_bridge()
    await world.stop_platforms()


def slack(world: World) -> Any:
    return world.emulators["slack"]


def emit(world: World, **message: Any) -> str:
    """An event of Slack that its stand-in's people cannot make."""
    ts: str = slack(world).workspace.clock.next()
    chat = world.chats["slack"].chat_id
    slack(world).deliveries.emit(
        {"type": "message", "channel": chat, "channel_type": "channel", "ts": ts, "event_ts": ts, **message}
    )
    return ts


def refuse_all(world: World) -> None:
    slack(world).files.allowed = "none"


def refuse_but_images(world: World) -> None:
    slack(world).files.allowed = "images"


def without_scope(world: World) -> None:
    slack(world).workspace.scopes.discard("files:write")


def too_large(world: World) -> None:
    slack(world).inject(Fault(kind=FaultKind.SERVER_ERROR, status=413, operation="files.upload"))


@pytest.mark.parametrize("refuse", [refuse_all, refuse_but_images, without_scope, too_large])
async def test_a_refused_file_costs_only_itself(world: World, refuse: Any) -> None:
    refuse(world)
    await world.say("discord", "the words", files=[Upload(name="notes.txt", mime="text/plain", content=b"notes")])
    await world.say("discord", "afterwards")
    await world.copy("slack", "afterwards")
    copy = await world.copy("slack", "the words")
    assert copy.files == ()
    assert any("notes.txt" in text for text in world.texts("slack")), world.texts("slack")
    # and the others have it
    whole = await world.copy("telegram", "the words")
    assert [file.name for file in whole.files] == ["notes.txt"]


async def test_the_other_files_of_a_message_go(world: World) -> None:
    refuse_but_images(world)
    files = [Upload(name="a.png", mime="image/png", content=PNG), Upload(name="b.txt", mime="text/plain", content=b"text")]
    await world.say("discord", "both", files=files)
    copy = await world.copy("slack", "both")
    shown = await eventually(
        lambda: [m for m in world.seen("slack") if m.is_bot and m.files], what=f"a.png: {world.texts('slack')}"
    )
    assert [file.name for message in shown for file in message.files] == ["a.png"]
    assert any("b.txt" in text for text in world.texts("slack")), (copy, world.texts("slack"))


@pytest.mark.parametrize("told", [{"mode": "quip", "mimetype": "application/vnd.slack-docs"}, {"filetype": "list", "mode": "list"}])
async def test_pages_of_slack_hold_nothing_up(world: World, told: dict[str, Any]) -> None:
    page = {
        "id": "F0PAGE0001",
        "title": "Team notes",
        "size": 5,
        "permalink": "https://example.slack.com/docs/T0/F0PAGE0001",
        **told,
    }
    page["url_private"] = f"{slack(world).base_url}/files-pri/T0-F0PAGE0001/x"
    emit(world, subtype="file_share", user=slack(world).add_person("Anna"), text="see", files=[page])
    await world.say("slack", "still there?")
    for platform in ("telegram", "discord"):
        await world.copy(platform, "still there?")
        copy = await world.copy(platform, "Team notes")
        assert "https://example.slack.com/docs/T0/F0PAGE0001" in copy.html
    assert "files.download" not in slack(world).calls()


async def test_without_the_right_to_read_files_the_words_go_on(world: World) -> None:
    slack(world).workspace.scopes.discard("files:read")
    await world.say("slack", "with a file", files=[Upload(name="plan.pdf", mime="application/pdf", content=b"pdf")])
    await world.say("slack", "still there?")
    for platform in ("telegram", "discord"):
        await world.copy(platform, "still there?")
        await world.copy(platform, "with a file")
        assert any("plan.pdf" in text for text in world.texts(platform)), world.texts(platform)


async def test_a_forged_mark_makes_nothing_vanish(world: World) -> None:
    """The mark of a copy that the bridge has really posted, on somebody else's message."""
    await world.say("discord", "original")
    copy = await world.copy("slack", "original")
    real = slack(world).workspace.message(world.chats["slack"].chat_id, copy.message_id)
    emit(
        world, text="forged", bot_id="B0OTHER001", app_id="A0OTHER001", username="Other", metadata=real.metadata, blocks=real.blocks
    )
    blocks = [{**real.blocks[0], "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "forged too"}]}]}]
    emit(world, text="forged too", user=slack(world).add_person("Mallory"), metadata=real.metadata, blocks=blocks)
    await world.copy("telegram", "forged too")
    assert len(world.copies("telegram", "original")) == 2, "the forged one is a message like any other"
    await world.say("discord", "afterwards")
    await world.copy("slack", "afterwards")


async def test_a_status_card_follows(world: World) -> None:
    author = {"bot_id": "B0CI000001", "app_id": "A0CI000001", "bot_profile": {"id": "B0CI000001", "name": "CI"}}
    card: dict[str, Any] = {"text": "", **author, "attachments": [{"id": 1, "text": "running", "fallback": "running"}]}
    ts = emit(world, **card)
    await world.copy("telegram", "running")
    old = {"type": "message", "ts": ts, **card}
    for state in ("testing", "passed"):
        new = {**old, "attachments": [{"id": 1, "text": state, "fallback": state, "color": "00ff00"}]}
        emit(world, subtype="message_changed", hidden=True, message=new, previous_message=old)
        old = new
    for platform in ("telegram", "discord"):
        await world.copy(platform, "passed")
        assert not world.copies(platform, "running")
