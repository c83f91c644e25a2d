"""Bodies of calls: names that Discord takes, and mentions that ping only whom they should."""

from __future__ import annotations

import pytest

from adapters.discord.adapter import DiscordAdapter
from bridge.model.adapter import OutboundEdit, Sender
from bridge.model.rich_text import Mention, MentionKind, Paragraph, RichText, Text, plain
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.sending import ANNA, copy_of, outbound, shown

NAMES = ["Discord Fan", "clyde", "everyone", "here", "There", "  spaced   out ", "x" * 200, "", "\u0000\u202e"]


@pytest.mark.parametrize("name", NAMES)
async def test_every_name_is_taken_and_stays_readable(bench: Bench, adapter: DiscordAdapter, name: str) -> None:
    await adapter.send(outbound(bench, sender=Sender(name=name)))
    assert shown(bench)[0].text == "hello"
    assert 1 <= len(shown(bench)[0].author_name) <= 80


async def test_a_name_that_is_refused_all_the_same_moves_into_the_text(
    bench: Bench, adapter: DiscordAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.outbound.encode.webhook_name", lambda name: f"discord {name}")
    receipt = await adapter.send(outbound(bench))
    assert shown(bench)[0].text == "Anna\nhello"
    await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, receipt), text=plain("edited"), sender=ANNA))
    assert shown(bench)[0].text == "Anna\nedited"


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
