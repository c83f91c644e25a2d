"""What the core wants sent, as people see it in Slack: through the real transport, against the emulator's limits and rights."""

from __future__ import annotations

import hashlib
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.slack.emulator import SlackEmulator, rules
from bridge.model.adapter import (
    Copy,
    Outbound,
    OutboundDelete,
    OutboundEdit,
    OutboundFile,
    OutboundReaction,
    Receipt,
    Reply,
    Sender,
)
from bridge.model.capabilities import Feature, Support
from bridge.model.errors import AccountDown, BridgeError, ChangeRefused, ChatDown, OutcomeUnknown, Rejected, RetryLater, Scope
from bridge.model.events import Attachment, AttachmentKind, MessageCreated
from bridge.model.rich_text import (
    CodeBlock,
    List,
    ListItem,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    plain,
)
from tests.support.patience import eventually

ANNA = Sender(name="Anna Petrova", avatar_url="https://example.com/anna.png")


def outbound(chat: str, text: str | RichText = "hello", **more: Any) -> Outbound:
    rich = plain(text) if isinstance(text, str) else text
    return Outbound(**{"token": "tok-1", "attempt": 1, "chat_id": chat, "text": rich, "sender": ANNA, **more})


def file(path: Path, name: str, content: bytes, mime: str = "application/octet-stream") -> OutboundFile:
    path = path / name
    path.write_bytes(content)
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="origin", name=name, mime=mime)
    return OutboundFile(attachment=attachment, path=path, name=name, mime=mime, size_bytes=len(content))


def copy_of(chat: str, receipt: Receipt) -> Copy:
    return Copy(chat_id=chat, message_ids=receipt.message_ids, thread_id=receipt.thread_id, adapter_data=receipt.adapter_data)


async def test_a_message_under_the_authors_name(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    rich = RichText(
        (
            Paragraph(
                (
                    Text("bold", Mark.BOLD),
                    Text(" <b> & *not bold* "),
                    Text("label", 0, "https://example.com/?a=1&b=2"),
                    Text(" "),
                    Timestamp(1700000000, "that day"),
                )
            ),
            Quote((Paragraph((Text("quoted"),)),)),
            CodeBlock("x = 1\n*y*"),
            List((ListItem((Text("one"),)), ListItem((Text("deeper"),), 1), ListItem((Text("two"),))), ordered=True),
        )
    )
    receipt = await adapter.send(outbound(chat, rich))
    seen = emulator.seen(chat, receipt.message_ids[0])
    assert (seen.author_name, seen.author_avatar_url) == ("Anna Petrova", "https://example.com/anna.png")
    assert seen.text == "bold <b> & *not bold* label that day\nquoted\nx = 1\n*y*\n1. one\n    1. deeper\n2. two"
    assert "<b>bold</b> &lt;b&gt; &amp; *not bold* " in seen.html
    assert '<a href="https://example.com/?a=1&amp;b=2">label</a>' in seen.html
    assert "<blockquote>quoted</blockquote>" in seen.html
    assert "<pre>x = 1<br>*y*</pre>" in seen.html
    assert receipt.losses == ()


async def test_foreign_text_pings_nobody(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    hostile = "<!channel> <!here> <@U0BRIDGE001> @everyone :wave: <https://evil.example|Slack> ```x``` &lt;!here&gt;"
    seen = emulator.seen(chat, (await adapter.send(outbound(chat, hostile))).message_ids[0])
    assert seen.text == hostile
    assert "broadcast" not in seen.html
    assert "mention" not in seen.html
    assert '<a href="https://evil.example">https://evil.example</a>|Slack' in seen.html, "an address shows where it leads"
    message = emulator.workspace.message(chat, seen.message_id)
    assert "<" not in message.text.replace("&lt;", "")
    everyone = RichText((Paragraph((Mention(MentionKind.EVERYONE, "", "here"),)),))
    quiet = emulator.seen(chat, (await adapter.send(outbound(chat, everyone))).message_ids[0])
    assert "broadcast" not in quiet.html
    loud = emulator.seen(chat, (await adapter.send(outbound(chat, everyone, mass_mentions=True))).message_ids[0])
    assert "broadcast" in loud.html


async def test_edit_delete_react_pin(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    receipt = await adapter.send(outbound(chat, "before"))
    copy = copy_of(chat, receipt)
    await adapter.edit(OutboundEdit(token="tok-2", copy=copy, text=plain("after " + "x" * 5000), sender=ANNA))
    seen = emulator.seen(chat, receipt.message_ids[0])
    assert seen.text == "after " + "x" * 5000
    assert seen.author_name == "Anna Petrova"
    await adapter.react(OutboundReaction(copy=copy, wanted=("👍", "❤️"), added=("👍", "❤️")))
    await adapter.react(OutboundReaction(copy=copy, wanted=("👍",), added=("👍",)))
    await adapter.react(OutboundReaction(copy=copy, wanted=("❤",), removed=("👍", "🎉")))
    assert [reaction.emoji for reaction in emulator.seen(chat, receipt.message_ids[0]).reactions] == ["❤️"]
    with pytest.raises(Rejected):
        await adapter.react(OutboundReaction(copy=copy, added=(":no-such-thing:",)))
    emulator.workspace.custom_emoji["party"] = "https://example.com/party.gif"
    await adapter.react(OutboundReaction(copy=copy, added=(":party:",)))
    await adapter.pin(copy, True)
    await adapter.pin(copy, True)
    await adapter.pin(copy, False)
    await adapter.delete(OutboundDelete(copy=copy))
    await adapter.delete(OutboundDelete(copy=copy))
    assert emulator.seen(chat, receipt.message_ids[0]).deleted
    with pytest.raises(Rejected):
        await adapter.edit(OutboundEdit(token="tok-3", copy=copy, text=plain("too late")))


async def test_a_file_leaves_its_message(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat, adapter = account.chat(), account.build()
    files = tuple(file(tmp_path, name, name.encode()) for name in ("a.txt", "b.txt", "c.txt"))
    copy = copy_of(chat, await adapter.send(outbound(chat, "words", files=files)))
    without_b = copy_of(chat, await adapter.remove_files(copy, [1]))
    assert [one.name for one in emulator.seen(chat, copy.message_ids[0]).files] == ["a.txt", "c.txt"]
    await adapter.remove_files(copy, [1])  # it is gone already
    without_any = copy_of(chat, await adapter.remove_files(without_b, [0, 1]))
    seen = emulator.seen(chat, copy.message_ids[0])
    assert (seen.text, seen.files, seen.deleted) == ("words", (), False)
    with pytest.raises(Rejected, match="not known"):
        await adapter.remove_files(without_any, [0])


async def test_replies_go_to_threads(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    parent = await emulator.say(chat, "Boris", "question")
    receipt = await adapter.send(outbound(chat, "answer", reply=Reply(message_id=parent, author_name="Boris", excerpt="question")))
    assert (receipt.thread_id, emulator.seen(chat, receipt.message_ids[0]).reply_to) == (parent, parent)
    nested = Reply(message_id=receipt.message_ids[0], thread_id=receipt.thread_id)
    again = await adapter.send(outbound(chat, "more", reply=nested))
    assert again.thread_id == parent
    unknown = await adapter.send(outbound(chat, "to whom", reply=Reply(author_name="Boris", excerpt="an older question")))
    assert emulator.seen(chat, unknown.message_ids[0]).text == "Boris: an older question\nto whom"
    gone = await adapter.send(
        outbound(chat, "to a ghost", reply=Reply(message_id="1700000000.000001", author_name="Boris", excerpt="?"))
    )
    assert (gone.thread_id, emulator.seen(chat, gone.message_ids[0]).text) == (None, "Boris: ?\nto a ghost")
    assert gone.losses
    with pytest.raises(ChatDown):
        await adapter.send(outbound(chat, "into a thread that is gone", thread_id="1700000000.000001"))


async def test_replies_by_choice(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    parent = await emulator.say(chat, "Boris", "question")
    reply = Reply(message_id=parent, author_name="Boris", excerpt="question")
    quoting = account.build(replies="quote")
    receipt = await quoting.send(outbound(chat, "answer", reply=reply))
    assert (receipt.thread_id, emulator.seen(chat, receipt.message_ids[0]).text) == (None, "Boris: question\nanswer")
    edit = OutboundEdit(token="t", copy=copy_of(chat, receipt), text=plain("better"), reply=reply)
    await quoting.edit(edit)
    assert emulator.seen(chat, receipt.message_ids[0]).text == "Boris: question\nbetter"
    receipt = await account.build(replies="broadcast").send(outbound(chat, "answer", reply=reply))
    assert emulator.workspace.message(chat, receipt.message_ids[0]).broadcast


async def test_without_the_scope_the_name_goes_into_the_text(account: Any, emulator: SlackEmulator) -> None:
    emulator.workspace.scopes.discard("chat:write.customize")
    chat, adapter = account.chat(), account.build()
    receipt = await adapter.send(outbound(chat, "hello"))
    assert emulator.seen(chat, receipt.message_ids[0]).text == "Anna Petrova:\nhello"
    assert receipt.losses
    assert adapter.capabilities.level(Feature.SENDER_NAME) is Support.CONVERTED
    await adapter.edit(OutboundEdit(token="t", copy=copy_of(chat, receipt), text=plain("bye"), sender=ANNA))
    assert emulator.seen(chat, receipt.message_ids[0]).text == "Anna Petrova:\nbye"
    learned = await account.start()
    assert learned.capabilities.level(Feature.SENDER_NAME) is Support.CONVERTED


async def test_refused_formatting_does_not_cost_the_words(
    account: Any, emulator: SlackEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, adapter = account.chat(), account.build()
    good = await adapter.send(outbound(chat, "good"))
    monkeypatch.setattr(rules, "MAX_ALL_BLOCKS", 3)
    rich = RichText((Paragraph((Text("bold <!here> *x*", Mark.BOLD), Text("link", 0, "https://example.com/"))), CodeBlock("code")))
    receipt = await adapter.send(outbound(chat, rich, token="tok-2"))
    seen = emulator.seen(chat, receipt.message_ids[0])
    assert seen.text == "bold <!here> *x*link (https://example.com/)\ncode"
    assert "broadcast" not in seen.html
    assert receipt.losses
    edited = await adapter.edit(OutboundEdit(token="t", copy=copy_of(chat, good), text=plain("y" * 5000)))
    assert len(emulator.seen(chat, good.message_ids[0]).text) == 4000
    assert len(edited.losses) == 2
    shared = await adapter.send(outbound(chat, "long caption", token="tok-3", files=(file(tmp_path, "a.txt", b"x"),)))
    assert emulator.seen(chat, shared.message_ids[0]).text == "long caption"
    assert emulator.calls().count("files.upload") == 1


async def test_files_become_one_message(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat = account.chat()
    adapter = await account.start()
    files = (file(tmp_path, "photo.png", b"png", "image/png"), file(tmp_path, "über uns.pdf", b"pdf" * 1000, "application/pdf"))
    parent = await emulator.say(chat, "Boris", "show me")
    receipt = await adapter.send(outbound(chat, "here", files=files, reply=Reply(message_id=parent)))
    seen = emulator.seen(chat, receipt.message_ids[0])
    assert (seen.text, seen.author_name, seen.reply_to) == ("here", "Anna Petrova", parent)
    assert [(entry.name, entry.kind) for entry in seen.files] == [("photo.png", "photo"), ("über uns.pdf", "document")]
    assert [emulator.file_bytes(entry.file_id) for entry in seen.files] == [b"png", b"pdf" * 1000]
    copy = copy_of(chat, receipt)
    await adapter.edit(OutboundEdit(token="t", copy=copy, text=plain("there"), has_files=True, sender=ANNA))
    assert emulator.seen(chat, receipt.message_ids[0]).text == "there"
    assert len(emulator.seen(chat, receipt.message_ids[0]).files) == 2
    await adapter.delete(OutboundDelete(copy=copy))
    assert all(emulator.workspace.files[entry.file_id].deleted for entry in seen.files)


async def test_files_without_events_are_found_by_asking(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat, adapter = account.chat(), account.build()
    emulator.files.share_delay_s = 0.4
    receipt = await adapter.send(outbound(chat, RichText(), files=(file(tmp_path, "a.txt", b"text"),)))
    assert emulator.seen(chat, receipt.message_ids[0]).files[0].name == "a.txt"


async def test_an_empty_file_is_refused_before_anything_is_sent(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat, adapter = account.chat(), account.build()
    with pytest.raises(Rejected):
        await adapter.send(outbound(chat, "x", files=(file(tmp_path, "empty.txt", b""),)))
    assert emulator.transcript(chat) == []


async def test_a_large_file_is_streamed(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat = account.chat()
    adapter = await account.start()
    size_bytes = 48 * 1024 * 1024
    path = tmp_path / "big.bin"
    with path.open("wb") as target:
        for number in range(48):
            target.write(bytes([number]) * 1024 * 1024)
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="", name="big.bin")
    big = OutboundFile(attachment=attachment, path=path, name="big.bin", mime="", size_bytes=size_bytes)
    tracemalloc.start()
    receipt = await adapter.send(outbound(chat, "big", files=(big,)))
    entry = emulator.seen(chat, receipt.message_ids[0]).files[0]
    received = Attachment(
        kind=AttachmentKind.DOCUMENT,
        file_id=f"{entry.file_id} {emulator.workspace.file(emulator.workspace.files[entry.file_id])['url_private']}",
        name="big.bin",
        mime=entry.mime,
        size_bytes=size_bytes,
    )
    digest = hashlib.sha256()
    async with adapter.open_file(received) as stream:
        async for chunk in stream.chunks:
            digest.update(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert digest.hexdigest() == entry.sha256
    # emulator (8 MiB in memory at most) and adapter together
    assert peak < 24 * 1024 * 1024


@pytest.mark.parametrize(
    ("fault", "error", "arrived"),
    [
        (Fault(kind=FaultKind.RATE_LIMIT, retry_after_s=7), RetryLater, False),
        (Fault(kind=FaultKind.RATE_LIMIT, retry_after_s=None), RetryLater, False),
        (Fault(kind=FaultKind.SERVER_ERROR), OutcomeUnknown, False),
        (Fault(kind=FaultKind.SERVER_ERROR, status=503), OutcomeUnknown, False),
        (Fault(kind=FaultKind.SERVER_ERROR_AFTER), OutcomeUnknown, True),
        (Fault(kind=FaultKind.HANG), OutcomeUnknown, False),
        (Fault(kind=FaultKind.HANG_AFTER), OutcomeUnknown, True),
        (Fault(kind=FaultKind.DROP), OutcomeUnknown, False),
        (Fault(kind=FaultKind.DROP_AFTER), OutcomeUnknown, True),
        (Fault(kind=FaultKind.UNAUTHORIZED), AccountDown, False),
    ],
    ids=lambda value: f"{value.kind}" if isinstance(value, Fault) else "",
)
async def test_every_fault_of_a_post_is_classified_and_reconciled(
    account: Any, emulator: SlackEmulator, fault: Fault, error: type[BridgeError], arrived: bool
) -> None:
    import msgspec

    chat, adapter = account.chat(), account.build(request_timeout_s=2.0)
    await account.start(adapter)
    before = datetime.now(UTC)
    emulator.inject(msgspec.structs.replace(fault, operation="chat.postMessage", times=1))
    with pytest.raises(error) as caught:
        await adapter.send(outbound(chat))
    assert emulator.calls().count("chat.postMessage") == 1
    if isinstance(caught.value, RetryLater):
        assert (caught.value.after_s, caught.value.rate_limited) == (fault.retry_after_s, True)
        assert caught.value.scope is Scope.CHAT
    assert emulator.workspace.bot_token not in str(caught.value)
    found = await adapter.reconcile(outbound(chat), before)
    assert (found is not None) is arrived
    assert len(emulator.transcript(chat)) == (1 if arrived else 0)
    if found is not None:
        assert found.message_ids == (emulator.transcript(chat)[0].message_id,)


async def test_refused_connections_surely_sent_nothing(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    await emulator.refuse_connections(True)
    with pytest.raises(RetryLater):
        await adapter.send(outbound(chat))
    with pytest.raises(RetryLater):
        await adapter.reconcile(outbound(chat), datetime.now(UTC))
    await emulator.refuse_connections(False)
    await adapter.send(outbound(chat))


@pytest.mark.parametrize("operation", ["files.getUploadURLExternal", "files.upload", "files.completeUploadExternal"])
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DROP_AFTER, FaultKind.SERVER_ERROR, FaultKind.RATE_LIMIT])
async def test_every_step_of_an_upload_can_fail(
    account: Any, emulator: SlackEmulator, tmp_path: Path, operation: str, kind: FaultKind
) -> None:
    chat = account.chat()
    adapter = await account.start(request_timeout_s=2.0)
    before = datetime.now(UTC)
    emulator.inject(Fault(kind=kind, operation=operation, times=1))
    sent = outbound(chat, "caption", files=(file(tmp_path, "a.bin", b"x" * 100_000),))
    is_last = operation == "files.completeUploadExternal" and kind is not FaultKind.RATE_LIMIT
    with pytest.raises(OutcomeUnknown if is_last else RetryLater):
        await adapter.send(sent)
    if is_last and kind is FaultKind.DROP_AFTER:
        await eventually(lambda: emulator.transcript(chat))
        found = await adapter.reconcile(sent, before)
        assert found is not None
        assert found.message_ids == (emulator.transcript(chat)[0].message_id,)
        bare = outbound(chat, RichText(), files=sent.files, token="tok-2")
        emulator.inject(Fault(kind=kind, operation=operation, times=1))
        with pytest.raises(OutcomeUnknown):
            await adapter.send(bare)
        await eventually(lambda: len(emulator.transcript(chat)) == 2)
        found = await adapter.reconcile(bare, before)
        assert found is not None
        assert found.message_ids == (emulator.transcript(chat)[1].message_id,)
    else:
        assert emulator.transcript(chat) == []
        await adapter.send(sent)
        assert len(emulator.transcript(chat)) == 1


async def test_a_message_that_lies_in_a_thread_is_found_again(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    parent = await emulator.say(chat, "Boris", "question")
    reply = outbound(chat, "answer", reply=Reply(message_id=parent))
    receipt = await adapter.send(reply)
    found = await adapter.reconcile(reply, datetime.now(UTC) - timedelta(seconds=5))
    assert found is not None
    assert (found.message_ids, found.thread_id) == (receipt.message_ids, parent)


async def test_a_share_that_is_slow_is_found_again(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat, adapter = account.chat(), account.build(personas=False)
    emulator.files.share_delay_s = 0.5
    emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation="files.completeUploadExternal", times=1))
    before = datetime.now(UTC)
    sent = outbound(chat, "caption", files=(file(tmp_path, "a.bin", b"x"),))
    with pytest.raises(OutcomeUnknown):
        await adapter.send(sent)
    found = await adapter.reconcile(sent, before)
    assert found is not None
    await adapter.edit(OutboundEdit(token="t", copy=copy_of(chat, found), text=plain("new"), has_files=True, sender=ANNA))
    assert emulator.seen(chat, found.message_ids[0]).text == "Anna Petrova:\nnew"


async def test_without_history_nobody_can_tell(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    assert adapter.capabilities.native(Feature.RECONCILE)
    emulator.workspace.scopes.discard("channels:history")
    with pytest.raises(RetryLater):
        await adapter.reconcile(outbound(chat), datetime.now(UTC))
    assert not adapter.capabilities.native(Feature.RECONCILE)


async def test_our_own_messages_come_back_marked(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat = account.chat()
    adapter = await account.start()
    await adapter.send(outbound(chat, "with a persona"))
    emulator.workspace.persona_as_bot_message = False
    await adapter.send(outbound(chat, "in the other shape", token="tok-2"))
    await adapter.send(outbound(chat, "as the app", token="tok-3", sender=None))
    await adapter.send(outbound(chat, "file", token="tok-4", files=(file(tmp_path, "a.txt", b"x"),)))
    await eventually(lambda: len([e for e in account.intake.events if isinstance(e, MessageCreated)]) == 4)
    for number, event in enumerate(account.intake.events, 1):
        assert event.meta.sent_by_us
        assert event.meta.delivery_id == f"tok-{number}"
    await emulator.say(chat, "Anna", "a person")
    await eventually(lambda: account.intake.texts() == ["a person"])


async def test_channels_that_refuse(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    with pytest.raises(ChatDown):
        await adapter.send(outbound("C0NOSUCH01"))
    emulator.workspace.scopes.discard("chat:write.public")
    emulator.remove_bot(chat)
    with pytest.raises(ChatDown) as caught:
        await adapter.send(outbound(chat))
    assert "/invite" in caught.value.action
    emulator.archive_chat(chat)
    with pytest.raises(ChatDown):
        await adapter.send(outbound(chat))
    emulator.workspace.scopes.discard("chat:write")
    with pytest.raises(AccountDown) as down:
        await adapter.send(outbound(chat))
    assert "chat:write" in down.value.reason


async def test_addresses(account: Any, emulator: SlackEmulator) -> None:
    adapter = account.build()
    chats = {name: emulator.add_chat(name).chat_id for name in ("general", "random", "old", "closed")}
    assert await adapter.resolve("#general") == chats["general"]
    assert await adapter.resolve("C024BE7LH") == "C024BE7LH"
    await adapter.resolve("#random")
    assert emulator.calls().count("conversations.list") == 1
    with pytest.raises(ChatDown):
        await adapter.resolve("#nowhere")
    emulator.archive_chat(chats["old"])
    emulator.remove_bot(chats["closed"])
    fresh = account.build()
    for address in ("#old", "#closed"):
        with pytest.raises(ChatDown):
            await fresh.resolve(address)
    await emulator.refuse_connections(True)
    with pytest.raises(RetryLater):
        await account.build().resolve("#general")
    await emulator.refuse_connections(False)


async def test_probe_says_what_to_click(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    items = await adapter.probe([chat])
    assert all(item.ok for item in items)
    emulator.workspace.scopes.discard("files:read")
    emulator.remove_bot(chat)
    broken = {item.name: item for item in await adapter.probe([chat, "C0NOSUCH01"]) if not item.ok}
    assert set(broken) == {"scope files:read", "#general", "channel C0NOSUCH01"}
    assert all(item.action for item in broken.values())
    assert "files:read" in broken["scope files:read"].action
    wrong = await account.build(bot_token="xoxb-wrong").probe([])
    assert (wrong[0].ok, bool(wrong[0].action)) == (False, True)
    assert not all(item.ok for item in await account.build(app_token="xapp-wrong").probe([]))


async def test_each_missing_scope_is_named(account: Any, emulator: SlackEmulator) -> None:
    missing = {"files:write", "reactions:read", "chat:write.customize"}
    emulator.workspace.scopes -= missing | {"usergroups:read"}
    adapter = account.build()
    broken = [item for item in await adapter.probe([]) if not item.ok]
    assert {item.name for item in broken} == {f"scope {scope}" for scope in missing}
    for attribute in ("detail", "action"):
        lines = [getattr(item, attribute) for item in broken]
        assert len(set(lines)) == 3
        assert all(any(scope in line for line in lines) for scope in missing)
    useful = next(item for item in await adapter.probe([]) if item.name == "scope usergroups:read")
    assert "usergroups:read" in useful.detail
    # nobody wants the authors' names there
    plain_adapter = account.build(personas=False)
    assert "scope chat:write.customize" not in {item.name for item in await plain_adapter.probe([]) if not item.ok}


async def test_a_check_without_a_network_blames_nothing(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    await emulator.refuse_connections(True)
    items = await adapter.probe([chat])
    await emulator.refuse_connections(False)
    assert [(item.ok, item.temporary, item.action) for item in items] == [(False, True, "")]
    emulator.inject(Fault(kind=FaultKind.RATE_LIMIT, operation="conversations.info", times=1))
    assert [(item.name, item.temporary) for item in await adapter.probe([chat]) if not item.ok] == [(f"channel {chat}", True)]


async def test_a_message_that_is_not_the_bots_stays(account: Any, emulator: SlackEmulator) -> None:
    """By the workspace's rules for good: no right would help."""
    chat, adapter = account.chat(), account.build()
    copy = Copy(chat_id=chat, message_ids=(await emulator.say(chat, "Anna", "mine"),))
    with pytest.raises(ChangeRefused, match="not ours"):
        await adapter.edit(OutboundEdit(token="t", copy=copy, text=plain("yours")))
    with pytest.raises(ChangeRefused, match="not ours"):
        await adapter.delete(OutboundDelete(copy=copy))
