"""What is refused before the library that draws sees it."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest

from bridge.files.decoding import bounds, vectors
from bridge.files.decoding.bounds import Refused
from tests.support import media_samples


def drawn(content: bytes, *, is_packed: bool = False) -> list[Any]:
    return list(vectors.frames(io.BytesIO(content), is_packed=is_packed))


def test_it_is_drawn_in_as_many_frames_as_others_play() -> None:
    made = drawn(media_samples.tgs(), is_packed=True)
    assert 18 <= len(made) <= 22
    assert sum(frame.shown_s for frame in made) == pytest.approx(1.0, abs=0.1)
    first, last = (frame.image.getbbox() for frame in (made[0], made[-1]))
    assert first[0] < last[0]  # it has moved to the right


def test_what_is_large_is_drawn_small() -> None:
    (frame, *_) = drawn(media_samples.lottie_json(w=4000, h=2000))
    assert frame.image.size == (256, 128)


def layers(*parents: tuple[int, int | None]) -> list[dict[str, Any]]:
    (layer,) = media_samples.lottie()["layers"]
    return [{**layer, "ind": number, **({"parent": parent} if parent is not None else {})} for number, parent in parents]


def dashed(length: float) -> list[dict[str, Any]]:
    (layer,) = media_samples.lottie()["layers"]
    dashes = [{"n": "d", "v": {"a": 0, "k": length}}, {"n": "g", "v": {"a": 0, "k": length}}]
    stroke = {"ty": "st", "c": {"a": 0, "k": [1, 0, 0]}, "o": {"a": 0, "k": 100}, "w": {"a": 0, "k": 1}, "d": dashes}
    return [{**layer, "shapes": [{"ty": "gr", "it": [stroke]}]}]


def boxes(*inner: tuple[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    return [{"id": name, "layers": [{"ty": 0, "refId": each} for each in names]} for name, names in inner]


DOUBLING = boxes(*((str(n), (str(n + 1), str(n + 1))) for n in range(40)), ("40", ()))
REFUSED: dict[str, dict[str, Any]] = {
    "its own parent": {"layers": layers((1, 1))},
    "each other's parents": {"layers": layers((1, 2), (2, 1))},
    "three in a ring": {"layers": layers((1, 2), (2, 3), (3, 1))},
    "a ring inside a composition": {"assets": [{"id": "c", "layers": layers((1, 2), (2, 1))}]},
    "short dashes": {"layers": dashed(0.0001)},
    "a composition in itself": {"assets": boxes(("a", ("b",)), ("b", ("a",)))},
    "doubling compositions": {"assets": DOUBLING},
    "a file beside it": {"assets": [{"id": "i", "p": "passwd", "u": "/etc/"}]},
    "a huge number": {"w": 1e12},
    "a year long": {"op": 900_000},
    "no rate": {"fr": 0},
    "layers that are none": {"layers": 7},
    "too many parts": {"junk": [0] * 400_001},
    "too deep": {"junk": json.loads("[" * 90 + "]" * 90)},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_harms_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        drawn(media_samples.lottie_json(**REFUSED[name]))


def test_parents_and_dashes_as_artists_use_them_are_none_of_it() -> None:
    assert drawn(media_samples.lottie_json(layers=layers((1, 2), (2, None), (3, 2))))
    assert drawn(media_samples.lottie_json(layers=dashed(5)))


def test_unpacking_is_bounded() -> None:
    bomb = gzip.compress(b" " * (bounds.VECTOR_BYTES * 10))
    with pytest.raises(Refused, match="too large"):
        drawn(bomb, is_packed=True)
    with pytest.raises(Refused, match="early"):
        drawn(media_samples.tgs()[:-40], is_packed=True)
