"""The adapter sends to the emulated Discord: words, names and files, in one message where they fit."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.records import BOT_PERMISSIONS, Permission
from bridge.model.adapter import OutboundEdit, OutboundFile
from bridge.model.errors import Rejected
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.outcomes import Loss
from bridge.model.rich_text import Mark, Paragraph, RichText, Text, plain
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.sending import ANNA, copy_of, outbound, outbound_file, shown
from tests.support.patience import eventually


async def test_copies_carry_their_authors_name_and_avatar(bench: Bench, adapter: DiscordAdapter) -> None:
    await adapter.send(outbound(bench))
    (message,) = shown(bench)
    assert (message.author_name, message.author_avatar_url, message.text) == ("Anna", ANNA.avatar_url, "hello")


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


async def test_refused_formatting_does_not_cost_the_words(bench: Bench, adapter: DiscordAdapter) -> None:
    """Marks alone make this content longer than Discord takes."""
    runs = tuple(Text("ab", Mark.BOLD if number % 2 else Mark.ITALIC) for number in range(600))
    message = msgspec.structs.replace(outbound(bench), text=RichText((Paragraph(runs),)))
    receipt = await adapter.send(message)
    (copy,) = shown(bench)
    assert (copy.text, "<b>" in copy.html) == ("ab" * 600, False)
    assert receipt.losses == (Loss.FORMATTING_REFUSED,)
    with pytest.raises(Rejected):
        await adapter.send(outbound(bench, "x" * 2001, token="t2"))
