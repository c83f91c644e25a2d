"""Receiving, by reading the history and by outgoing webhooks: everything once, in order, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault, Upload
from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import Adapter
from bridge.model.errors import AccountDown, ConnectionLost
from bridge.model.events import AttachmentKind, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.rich_text import Mark, Paragraph, Text, plain
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, options_of, running, summary
from tests.support.intake import Gate, RecordingIntake
from tests.support.patience import eventually, stays


@pytest.fixture(params=["history", "webhook"])
def either(request: pytest.FixtureRequest, adapter: Adapter, hooked: Adapter) -> Adapter:
    return adapter if request.param == "history" else hooked


@pytest.fixture
def chat(emulator: TeamSpiritEmulator, intake: RecordingIntake) -> str:
    chat_id = emulator.add_chat("team").chat_id
    intake.chats.add(chat_id)
    return chat_id


async def test_a_message_arrives_whole(emulator: TeamSpiritEmulator, either: Adapter, intake: RecordingIntake, chat: str) -> None:
    await emulator.say(chat, "Anna", "from before the bridge")
    async with running(either, intake):
        first = await emulator.say(chat, "Anna Petrova", "**hello** all")
        await emulator.say(
            chat,
            "Bert",
            "look",
            reply_to=first,
            thread_id=first,
            files=[Upload(name="a.png", mime="image/png", content=b"12345"), Upload(name="b.txt", mime="text/plain", content=b"x")],
        )
        events = await intake.wait(2)
    one, two = events
    assert isinstance(one, MessageCreated)
    assert isinstance(two, MessageCreated)
    assert one.message_id == first
    assert one.content.text.blocks == (Paragraph((Text("hello", int(Mark.BOLD)), Text(" all"))),)
    assert one.meta.author is not None
    assert (one.meta.author.name, one.meta.author.username, one.meta.author.is_bot) == ("Anna Petrova", "anna_petrova", False)
    assert one.meta.occurred_at.tzinfo is not None
    assert two.content.reply_to is not None
    assert (two.content.reply_to.message_id, two.meta.thread_id) == (first, first)
    assert [(file.kind, file.name, file.size_bytes) for file in two.content.attachments] == [
        (AttachmentKind.PHOTO, "a.png", 5),
        (AttachmentKind.DOCUMENT, "b.txt", 1),
    ]


async def test_edits_and_deletes_are_seen(
    emulator: TeamSpiritEmulator, either: Adapter, intake: RecordingIntake, chat: str
) -> None:
    async with running(either, intake):
        ids = [await emulator.say(chat, "Anna", f"{number}") for number in range(5)]
        await intake.wait(5)
        await emulator.edit(chat, ids[1], "one")
        await intake.wait(6)
        await emulator.delete(chat, ids[2])
        await intake.wait(7)
        await emulator.say(chat, "Anna", "last")
        await intake.wait(8)
    assert summary(intake) == ["+0", "+1", "+2", "+3", "+4", "~one", "-", "+last"]
    assert intake.of(MessageDeleted)[0].message_id == ids[2]


async def test_an_edit_tells_which_files_are_left(
    emulator: TeamSpiritEmulator, either: Adapter, intake: RecordingIntake, chat: str
) -> None:
    files = [Upload(name=name, mime="text/plain", content=name.encode()) for name in ("a.txt", "b.txt")]
    async with running(either, intake):
        message = await emulator.say(chat, "Anna", "two", files=files)
        await intake.wait(1)
        await emulator.remove_file(chat, message)
        await intake.wait(2)
        await emulator.remove_file(chat, message)
        await intake.wait(3)
    edits = intake.of(MessageEdited)
    assert [[file.name for file in edit.content.attachments] for edit in edits] == [["b.txt"], []]
    assert all(edit.attachments_known for edit in edits)


async def test_both_ways_give_the_same_keys(
    emulator: TeamSpiritEmulator, adapter: Adapter, hooked: Adapter, intake: RecordingIntake, chat: str
) -> None:
    other = RecordingIntake(chats={chat})
    async with running(adapter, intake), running(hooked, other):
        message = await emulator.say(chat, "Anna", "one")
        await asyncio.gather(intake.wait(1), other.wait(1))
        await emulator.edit(chat, message, "two")
        await asyncio.gather(intake.wait(2), other.wait(2))
        await emulator.delete(chat, message)
        await asyncio.gather(intake.wait(3), other.wait(3))
    assert intake.keys == other.keys


async def test_webhooks_tell_reactions_members_names_and_statuses(
    emulator: TeamSpiritEmulator, hooked: Adapter, intake: RecordingIntake, chat: str, api: httpx.AsyncClient
) -> None:
    async with running(hooked, intake):
        message = await emulator.say(chat, "Anna", "hello")
        await intake.wait(1)
        await emulator.react(chat, message, "Bert", "👍")
        await intake.wait(2)
        await emulator.react(chat, message, "Bert", "👍", remove=True)
        emulator.join(chat, "Carl")
        emulator.join(chat, "Carl", leave=True)
        emulator.rename(chat, "Anna", "squad")
        await intake.wait(6)
        await api.put("/me/status", json={"status": "away"})
        await intake.until(lambda: len(intake.own()) >= 1)
    assert summary(intake)[1:] == ["👍|", "|👍", "MembershipChanged", "MembershipChanged", "ChatRenamed"]


async def test_our_own_coming_and_going_is_told(
    emulator: TeamSpiritEmulator, hooked: Adapter, intake: RecordingIntake, chat: str
) -> None:
    world = emulator.world
    async with running(hooked, intake):
        world.emit("member.left", world.state.chats[chat], world.state.bot)
        await eventually(lambda: bool(intake.notices))
        world.emit("member.joined", world.state.chats[chat], world.state.bot)
        await eventually(lambda: bool(intake.restorations))
    assert (len(intake.notices), intake.restorations) == (1, [chat])


async def test_what_we_post_is_marked_as_ours(
    emulator: TeamSpiritEmulator, either: Adapter, intake: RecordingIntake, chat: str, api: httpx.AsyncClient
) -> None:
    async with running(either, intake):
        await api.post(f"/chats/{chat}/messages", json={"text": "ours", "client_id": "mbabcdef-1-0"})
        await emulator.say(chat, "Anna", "hers")
        await intake.wait(1)
        await intake.until(lambda: bool(intake.own()))
    assert summary(intake) == ["+hers"]
    assert intake.own()[0].meta.delivery_id == "mbabcdef-1-0"


async def test_a_long_absence_is_caught_up_in_order(
    emulator: TeamSpiritEmulator, either: Adapter, intake: RecordingIntake, chat: str
) -> None:
    async with running(either, intake):
        kept = await emulator.say(chat, "Anna", "kept")
        gone = await emulator.say(chat, "Anna", "to go")
        await intake.wait(2)
    for number in range(250):
        await emulator.say(chat, "Anna", f"{number}")
    await emulator.edit(chat, kept, "changed")
    await emulator.delete(chat, gone)
    async with running(either, intake):
        await intake.until(lambda: "~changed" in summary(intake) and "-" in summary(intake) and len(intake.foreign()) == 254)
    created = [event for event in summary(intake) if event.startswith("+")]
    assert created == ["+kept", "+to go", *(f"+{number}" for number in range(250))]


async def test_a_restart_repeats_and_loses_nothing(
    emulator: TeamSpiritEmulator, web: PublicWeb, intake: RecordingIntake, chat: str
) -> None:
    """The registration of the webhook outlives the process, too."""
    for round_number in range(3):
        adapter = make_adapter(options_of(emulator), web)
        async with running(adapter, intake):
            await emulator.say(chat, "Anna", f"{round_number}a")
            await intake.wait(2 * round_number + 1)
        await emulator.say(chat, "Anna", f"{round_number}b")
        await adapter.close()
    adapter = make_adapter(options_of(emulator), web)
    async with running(adapter, intake):
        await intake.wait(6)
    await adapter.close()
    assert summary(intake) == ["+0a", "+0b", "+1a", "+1b", "+2a", "+2b"]
    assert len(emulator.world.outgoing.webhooks) == 1
    assert list(emulator.calls()).count("POST /webhooks") == 1


async def test_a_webhook_follows_the_routes(
    emulator: TeamSpiritEmulator, hooked: Adapter, intake: RecordingIntake, chat: str
) -> None:
    async with running(hooked, intake):
        pass
    other = emulator.add_chat("other").chat_id
    intake.chats.add(other)
    async with running(hooked, intake):
        await emulator.say(other, "Anna", "here too")
        await intake.wait(1)
    (webhook,) = emulator.world.outgoing.webhooks.values()
    assert set(webhook.chats) == {chat, other}


async def test_calls_that_never_arrive_are_made_up_for_and_told(
    emulator: TeamSpiritEmulator, web: PublicWeb, intake: RecordingIntake, chat: str
) -> None:
    web.public_url = "http://127.0.0.1:9"
    adapter = make_adapter(options_of(emulator), web)
    async with running(adapter, intake):
        for number in range(4):
            await emulator.say(chat, "Anna", f"{number}")
            await intake.wait(number + 1)
    await adapter.close()
    assert len(intake.notices) == 1
    assert "calls do not arrive" in intake.noticed()[0]


async def test_a_chat_that_cannot_be_read_is_told_and_holds_back_no_other(
    emulator: TeamSpiritEmulator, adapter: Adapter, intake: RecordingIntake, chat: str
) -> None:
    intake.chats.add("c999")
    async with running(adapter, intake) as run:
        await emulator.say(chat, "Anna", "one")
        await intake.wait(1)
        await eventually(lambda: bool(intake.notices))
        assert not run.task.done()
    assert "chat_not_found" in intake.noticed()[0]


@pytest.mark.parametrize(
    "disturbance",
    [StreamFault.DISCONNECT, StreamFault.REDELIVER, StreamFault.REORDER, StreamFault.POISON],
    ids=lambda one: one.value,
)
async def test_disturbances_lose_double_and_reorder_nothing(
    emulator: TeamSpiritEmulator, either: Adapter, intake: RecordingIntake, chat: str, disturbance: StreamFault
) -> None:
    async with running(either, intake) as run:
        await emulator.say(chat, "Anna", "0")
        await intake.wait(1)
        await emulator.disturb(disturbance)
        for number in range(1, 6):
            await emulator.say(chat, "Anna", f"{number}")
        await intake.wait(6)
        if disturbance is StreamFault.POISON:
            await intake.until(lambda: len(intake.undecoded) >= 1)
        assert not run.task.done()
    assert summary(intake) == [f"+{number}" for number in range(6)]


async def test_poison_is_kept_once(emulator: TeamSpiritEmulator, adapter: Adapter, intake: RecordingIntake, chat: str) -> None:
    async with running(adapter, intake):
        await emulator.say(chat, "Anna", "one")
        await intake.wait(1)
        await emulator.disturb(StreamFault.POISON)
        await emulator.say(chat, "Anna", "two")
        await intake.wait(2)
        calls = len(emulator.calls())
        await eventually(lambda: len(emulator.calls()) >= calls + 10)
    assert len(intake.undecoded) == 1


async def test_an_edit_that_comes_first_waits_for_its_message(
    emulator: TeamSpiritEmulator, hooked: Adapter, intake: RecordingIntake, chat: str
) -> None:
    async with running(hooked, intake):
        await emulator.disturb(StreamFault.REORDER)
        message = await emulator.say(chat, "Anna", "one")
        await emulator.edit(chat, message, "two")
        await emulator.react(chat, message, "Bert", "👍")
        await intake.until(lambda: "👍|" in summary(intake))
    assert summary(intake)[0].startswith("+")


async def test_nothing_is_confirmed_before_it_is_kept(
    emulator: TeamSpiritEmulator, hooked: Adapter, intake: RecordingIntake, chat: str
) -> None:
    async with running(hooked, intake):
        intake.before_accept = gate = Gate()
        await emulator.say(chat, "Anna", "one")
        await eventually(lambda: gate.held)
        await stays(lambda: emulator.world.outgoing.undelivered == 1)
        gate.open()
        await intake.wait(1)
        await eventually(lambda: not emulator.world.outgoing.undelivered)


@pytest.mark.parametrize("failures", [1, 2, 5])
async def test_what_could_not_be_kept_comes_again(
    emulator: TeamSpiritEmulator, either: Adapter, intake: RecordingIntake, chat: str, failures: int
) -> None:
    """A journal that fails ends the run, and whoever runs the account runs it again."""

    async def supervised() -> None:
        while True:
            with contextlib.suppress(OSError, ConnectionLost):
                await either.run(intake)

    task = asyncio.create_task(supervised(), name="supervised")
    await intake.up.wait()
    left = failures

    async def fail() -> None:
        nonlocal left
        if left:
            left -= 1
            raise OSError("disk full")

    intake.before_accept = fail
    for number in range(3):
        await emulator.say(chat, "Anna", f"{number}")
    await intake.wait(3)
    task.cancel()
    await asyncio.wait({task})
    assert summary(intake) == ["+0", "+1", "+2"]
    assert not left


async def test_several_hundred_messages_keep_their_order(
    emulator: TeamSpiritEmulator, either: Adapter, intake: RecordingIntake, chat: str
) -> None:
    other = emulator.add_chat("other").chat_id
    intake.chats.add(other)
    async with running(either, intake):
        for number in range(300):
            await emulator.say(chat if number % 2 else other, "Anna", f"{number}")
            if number % 50 == 0:
                await emulator.disturb(StreamFault.DISCONNECT)
        await intake.wait(300)
    for one in (chat, other):
        numbers = [
            int(event[1:]) for event, full in zip(summary(intake), intake.foreign(), strict=True) if full.meta.origin.chat_id == one
        ]
        assert numbers == sorted(numbers)
    assert len(intake.foreign()) == 300


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=FaultKind.RATE_LIMIT, retry_after_s=0.1, times=3, operation="GET*messages"),
        Fault(kind=FaultKind.RATE_LIMIT, retry_after_s=None, times=2, operation="GET*messages"),
        Fault(kind=FaultKind.SERVER_ERROR, status=503, times=2, operation="GET*messages"),
        Fault(kind=FaultKind.HANG, times=1, operation="GET*messages"),
        Fault(kind=FaultKind.DROP, times=2, operation="GET*messages"),
        Fault(kind=FaultKind.DROP_AFTER, times=2, operation="GET*messages"),
    ],
    ids=lambda fault: fault.kind.value,
)
async def test_reading_gets_over_faults(
    emulator: TeamSpiritEmulator, either: Adapter, intake: RecordingIntake, chat: str, fault: Fault
) -> None:
    async with running(either, intake) as run:
        emulator.inject(fault)
        await emulator.say(chat, "Anna", "one")
        await emulator.say(chat, "Anna", "two")
        await intake.wait(2)
        assert not run.task.done()
    assert summary(intake) == ["+one", "+two"]


async def test_a_wrong_key_needs_a_human(emulator: TeamSpiritEmulator, intake: RecordingIntake) -> None:
    adapter = make_adapter(options_of(emulator, api_key="wrong"))
    with pytest.raises(AccountDown) as caught:
        await adapter.run(intake)
    assert "api_key" in caught.value.action
    assert "wrong" not in caught.value.reason
    await adapter.close()


async def test_a_server_that_is_gone_is_a_lost_connection(
    emulator: TeamSpiritEmulator, either: Adapter, intake: RecordingIntake, chat: str
) -> None:
    await emulator.refuse_connections(True)
    with pytest.raises(ConnectionLost):
        await either.run(intake)
    await emulator.refuse_connections(False)
    async with running(either, intake):
        await emulator.say(chat, "Anna", "again")
        await intake.wait(1)


async def test_a_server_that_goes_away_is_noticed(
    emulator: TeamSpiritEmulator, adapter: Adapter, intake: RecordingIntake, chat: str
) -> None:
    async with running(adapter, intake) as run:
        await emulator.refuse_connections(True)
        assert isinstance(await run.error(), ConnectionLost)
    await emulator.refuse_connections(False)


async def test_a_key_revoked_on_the_way_needs_a_human(
    emulator: TeamSpiritEmulator, adapter: Adapter, intake: RecordingIntake, chat: str
) -> None:
    async with running(adapter, intake) as run:
        emulator.world.api_keys = ["another"]
        assert isinstance(await run.error(), AccountDown)


async def test_plain_messages_stay_plain(
    emulator: TeamSpiritEmulator, adapter: Adapter, intake: RecordingIntake, chat: str
) -> None:
    async with running(adapter, intake):
        state = emulator.world.state
        person = state.users[emulator.add_person("Anna")]
        state.post(state.chats[chat], person, "**as it is**", format="plain")
        (event,) = await intake.wait(1)
    assert isinstance(event, MessageCreated)
    assert event.content.text == plain("**as it is**")


async def test_the_core_is_told_what_the_bot_is_called(
    emulator: TeamSpiritEmulator, either: Adapter, intake: RecordingIntake
) -> None:
    async with running(either, intake):
        assert intake.names == {"bridge"}
