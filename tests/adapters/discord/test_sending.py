"""The adapter sends to the emulated Discord: as webhook and as bot, with every error classified and nothing sent twice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.rules import RateBudgets
from adapters.discord.emulator.world import BOT_PERMISSIONS, Permission
from bridge.model.adapter import Copy, OutboundDelete, OutboundEdit, OutboundFile, OutboundReaction, Reply, Sender
from bridge.model.errors import ChangeRefused, ChatDown, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import Mention, MentionKind, Paragraph, RichText, Text, plain
from tests.support.patience import eventually

from .conftest import Bench
from .sending import ANNA, copy_of, outbound, outbound_file, shown

SEND = "POST /webhooks/{webhook}/{token}"

# -- identity -----------------------------------------------------------------------------------------------------------------


async def test_copies_carry_their_authors_name_and_avatar(bench: Bench, adapter: DiscordAdapter) -> None:
    await adapter.send(outbound(bench))
    (message,) = shown(bench)
    assert (message.author_name, message.author_avatar_url, message.text) == ("Anna", ANNA.avatar_url, "hello")


async def test_the_webhook_is_found_again_after_a_restart(bench: Bench, adapter: DiscordAdapter) -> None:
    first = await adapter.send(outbound(bench))
    restarted = bench.adapter()
    await restarted.edit(OutboundEdit(token="e", copy=copy_of(bench, first), text=plain("edited after restart"), sender=ANNA))
    second = await restarted.send(outbound(bench, "again"))
    await restarted.close()
    assert first.adapter_data == second.adapter_data
    assert len(bench.emulator.world.webhooks) == 1
    assert [m.text for m in shown(bench)] == ["edited after restart", "again"]


async def test_a_deleted_webhook_is_made_anew(bench: Bench, adapter: DiscordAdapter) -> None:
    first = await adapter.send(outbound(bench))
    bench.emulator.world.webhooks.clear()
    second = await adapter.send(outbound(bench, "again"))
    assert [m.text for m in shown(bench)] == ["hello", "again"]
    assert first.adapter_data != second.adapter_data
    with pytest.raises(ChangeRefused, match="webhook"):
        await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, first), text=plain("too late")))
    await adapter.delete(OutboundDelete(copy=copy_of(bench, first)))
    assert [m.text for m in shown(bench)] == ["again"], "the bot may still delete it"


@pytest.mark.parametrize("obstacle", ["permission", "fifteen webhooks"])
async def test_without_a_webhook_the_bot_posts_with_the_name_in_the_text(
    bench: Bench, adapter: DiscordAdapter, obstacle: str
) -> None:
    if obstacle == "permission":
        bench.emulator.deny(bench.chat, Permission.MANAGE_WEBHOOKS)
    else:
        for number in range(15):
            bench.emulator.world.add_webhook(int(bench.chat), f"theirs {number}", bench.emulator.world.owner, None)
    intake = bench.intake()
    async with bench.running(adapter, intake):
        receipt = await adapter.send(outbound(bench))
        await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, receipt), text=plain("edited"), sender=ANNA))
    (message,) = shown(bench)
    assert (message.author_name, message.text, message.html) == ("Bridge", "Anna\nedited", "<b>Anna</b><br>edited")
    assert intake.notices
    assert intake.notices[0][2] == bench.chat


async def test_a_webhook_is_asked_for_again_once_the_right_is_given_back(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.deny(bench.chat, Permission.MANAGE_WEBHOOKS)
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await adapter.send(outbound(bench))
        intake.restorations.clear()
        bench.emulator.deny(bench.chat, Permission(0))
        await eventually(lambda: bench.chat in intake.restorations)
        await adapter.send(outbound(bench, "again", token="t2"))
    assert [m.author_name for m in shown(bench)] == ["Bridge", "Anna"]


async def test_rights_of_the_bots_role_count_too(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.set_permissions(BOT_PERMISSIONS & ~Permission.MANAGE_WEBHOOKS)
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await adapter.send(outbound(bench))
        intake.restorations.clear()
        bench.emulator.set_permissions(BOT_PERMISSIONS)
        await eventually(lambda: bench.chat in intake.restorations)
        await adapter.send(outbound(bench, "again", token="t2"))
    assert [m.author_name for m in shown(bench)] == ["Bridge", "Anna"]


NAMES = ["Discord Fan", "clyde", "everyone", "here", "There", "  spaced   out ", "x" * 200, "", "\u0000\u202e"]


@pytest.mark.parametrize("name", NAMES)
async def test_every_name_is_taken_and_stays_readable(bench: Bench, adapter: DiscordAdapter, name: str) -> None:
    await adapter.send(outbound(bench, sender=Sender(name=name)))
    assert shown(bench)[0].text == "hello"
    assert 1 <= len(shown(bench)[0].author_name) <= 80


async def test_a_name_that_is_refused_all_the_same_moves_into_the_text(
    bench: Bench, adapter: DiscordAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.encode.webhook_name", lambda name: f"discord {name}")
    receipt = await adapter.send(outbound(bench))
    assert shown(bench)[0].text == "Anna\nhello"
    await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, receipt), text=plain("edited"), sender=ANNA))
    assert shown(bench)[0].text == "Anna\nedited"


async def test_as_a_bot_the_reply_is_native(bench: Bench) -> None:
    adapter = bench.adapter(post_as="bot")
    question = await bench.emulator.say(bench.chat, "Boris", "ready?")
    await adapter.send(outbound(bench, "yes", sender=None, reply=Reply(message_id=question, author_name="Boris", excerpt="ready?")))
    gone = Reply(message_id="1", author_name="Boris", excerpt="deleted meanwhile")
    await adapter.send(outbound(bench, "still sent", sender=None, reply=gone, token="t2"))
    await adapter.close()
    assert shown(bench)[1].reply_to == question
    assert shown(bench)[2].text == "still sent"


async def test_as_a_webhook_the_reply_is_a_line_with_a_link(bench: Bench, adapter: DiscordAdapter) -> None:
    question = await bench.emulator.say(bench.chat, "Boris", "ready?")
    reply = Reply(message_id=question, author_name="B*ris", excerpt="re[a]dy? @everyone\nor not")
    receipt = await adapter.send(outbound(bench, "yes", reply=reply))
    link = f"https://discord.com/channels/{bench.emulator.world.guild_id}/{bench.chat}/{question}"
    assert shown(bench)[1].text == "↪ B*ris: re(a)dy? @everyone or not\nyes"
    assert f'href="{link}"' in shown(bench)[1].html
    await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, receipt), text=plain("no"), sender=ANNA, reply=reply))
    assert shown(bench)[1].text.endswith("\nno")


async def test_a_reply_line_never_makes_a_text_too_long(bench: Bench, adapter: DiscordAdapter) -> None:
    question = await bench.emulator.say(bench.chat, "Boris", "ready?")
    reply = Reply(message_id=question, author_name="Boris", excerpt="ready?")
    await adapter.send(outbound(bench, "y" * 2000, reply=reply))
    assert shown(bench)[1].text == "y" * 2000 + "\n↪ Boris: ready?", "in an embed below"


# -- changing -----------------------------------------------------------------------------------------------------------------


async def test_edit_delete_react_pin_and_typing(bench: Bench, adapter: DiscordAdapter) -> None:
    receipt = await adapter.send(outbound(bench))
    copy = copy_of(bench, receipt)
    await adapter.edit(OutboundEdit(token="e", copy=copy, text=plain("edited"), sender=ANNA))
    await adapter.react(OutboundReaction(copy=copy, wanted=("👍", "🎉"), added=("👍", "🎉")))
    await adapter.react(OutboundReaction(copy=copy, wanted=("🎉",), removed=("👍",)))
    await adapter.pin(copy, True)
    await adapter.show_typing(bench.chat, None)
    message = shown(bench)[0]
    assert (message.text, message.edited, [r.emoji for r in message.reactions]) == ("edited", True, ["🎉"])
    assert bench.emulator.world.channels[int(bench.chat)].pins == [int(receipt.message_ids[0])]
    await adapter.delete(OutboundDelete(copy=copy))
    await adapter.delete(OutboundDelete(copy=copy))
    assert receipt.message_ids[0] not in [m.message_id for m in shown(bench)]


@pytest.mark.parametrize("as_bot", [False, True])
async def test_a_file_leaves_its_message(bench: Bench, adapter: DiscordAdapter, tmp_path: Path, as_bot: bool) -> None:
    if as_bot:
        bench.emulator.deny(bench.chat, Permission.MANAGE_WEBHOOKS)
    paths = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    for path in paths:
        path.write_text(path.name)
    everyone = "words for @everyone"
    receipt = await adapter.send(outbound(bench, everyone, files=tuple(map(outbound_file, paths))))
    copy = copy_of(bench, await adapter.remove_files(copy_of(bench, receipt), [1]))
    assert [file.name for file in shown(bench)[0].files] == ["a.txt", "c.txt"]
    await adapter.remove_files(copy, [0, 1])
    await adapter.remove_files(copy, [0, 1])
    (message,) = shown(bench)
    assert message.files == ()
    assert everyone.replace("@", "") in message.text.replace("@", "").replace("\u200b", "")
    stored = bench.emulator.world.channels[int(bench.chat)].messages[int(copy.message_ids[0])]
    assert not stored.mention_everyone
    await adapter.delete(OutboundDelete(copy=copy))
    with pytest.raises(Rejected):
        await adapter.remove_files(copy, [0])


async def test_custom_emoji_react_by_name_and_unknown_ones_are_refused(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.add_emoji("party")
    message_id = await bench.emulator.say(bench.chat, "Anna", "news")
    copy = Copy(chat_id=bench.chat, message_ids=(message_id,))
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await adapter.react(OutboundReaction(copy=copy, wanted=(":party:",), added=(":party:",)))
        with pytest.raises(Rejected, match=":nope:"):
            await adapter.react(OutboundReaction(copy=copy, wanted=(":nope:", "👍"), added=(":nope:", "👍")))
    assert [r.emoji for r in shown(bench)[0].reactions] == [":party:", "👍"]


async def test_a_missing_right_to_react_or_pin_is_no_trouble_of_the_chat(bench: Bench, adapter: DiscordAdapter) -> None:
    copy = copy_of(bench, await adapter.send(outbound(bench)))
    bench.emulator.deny(bench.chat, Permission.ADD_REACTIONS | Permission.PIN_MESSAGES)
    with pytest.raises(Rejected, match="Add Reactions"):
        await adapter.react(OutboundReaction(copy=copy, wanted=("👍",), added=("👍",)))
    with pytest.raises(Rejected, match="Pin Messages"):
        await adapter.pin(copy, True)
    await adapter.send(outbound(bench, token="t2"))
    bench.emulator.deny(bench.chat, Permission.VIEW_CHANNEL)
    with pytest.raises(ChatDown):
        await adapter.react(OutboundReaction(copy=copy, wanted=("👍",), added=("👍",)))


async def test_threads_are_written_to_and_archived_ones_wake_up(bench: Bench, adapter: DiscordAdapter) -> None:
    thread = await bench.emulator.start_thread(bench.chat, "Anna", "Details")
    await bench.emulator.archive_thread(thread)
    receipt = await adapter.send(outbound(bench, thread_id=thread))
    await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, receipt), text=plain("edited"), sender=ANNA))
    assert [(m.text, m.thread_id) for m in bench.emulator.transcript(thread)] == [("edited", thread)]
    await bench.emulator.archive_thread(thread)
    await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, receipt), text=plain("edited again"), sender=ANNA))
    await bench.emulator.archive_thread(thread)
    await adapter.react(OutboundReaction(copy=copy_of(bench, receipt), wanted=("👍",), added=("👍",)))
    (message,) = bench.emulator.transcript(thread)
    assert (message.text, [r.emoji for r in message.reactions]) == ("edited again", ["👍"])
    await bench.emulator.archive_thread(thread, locked=True)
    with pytest.raises(Rejected):
        await adapter.send(outbound(bench, thread_id=thread, token="t2"))


# -- nobody is pinged by accident ---------------------------------------------------------------------------------------------


async def test_foreign_text_pings_nobody_on_send_and_edit(bench: Bench, adapter: DiscordAdapter) -> None:
    anna = bench.emulator.add_person("Anna")
    role = bench.emulator.bot.role_id
    hostile = f"@everyone @here <@{anna}> <@!{anna}> <@&{role}> <#{bench.chat}>"
    for sender in (ANNA, None):
        receipt = await adapter.send(outbound(bench, hostile, sender=sender, token=f"t{sender is None}"))
        await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, receipt), text=plain(hostile), sender=sender))
    assert [m.text for m in shown(bench)] == [hostile, hostile]
    assert not any("mention" in m.html for m in shown(bench))


async def test_only_meant_mentions_ping(bench: Bench, adapter: DiscordAdapter) -> None:
    anna = bench.emulator.add_person("Anna")
    everyone = Mention(MentionKind.EVERYONE, "everyone", "everyone")
    text = RichText((Paragraph((Mention(MentionKind.USER, anna, "Anna"), Text(" and "), everyone)),))
    await adapter.send(outbound(bench, text))
    await adapter.send(outbound(bench, text, token="t2", mass_mentions=True))
    quiet, loud = shown(bench)
    assert quiet.html == '<span class="mention ping">@Anna</span> and @everyone'
    assert loud.html == '<span class="mention ping">@Anna</span> and <span class="mention ping">@everyone</span>'


# -- files --------------------------------------------------------------------------------------------------------------------


async def test_several_files_travel_in_one_message(bench: Bench, adapter: DiscordAdapter, tmp_path: Path) -> None:
    files = []
    for number in range(3):
        path = tmp_path / f'фай"л {number}.txt'
        path.write_bytes(b"x" * (1000 + number))
        files.append(outbound_file(path))
    receipt = await adapter.send(outbound(bench, "three files", files=tuple(files)))
    await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, receipt), text=plain("edited"), has_files=True, sender=ANNA))
    (message,) = shown(bench)
    assert message.text == "edited"
    assert [(f.name, f.size_bytes) for f in message.files] == [(f'фай"л {n}.txt', 1000 + n) for n in range(3)]


async def test_a_file_without_text_and_a_spoiler(bench: Bench, adapter: DiscordAdapter, tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(30))
    attachment = Attachment(kind=AttachmentKind.PHOTO, file_id="", name="secret.png", spoiler=True, alt_text="a secret")
    file = OutboundFile(attachment=attachment, path=path, name="secret.png", mime="image/png", size_bytes=38)
    await adapter.send(outbound(bench, "", files=(file,)))
    stored = next(iter(bench.emulator.world.channels[int(bench.chat)].messages.values())).attachments[0]
    assert (stored.is_spoiler, stored.description) == (True, "a secret")
    assert stored.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


async def test_too_large_a_file_is_refused_for_good(bench: Bench, adapter: DiscordAdapter, tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(11 * 1024**2))
    with pytest.raises(Rejected):
        await adapter.send(outbound(bench, "", files=(outbound_file(path),)))
    assert shown(bench) == []


async def test_the_upload_limit_follows_the_servers_boosts(bench: Bench, adapter: DiscordAdapter) -> None:
    assert adapter.capabilities.limits.upload_bytes == 10 * 1024**2
    async with bench.running(adapter, bench.intake()):
        bench.emulator.set_boost(2)
        await bench.emulator.say(bench.chat, "Anna", "boosted")
        await eventually(lambda: adapter.capabilities.limits.upload_bytes == 50 * 1024**2)


# -- limits -------------------------------------------------------------------------------------------------------------------


async def test_learned_limits_are_kept_without_a_single_429(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.budgets = RateBudgets(webhook=(5, 0.3))
    for number in range(12):
        await adapter.send(outbound(bench, f"{number}", token=f"t{number}"))
    assert [m.text for m in shown(bench)] == [str(n) for n in range(12)]
    assert bench.emulator.calls().count(SEND) == 12


async def test_a_hidden_limit_is_told_by_its_429(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.budgets = RateBudgets(webhook_channel=(2, 60.0))
    for number in range(2):
        await adapter.send(outbound(bench, token=f"t{number}"))
    with pytest.raises(RetryLater) as raised:
        await adapter.send(outbound(bench, token="t2"))
    assert raised.value.rate_limited
    assert raised.value.after_s is not None
    assert 55 < raised.value.after_s <= 60


def test_the_permissions_asked_for_are_the_documented_ones() -> None:
    assert int(BOT_PERMISSIONS) == 2252109588589632
