"""Small files that ask for more than anybody has: pixels, frames, seconds, bytes when unpacked. Shapes of the formats' own
specifications (PNG, APNG, GIF89a, JPEG, WebP's container, EBML, Lottie), not of any one attack."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

from bridge.model.media import APNG, GIF, LOTTIE, MP4, PNG, TGS, WEBM
from tests.support import media_samples

WEBP = "image/webp"


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *, frames: int = 0, rows: int = 0) -> bytes:
    """Black and white, so many of its rows there; with `frames` it says that it moves so often."""
    line = b"\0" + bytes(-(-width // 8))
    begin = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    moves = _chunk(b"acTL", struct.pack(">II", frames, 0)) if frames else b""
    control = _chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 100, 0, 0)) if frames else b""
    return begin + moves + control + _chunk(b"IDAT", zlib.compress(line * (rows or height), 9)) + _chunk(b"IEND", b"")


def many_frames(count: int) -> bytes:
    """Each is there, and is one pixel of a large picture."""
    side = 4000
    made = [png(side, side, frames=count)[:-12]]
    for number in range(1, count):
        control = struct.pack(">IIIIIHHBB", 2 * number - 1, 1, 1, 0, 0, 1, 100, 0, 0)
        made.append(_chunk(b"fcTL", control) + _chunk(b"fdAT", struct.pack(">I", 2 * number) + zlib.compress(b"\0\0")))
    return b"".join(made) + _chunk(b"IEND", b"")


def gif(width: int, height: int, frames: int = 1) -> bytes:
    frame = b"\x21\xf9\x04\0\0\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\0"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + frame * frames + b";"


def jpeg(width: int, height: int) -> bytes:
    return (
        b"\xff\xd8\xff\xc0\0\x0b\x08"
        + struct.pack(">HH", height, width)
        + b"\x01\x01\x11\0"
        + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0"
        + b"\0" * 64
    )


def webp(width: int, height: int) -> bytes:
    """An extended file that says that it moves, with the canvas so large."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size + b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def patched(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content, "the sample is made otherwise now"
    return content.replace(old, new)


def wide_film() -> bytes:
    """A WebM that gives the size of its picture as 16,383 pixels (elements B0 and BA)."""
    content = media_samples.film("matroska", "libvpx-vp9", "yuva420p", 2, side=256)
    for name in (b"\xb0", b"\xba"):
        content = patched(content, name + b"\x82\x01\x00", name + b"\x82\x3f\xff")
    return content


def shaped(shape: dict[str, Any]) -> bytes:
    """A Lottie animation with this shape beside its square."""
    (layer,) = media_samples.lottie()["layers"]
    return media_samples.lottie_json(layers=[{**layer, "shapes": [*layer["shapes"], shape]}])


def copied(copies: float) -> bytes:
    still = {"a": {"a": 0, "k": [0, 0]}, "p": {"a": 0, "k": [1, 0]}, "s": {"a": 0, "k": [100, 100]}, "r": {"a": 0, "k": 0}}
    opaque = {"so": {"a": 0, "k": 100}, "eo": {"a": 0, "k": 100}}
    return shaped({"ty": "rp", "c": {"a": 0, "k": copies}, "o": {"a": 0, "k": 0}, "m": 1, "tr": {"ty": "tr", **still, **opaque}})


def with_picture() -> bytes:
    """A picture within the animation, as a data: address."""
    address = "data:image/png;base64," + base64.b64encode(png(30_000, 30_000)).decode()
    asset = {"id": "p", "w": 30_000, "h": 30_000, "u": "", "p": address, "e": 1}
    (layer,) = media_samples.lottie()["layers"]
    return media_samples.lottie_json(assets=[asset], layers=[{**layer, "ty": 2, "refId": "p"}])


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("animation.json", b" " * 50_000_000)
    return out.getvalue()


BOMBS: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "APNG of 50,000 x 50,000": (lambda: png(50_000, 50_000, rows=10), APNG, GIF),
    "APNG of two thousand million frames": (lambda: png(64, 64, frames=2_000_000_000), APNG, GIF),
    "APNG of 3,000 large frames": (lambda: many_frames(3_000), APNG, GIF),
    "PNG that unpacks to 2 MB for 8 pixels": (lambda: png(8, 8, rows=1_000_000), APNG, GIF),
    "GIF of 65,535 x 65,535 by the name of another": (lambda: gif(65_535, 65_535, 50), APNG, GIF),
    "JPEG of 65,535 x 65,535 by the name of another": (lambda: jpeg(65_535, 65_535), WEBP, PNG),
    "GIF as what it is": (lambda: gif(65_535, 65_535), GIF, PNG),
    "JPEG as what it is": (lambda: jpeg(65_535, 65_535), "image/jpeg", PNG),
    "WebP of 16,383 x 16,383": (lambda: webp(16_383, 16_383), WEBP, PNG),
    "WebM of 16,383 x 16,383": (wide_film, WEBM, GIF),
    "WebM that is too long": (lambda: media_samples.film("matroska", "libvpx-vp9", "yuva420p", 120), WEBM, GIF),
    "MP4 that is too long": (lambda: media_samples.film("mp4", "mpeg4", "yuv420p", 120), MP4, GIF),
    "gzip of 200 MB of blanks": (lambda: gzip.compress(b" " * 200_000_000, 1), TGS, GIF),
    "gzip of gzip": (lambda: gzip.compress(gzip.compress(b" " * 50_000_000)), TGS, GIF),
    "many members of gzip": (lambda: gzip.compress(b"{}") * 10_000, TGS, GIF),
    "zip": (zipped, TGS, GIF),
    "animation of a thousand million frames": (lambda: media_samples.tgs(op=1e9), TGS, GIF),
    "animation that hardly moves": (lambda: media_samples.tgs(fr=1e-6), TGS, GIF),
    "animation of endless numbers": (lambda: media_samples.lottie_json(w=1e308, h=1e308), LOTTIE, GIF),
    "a number of a million figures": (lambda: b'{"layers": [' + b"9" * 1_000_000 + b"]}", LOTTIE, GIF),
    "a hundred million copies of a shape": (lambda: copied(1e8), LOTTIE, GIF),
    "five million copies of a shape": (lambda: copied(5e6), LOTTIE, GIF),
    "a picture of 30,000 x 30,000 within": (with_picture, LOTTIE, GIF),
}
