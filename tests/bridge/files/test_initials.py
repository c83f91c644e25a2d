"""Pictures for people who have none."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.files.initials import _ROWS, WIDTH, initials_of, picture


def pixels(png: bytes) -> list[bytes]:
    """Rows of RGBA, read by the format's own rules. Source: PNG specification, third edition, 5 and 7."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, data = 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            assert struct.unpack(">IIBBBBB", body) == (WIDTH, WIDTH, 8, 6, 0, 0, 0)
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    raw, row = zlib.decompress(data), 1 + 4 * WIDTH
    assert len(raw) == row * WIDTH
    assert {raw[y * row] for y in range(WIDTH)} == {0}
    return [raw[y * row + 1 : (y + 1) * row] for y in range(WIDTH)]


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Anna Petrova", "AP"),
        ("Анна Петрова", "AП"),
        ("Élodie d'Été-Über", "ED"),
        ("anna", "A"),
        ("Ёжик Йогурт", "EИ"),
        ("Anna Maria 2nd", "A2"),
        ("«Команда»", "K"),
        ("Ωμέγα Ψι", "ΩΨ"),
        ("田中", ""),
        ("🙂", ""),
        ("", ""),
        ("🙂 Bob", "B"),
    ],
)
def test_initials(name: str, initials: str) -> None:
    assert initials_of(name) == initials


@given(st.text(max_size=300))
def test_initials_of_any_name_can_be_drawn(name: str) -> None:
    found = initials_of(name)
    assert len(found) <= 2
    assert set(found) <= set(_ROWS)


def test_a_picture_is_a_disc_in_the_persons_colour_with_white_letters() -> None:
    rows = pixels(picture("AП", "tg/1"))

    def at(x: int, y: int) -> tuple[int, ...]:
        return tuple(rows[y][4 * x : 4 * x + 4])

    assert at(0, 0)[3] == at(WIDTH - 1, WIDTH - 1)[3] == 0, "nothing in the corners"
    assert at(WIDTH // 2, 4)[3] == 255
    colour = at(WIDTH // 2, 4)[:3]
    white = sum(row[x : x + 3] == b"\xff\xff\xff" for row in rows for x in range(0, 4 * WIDTH, 4))
    dots = sum(bin(int(_ROWS[letter][i : i + 2], 16)).count("1") for letter in "AП" for i in range(0, 14, 2))
    assert white == dots * 49
    assert picture("AП", "tg/1") == picture("AП", "tg/1")
    others = {tuple(pixels(picture("A", f"tg/{number}"))[4][4 * (WIDTH // 2) : 4 * (WIDTH // 2) + 3]) for number in range(30)}
    assert colour != (255, 255, 255)
    assert len(others) > 4, "people differ"
    assert picture("", "tg/1") != picture("A", "tg/1")
    assert len(picture("AП", "tg/1")) < 4000


def test_every_letter_has_seven_rows_of_five_dots() -> None:
    for letter, shape in _ROWS.items():
        assert len(shape) == 14, letter
        assert all(int(shape[i : i + 2], 16) < 32 for i in range(0, 14, 2)), letter
    assert len(set(_ROWS.values())) == len(_ROWS), "no two look the same"
