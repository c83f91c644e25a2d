"""Files that somebody has damaged on purpose: whatever they are, the daemon lives, no process is left, and another chat's file has
its turn. MUTATED_FILES=1000 in the environment tries so many instead of a few."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.files.convert import Converter, NotConverted
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.media import APNG, GIF, LOTTIE, M4A, MP4, OGG, PNG, TGS, WEBM, AttachmentKind, Form
from bridge.model.refs import AccountName, ChatRef
from tests.support import bombs, media_samples

MANY = int(os.environ.get("MUTATED_FILES", "21"))
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
    (media_samples.ogg, OGG, OGG),
    (media_samples.mp3, "audio/mpeg", OGG),
    (media_samples.wav, "audio/wav", M4A),
    (media_samples.flac, "audio/flac", OGG),
    # what they are not: names lie
    (media_samples.gif, APNG, GIF),
    (media_samples.gif, GIF, PNG),
    (lambda: media_samples.picture("JPEG"), "image/webp", PNG),
    (lambda: media_samples.picture("PNG"), APNG, GIF),
    (media_samples.webp, WEBM, GIF),
    (media_samples.tgs, LOTTIE, GIF),
    (media_samples.webm, OGG, M4A),
    (media_samples.mp4, "audio/mpeg", OGG),
    (media_samples.m4a, MP4, GIF),
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
    began = time.monotonic()
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
    assert 0 < refused < MANY
    assert not converter._children
    assert not converter._turns
    # for the records: what the daemon and its largest child took
    print(
        f"{MANY} files, {refused} not converted, {time.monotonic() - began:.0f} s, peaks of memory: "
        f"{peak_mb(resource.RUSAGE_SELF):.0f} MB, children {peak_mb(resource.RUSAGE_CHILDREN):.0f} MB"
    )


def peak_mb(of: int) -> float:
    return resource.getrusage(of).ru_maxrss / 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", bombs.BOMBS)
async def test_a_bomb_costs_little(tmp_path: Path, name: str) -> None:
    """It is refused, or is small when made; nothing of it reaches the daemon's memory."""
    make, source, wanted = bombs.BOMBS[name]
    path, converter = tmp_path / "bomb", Converter(SYSTEM_CLOCK)
    path.write_bytes(make())
    assert path.stat().st_size < 1_500_000, "it is a small file"
    before_mb = peak_mb(resource.RUSAGE_SELF)
    size_bytes = 0
    with contextlib.suppress(NotConverted):
        size_bytes = len((await converter.convert(path, source, Form(kind=AttachmentKind.STICKER, mime=wanted), CALM)).data)
    assert size_bytes < 8_000_000
    assert peak_mb(resource.RUSAGE_SELF) - before_mb < 30
    assert not converter._children
