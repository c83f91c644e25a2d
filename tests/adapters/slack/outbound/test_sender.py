"""What the core wants sent, as people see it in Slack: through the real transport, against the emulator's limits and rights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.slack.emulator import SlackEmulator, rules
from bridge.model.adapter import (
    Copy,
    OutboundDelete,
    OutboundEdit,
    OutboundReaction,
    Reply,
)
from bridge.model.capabilities import Feature, Support
from bridge.model.errors import AccountDown, ChangeRefused, ChatDown, Rejected
from bridge.model.events import MessageCreated
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
from tests.adapters.slack.outbound.sending import ANNA, copy_of, file, outbound
from tests.support.patience import eventually


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


async def test_a_message_that_is_not_the_bots_stays(account: Any, emulator: SlackEmulator) -> None:
    """By the workspace's rules for good: no right would help."""
    chat, adapter = account.chat(), account.build()
    copy = Copy(chat_id=chat, message_ids=(await emulator.say(chat, "Anna", "mine"),))
    with pytest.raises(ChangeRefused, match="not ours"):
        await adapter.edit(OutboundEdit(token="t", copy=copy, text=plain("yours")))
    with pytest.raises(ChangeRefused, match="not ours"):
        await adapter.delete(OutboundDelete(copy=copy))
