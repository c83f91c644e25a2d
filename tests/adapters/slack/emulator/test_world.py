"""The workspace's rules: what each change is reported as, and to whom."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.common.emulation.contract import SeenMessage
from adapters.common.emulation.options import EmulatorOptions
from adapters.slack.emulator.records import Channel, Message
from adapters.slack.emulator.world import Workspace


class Reported:
    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.seen: list[tuple[str, SeenMessage]] = []
        self.workspace = Workspace(
            publish=lambda kind, message: self.seen.append((kind, message)),
            emit=self.events.append,
            base_url=lambda: "http://127.0.0.1:1",
            keep=EmulatorOptions(),
        )
        self.channel: Channel = self.workspace.add_channel("general")
        self.anna = self.workspace.add_user("Anna").user_id
        self.channel.members.add(self.workspace.bot_user_id)
        self.events.clear()

    def say(self, text: str, **more: Any) -> Message:
        ts = self.workspace.clock.next()
        return self.workspace.post(Message(channel=self.channel.channel_id, ts=ts, user=self.anna, text=text, **more))

    def subtypes(self) -> list[str]:
        return [event.get("subtype", event["type"]) for event in self.events]


@pytest.fixture
def reported() -> Reported:
    return Reported()


def test_an_edit_has_its_mark_in_whole_seconds_and_what_is_no_edit_has_none(reported: Reported) -> None:
    message = reported.say("a")
    reported.workspace.change(message, text="a", attachments=[{"title": "preview"}])
    assert "edited" not in reported.events[-1]["message"]
    reported.workspace.change(message, by=reported.anna, text="b")
    assert reported.events[-1]["message"]["edited"]["ts"].endswith(".000000")
    assert reported.events[-1]["previous_message"]["text"] == "a"
    assert reported.subtypes() == ["message", "message_changed", "message_changed"]


def test_a_parent_with_replies_stays_as_a_tombstone(reported: Reported) -> None:
    parent = reported.say("parent")
    reply = reported.say("reply", thread_ts=parent.ts)
    reported.workspace.remove(parent)
    assert reported.events[-1]["message"]["subtype"] == "tombstone"
    reported.workspace.remove(reply)
    assert reported.subtypes()[-2:] == ["message_changed", "message_deleted"]
    assert [kind for kind, _ in reported.seen][-2:] == ["deleted", "deleted"]
    assert not parent.replies


def test_the_app_hears_nothing_of_a_channel_it_is_not_in(reported: Reported) -> None:
    reported.channel.members.discard(reported.workspace.bot_user_id)
    message = reported.say("unheard")
    reported.workspace.react(message, reported.anna, "wave", remove=False)
    assert reported.events == []
    assert [kind for kind, _ in reported.seen] == ["created", "reactions"]


def test_a_reaction_that_is_taken_back_leaves_nothing(reported: Reported) -> None:
    message = reported.say("a")
    reported.workspace.react(message, reported.anna, "wave", remove=False)
    reported.workspace.react(message, reported.anna, "wave", remove=True)
    assert message.reactions == {}
    assert reported.subtypes() == ["message", "reaction_added", "reaction_removed"]
    assert reported.events[-1]["item_user"] == reported.anna
