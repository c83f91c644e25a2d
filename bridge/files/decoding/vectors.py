"""Vector animations: Telegram's TGS (gzipped Lottie) and Lottie's JSON as Discord has it.

What is known to harm the library that draws them is refused first: files beside the animation, layers that are each other's
parents, dashes of next to no length, numbers out of all reason. Other such files are the business of the process's limits."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from PIL import Image

from bridge.files.decoding.bounds import DRAWN_SIDE, FRAMES_PER_S, MOST_FRAMES, VECTOR_BYTES, Refused
from bridge.files.decoding.pictures import Frame

_DEEPEST = 64
_MOST_VALUES = 400_000
_LARGEST_NUMBER = 1e7
_SHORTEST_DASH = 0.05
_LONGEST_S = 12.0


def load() -> None:
    """The library that draws."""
    import rlottie_python.rlottie_wrapper  # noqa: F401


def frames(stream: BinaryIO, *, is_packed: bool) -> Iterator[Frame]:
    text = _unpacked(stream.read()) if is_packed else stream.read(VECTOR_BYTES + 1)
    if len(text) > VECTOR_BYTES:
        raise Refused("the animation is too large")
    animation = _checked(text)
    from rlottie_python.rlottie_wrapper import LottieAnimation

    drawn = LottieAnimation.from_data(json.dumps(animation, ensure_ascii=False))
    count, rate = drawn.lottie_animation_get_totalframe(), drawn.lottie_animation_get_framerate()
    if count < 1 or not 0 < rate <= 240 or count / rate > _LONGEST_S:
        raise Refused(f"{count} frames at {rate} a second")
    width, height = _size(animation)
    made = max(1, min(MOST_FRAMES, round(count / rate * min(rate, FRAMES_PER_S))))
    for number in range(made):
        pixels = drawn.lottie_animation_render(frame_num=number * count // made, width=width, height=height)
        yield Frame(Image.frombytes("RGBA", (width, height), pixels, "raw", "BGRa"), count / rate / made)


def _unpacked(data: bytes) -> bytes:
    """Bounded while it is unpacked."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    text = unpacker.decompress(data, VECTOR_BYTES + 1)
    if not unpacker.eof and len(text) <= VECTOR_BYTES:
        raise Refused("the animation ends early")
    return text


def _checked(text: bytes) -> dict[str, Any]:
    try:
        animation = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("it is no JSON") from None
    if not isinstance(animation, dict) or not isinstance(animation.get("layers"), list):
        raise Refused("it is no animation")
    _check_values(animation)
    assets = [one for one in animation.get("assets") or () if isinstance(one, dict)]
    if any(isinstance(one.get("p"), str) and not one["p"].startswith("data:") for one in assets):
        raise Refused("it names files beside itself")
    for layers in (animation["layers"], *(one.get("layers") for one in assets)):
        _check_parents(layers)
    _check_references({str(one.get("id")): one for one in assets})
    return animation


def _check_values(animation: dict[str, Any]) -> None:
    left, waiting = _MOST_VALUES, [(animation, 0)]
    while waiting:
        value, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > _DEEPEST:
            raise Refused("the animation has too many parts")
        if isinstance(value, dict):
            if isinstance(value.get("d"), list):
                _check_dashes(value["d"])
            waiting += [(one, depth + 1) for one in value.values()]
        elif isinstance(value, list):
            waiting += [(one, depth + 1) for one in value]
        elif isinstance(value, float | int) and not -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:
            raise Refused("the animation has a number out of all reason")


def _check_dashes(dashes: list[Any]) -> None:
    """A long line of very short dashes costs seconds for each frame."""
    lengths = [one["v"].get("k") for one in dashes if isinstance(one, dict) and isinstance(one.get("v"), dict)]
    still = [one for one in lengths if isinstance(one, float | int) and one > 0]
    if still and sum(still) < _SHORTEST_DASH * len(still):
        raise Refused("its dashes are too short")


def _check_parents(layers: object) -> None:
    """A layer that is an ancestor of itself makes the library call itself until the stack ends."""
    known = [one for one in layers if isinstance(one, dict)] if isinstance(layers, list) else []
    parents = {one.get("ind"): one.get("parent") for one in known if isinstance(one.get("ind"), float | int)}
    for start in parents:
        seen, at = set(), start
        while isinstance(at, float | int) and at in parents:
            if at in seen:
                raise Refused("its layers are each other's parents")
            seen.add(at)
            at = parents[at]


def _check_references(assets: dict[str, dict[str, Any]]) -> None:
    """A composition that contains itself has no end, and one that doubles itself at each step has no end in practice."""
    sizes: dict[str, int] = {}

    def size(name: str, path: frozenset[str]) -> int:
        if name in path:
            raise Refused("its compositions contain themselves")
        if name not in sizes:
            layers = [one for one in assets[name].get("layers") or () if isinstance(one, dict)]
            inner = [str(one.get("refId")) for one in layers if str(one.get("refId")) in assets]
            sizes[name] = 1 + sum(size(one, path | {name}) for one in inner)
        if sizes[name] > _MOST_VALUES or len(path) > _DEEPEST:
            raise Refused("its compositions are too many")
        return sizes[name]

    for name in assets:
        size(name, frozenset())


def _size(animation: dict[str, Any]) -> tuple[int, int]:
    sides = [animation.get("w"), animation.get("h")]
    width, height = (float(side) if isinstance(side, int | float) and side >= 1 else 512.0 for side in sides)
    scale = min(1.0, DRAWN_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
