"""Files that somebody has damaged on purpose: whatever they are, the daemon lives, no process is left, and another chat's file has
its turn. MUTATED_FILES=1000 in the environment tries so many instead of a few."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.files.convert import Converter, NotConverted
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.media import APNG, GIF, LOTTIE, M4A, MP4, OGG, PNG, TGS, WEBM, AttachmentKind, Form
from bridge.model.refs import AccountName, ChatRef
from tests.support import media_samples

MANY = int(os.environ.get("MUTATED_FILES", "24"))
CALM = ChatRef(AccountName("tg"), "calm")
HOSTILE = (ChatRef(AccountName("tg"), "hostile"), ChatRef(AccountName("guild"), "hostile"))
KINDS: tuple[tuple[Callable[[], bytes], str, str], ...] = (
    (media_samples.tgs, TGS, GIF),
    (media_samples.lottie_json, LOTTIE, GIF),
    (media_samples.apng, APNG, GIF),
    (media_samples.webp, "image/webp", PNG),
    (media_samples.webm, WEBM, GIF),
    (media_samples.mp4, MP4, GIF),
    (media_samples.ogg, OGG, M4A),
    (media_samples.m4a, M4A, OGG),
)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Bytes flipped, cut out, doubled, swapped, or replaced by numbers that are often minded too little."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8, 40))):
        at = chance.randrange(len(made) or 1)
        size = chance.choice((1, 2, 4, 16))
        match chance.randrange(5):
            case 0:
                made[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del made[at : at + size]
            case 2:
                made[at:at] = made[at : at + size]
            case 3:
                made[at : at + size] = chance.choice((b"\xff", b"\x00", b"\x7f", b"\x80")) * size
            case _:
                made = made[: max(1, at)]
    return bytes(made) or b"x"


@pytest.mark.slow
async def test_mutated_files_cost_themselves_alone(tmp_path: Path) -> None:
    converter, chance = Converter(SYSTEM_CLOCK, wall_s=25.0), random.Random(20261126)
    left = iter(range(MANY))

    async def try_some(chat: ChatRef) -> int:
        """Returns how many could not be converted."""
        refused = 0
        for number in left:
            make, source, wanted = KINDS[number % len(KINDS)]
            path = tmp_path / str(number)
            path.write_bytes(mutated(make(), chance))
            try:
                await converter.convert(path, source, Form(kind=AttachmentKind.STICKER, mime=wanted, waveform=wanted == OGG), chat)
            except NotConverted:
                refused += 1
        return refused

    hostile = [asyncio.create_task(try_some(chat)) for chat in HOSTILE]
    path = tmp_path / "calm"
    path.write_bytes(media_samples.ogg())
    made = await converter.convert(path, OGG, Form(kind=AttachmentKind.AUDIO, mime=M4A), CALM)
    assert made.data
    refused = sum(await asyncio.gather(*hostile))
    assert 0 < refused <= MANY
    assert not converter._children
    assert not converter._turns
