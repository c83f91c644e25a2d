"""Replies: native as the bot, a line with a link as a webhook."""

from __future__ import annotations

from adapters.discord.adapter import DiscordAdapter
from bridge.model.adapter import OutboundEdit, Reply
from bridge.model.rich_text import plain
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.sending import ANNA, copy_of, outbound, shown


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
