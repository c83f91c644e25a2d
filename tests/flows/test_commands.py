"""Commands that people give in chats, between all platforms: what they do, who may, and that nobody else sees them."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, SeenMessage
from bridge.accounts.state import AccountState
from bridge.journal.contract import DecisionKind, DeliveryStatus
from bridge.model.refs import AccountName, ChatRef, MessageRef
from tests.flows.world import PLATFORMS, World
from tests.support.patience import eventually, eventually_asked


@pytest.fixture
async def moderated(quiet_world: World) -> World:
    """Anna moderates, by her user id on each platform."""
    world = quiet_world
    ids = {name: emulator.add_person("Anna") for name, emulator in world.emulators.items()}
    world.settings["people"] = [{"name": "Anna Petrova", **ids, "roles": ["moderator"]}]
    world.settings["commands"] = {"listen": list(PLATFORMS), "delete_on": ["💩"], "retry_on": ["🔥"]}
    await world.start_bridge()
    return world


def whispered(world: World, needle: str) -> list[str]:
    """What Slack showed to Anna alone."""
    workspace: Any = world.emulators["slack"]
    anna = workspace.add_person("Anna")
    return [message.text for user, message in workspace.workspace.whispers if user == anna and needle in message.text]


async def answered(world: World, platform: str, needle: str) -> SeenMessage:
    return await eventually(
        lambda: next(iter(world.copies(platform, needle)), None), what=f"{needle!r} on {platform}: {world.texts(platform)}"
    )


async def test_a_moderator_deletes_everywhere_from_any_copy(moderated: World) -> None:
    world = moderated
    spam = await world.say("telegram", "buy now", person="Mallory")
    copies = {name: await world.copy(name, "buy now") for name in PLATFORMS if name != "telegram"}
    await world.say("discord", "!bridge delete", reply_to=copies["discord"].message_id)
    await answered(world, "discord", "deleted in every chat")
    for name in copies:
        await eventually(lambda: not world.copies(name, "buy now"), what=f"deletion on {name}")  # noqa: B023
    await eventually(lambda: all(one.deleted for one in world.seen("telegram") if one.message_id == spam))
    for name in PLATFORMS:
        if name != "discord":
            assert not world.copies(name, "!bridge")
            assert not world.copies(name, "deleted in every chat")
    assert world.app is not None
    (line,) = await world.app.journal.persons.audited()
    assert (line.action, line.subject) == ("delete", f"telegram/{world.chats['telegram'].chat_id}#{spam}")
    assert "buy now" not in str(line)


async def test_a_reaction_of_a_moderator_deletes_and_of_others_does_not(moderated: World) -> None:
    world = moderated
    said = await world.say("slack", "half a scandal", person="Boris")
    copy = await world.copy("telegram", "half a scandal")
    chat = world.chats["telegram"].chat_id
    await world.emulators["telegram"].react(chat, copy.message_id, "Boris", "💩")
    slack: Any = world.emulators["slack"]
    await eventually(lambda: [one for one in world.seen("slack") if one.message_id == said and one.reactions])
    assert world.copies("discord", "half a scandal")
    await world.emulators["telegram"].react(chat, copy.message_id, "Anna", "💩")
    for name in ("discord", "teamspirit", "telegram"):
        await eventually(lambda: not world.copies(name, "half a scandal"), what=name)  # noqa: B023
    assert slack.transcript(world.chats["slack"].chat_id)[0].text == "half a scandal", "Slack lets no bot delete what people wrote"


async def test_only_moderators_mute_and_the_muted_are_heard_nowhere(moderated: World) -> None:
    world = moderated
    await world.say("slack", "first of Mallory", person="Mallory")
    copy = await world.copy("telegram", "first of Mallory")
    await world.say("telegram", "!bridge mute", person="Boris", reply_to=copy.message_id)
    await answered(world, "telegram", "Only people with the role moderator")
    await world.say("telegram", "!bridge mute", reply_to=copy.message_id)
    await answered(world, "telegram", "Messages of Mallory are not relayed any more")
    await world.say("slack", "second of Mallory", person="Mallory")
    await world.say("slack", "hello of Boris", person="Boris")
    await world.copy("discord", "hello of Boris")
    assert not world.copies("discord", "second of Mallory")
    await world.say("telegram", "!bridge unmute", reply_to=copy.message_id)
    await answered(world, "telegram", "Messages of Mallory are relayed again")
    await world.say("slack", "third of Mallory", person="Mallory")
    await world.copy("discord", "third of Mallory")


async def test_who_opts_out_is_neither_relayed_nor_named(moderated: World) -> None:
    world = moderated
    mine = await world.say("discord", "mine", person="Clara")
    await world.copy("slack", "mine")
    await world.say("discord", "!bridge optout", person="Clara")
    await answered(world, "discord", "Your messages are not relayed any more")
    secret = await world.say("discord", "for Discord alone", person="Clara")
    await world.emulators["discord"].edit(world.chats["discord"].chat_id, mine, "mine, edited")
    await world.say("discord", "an answer", person="Boris", reply_to=secret)
    answer = await world.copy("teamspirit", "an answer")
    assert "Clara" not in answer.text
    assert "for Discord alone" not in answer.text
    assert "somebody" in answer.text
    for name in ("slack", "telegram", "teamspirit"):
        assert not world.copies(name, "for Discord alone")
        assert not world.copies(name, "mine, edited")
    assert world.app is not None
    (decision,) = await world.app.journal.persons.decisions()
    assert decision.kind is DecisionKind.OPTED_OUT
    await world.stop_bridge()
    await world.start_bridge()
    await world.say("discord", "still not", person="Clara")
    await world.say("discord", "!bridge optin", person="Clara")
    await answered(world, "discord", "Your messages are relayed again")
    await world.say("discord", "here again", person="Clara")
    await world.copy("slack", "here again")
    assert not world.copies("slack", "still not")


async def test_what_waits_is_not_relayed_once_its_author_is_muted_or_opted_out(moderated: World) -> None:
    world, discord = moderated, moderated.emulators["discord"]
    before = await world.say("telegram", "before Discord went away", person="Mallory")
    await world.copy("discord", "before Discord went away")
    await discord.refuse_connections(True)
    await world.until_state("discord", AccountState.BACKOFF)
    spam = await world.say("telegram", "buy now", person="Mallory")
    await world.emulators["telegram"].edit(world.chats["telegram"].chat_id, before, "buy this too")
    await world.say("telegram", "a secret", person="Clara")
    await world.say("telegram", "hello", person="Boris")
    await world.copy("slack", "hello")
    await world.say("telegram", "!bridge mute", reply_to=spam)
    await answered(world, "telegram", "Messages of Mallory are not relayed any more")
    await world.say("telegram", "!bridge optout", person="Clara")
    await answered(world, "telegram", "Your messages are not relayed any more")
    await discord.refuse_connections(False)
    await world.copy("discord", "hello")
    await world.say("telegram", "and again", person="Boris")
    await world.copy("discord", "and again")
    assert not [text for text in world.texts("discord") if "buy" in text or "secret" in text]
    assert world.copies("discord", "before Discord went away")


async def test_two_accounts_are_linked_once_both_agreed(moderated: World) -> None:
    world = moderated
    await world.say("telegram", "!bridge link", person="Dora")
    code = (await answered(world, "telegram", "!bridge link ")).text.rpartition(" ")[2]
    # somebody who read the code says it first: Dora is told who it was, and does not agree
    await world.say("slack", f"!bridge link {code}", person="Mallory")
    await answered(world, "telegram", "Mallory on slack said your code")
    await world.say("slack", "!bridge link yes", person="Mallory")
    await answered(world, "slack", "Now say the same from the other account")
    await world.say("telegram", "!bridge link no", person="Dora")
    await answered(world, "telegram", "Nothing is linked")
    await world.say("slack", f"!bridge link {code}", person="Dora")
    await answered(world, "slack", "There is no such code")
    assert world.app is not None
    app = world.app
    assert await app.journal.persons.linked() == []

    await world.say("telegram", "!bridge link", person="Dora")
    code = (await eventually(lambda: world.copies("telegram", "say this from your other account")[1:]))[0].text.rpartition(" ")[2]
    await world.say("slack", f"!bridge link {code}", person="Dora")
    await eventually(lambda: world.copies("telegram", "Dora on slack said your code"))
    await world.say("slack", "!bridge link yes", person="Dora")
    await eventually(lambda: len(world.copies("slack", "Now say the same")) == 2)
    await world.say("telegram", "!bridge link yes", person="Dora")
    await answered(world, "telegram", "Linked with Dora on slack")
    linked = await eventually_asked(app.journal.persons.linked, holds=lambda found: len(found) == 2)
    assert {str(one.user.account) for one in linked} == {"telegram", "slack"}

    await world.say("telegram", f"ask @{world.emulators['telegram'].handle('Dora')}", person="Boris")
    copy = await world.copy("slack", "ask @")
    assert 'class="mention"' in copy.html, f"a mention of the same person: {copy.html}"


async def test_nothing_is_a_command_where_the_bridge_does_not_listen(world: World) -> None:
    await world.say("slack", "!bridge help")
    await world.copy("telegram", "!bridge help")
    assert not world.copies("slack", "optout")


async def test_a_moderator_asks_where_messages_go_and_how_it_is(moderated: World) -> None:
    world = moderated

    async def told(platform: str, needle: str) -> str:
        if platform == "slack":
            return await eventually(lambda: next(iter(whispered(world, needle)), ""), what=f"{needle!r} is whispered")
        return (await answered(world, platform, needle)).text

    for platform in PLATFORMS:
        await world.say(platform, "!bridge where")
        others = [f"{name}/{world.chats[name].address}" for name in PLATFORMS if name != platform]
        there = await told(platform, "lobby: to and from")
        assert all(other in there for other in others), there
        await world.say(platform, "!bridge status")
        await told(platform, "lobby: all is well.")
    said = await world.say("slack", "where is it?", person="Boris")
    copies = {name: await world.copy(name, "where is it?") for name in PLATFORMS if name != "slack"}
    await eventually_asked(lambda: all_delivered(world, said), what="the copies are noted")
    await world.say("telegram", "/bridge where", reply_to=copies["telegram"].message_id)
    assert f"teamspirit/{world.chats['teamspirit'].address}" in await told("telegram", "discord/")
    await world.say("slack", "!bridge where", reply_to=said)
    assert "delivered at" in await told("slack", f"discord/{world.chats['discord'].address}: ")
    await world.say("discord", "!bridge status", person="Boris")
    await answered(world, "discord", "Only people with the role moderator")
    for needle in ("all is well.", "lobby: to and from"):
        seen = {name: len(world.copies(name, needle)) for name in PLATFORMS}
        assert seen == {name: int(name != "slack") for name in PLATFORMS}, (
            "in the chat of the command alone, on Slack to Anna alone"
        )


async def test_whom_slack_cannot_tell_alone_is_answered_in_the_chat(moderated: World) -> None:
    world = moderated
    world.emulators["slack"].inject(Fault(kind=FaultKind.SERVER_ERROR, status=400, operation="chat.postEphemeral", times=1))
    await world.say("slack", "!bridge where")
    await answered(world, "slack", "lobby: to and from")
    assert not whispered(world, "lobby")


async def all_delivered(world: World, said: str) -> bool:
    assert world.app is not None
    (traced,) = await world.app.journal.trace(MessageRef(ChatRef(AccountName("slack"), world.chats["slack"].chat_id), said))
    return all(one.state is DeliveryStatus.DELIVERED for one in traced.event.deliveries)
