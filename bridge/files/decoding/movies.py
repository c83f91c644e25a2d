"""The frames of short films: video stickers (WebM) and animations (MP4). The container is told, so that no other is tried: some
name further files and addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import av
from PIL import Image

from bridge.files.decoding.bounds import DRAWN_SIDE, FRAMES_PER_S, LONGEST_FILM_S, MOST_FRAMES, Refused
from bridge.files.decoding.pictures import Frame, check_size

CONTAINERS = {"video/webm": "matroska", "video/mp4": "mp4"}
_SEE_THROUGH = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that know what can be seen through; the usual ones show it black."""


def frames(stream: BinaryIO, source: str) -> Iterator[Frame]:
    with av.open(stream, mode="r", format=CONTAINERS[source]) as container:
        film = next(iter(container.streams.video), None)
        if film is None:
            raise Refused("it has no picture")
        check_size(film.width, film.height, 1)
        length_s = _length_s(container, film)
        if length_s is not None and length_s > LONGEST_FILM_S:
            raise Refused(f"it is {length_s:.0f} s long")
        yield from _drawn(container, film)


def _length_s(container: Any, film: Any) -> float | None:
    if film.duration and film.time_base:
        return float(film.duration * film.time_base)
    return container.duration / av.time_base if container.duration else None


def _drawn(container: Any, film: Any) -> Iterator[Frame]:
    """At most so many frames a second, as many as there may be; a longer film is refused, since its end would be missing."""
    name = _SEE_THROUGH.get(film.codec_context.name)
    decoder: Any = av.CodecContext.create(name, "r") if name else film.codec_context
    decoder.thread_count = 1
    if name:
        decoder.extradata = film.codec_context.extradata
    waiting: Image.Image | None = None
    shown_at = 0.0
    decoded = made = 0
    for packet in container.demux(film):
        for frame in decoder.decode(packet):
            decoded += 1
            check_size(frame.width, frame.height, decoded)
            at = (
                frame.time
                if frame.time is not None
                else float(packet.pts * packet.time_base)
                if packet.pts is not None
                else shown_at
            )
            if at > LONGEST_FILM_S:
                raise Refused("it is too long")
            if waiting is not None and at - shown_at < 1 / FRAMES_PER_S - 0.005:
                continue
            if waiting is not None:
                yield Frame(waiting, at - shown_at)
            made += 1
            if made > MOST_FRAMES:
                raise Refused("it has too many frames")
            waiting, shown_at = _picture(frame), at
    if waiting is not None:
        yield Frame(waiting, 1 / FRAMES_PER_S)


def _picture(frame: Any) -> Image.Image:
    scale = min(1.0, DRAWN_SIDE / max(frame.width, frame.height))
    width, height = (max(2, round(side * scale) // 2 * 2) for side in (frame.width, frame.height))
    shown = frame.reformat(width=width, height=height, format="rgba")
    plane = shown.planes[0]  # the library's own pictures have no alpha
    return Image.frombytes("RGBA", (shown.width, shown.height), bytes(plane), "raw", "RGBA", plane.line_size)
