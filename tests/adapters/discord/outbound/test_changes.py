"""Edits, deletes and files that leave a message."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.records import Permission
from bridge.model.adapter import OutboundDelete, OutboundEdit, OutboundReaction
from bridge.model.errors import Rejected
from bridge.model.rich_text import plain
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.sending import ANNA, copy_of, outbound, outbound_file, shown


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
