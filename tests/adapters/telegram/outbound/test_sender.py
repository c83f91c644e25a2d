"""Sending, editing, deleting and reacting through the adapter, seen as people in the emulated Telegram see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from adapters.common.emulation.contract import SeenMessage
from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.emulator.errors import bad_request
from adapters.telegram.emulator.formatting import store_text
from bridge.model.adapter import Outbound, OutboundDelete, OutboundEdit, OutboundReaction, Reply
from bridge.model.errors import ChangeRefused, ChatDown, ChatMoved, Rejected
from bridge.model.outcomes import Loss
from bridge.model.rich_text import CodeBlock, Mark, Mention, MentionKind, Paragraph, Quote, RichText, Text, plain


def only(emulator: TelegramEmulator, chat: str) -> SeenMessage:
    seen = [message for message in emulator.transcript(chat) if not message.system]
    assert len(seen) == 1
    return seen[0]


async def test_formatting_arrives_as_entities(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Callable[..., Outbound]
) -> None:
    rich = RichText(
        (
            Paragraph(
                (
                    Text("👍 "),
                    Text("bold", Mark.BOLD),
                    Text(" "),
                    Text("both", Mark.BOLD | Mark.ITALIC),
                    Text(" "),
                    Text("label", 0, "https://example.com/x"),
                    Text(" <b>&amp; *not* bold_ @somebody"),
                )
            ),
            Quote((Paragraph((Text("quoted"),)),)),
            CodeBlock("x = 1", "python"),
        )
    )
    receipt = await adapter.send(say(rich))
    seen = only(emulator, chat)
    assert receipt.message_ids == (seen.message_id,)
    assert seen.html == (
        '👍 <b>bold</b> <b><i>both</i></b> <a href="https://example.com/x">label</a> '
        "&lt;b&gt;&amp;amp; *not* bold_ @\u200bsomebody\n"
        '<blockquote>quoted</blockquote>\n<pre><code class="language-python">x = 1</code></pre>'
    )


@pytest.mark.parametrize(
    "description",
    [
        "can't parse entities: Unsupported start tag at byte offset 3",
        "ENTITIES_TOO_LONG",
        "ENTITY_BOUNDS_INVALID",
        "ENTITY_MENTION_USER_INVALID",
        "entity beginning at UTF-16 offset 3 ends in a middle of a UTF-16 symbol at byte offset 9",
        "entity begins in a middle of a UTF-16 symbol at byte offset 4",
    ],
)
async def test_refused_formatting_does_not_cost_the_words(
    emulator: TelegramEmulator,
    chat: str,
    adapter: Any,
    say: Callable[..., Outbound],
    copy_of: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    description: str,
) -> None:
    """Descriptions: tdlib's MessageEntity.cpp, the Bot API server's issues, and the errors of messages.sendMessage."""

    def store(text: str, entities: list[Any], **more: Any) -> Any:
        if entities:
            raise bad_request(description)
        return store_text(text, entities, **more)

    monkeypatch.setattr("adapters.telegram.emulator.call.store_text", store)
    outbound = say(RichText((Quote((Paragraph((Text("so *bold*", Mark.BOLD),)),)), CodeBlock("x = 1", "python"))))
    receipt = await adapter.send(outbound)
    assert receipt.losses == (Loss.FORMATTING_REFUSED,)
    assert only(emulator, chat).text == "> so *bold*\nx = 1"
    again = RichText(
        (
            Paragraph(
                (Text("after", Mark.BOLD), Text(" it")),
            ),
        )
    )
    edited = await adapter.edit(OutboundEdit(token="e", copy=copy_of(outbound, receipt), text=again))
    assert (only(emulator, chat).text, edited.losses) == ("after it", (Loss.FORMATTING_REFUSED,))


async def test_mentions_are_made_only_on_purpose(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Callable[..., Outbound]
) -> None:
    user_id = emulator.add_person("Anna Petrova")
    by_id = Mention(MentionKind.USER, user_id, "Anna Petrova")
    by_name = Mention(MentionKind.USER, "anna_petrova", "anna_petrova")
    await adapter.send(say(RichText((Paragraph((by_id, Text(" "), by_name, Text(" @anna_petrova"))),))))
    assert only(emulator, chat).html == (
        '<span class="text_mention">@Anna Petrova</span> <span class="mention">@anna_petrova</span> @\u200banna_petrova'
    )


async def test_a_reply_points_at_the_message_and_survives_its_absence(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Callable[..., Outbound]
) -> None:
    first = await emulator.say(chat, "Anna", "hello")
    await adapter.send(say("answer", reply=Reply(message_id=first)))
    receipt = await adapter.send(say("to nothing", reply=Reply(message_id="999999")))
    assert receipt.losses == ("the answered message is gone",)
    assert [message.reply_to for message in emulator.transcript(chat)] == ["", first, ""]


async def test_topics_and_the_general_topic(emulator: TelegramEmulator, adapter: Any, say: Callable[..., Outbound]) -> None:
    forum, [topic] = emulator.add_forum("Forum", ["Release"])
    await adapter.send(say("in topic", chat_id=forum.chat_id, thread_id=topic))
    await adapter.send(say("in general", chat_id=forum.chat_id, thread_id="1"))
    shown = {message.text: message.thread_id for message in emulator.transcript(forum.chat_id)}
    assert shown["in topic"] == topic
    assert shown["in general"] == ""
    inside = await emulator.say(forum.chat_id, "Anna", "question", thread_id=topic)
    receipt = await adapter.send(say("answer", chat_id=forum.chat_id, reply=Reply(message_id=inside, thread_id=topic)))
    assert receipt.thread_id == topic
    answer = emulator.transcript(forum.chat_id)[-1]
    assert (answer.thread_id, answer.reply_to) == (topic, inside)
    with pytest.raises(ChatDown, match="thread not found"):
        await adapter.send(say("gone", chat_id=forum.chat_id, thread_id="4711"))


async def test_edits_change_the_words_and_an_equal_edit_is_no_failure(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Callable[..., Outbound], copy_of: Callable[..., Any]
) -> None:
    outbound = say("before")
    copy = copy_of(outbound, await adapter.send(outbound))
    for _ in range(2):
        await adapter.edit(OutboundEdit(token="e", copy=copy, text=RichText((Paragraph((Text("after", Mark.BOLD),)),))))
    seen = only(emulator, chat)
    assert (seen.html, seen.edited) == ("<b>after</b>", True)


async def test_captions_are_edited_where_they_are(
    emulator: TelegramEmulator,
    chat: str,
    adapter: Any,
    say: Callable[..., Outbound],
    copy_of: Callable[..., Any],
    file: Callable[..., Any],
    png: Callable[..., bytes],
) -> None:
    pictures = tuple(file("photo", f"{n}.png", "image/png", png(20 + n, 20)) for n in range(3))
    outbound = say("caption", files=pictures)
    receipt = await adapter.send(outbound)
    assert len(receipt.message_ids) == 3
    album = only(emulator, chat)
    assert [shown.kind for shown in album.files] == ["photo"] * 3
    await adapter.edit(OutboundEdit(token="e", copy=copy_of(outbound, receipt), text=plain("new caption"), has_files=True))
    assert only(emulator, chat).text == "new caption"


async def test_words_find_their_place_when_a_file_has_left_its_album(
    emulator: TelegramEmulator,
    chat: str,
    adapter: Any,
    say: Callable[..., Outbound],
    copy_of: Callable[..., Any],
    file: Callable[..., Any],
    png: Callable[..., bytes],
) -> None:
    outbound = say("", files=tuple(file("photo", f"{n}.png", "image/png", png(20 + n, 20)) for n in range(3)))
    copy = copy_of(outbound, await adapter.send(outbound))
    first, *others = copy.message_ids
    await adapter.delete(OutboundDelete(copy=msgspec.structs.replace(copy, message_ids=(first,))))
    left = msgspec.structs.replace(copy, message_ids=tuple(others))
    await adapter.edit(OutboundEdit(token="e", copy=left, text=plain("a caption now"), has_files=True))
    (album,) = [message for message in emulator.transcript(chat) if not message.deleted]
    assert (album.text, len(album.files)) == ("a caption now", 2)


async def test_delete_takes_all_messages_of_a_copy_and_what_is_gone_is_no_failure(
    emulator: TelegramEmulator,
    chat: str,
    adapter: Any,
    say: Callable[..., Outbound],
    copy_of: Callable[..., Any],
    file: Callable[..., Any],
    png: Callable[..., bytes],
) -> None:
    for outbound in (say("text"), say("", files=tuple(file("photo", "a.png", "image/png", png(9, 9)) for _ in range(2)))):
        copy = copy_of(outbound, await adapter.send(outbound))
        await adapter.delete(OutboundDelete(copy=copy))
        await adapter.delete(OutboundDelete(copy=copy))
    assert [message.deleted for message in emulator.transcript(chat)] == [True, True]


async def test_a_message_too_old_to_be_deleted_is_refused_with_a_reason(
    emulator: TelegramEmulator, adapter: Any, say: Callable[..., Outbound], copy_of: Callable[..., Any]
) -> None:
    outbound = say("old")
    copy = copy_of(outbound, await adapter.send(outbound))
    at = emulator.world.now()
    emulator.world.now = lambda: at + 49 * 3600
    with pytest.raises(ChangeRefused, match="deleted"):
        await adapter.delete(OutboundDelete(copy=copy))


async def test_reactions_show_the_latest_that_telegram_knows(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Callable[..., Outbound], copy_of: Callable[..., Any]
) -> None:
    outbound = say("react to me")
    copy = copy_of(outbound, await adapter.send(outbound))

    def shown() -> list[str]:
        return [reaction.emoji for reaction in only(emulator, chat).reactions]

    await adapter.react(OutboundReaction(copy=copy, wanted=("🧀", "❤️", "👍🏽"), added=("🧀",)))
    assert shown() == ["❤"]
    await adapter.react(OutboundReaction(copy=copy, wanted=("👍🏽",), removed=("❤️",)))
    assert shown() == ["👍"]
    emulator.world.chats[int(chat)].allowed_reactions = frozenset("🔥")
    await adapter.react(OutboundReaction(copy=copy, wanted=("👎", "🔥"), added=("👎",)))
    assert shown() == ["🔥"]
    with pytest.raises(Rejected, match="🧀"):
        await adapter.react(OutboundReaction(copy=copy, wanted=("🧀",), added=("🧀",), removed=("🔥",)))
    assert shown() == []
    await adapter.react(OutboundReaction(copy=copy))


async def test_text_at_the_limit_goes_and_one_more_is_refused(adapter: Any, say: Callable[..., Outbound]) -> None:
    limit = adapter.capabilities.limits.text_length
    await adapter.send(say("👍" * limit))
    with pytest.raises(Rejected, match="too long"):
        await adapter.send(say("👍" * (limit + 1)))
    assert adapter.measure(plain("👍" * limit)) == limit


async def test_more_links_than_telegram_keeps_show_their_addresses(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Callable[..., Outbound]
) -> None:
    links = tuple(Text(f"l{n} ", 0, f"https://example.com/{n}") for n in range(103))
    await adapter.send(say(RichText((Paragraph(links),))))
    seen = only(emulator, chat)
    assert seen.html.count("<a href") >= 100
    for n in range(103):
        assert f"https://example.com/{n}" in seen.html


async def test_links_that_telegram_would_drop_show_their_address(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Callable[..., Outbound]
) -> None:
    links = (Text("mail", 0, "mailto:a@b.example"), Text(" "), Text("intranet", 0, "http://wiki/page"))
    await adapter.send(say(RichText((Paragraph(links),))))
    assert only(emulator, chat).text.replace("\u200b", "") == "mail (a@b.example) intranet (http://wiki/page)"


async def test_kicked_moved_and_unknown_chats(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Callable[..., Outbound]
) -> None:
    group = emulator.add_group("Old")
    new = emulator.migrate(group.chat_id)
    with pytest.raises(ChatMoved) as moved:
        await adapter.send(say("hello", chat_id=group.chat_id))
    assert moved.value.new_chat_id == new.chat_id
    emulator.kick(chat)
    with pytest.raises(ChatDown, match="kicked"):
        await adapter.send(say("hello"))
    with pytest.raises(ChatDown, match="not found"):
        await adapter.send(say("hello", chat_id="-1009999999999"))


async def test_typing_and_pins(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Callable[..., Outbound], copy_of: Callable[..., Any]
) -> None:
    outbound = say("pin me")
    copy = copy_of(outbound, await adapter.send(outbound))
    await adapter.show_typing(chat, None)
    await adapter.pin(copy, True)
    assert emulator.world.chats[int(chat)].pinned == [int(copy.message_ids[0])]
    await adapter.pin(copy, False)
    assert emulator.world.chats[int(chat)].pinned == []
    assert "sendChatAction" in emulator.calls()


async def test_previews_can_be_switched_off(emulator: TelegramEmulator, adapter: Any, say: Callable[..., Outbound]) -> None:
    receipt = await adapter.send(say("https://example.com", previews=False, silent=True))
    assert receipt.message_ids


async def test_resolving_addresses(emulator: TelegramEmulator, chat: str, adapter: Any) -> None:
    assert await adapter.resolve(chat) == chat
    assert "getChat" not in emulator.calls()
    with pytest.raises(ChatDown):
        await adapter.resolve("@nobody_here")
