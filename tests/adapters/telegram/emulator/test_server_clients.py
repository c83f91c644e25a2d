"""The emulator under client libraries that the adapter does not use: python-telegram-bot and pyTelegramBotAPI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import telegram
from telebot import asyncio_helper
from telebot.async_telebot import AsyncTeleBot
from telebot.types import InputFile, InputMediaPhoto, ReactionTypeEmoji, ReplyParameters
from telegram.constants import ParseMode
from telegram.ext import Application, MessageHandler, MessageReactionHandler, filters
from telegram.request import HTTPXRequest

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from adapters.telegram.emulator import TelegramEmulator
from tests.support.patience import PATIENCE_S, eventually


@pytest.fixture
async def ptb(emulator: TelegramEmulator) -> AsyncIterator[telegram.Bot]:
    base = emulator.base_url
    bot = telegram.Bot(emulator.token, base_url=base + "/bot", base_file_url=base + "/file/bot")
    async with bot:
        yield bot


@pytest.fixture
async def telebot(emulator: TelegramEmulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncTeleBot]:
    monkeypatch.setattr(asyncio_helper, "API_URL", emulator.base_url + "/bot{0}/{1}")
    monkeypatch.setattr(asyncio_helper, "FILE_URL", emulator.base_url + "/file/bot{0}/{1}")
    bot = AsyncTeleBot(emulator.token)
    yield bot
    await bot.close_session()


async def test_ptb_texts_edits_and_deletes(emulator: TelegramEmulator, chat: str, ptb: telegram.Bot) -> None:
    assert (await ptb.get_me()).username == "bridge_emulated_bot"
    sent = await ptb.send_message(chat, "<b>bold</b> &amp; <i>it</i>", parse_mode=ParseMode.HTML)
    assert sent.entities[0].type == "bold"
    reply = await ptb.send_message(chat, "*b* and `c`", parse_mode=ParseMode.MARKDOWN_V2, reply_to_message_id=sent.message_id)
    assert reply.reply_to_message is not None
    await ptb.edit_message_text("new", chat, sent.message_id)
    with pytest.raises(telegram.error.BadRequest, match="not modified"):
        await ptb.edit_message_text("new", chat, sent.message_id)
    await ptb.set_message_reaction(chat, sent.message_id, "👍")
    await ptb.delete_message(chat, reply.message_id)
    first, second = emulator.transcript(chat)
    assert (first.text, first.edited, [r.emoji for r in first.reactions]) == ("new", True, ["👍"])
    assert (second.html, second.deleted, second.reply_to) == ("<b>b</b> and <code>c</code>", True, first.message_id)


async def test_ptb_files_and_albums(emulator: TelegramEmulator, chat: str, ptb: telegram.Bot, png: Callable[..., bytes]) -> None:
    await ptb.send_photo(chat, png(20, 10), caption="photo")
    album = await ptb.send_media_group(chat, [telegram.InputMediaPhoto(png(20 + n, 10)) for n in range(2)], caption="album")
    assert len({message.media_group_id for message in album}) == 1
    document = await ptb.send_document(chat, b"hello", filename="a.txt")
    assert document.document is not None
    content = await (await document.document.get_file()).download_as_bytearray()
    assert bytes(content) == b"hello"
    edited = await ptb.edit_message_media(telegram.InputMediaDocument(b"other", filename="b.txt"), chat, document.message_id)
    assert isinstance(edited, telegram.Message)
    photo, pair, changed = emulator.transcript(chat)
    assert (photo.text, [f.kind for f in photo.files]) == ("photo", ["photo"])
    assert (pair.text, [f.kind for f in pair.files]) == ("album", ["photo", "photo"])
    assert changed.files[0].name == "b.txt"


async def test_ptb_polls_updates(emulator: TelegramEmulator, chat: str) -> None:
    base = emulator.base_url
    request = HTTPXRequest(read_timeout=5)
    builder = Application.builder().token(emulator.token).base_url(base + "/bot").base_file_url(base + "/file/bot")
    application = builder.get_updates_request(request).build()
    seen: list[str] = []
    done = asyncio.Event()

    async def handle(update: telegram.Update, context: Any) -> None:
        if update.message_reaction is not None:
            (reaction,) = update.message_reaction.new_reaction
            assert isinstance(reaction, telegram.ReactionTypeEmoji)
            seen.append(reaction.emoji)
            done.set()
        elif update.effective_message is not None:
            seen.append(update.effective_message.text or update.effective_message.caption or "")

    application.add_handler(MessageHandler(filters.ALL, handle))
    application.add_handler(MessageReactionHandler(handle))
    async with application:
        assert application.updater is not None
        await application.updater.start_polling(timeout=2, allowed_updates=telegram.Update.ALL_TYPES)
        await application.start()
        await eventually(lambda: "getUpdates" in emulator.calls())
        first = await emulator.say(chat, "Anna", "**hello**")
        await emulator.edit(chat, first, "changed")
        await emulator.say(chat, "Anna", "file", files=[Upload(name="a.txt", mime="text/plain", content=b"x")])
        await emulator.react(chat, first, "Bob", "🔥")
        await asyncio.wait_for(done.wait(), PATIENCE_S)
        await application.updater.stop()
        await application.stop()
    assert seen == ["hello", "changed", "file", "🔥"]


async def test_ptb_errors(emulator: TelegramEmulator, chat: str, ptb: telegram.Bot) -> None:
    with pytest.raises(telegram.error.BadRequest, match="too long"):
        await ptb.send_message(chat, "x" * 4097)
    with pytest.raises(telegram.error.BadRequest, match="replied not found"):
        await ptb.send_message(chat, "x", reply_to_message_id=4711)
    with pytest.raises(telegram.error.BadRequest, match="an't parse entities"):
        await ptb.send_message(chat, "<b>x", parse_mode=ParseMode.HTML)
    emulator.inject(Fault(kind=FaultKind.RATE_LIMIT, operation="sendMessage", times=1, retry_after_s=7))
    with pytest.raises(telegram.error.RetryAfter):
        await ptb.send_message(chat, "x")
    group = emulator.add_group("Basic")
    new = emulator.migrate(group.chat_id)
    with pytest.raises(telegram.error.ChatMigrated) as migrated:
        await ptb.send_message(group.chat_id, "x")
    assert str(migrated.value.new_chat_id) == new.chat_id
    emulator.kick(chat)
    with pytest.raises(telegram.error.Forbidden):
        await ptb.send_message(chat, "x")
    with pytest.raises(telegram.error.InvalidToken):
        async with telegram.Bot("123:wrong", base_url=emulator.base_url + "/bot"):
            pass


async def test_ptb_topics_chats_and_pins(emulator: TelegramEmulator, ptb: telegram.Bot) -> None:
    forum, _ = emulator.add_forum("Forum")
    topic = await ptb.create_forum_topic(forum.chat_id, "Release")
    sent = await ptb.send_message(forum.chat_id, "x", message_thread_id=topic.message_thread_id)
    assert sent.is_topic_message
    with pytest.raises(telegram.error.BadRequest, match="thread not found"):
        await ptb.send_message(forum.chat_id, "x", message_thread_id=1)
    await ptb.pin_chat_message(forum.chat_id, sent.message_id)
    info = await ptb.get_chat(forum.chat_id)
    assert (info.title, info.is_forum) == ("Forum", True)
    assert info.pinned_message is not None
    member = await ptb.get_chat_member(forum.chat_id, ptb.id)
    assert member.status == "administrator"
    assert [admin.user.id for admin in await ptb.get_chat_administrators(forum.chat_id)] == [ptb.id]


async def test_ptb_other_contents(emulator: TelegramEmulator, chat: str, ptb: telegram.Bot) -> None:
    await ptb.send_location(chat, 52.5, 13.4)
    await ptb.send_venue(chat, 52.5, 13.4, "Office", "Main St 1")
    await ptb.send_contact(chat, "+491234", "Anna")
    await ptb.send_poll(chat, "Tea?", ["yes", "no"])
    await ptb.send_dice(chat)
    await ptb.send_voice(chat, b"OggS", filename="a.ogg", duration=3)
    await ptb.send_sticker(chat, telegram.InputFile(b"webp", filename="a.webp"))
    source = await ptb.send_message(chat, "copy me")
    copied = await ptb.copy_message(chat, chat, source.message_id)
    assert copied.message_id == source.message_id + 1
    await ptb.send_chat_action(chat, "typing")
    assert [seen.text for seen in emulator.transcript(chat)[:4]] == [
        "Location: 52.5, 13.4",
        "Venue: Office, Main St 1",
        "Contact: Anna +491234",
        "Poll: Tea?\n- yes\n- no",
    ]


async def test_telebot_sends_and_polls(
    emulator: TelegramEmulator, chat: str, telebot: AsyncTeleBot, png: Callable[..., bytes]
) -> None:
    sent = await telebot.send_message(int(chat), "<u>hi</u> _x_", parse_mode="HTML")
    await telebot.send_photo(
        int(chat), png(9, 9), caption="*c*", parse_mode="Markdown", reply_parameters=ReplyParameters(sent.message_id)
    )
    await telebot.send_media_group(int(chat), [InputMediaPhoto(InputFile(b)) for b in map(_io, (png(9, 9), png(8, 8)))])
    await telebot.edit_message_text("<u>ho</u>", int(chat), sent.message_id, parse_mode="HTML")
    await telebot.set_message_reaction(int(chat), sent.message_id, [ReactionTypeEmoji("❤")])
    hi, photo, album = emulator.transcript(chat)
    assert hi.html == "<u>ho</u>"
    assert [reaction.emoji for reaction in hi.reactions] == ["❤"]
    assert (photo.html, photo.reply_to) == ("<b>c</b>", hi.message_id)
    assert len(album.files) == 2
    first = await emulator.say(chat, "Anna", "one")
    await emulator.say(chat, "Anna", "two", reply_to=first)
    updates = await telebot.get_updates(timeout=2)
    one, two = (update.message for update in updates)
    assert one is not None
    assert two is not None
    assert [one.text, two.text] == ["one", "two"]
    assert two.reply_to_message is not None
    assert two.reply_to_message.message_id == int(first)
    assert await telebot.get_updates(offset=updates[-1].update_id + 1, timeout=0) == []
    await telebot.delete_messages(int(chat), [sent.message_id, int(first)])
    assert [seen.deleted for seen in emulator.transcript(chat)] == [True, False, False, True, False]


def _io(content: bytes) -> Any:
    import io

    return io.BytesIO(content)


async def test_telebot_downloads(emulator: TelegramEmulator, chat: str, telebot: AsyncTeleBot) -> None:
    await emulator.say(chat, "Anna", "", files=[Upload(name="a.bin", mime="application/x-a", content=b"bytes")])
    [update] = await telebot.get_updates(timeout=2)
    assert update.message is not None
    document = update.message.document
    assert document is not None
    assert document.file_name == "a.bin"
    file = await telebot.get_file(document.file_id)
    assert await telebot.download_file(file.file_path) == b"bytes"
