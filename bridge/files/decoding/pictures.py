"""Frames, what is made of them (GIF, PNG), and the frames of moving pictures (APNG, WebP)."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from PIL import Image, ImageSequence

from bridge.files.decoding.bounds import DECODED_PIXELS, DRAWN_SIDE, FRAMES_PER_S, MOST_FRAMES, MOST_SIDE, Refused

_COLOURS = 255
"""One more is for what can be seen through."""
_UNSEEN = (1, 254, 3)
"""Its entry in the palette: no picture's own colour, since the writer of GIFs leaves out what has the colour of the ground."""
_SEEN_FROM = 128
"""A GIF's pixel is there or not: those that are less than half there are not."""
_FORMATS = {"image/apng": "PNG", "image/webp": "WEBP"}


class Frame(NamedTuple):
    image: Image.Image
    """RGBA."""
    shown_s: float


def load() -> None:
    """The library loads its formats when they are first needed; then it may be too late."""
    from PIL import WebPImagePlugin  # noqa: F401

    Image.preinit()  # the others


def frames(stream: BinaryIO, source: str) -> Iterator[Frame]:
    """Of a file of Pillow's, which is told the format: it tries no other."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    with Image.open(stream, formats=[_FORMATS[source]]) as picture:
        count = getattr(picture, "n_frames", 1)
        check_size(*picture.size, count)
        step = -(-count // MOST_FRAMES)
        for number, shown in enumerate(ImageSequence.Iterator(picture)):
            if number % step == 0:
                shown_s = float(shown.info.get("duration") or 0) / 1000 * step
                yield Frame(smaller(shown.convert("RGBA")), shown_s or 0.1)


def check_size(width: int, height: int, count: int) -> None:
    """Raises Refused."""
    if not (0 < width <= MOST_SIDE and 0 < height <= MOST_SIDE):
        raise Refused(f"it is {width}x{height} pixels")
    if width * height * count > DECODED_PIXELS:
        raise Refused(f"it is {width}x{height} pixels in {count} frames")


def smaller(image: Image.Image, side: int = DRAWN_SIDE) -> Image.Image:
    if max(image.size) > side:
        image.thumbnail((side, side), Image.Resampling.BILINEAR)
    return image


def as_gif(found: Iterable[Frame]) -> tuple[dict[str, Any], bytes]:
    """An endless GIF; a single frame is one too, since that is what was asked for."""
    pictures: list[Image.Image] = []
    shown_ms: list[int] = []
    for frame in found:
        pictures.append(_with_palette(frame.image))
        shown_ms.append(max(round(1000 / FRAMES_PER_S), min(round(frame.shown_s * 1000), 60_000)))
    if not pictures:
        raise Refused("it has no frames")
    out = io.BytesIO()
    pictures[0].save(
        out,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=shown_ms if len(shown_ms) > 1 else shown_ms[0],
        loop=0,
        disposal=2,
        transparency=_COLOURS,
        optimize=False,
    )
    return _facts(pictures[0], sum(shown_ms) / 1000 if len(pictures) > 1 else None), out.getvalue()


def _with_palette(image: Image.Image) -> Image.Image:
    """The colours of one frame, and one more for what can be seen through."""
    seen = image.getchannel("A").point(lambda alpha: 255 if alpha >= _SEEN_FROM else 0)
    made = image.convert("RGB").quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    made.paste(_COLOURS, mask=seen.point(lambda alpha: 255 - alpha))
    palette = (made.getpalette() or [])[: 3 * _COLOURS]
    made.putpalette([*palette, *[0] * (3 * _COLOURS - len(palette)), *_UNSEEN])
    return made


def as_png(found: Iterable[Frame]) -> tuple[dict[str, Any], bytes]:
    """The first frame."""
    first = next(iter(found), None)
    if first is None:
        raise Refused("it has no frames")
    out = io.BytesIO()
    first.image.save(out, format="PNG")
    return _facts(first.image, None), out.getvalue()


def _facts(image: Image.Image, duration_s: float | None) -> dict[str, Any]:
    width, height = image.size
    return {"width": width, "height": height, "duration_s": duration_s}
