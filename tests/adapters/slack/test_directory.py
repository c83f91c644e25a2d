"""Names, not ids: user groups, apps, channels, files of other workspaces. No look-up holds a message up, or ends it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from adapters.slack.emulator import SlackEmulator
from bridge.model.events import MessageCreated, ReactionsChanged
from bridge.model.rich_text import text_of
from tests.support.patience import eventually


def emit(emulator: SlackEmulator, chat: str, **message: Any) -> None:
    ts = emulator.workspace.clock.next()
    emulator.deliveries.emit({"type": "message", "channel": chat, "ts": ts, "event_ts": ts, **message})


def group_leaf(group_id: str) -> list[dict[str, Any]]:
    leaves = [{"type": "text", "text": "hey "}, {"type": "usergroup", "usergroup_id": group_id}]
    return [{"type": "rich_text", "block_id": "b", "elements": [{"type": "rich_text_section", "elements": leaves}]}]


async def test_user_groups_have_handles(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    emulator.workspace.groups = {"S0GROUP01": "oncall", "S0GROUP02": "design"}
    await account.start()
    emit(emulator, chat, user=emulator.add_person("Anna"), text="hey", blocks=group_leaf("S0GROUP01"))
    emit(emulator, chat, user=emulator.add_person("Anna"), text="hi <!subteam^S0GROUP02>")
    await eventually(lambda: len(account.intake.texts()) == 2)
    assert account.intake.texts() == ["hey @oncall", "hi @design"]
    assert emulator.calls().count("usergroups.list") == 1
    changed = {"id": "S0GROUP01", "handle": "oncall-eu", "name": "On call"}
    emulator.deliveries.emit({"type": "subteam_updated", "subteam": changed, "event_ts": emulator.workspace.clock.next()})
    emit(emulator, chat, user=emulator.add_person("Anna"), text="hey", blocks=group_leaf("S0GROUP01"))
    await eventually(lambda: len(account.intake.texts()) == 3)
    assert account.intake.texts()[-1] == "hey @oncall-eu"


async def test_without_the_scope_a_group_is_a_group(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    emulator.workspace.scopes.discard("usergroups:read")
    with capture_logs() as log:
        await account.start()
        for group_id in ("S0GROUP01", "S0GROUP02", "S0GROUP03"):
            emit(emulator, chat, user=emulator.add_person("Anna"), text="hey", blocks=group_leaf(group_id))
            await eventually(lambda: emulator.deliveries.unsettled == 0)
        await eventually(lambda: len(account.intake.texts()) == 3)
    assert account.intake.texts() == ["hey @group"] * 3
    assert str(log).count("user groups are shown as @group") == 1


async def test_apps_without_a_profile_are_asked_for(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    emulator.workspace.bots = {"B0CRON001": "Cron"}
    await account.start()
    emit(emulator, chat, subtype="bot_message", bot_id="B0CRON001", text="one")
    emit(emulator, chat, subtype="bot_message", bot_id="B0NOBODY1", text="two")
    emit(emulator, chat, bot_id="B0OTHER01", text="three", bot_profile={"id": "B0OTHER01", "name": "Deployer"})
    await eventually(lambda: len(account.intake.texts()) == 3)
    assert [event.meta.author.name for event in account.intake.of(MessageCreated)] == ["Cron", "app", "Deployer"]
    assert emulator.calls().count("bots.info") == 2


async def test_channels_that_the_app_may_not_see(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    other = emulator.add_chat("random").chat_id
    await account.start()
    emit(emulator, chat, user=emulator.add_person("Anna"), text=f"see <#{other}> and <#C0SECRET01|>")
    await eventually(lambda: account.intake.texts())
    assert account.intake.texts() == ["see #random and #private-channel"]


async def test_files_of_another_workspace_are_described(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    adapter = await account.start()
    await emulator.say(chat, "Anna", "", files=[Upload(name="plan.pdf", mime="application/pdf", content=b"pdf")])
    [file_id] = emulator.workspace.files
    emit(
        emulator,
        chat,
        user="U0STRANGER",
        text="see",
        files=[{"id": file_id, "file_access": "check_file_info", "mode": "file_access"}],
    )
    await eventually(lambda: len(account.intake.of(MessageCreated)) == 2)
    [told] = account.intake.of(MessageCreated)[1].content.attachments
    assert (told.name, told.mime, told.size_bytes) == ("plan.pdf", "application/pdf", 3)
    async with adapter.open_file(told) as stream:
        assert b"".join([chunk async for chunk in stream.chunks]) == b"pdf"
    emit(emulator, chat, user="U0STRANGER", text="gone", files=[{"id": "F0NOSUCH01", "file_access": "check_file_info"}])
    await eventually(lambda: len(account.intake.of(MessageCreated)) == 3)
    [unknown] = account.intake.of(MessageCreated)[2].content.attachments
    assert unknown.name == "file"


@pytest.mark.parametrize(
    "kind", [FaultKind.SERVER_ERROR, FaultKind.RATE_LIMIT, FaultKind.DROP, FaultKind.UNAUTHORIZED, FaultKind.HANG]
)
async def test_no_look_up_costs_a_message(account: Any, emulator: SlackEmulator, kind: FaultKind) -> None:
    chat = account.chat()
    await account.start(request_timeout_s=30.0)
    for operation in ("users.info", "conversations.info", "usergroups.list", "bots.info", "files.info", "conversations.replies"):
        emulator.inject(Fault(kind=kind, operation=operation))
    files = [{"id": "F0NOSUCH01", "file_access": "check_file_info"}]
    text = "<@U0NOBODY01> <#C0NOWHERE1> <!subteam^S0GROUP01> words"
    emit(emulator, chat, bot_id="B0CRON001", text=text, files=files, thread_ts="1700000000.000001")
    await eventually(lambda: account.intake.of(MessageCreated))
    event = account.intake.of(MessageCreated)[0]
    assert text_of(event.content.text).endswith("@group words")
    await eventually(lambda: emulator.deliveries.unsettled == 0)


async def test_one_odd_person_hides_nobody(account: Any, emulator: SlackEmulator) -> None:
    """Names of the odd types that directories of other systems put into profiles."""
    from adapters.slack.lenient import convert
    from adapters.slack.wire import User

    listed = [
        {"id": "U1", "name": 5, "profile": {"display_name": ["x"], "real_name": 7}},
        {"name": "no id"},
        {"id": "U2", "profile": 3},
    ]
    assert [user.id for user in convert(listed, list[User])] == ["U1", "U2"]


async def test_names_that_cannot_be_had_do_not_stop_the_stream(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="users.list", times=1))
    emulator.inject(Fault(kind=FaultKind.HANG, operation="users.info", times=2))  # for her and for the bot, in any order
    await account.start()
    await emulator.say(chat, "Anna", "who am I")
    await eventually(lambda: account.intake.texts() == ["who am I"])
    assert account.intake.of(MessageCreated)[0].meta.author.name == emulator.add_person("Anna")


async def test_a_changed_name_is_learned(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    user = emulator.workspace.users[emulator.add_person("Anna")]
    await emulator.say(chat, "Anna", "one")
    await eventually(lambda: len(account.intake.texts()) == 1)
    user.display_name = "Anna P."
    emulator.workspace.emit({"type": "user_change", "user": {"id": user.user_id, "profile": {"display_name": "Anna P."}}})
    await emulator.say(chat, "Anna", "two")
    await eventually(lambda: len(account.intake.texts()) == 2)
    assert [event.meta.author.name for event in account.intake.of(MessageCreated)] == ["Anna", "Anna P."]
    assert emulator.calls().count("users.info") <= 1


async def test_names_are_loaded_beforehand_as_far_as_that_goes(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    for number in range(250):
        emulator.add_person(f"person {number}")
    await account.start()
    await eventually(lambda: emulator.calls().count("users.list") == 2)
    await eventually(lambda: "slack names team" not in {task.get_name() for task in asyncio.all_tasks()})
    await emulator.say(chat, "person 249", "hello")
    await eventually(lambda: account.intake.texts() == ["hello"])
    assert account.intake.of(MessageCreated)[0].meta.author.name == "person 249"
    assert emulator.calls().count("users.info") == 0


async def test_other_names_of_standard_emoji(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    emulator.workspace.custom_emoji |= {"yay": "alias:tada", "party_parrot": "https://example.com/parrot.gif"}
    await account.start()
    await eventually(lambda: "slack names team" not in {task.get_name() for task in asyncio.all_tasks()})
    emulator.workspace.emit({"type": "emoji_changed", "subtype": "add", "name": "ok2", "value": "alias:thumbsup"})
    ts = await emulator.say(chat, "Anna", "hello")
    for name in ("yay", "party_parrot"):
        await emulator.react(chat, ts, "Boris", f":{name}:")
    emulator.workspace.custom_emoji["ok2"] = "alias:thumbsup"
    await emulator.react(chat, ts, "Boris", ":ok2:")
    await eventually(lambda: len(account.intake.of(ReactionsChanged)) == 3)
    assert [event.added for event in account.intake.of(ReactionsChanged)] == [("🎉",), (":party_parrot:",), ("👍",)]
