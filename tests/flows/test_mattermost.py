"""Mattermost in a whole bridge: what its posts hold arrives elsewhere, and answers find their threads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.accounts.state import AccountState
from bridge.model.refs import AccountName
from tests.adapters.teamspirit.mattermost_server import MattermostServer, account_options
from tests.flows.world import World
from tests.support.patience import eventually, eventually_asked


class WithMattermost(World):
    """A Slack channel and a Mattermost channel."""

    def __init__(self, folder: Path, server: MattermostServer) -> None:
        super().__init__(folder, ("slack",))
        self.server = server
        self.channel = server.add_channel("town-square")
        self.anna = server.add_user("anna", "Anna", "Petrova")

    def document(self) -> dict[str, Any]:
        document = super().document()
        document["accounts"]["mm"] = {"platform": "teamspirit", **account_options(self.server)}
        document["routes"][0]["between"].append(f"mm/{self.channel}")
        document["commands"] = {"listen": ["mm"]}
        return document

    def post(self, message: str, **fields: Any) -> str:
        return self.server.post(self.channel, self.anna, message, **fields)

    async def arrived(self, needle: str) -> dict[str, Any]:
        """The bridge's only post that holds these words."""

        def found() -> list[dict[str, Any]]:
            posts = self.server.posts.values()
            return [post for post in posts if needle in post["message"] and post["user_id"] == self.server.bot]

        posts = await eventually(found, what=f"{needle!r}: {[post['message'] for post in self.server.posts.values()]}")
        assert len(posts) == 1
        return posts[0]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[WithMattermost]:
    server = MattermostServer()
    await server.start()
    one = WithMattermost(tmp_path, server)
    await one.start_platforms()
    await one.start_bridge()
    await one.until_state("mm", AccountState.UP)
    yield one
    await one.stop_bridge()
    await one.stop_platforms()
    await server.stop()


async def test_an_alert_arrives_and_its_update_is_an_edit(world: WithMattermost) -> None:
    props = {"from_webhook": "true", "override_username": "Alertmanager", "attachments": [{"title": "[FIRING:1] HighCPU"}]}
    alert = world.post("", type="slack_attachment", props=props)
    copy = await world.copy("slack", "[FIRING:1] HighCPU")
    world.server.change(alert, props={**props, "attachments": [{"title": "[RESOLVED] HighCPU"}]})
    resolved = await world.copy("slack", "[RESOLVED] HighCPU")
    assert resolved.message_id == copy.message_id


@pytest.mark.parametrize("restart", [False, True])
async def test_answers_from_elsewhere_are_in_the_thread(world: WithMattermost, restart: bool) -> None:
    """To a person's answer, and to the copy of an answer, whatever the bridge still has in memory."""
    question = world.post("the question")
    world.post("an answer", root_id=question)
    there = await world.copy("slack", "an answer")
    if restart:
        await world.stop_bridge()
        await world.start_bridge()
        await world.until_state("mm", AccountState.UP)
    await world.say("slack", "to the answer", thread_id=there.thread_id or there.message_id)
    assert (await world.arrived("to the answer"))["root_id"] == question


async def test_tables_are_tables_on_both_sides_and_stay_so_by_an_edit(world: WithMattermost) -> None:
    said = world.post("so\n\n| os | size |\n|----|-----:|\n| **linux** | 5 MB |\n\nand on")
    copy = await world.copy("slack", "and on")
    assert copy.html.count("<td>") == 4
    assert "<td><div>linux</div></td>" in copy.html
    world.server.edit(said, "so\n\n| os | size |\n|----|-----:|\n| linux | 5 MB |\n| bsd | 3 MB |\n\nand on")
    await eventually(lambda: "<td><div>bsd</div></td>" in world.copies("slack", "and on")[0].html, what="the row of the edit")

    slack: Any = world.emulators["slack"]
    cells = [[{"type": "raw_text", "text": text} for text in row] for row in (("name", "n"), ("a | b", "1"))]
    ts = slack.workspace.clock.next()
    event = {
        "type": "message",
        "channel": world.chats["slack"].chat_id,
        "channel_type": "channel",
        "user": slack.add_person("Boris"),
    }
    pasted = {"fallback": "[no preview available]", "blocks": [{"type": "table", "rows": cells}]}
    slack.deliveries.emit(event | {"ts": ts, "event_ts": ts, "text": "from a sheet", "attachments": [pasted]})
    post = await world.arrived("from a sheet")
    assert "| name | n |\n|---|---|\n| a \\| b | 1 |" in post["message"]


@pytest.mark.parametrize("away", [False, True])
async def test_who_opts_out_in_private_is_answered_there_and_relayed_no_more(world: WithMattermost, away: bool) -> None:
    """Over the websocket, or from the list of private chats if the bridge was away."""
    private = world.server.add_channel("anna__bridge", "D")
    world.post("before")
    await world.copy("slack", "before")
    assert world.app is not None
    await eventually_asked(lambda: world.app.journal.cursor(AccountName("mm"), "direct"))  # type: ignore[union-attr]
    if away:
        await world.stop_bridge()
    world.server.post(private, world.anna, "!bridge optout")
    if away:
        await world.start_bridge()
        await world.until_state("mm", AccountState.UP)
    answer = await world.arrived("Your messages are not relayed any more")
    assert answer["channel_id"] == private
    world.post("not for Slack")
    world.server.post(world.channel, world.server.add_user("boris", "Boris"), "for Slack")
    await world.copy("slack", "for Slack")
    assert not [one.text for one in world.seen("slack") if any(word in one.text for word in ("optout", "relayed", "not for"))]


async def test_a_new_name_of_a_chat_is_given_to_the_channel_and_back(tmp_path: Path) -> None:
    server = MattermostServer()
    await server.start()
    world = WithMattermost(tmp_path, server)
    world.route_options["renames"] = "chat"
    await world.start_platforms()
    slack: Any = world.emulators["slack"]
    slack.workspace.scopes.add("channels:manage")
    await world.start_bridge()
    await world.until_state("mm", AccountState.UP)
    room = slack.workspace.channels[world.chats["slack"].chat_id]
    slack.rename_chat(room.channel_id, "salon")
    await eventually(lambda: server.channels[world.channel]["display_name"] == "salon", what="the channel's new name")
    server.rename(world.channel, world.anna, "War Room")
    await eventually(lambda: room.name == "war-room", what="the new name on Slack")
    world.post("all is said")
    await world.copy("slack", "all is said")
    assert server.channels[world.channel]["display_name"] == "War Room", "nothing came back"
    assert not world.copies("slack", "renamed the chat")
    await world.stop_bridge()
    await world.stop_platforms()
    await server.stop()
