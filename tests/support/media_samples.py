"""Small files of each kind that is converted, made when they are asked for. All need the packages of the extra `[media]`."""

from __future__ import annotations

import gzip
import io
import json
import math
from array import array
from functools import cache
from typing import Any

import av
from PIL import Image, ImageDraw

SIDE = 48
_FRAMES = 6


def lottie(**changes: Any) -> dict[str, Any]:
    """A square that moves to the right, for one second."""
    shape = {
        "ty": "gr",
        "it": [
            {"ty": "rc", "p": {"a": 0, "k": [0, 0]}, "s": {"a": 0, "k": [20, 20]}, "r": {"a": 0, "k": 0}},
            {"ty": "fl", "c": {"a": 0, "k": [1, 0, 0, 1]}, "o": {"a": 0, "k": 100}, "r": 1},
            {
                "ty": "tr",
                "p": {"a": 0, "k": [0, 0]},
                "a": {"a": 0, "k": [0, 0]},
                "s": {"a": 0, "k": [100, 100]},
                "r": {"a": 0, "k": 0},
                "o": {"a": 0, "k": 100},
            },
        ],
    }
    moves = {"a": 1, "k": [{"t": 0, "s": [20, 50], "i": {"x": 1, "y": 1}, "o": {"x": 0, "y": 0}}, {"t": 29, "s": [80, 50]}]}
    still = {"o": {"a": 0, "k": 100}, "r": {"a": 0, "k": 0}, "a": {"a": 0, "k": [0, 0]}, "s": {"a": 0, "k": [100, 100]}}
    layer = {"ty": 4, "ind": 1, "ip": 0, "op": 30, "st": 0, "ks": {**still, "p": moves}, "shapes": [shape]}
    return {"v": "5.5.2", "fr": 30, "ip": 0, "op": 30, "w": 100, "h": 100, "layers": [layer], **changes}


def lottie_json(**changes: Any) -> bytes:
    return json.dumps(lottie(**changes)).encode()


def tgs(**changes: Any) -> bytes:
    return gzip.compress(lottie_json(tgs=1, **changes))


def _pictures() -> list[Image.Image]:
    """A disc that moves over a ground that can be seen through."""
    made = []
    for number in range(_FRAMES):
        image = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
        left = number * (SIDE - 16) // (_FRAMES - 1)
        ImageDraw.Draw(image).ellipse((left, 16, left + 15, 31), fill=(200, 40, 40, 255))
        made.append(image)
    return made


@cache
def apng() -> bytes:
    return _saved("PNG", duration=100)


@cache
def webp() -> bytes:
    return _saved("WEBP", duration=100, lossless=True)


@cache
def gif() -> bytes:
    return _saved("GIF", duration=100, disposal=2)


def _saved(name: str, **how: Any) -> bytes:
    first, *others = _pictures()
    out = io.BytesIO()
    first.save(out, format=name, save_all=True, append_images=others, loop=0, **how)
    return out.getvalue()


@cache
def webm() -> bytes:
    """A video sticker: VP9, with an alpha plane of its own."""
    return film("matroska", "libvpx-vp9", "yuva420p", _FRAMES)


@cache
def mp4() -> bytes:
    return film("mp4", "mpeg4", "yuv420p", _FRAMES)


def film(container: str, codec: str, pixels: str, frames: int, *, side: int = SIDE) -> bytes:
    out = io.BytesIO()
    with av.open(out, mode="w", format=container) as made:
        stream: Any = made.add_stream(codec, rate=10)
        stream.width = stream.height = side
        stream.pix_fmt = pixels
        stream.codec_context.thread_count = 1
        pictures = _pictures()
        for number in range(frames):
            frame = av.VideoFrame(side, side, "rgba")
            frame.planes[0].update(pictures[number % len(pictures)].resize((side, side)).tobytes())
            made.mux(stream.encode(frame.reformat(format=pixels)))
        made.mux(stream.encode(None))
    return out.getvalue()


@cache
def ogg(length_s: float = 1.5) -> bytes:
    """A voice message: a tone that grows louder."""
    return sound("ogg", "libopus", length_s)


@cache
def m4a(length_s: float = 1.5) -> bytes:
    return sound("mp4", "aac", length_s)


def sound(container: str, codec: str, length_s: float) -> bytes:
    rate_hz, out = 48_000, io.BytesIO()
    count = round(length_s * rate_hz)
    samples = array("h", (round(30_000 * n / count * math.sin(n * 2 * math.pi * 440 / rate_hz)) for n in range(count)))
    with av.open(out, mode="w", format=container) as made:
        stream: Any = made.add_stream(codec, rate=rate_hz, layout="mono")
        for at in range(0, count, 960):
            part = samples[at : at + 960]
            frame = av.AudioFrame(format="s16", layout="mono", samples=len(part))
            frame.planes[0].update(part.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
            frame.rate = rate_hz
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return out.getvalue()


@cache
def mp3(length_s: float = 1.5) -> bytes:
    return sound("mp3", "libmp3lame", length_s)


@cache
def wav(length_s: float = 1.5) -> bytes:
    return sound("wav", "pcm_s16le", length_s)


@cache
def flac(length_s: float = 1.5) -> bytes:
    return sound("flac", "flac", length_s)


def picture(name: str) -> bytes:
    """One that stands still, in a format of Pillow's."""
    out = io.BytesIO()
    _pictures()[0].convert("RGB").save(out, format=name)
    return out.getvalue()
