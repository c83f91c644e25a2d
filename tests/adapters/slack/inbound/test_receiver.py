"""What people do in Slack, as the core gets it: over Socket Mode, through the real transport, against the emulator."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault, Upload
from adapters.slack.emulator import SlackEmulator
from bridge.model.adapter import Outbound
from bridge.model.errors import AccountDown, ConnectionLost
from bridge.model.events import (
    AttachmentKind,
    ChatRenamed,
    MembershipChanged,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
)
from bridge.model.rich_text import CodeBlock, Mark, Paragraph, Quote, plain, text_of
from tests.support.intake import Gate
from tests.support.patience import PATIENCE_S, eventually, stays


async def test_a_message_with_its_author_text_and_reply(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    first = await emulator.say(chat, "Anna", emulator.formatting_sample())
    reply = await emulator.say(chat, "Boris", "yes :wave: <&>", reply_to=first)
    await eventually(lambda: len(account.intake.of(MessageCreated)) == 2)
    one, two = account.intake.of(MessageCreated)
    assert (one.message_id, one.meta.author.name, one.meta.origin.chat_id) == (first, "Anna", chat)
    assert one.meta.author.avatar_url.startswith("http")
    assert one.meta.event_key == f"created:team:{chat}:{first}"
    paragraph, quote, code = one.content.text.blocks
    assert isinstance(paragraph, Paragraph)
    marks = {run.text: run.marks for run in paragraph.inlines}
    assert (marks["bold"], marks["italic"], marks["strike"], marks["code"]) == (Mark.BOLD, Mark.ITALIC, Mark.STRIKE, Mark.CODE)
    assert any(run.link == "https://example.com/" and run.text == "label" for run in paragraph.inlines)
    assert isinstance(quote, Quote)
    assert isinstance(code, CodeBlock)
    assert code.text == "block"
    assert text_of(two.content.text) == "yes 👋 <&>"
    assert (two.content.reply_to.message_id, two.content.reply_to.author_name) == (first, "Anna")
    assert two.content.reply_to.excerpt == text_of(one.content.text)
    assert (two.message_id, two.meta.thread_id) == (reply, first)


async def test_edits_deletes_reactions_pins_members_renames(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    ts = await emulator.say(chat, "Anna", "before")
    await emulator.edit(chat, ts, "after")
    await emulator.unfurl(chat, ts, "a preview")
    await emulator.react(chat, ts, "Boris", "👍")
    await emulator.react(chat, ts, "Boris", "👍", remove=True)
    emulator.workspace.pin(emulator.workspace.message(chat, ts), emulator.add_person("Anna"), pinned=True)
    emulator.join(chat, "Carla")
    emulator.rename_chat(chat, "other")
    await emulator.delete(chat, ts)
    await eventually(lambda: account.intake.of(MessageDeleted))
    assert [text_of(event.content.text) for event in account.intake.of(MessageEdited)] == ["after"]
    added, removed = account.intake.of(ReactionsChanged)
    assert (added.added, added.removed, added.meta.author.name) == (("👍",), (), "Boris")
    assert removed.removed == ("👍",)
    assert account.intake.of(PinsChanged)[0].pinned
    assert account.intake.of(MembershipChanged)[0].member.name == "Carla"
    assert account.intake.of(ChatRenamed)[0].name == "other"
    assert account.intake.of(MessageDeleted)[0].message_id == ts
    assert len(account.intake.of(MessageCreated)) == 1
    await eventually(lambda: emulator.deliveries.unsettled == 0)


async def test_a_deleted_parent_with_replies_is_a_deletion(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    ts = await emulator.say(chat, "Anna", "parent")
    await emulator.say(chat, "Boris", "reply", reply_to=ts)
    await emulator.delete(chat, ts)
    await eventually(lambda: account.intake.of(MessageDeleted))
    assert account.intake.of(MessageDeleted)[0].message_id == ts


async def test_files_arrive_as_handles_and_are_streamed(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    adapter = await account.start()
    big = bytes(range(256)) * 50_000
    uploads = [
        Upload(name="photo.jpg", mime="image/jpeg", content=b"jpeg"),
        Upload(name="clip.mp4", mime="video/mp4", content=big),
        Upload(name="note.m4a", mime="audio/mp4", content=b"voice", kind="voice"),
        Upload(name="song.mp3", mime="audio/mpeg", content=b"song"),
        Upload(name="über.pdf", mime="application/pdf", content=b"pdf"),
    ]
    await emulator.say(chat, "Anna", "see", files=uploads)
    await eventually(lambda: account.intake.of(MessageCreated))
    attachments = account.intake.of(MessageCreated)[0].content.attachments
    assert [attachment.kind for attachment in attachments] == [
        AttachmentKind.PHOTO,
        AttachmentKind.VIDEO,
        AttachmentKind.VOICE,
        AttachmentKind.AUDIO,
        AttachmentKind.DOCUMENT,
    ]
    assert attachments[4].name == "über.pdf"
    for attachment, upload in zip(attachments, uploads, strict=True):
        assert emulator.workspace.bot_token not in attachment.file_id
        async with adapter.open_file(attachment) as stream:
            assert stream.size_bytes == len(upload.content)
            assert b"".join([chunk async for chunk in stream.chunks]) == upload.content


async def test_nothing_is_acknowledged_before_the_core_has_it(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    account.intake.before_accept = gate = Gate()
    await emulator.say(chat, "Anna", "one")
    await emulator.say(chat, "Anna", "two")
    await eventually(lambda: gate.held)
    await stays(lambda: emulator.deliveries.unsettled == 2)
    gate.open()
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    assert account.intake.texts() == ["one", "two"]


async def test_poison_is_kept_and_the_stream_goes_on(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    await emulator.say(chat, "Anna", "before")
    await emulator.disturb(StreamFault.POISON)
    await emulator.say(chat, "Anna", "after")
    await eventually(lambda: len(account.intake.texts()) == 2)
    assert len(account.intake.undecoded) == 1
    assert b"not" in account.intake.undecoded[0][0]
    await eventually(lambda: emulator.deliveries.unsettled == 0)


async def test_redelivery_is_the_same_event(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    await emulator.say(chat, "Anna", "once")
    await eventually(lambda: account.intake.texts() == ["once"])
    await emulator.disturb(StreamFault.REDELIVER)
    await eventually(lambda: account.intake.duplicates)
    emulator.deliveries.ack_deadline_s = 0.05
    emulator.deliveries.new_event_id_on_retry = True
    account.intake.before_accept = gate = Gate()
    await emulator.say(chat, "Anna", "twice")
    await eventually(lambda: emulator.deliveries.unsettled == 1)
    await asyncio.sleep(0.1)
    gate.open()
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    assert account.intake.texts() == ["once", "twice"]


async def test_events_that_arrive_together_are_put_in_order(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    account.intake.before_accept = gate = Gate()
    await emulator.say(chat, "Anna", "zero")
    await eventually(lambda: gate.held)
    await emulator.disturb(StreamFault.REORDER)
    for text in ("one", "two", "three"):
        await emulator.say(chat, "Anna", text)
    await asyncio.sleep(0.05)
    gate.open()
    await eventually(lambda: len(account.intake.texts()) == 4)
    assert account.intake.texts() == ["zero", "one", "two", "three"]


async def test_a_message_after_its_own_edit_or_deletion(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    emulator.deliveries.retry_delays_s = (0.4,)
    emulator.deliveries.use(lambda delivery: False)
    edited = await emulator.say(chat, "Anna", "before")
    deleted = await emulator.say(chat, "Anna", "soon gone")
    emulator.deliveries.use(emulator.sockets.send)
    await emulator.edit(chat, edited, "after")
    await emulator.delete(chat, deleted)
    await emulator.say(chat, "Anna", "later")
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    assert account.intake.texts() == ["after", "later"]
    assert [event.meta.event_key for event in account.intake.duplicates] == [f"created:team:{chat}:{edited}"]
    assert account.intake.of(MessageEdited) == []
    assert list(account.intake.ignored_reasons.elements()) == ["deleted before it arrived"]


async def test_an_edit_after_a_later_one_is_no_news(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    adapter = await account.start()
    ts = await emulator.say(chat, "Anna", "zero")
    await eventually(lambda: account.intake.texts() == ["zero"])
    emulator.deliveries.retry_delays_s = (0.4,)
    emulator.deliveries.use(lambda delivery: False)
    await emulator.edit(chat, ts, "one")
    emulator.deliveries.use(emulator.sockets.send)
    await emulator.edit(chat, ts, "two")
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    assert [text_of(event.content.text) for event in account.intake.of(MessageEdited)] == ["two"]
    await account.stop()
    emulator.deliveries.use(lambda delivery: False)
    await emulator.edit(chat, ts, "three")
    emulator.deliveries.retry_delays_s = ()
    await emulator.edit(chat, ts, "four")
    emulator.deliveries.use(emulator.sockets.send)
    await account.start(adapter)
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    assert [text_of(event.content.text) for event in account.intake.of(MessageEdited)] == ["two", "four"]


async def test_an_edit_of_an_old_message_stays_an_edit(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    ts = await emulator.say(chat, "Anna", "before the bridge")
    message = emulator.workspace.message(chat, ts)
    message.ts = "1600000000.000001"
    emulator.workspace.channels[chat].messages[message.ts] = message
    recent = await emulator.say(chat, "Anna", "just before the bridge")
    await account.start()
    await emulator.edit(chat, message.ts, "rewritten")
    await emulator.edit(chat, recent, "rewritten")
    await eventually(lambda: len(account.intake.of(MessageEdited)) == 2)
    assert account.intake.texts() == []


async def test_a_renewed_socket_leaves_no_gap(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    emulator.sockets.refresh_lead_s = 0.1
    wanted = [str(number) for number in range(60)]
    await emulator.disturb(StreamFault.DISCONNECT_CLEAN)
    for text in wanted:
        await emulator.say(chat, "Anna", text)
        await asyncio.sleep(0.005)
    await eventually(lambda: len(account.intake.texts()) == 60)
    assert sorted(account.intake.texts(), key=int) == wanted
    assert emulator.sockets.connections_total == 2
    assert account.intake.connections == 1
    await eventually(lambda: emulator.sockets.open_count == 1)
    assert not account.task.done()


async def test_a_renewal_that_comes_too_late_is_a_lost_connection(account: Any, emulator: SlackEmulator) -> None:
    """Only then does the catch-up bring what was said in between."""
    emulator.deliveries.retry_delays_s = ()
    chat = account.chat()
    adapter = await account.start()
    emulator.sockets.refresh_lead_s = 0.05
    emulator.inject(Fault(kind=FaultKind.HANG, operation="apps.connections.open", times=1))
    await emulator.disturb(StreamFault.DISCONNECT_CLEAN)
    with pytest.raises(ConnectionLost):
        await asyncio.wait_for(account.task, PATIENCE_S)
    await emulator.say(chat, "Anna", "in between")
    await account.start(adapter)
    await eventually(lambda: account.intake.texts() == ["in between"])
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="apps.connections.open", times=1))
    emulator.sockets.refresh_lead_s = 0.6
    await emulator.disturb(StreamFault.DISCONNECT_CLEAN)
    await eventually(lambda: emulator.sockets.connections_total == 3)
    assert not account.task.done()


async def test_a_cut_socket_ends_the_run(account: Any, emulator: SlackEmulator) -> None:
    account.chat()
    await account.start()
    await emulator.disturb(StreamFault.DISCONNECT)
    with pytest.raises(ConnectionLost):
        await asyncio.wait_for(account.task, PATIENCE_S)


async def test_a_wrong_token_parks_the_account(account: Any) -> None:
    with pytest.raises(AccountDown) as caught:
        await account.start(bot_token="xoxb-wrong")
    assert "bot_token" in caught.value.action
    assert "xoxb-wrong" not in str(caught.value)
    with pytest.raises(AccountDown):
        await account.start(app_token="xapp-wrong")


async def test_a_revoked_token_parks_the_account(account: Any, emulator: SlackEmulator) -> None:
    account.chat()
    await account.start()
    emulator.workspace.emit({"type": "tokens_revoked", "tokens": {"bot": ["U0BRIDGE001"]}})
    with pytest.raises(AccountDown):
        await asyncio.wait_for(account.task, PATIENCE_S)


async def test_connecting_fails_as_a_lost_connection(account: Any, emulator: SlackEmulator) -> None:
    account.chat()
    for fault in (FaultKind.SERVER_ERROR, FaultKind.RATE_LIMIT, FaultKind.DROP):
        for operation in ("auth.test", "apps.connections.open", "socket"):
            # the handshake is a GET on a kept connection: aiohttp itself sends it again
            times = 2 if (fault, operation) == (FaultKind.DROP, "socket") else 1
            emulator.inject(Fault(kind=fault, operation=operation, times=times))
            with pytest.raises(ConnectionLost):
                await account.start()
    await emulator.refuse_connections(True)
    with pytest.raises(ConnectionLost):
        await account.start()
    await emulator.refuse_connections(False)
    await account.start()


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


async def test_a_lost_channel_is_told(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    emulator.archive_chat(chat)
    emulator.remove_bot(chat)
    await eventually(lambda: len(account.intake.notices) == 2)
    assert [notice[2] for notice in account.intake.notices] == [chat, chat]
    emulator.archive_chat(chat, archived=False)
    emulator.workspace.join(emulator.workspace.channels[chat], emulator.workspace.bot_user_id)
    await eventually(lambda: account.intake.restorations)
    assert set(account.intake.restorations) == {chat}
    emulator.workspace.emit({"type": "channel_id_changed", "old_channel_id": chat, "new_channel_id": "C0NEW0001"})
    await eventually(lambda: account.intake.moves == [(chat, "C0NEW0001")])


async def test_a_reply_to_what_nobody_saw_is_quoted_all_the_same(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    theirs = await emulator.say(chat, "Anna", "long *before*")
    await account.start()
    for text in ("one", "two"):
        await emulator.say(chat, "Boris", text, reply_to=theirs)
    await eventually(lambda: len(account.intake.texts()) == 2)
    for event in account.intake.of(MessageCreated):
        assert (event.content.reply_to.author_name, event.content.reply_to.excerpt) == ("Anna", "long before")
    assert emulator.calls().count("conversations.replies") == 1


async def test_a_reply_does_not_wait_long_for_its_parent(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    theirs = await emulator.say(chat, "Anna", "long before")
    await account.start()
    emulator.inject(Fault(kind=FaultKind.HANG, operation="conversations.replies"))
    await emulator.say(chat, "Boris", "reply", reply_to=theirs)
    await eventually(lambda: account.intake.texts() == ["reply"])
    reply_to = account.intake.of(MessageCreated)[0].content.reply_to
    assert (reply_to.message_id, reply_to.author_name, reply_to.excerpt) == (theirs, "Anna", "")


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


async def test_the_core_is_told_what_the_bot_is_called(account: Any) -> None:
    account.chat()
    await account.start()
    await eventually(lambda: account.intake.names == {"Messenger Bridge", "messenger_bridge"})


async def test_without_the_right_to_look_people_up_the_user_name_is_told(account: Any, emulator: SlackEmulator) -> None:
    emulator.workspace.scopes -= {"users:read"}
    account.chat()
    await account.start()
    await eventually(lambda: "slack names team" not in {task.get_name() for task in asyncio.all_tasks()})
    assert account.intake.names == {"messenger_bridge"}


async def test_updates_of_an_app_within_one_second_all_arrive(account: Any, emulator: SlackEmulator) -> None:
    """First without a mark, then with one in whole seconds: older than the update before it, by its looks."""
    chat = account.chat()
    await account.start()
    first: dict[str, Any] = {"type": "message", "ts": "1795669643.100000", "text": "thinking...", "bot_id": "B9", "app_id": "A9"}
    part = {**first, "text": "part"}
    final = {**first, "text": "the answer", "edited": {"user": "B9", "ts": "1795669643.000000"}}
    better = {**final, "text": "the better answer"}
    emulator.deliveries.emit({**first, "channel": chat, "event_ts": first["ts"]})
    for old, new, at in (
        (first, part, "1795669643.400000"),
        (part, final, "1795669643.800000"),
        (final, better, "1795669643.900000"),
    ):
        change = {"type": "message", "subtype": "message_changed", "hidden": True, "channel": chat, "ts": at, "event_ts": at}
        emulator.deliveries.emit({**change, "message": new, "previous_message": old})
    await eventually(lambda: len(account.intake.of(MessageEdited)) == 3)
    assert [text_of(event.content.text) for event in account.intake.of(MessageEdited)] == [
        "part",
        "the answer",
        "the better answer",
    ]


async def test_words_that_come_back_within_a_second_are_another_edit(account: Any, emulator: SlackEmulator) -> None:
    """A spinner's frames: the last one is what is shown, and a repeated delivery is still one."""
    chat = account.chat()
    await account.start()
    first: dict[str, Any] = {"type": "message", "ts": "1795669643.100000", "text": "-", "bot_id": "B9", "app_id": "A9"}
    emulator.deliveries.emit({**first, "channel": chat, "event_ts": first["ts"]})
    old = first
    for number, frame in enumerate("|-|-"):
        new = {**first, "text": frame, "edited": {"user": "B9", "ts": "1795669643.000000"}}
        at = f"1795669643.{number + 2}00000"
        change = {"type": "message", "subtype": "message_changed", "hidden": True, "channel": chat, "ts": at, "event_ts": at}
        emulator.deliveries.emit({**change, "message": new, "previous_message": {**old, "text": "-" if frame == "|" else "|"}})
        old = new
    await eventually(lambda: len(account.intake.of(MessageEdited)) == 4)
    emulator.deliveries.redeliver_last()
    await eventually(lambda: account.intake.duplicates and emulator.deliveries.unsettled == 0)
    assert [text_of(event.content.text) for event in account.intake.of(MessageEdited)] == ["|", "-", "|", "-"]


async def test_an_edit_seen_live_is_not_brought_again(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    ts = await emulator.say(chat, "Anna", "before :wave:")
    await emulator.edit(chat, ts, "after :wave:")
    await eventually(lambda: account.intake.of(MessageEdited))
    await account.stop()
    await account.start(account.build())
    await emulator.say(chat, "Anna", "live")
    await eventually(lambda: "live" in account.intake.texts())
    assert len(account.intake.of(MessageEdited)) == 1


@pytest.mark.parametrize("why", ["a wrong app-level token", "Socket Mode is off"])
async def test_what_stops_receiving_stops_no_sending(account: Any, emulator: SlackEmulator, why: str) -> None:
    """Messages are sent with another token, and by another way."""
    chat = account.chat()
    adapter = account.build(**({"app_token": "xapp-wrong"} if why.startswith("a wrong") else {}))
    if why.startswith("Socket"):
        emulator.api.refusals = {"apps.connections.open": "no_permission"}
    with pytest.raises(AccountDown) as down:
        await account.start(adapter)
    assert down.value.sends
    assert "app_token" in down.value.action
    assert (account.intake.may_sends, account.intake.connections) == (1, 0)
    await adapter.send(Outbound(token="t-1", attempt=1, chat_id=chat, text=plain("goes out")))
    assert [seen.text for seen in emulator.transcript(chat)] == ["goes out"]


async def test_a_wrong_bot_token_stops_both(account: Any) -> None:
    with pytest.raises(AccountDown) as down:
        await account.start(bot_token="xoxb-wrong")
    assert not down.value.sends
    assert account.intake.may_sends == 0
