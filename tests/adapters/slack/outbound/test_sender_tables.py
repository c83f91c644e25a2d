"""Tables in sent and edited messages, and what becomes of them where Slack refuses the block."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.slack.emulator import SlackEmulator, rules
from adapters.slack.emulator.errors import ApiError
from bridge.model.adapter import OutboundEdit
from bridge.model.outcomes import Loss
from bridge.model.rich_text import Paragraph, RichText, Text, plain
from bridge.model.rich_text_tables import table
from tests.adapters.slack.outbound.sending import ANNA, copy_of, file, outbound
from tests.support.patience import eventually

TABLE = RichText((Paragraph((Text("so"),)), table([["os", "size"], ["linux", "5 MB"]])))
COLUMNS = "os    | size\n------+-----\nlinux | 5 MB"


def shown(emulator: SlackEmulator, chat: str, ts: str) -> Any:
    return emulator.seen(chat, ts)


async def test_a_table_is_posted_and_kept_by_an_edit(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    receipt = await adapter.send(outbound(chat, TABLE))
    seen = shown(emulator, chat, receipt.message_ids[0])
    assert (seen.html.count("<td>"), receipt.losses) == (4, ())
    assert COLUMNS in emulator.workspace.message(chat, seen.message_id).text, "what notifications show"
    more = RichText((*TABLE.blocks[:1], table([["os", "size"], ["linux", "5 MB"], ["bsd", "3 MB"]])))
    again = await adapter.edit(OutboundEdit(token="tok-2", copy=copy_of(chat, receipt), text=more, sender=ANNA))
    assert (shown(emulator, chat, seen.message_id).html.count("<td>"), again.losses) == (6, ())
    gone = await adapter.edit(OutboundEdit(token="tok-3", copy=copy_of(chat, receipt), text=plain("gone"), sender=ANNA))
    assert (shown(emulator, chat, seen.message_id).text, gone.losses) == ("gone", ())


async def test_words_that_become_a_table_alone(account: Any, emulator: SlackEmulator) -> None:
    """Slack takes no block of another kind in the place of rich_text."""
    chat, adapter = account.chat(), account.build()
    receipt = await adapter.send(outbound(chat, "words"))
    alone = RichText(TABLE.blocks[1:])
    edited = await adapter.edit(OutboundEdit(token="tok-2", copy=copy_of(chat, receipt), text=alone, sender=ANNA))
    seen = shown(emulator, chat, receipt.message_ids[0])
    assert (seen.text, edited.losses) == (COLUMNS, (Loss.TABLE_AS_TEXT,))
    assert "<pre>" in seen.html


@pytest.mark.parametrize("code", ["invalid_blocks", "invalid_attachments", "msg_blocks_too_long"])
async def test_a_refused_table_is_columns_of_text(
    account: Any, emulator: SlackEmulator, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    check = rules.check_blocks

    def refusing(blocks: Any) -> None:
        if any(block["type"] == "table" for block in blocks):
            raise ApiError(code)
        check(blocks)

    monkeypatch.setattr(rules, "check_blocks", refusing)
    chat, adapter = account.chat(), account.build()
    receipt = await adapter.send(outbound(chat, TABLE))
    seen = shown(emulator, chat, receipt.message_ids[0])
    assert (seen.text, receipt.losses) == (f"so\n{COLUMNS}", (Loss.TABLE_AS_TEXT,))
    assert "<pre>" in seen.html
    edited = await adapter.edit(OutboundEdit(token="tok-2", copy=copy_of(chat, receipt), text=TABLE, sender=ANNA))
    assert (shown(emulator, chat, seen.message_id).text, edited.losses) == (f"so\n{COLUMNS}", (Loss.TABLE_AS_TEXT,))


async def test_where_all_blocks_are_refused_the_words_arrive(
    account: Any, emulator: SlackEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(blocks: Any) -> None:
        raise ApiError("invalid_blocks")

    monkeypatch.setattr(rules, "check_blocks", refusing)
    chat, adapter = account.chat(), account.build()
    receipt = await adapter.send(outbound(chat, TABLE))
    seen = shown(emulator, chat, receipt.message_ids[0])
    assert (seen.text, receipt.losses) == (f"so\n{COLUMNS}", (Loss.TABLE_AS_TEXT, Loss.FORMATTING_REFUSED))
    edited = await adapter.edit(OutboundEdit(token="tok-2", copy=copy_of(chat, receipt), text=TABLE, sender=ANNA))
    assert edited.losses == (Loss.TABLE_AS_TEXT, Loss.FORMATTING_REFUSED)


async def test_beside_files_a_table_is_columns_of_text(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat, adapter = account.chat(), account.build()
    receipt = await adapter.send(outbound(chat, TABLE, files=(file(tmp_path, "a.bin", b"1"),)))
    seen = await eventually(lambda: shown(emulator, chat, receipt.message_ids[0]), what="the share")
    assert (seen.text, receipt.losses) == (f"so\n{COLUMNS}", ())
    edited = await adapter.edit(OutboundEdit(token="tok-2", copy=copy_of(chat, receipt), text=TABLE, sender=ANNA))
    assert (shown(emulator, chat, receipt.message_ids[0]).text, edited.losses) == (f"so\n{COLUMNS}", ())
