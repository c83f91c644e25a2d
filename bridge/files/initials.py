"""A picture for authors without one: a coloured disc with initials, always the same for the same person. Pure.

Drawn with a font of 5x7 dots for Latin, Cyrillic and Greek letters and digits; a name without any of these gets a head and
shoulders. A PNG written without a library: 128 pixels wide, a few kB."""

from __future__ import annotations

import struct
import unicodedata
import zlib
from functools import lru_cache
from hashlib import blake2b

WIDTH = 128
_FINE = 2
"""Samples per pixel, in each direction."""
_DOT = 7
"""Pixels of one dot of the font."""
_COLOURS = ("b3261e", "9c4221", "7a5c00", "4d6b00", "1f7a3d", "00766c", "006a94", "2457c5", "4a3fc4", "7b2fb5", "a0267f", "5d5f66")
"""Dark enough for white letters (contrast above 4.5)."""
_ROWS = {
    "A": "0E11111F111111", "B": "1E11111E11111E", "C": "0E11101010110E", "D": "1E11111111111E", "E": "1F10101E10101F",
    "F": "1F10101E101010", "G": "0E11101711110F", "H": "1111111F111111", "I": "0E04040404040E", "J": "0702020202120C",
    "K": "11121418141211", "L": "1010101010101F", "M": "111B1515111111", "N": "11111915131111", "O": "0E11111111110E",
    "P": "1E11111E101010", "Q": "0E11111115120D", "R": "1E11111E141211", "S": "0F10100E01011E", "T": "1F040404040404",
    "U": "1111111111110E", "V": "11111111110A04", "W": "1111111515150A", "X": "11110A040A1111", "Y": "11110A04040404",
    "Z": "1F01020408101F", "0": "0E11131519110E", "1": "040C040404040E", "2": "0E11010204081F", "3": "1F02040201110E",
    "4": "02060A121F0202", "5": "1F101E0101110E", "6": "0608101E11110E", "7": "1F010204080808", "8": "0E11110E11110E",
    "9": "0E11110F01020C", "Б": "1F10101E11111E", "Г": "1F101010101010", "Д": "060A0A0A0A1F11", "Ж": "1515150E151515",
    "З": "0E11010601110E", "И": "11111315191111", "Л": "07090909090911", "П": "1F111111111111", "У": "1111110F01110E",
    "Ф": "040E1515150E04", "Ц": "12121212121F01", "Ч": "1111110F010101", "Ш": "1515151515151F", "Щ": "15151515151F01",
    "Ъ": "1808080E09090E", "Ы": "11111119151519", "Ь": "1010101E11111E", "Э": "0E11010701110E", "Ю": "1215151D151512",
    "Я": "0F11110F050911", "Є": "0E11101C10110E", "Λ": "040A0A11111111", "Δ": "040A0A1111111F", "Σ": "1F10080408101F",
    "Ω": "0E1111110A0A1B", "Θ": "0E11111F11110E", "Ξ": "1F00000E00001F", "Ψ": "1515150E040404",
}  # fmt: skip
_SAME = str.maketrans("АВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧΓΠΦ", "ABEKMHOPCTXIJSABEZHIKMNOPTYXГПФ")


def initials_of(name: str) -> str:
    """Those of the first and the last word that begin with a letter of the font; empty if none does."""
    plain = unicodedata.normalize("NFKD", name[:200]).upper().translate(_SAME)
    words = ["".join(c for c in word if not unicodedata.combining(c)) for word in plain.split()]
    firsts = [word[0] for word in (word.lstrip("\"'“”„«»([{<@#.-_*") for word in words) if word and word[0] in _ROWS]
    return "".join(firsts[:1] + firsts[1:][-1:])


@lru_cache(maxsize=256)
def picture(initials: str, who: str) -> bytes:
    """The PNG. `who` chooses the colour: an id that stays the same."""
    colour = bytes.fromhex(_COLOURS[blake2b(who.encode("utf-8", "replace"), digest_size=2).digest()[0] % len(_COLOURS)])
    known = [letter for letter in initials if letter in _ROWS][:2]
    rows = bytearray()
    for y in range(WIDTH):
        rows.append(0)  # no filter
        for x in range(WIDTH):
            inside, lit = _share(x, y, known)
            rows += bytes(round(c + (255 - c) * lit) for c in colour)
            rows.append(round(255 * inside))
    header = struct.pack(">IIBBBBB", WIDTH, WIDTH, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + _chunk(b"IEND", b"")


def _share(x: int, y: int, letters: list[str]) -> tuple[float, float]:
    """How much of a pixel is on the disc, and how much is white."""
    points = [(x + (i + 0.5) / _FINE, y + (j + 0.5) / _FINE) for i in range(_FINE) for j in range(_FINE)]
    middle = WIDTH / 2
    inside = sum((px - middle) ** 2 + (py - middle) ** 2 <= middle**2 for px, py in points)
    lit = sum(_is_lit(px, py, letters) for px, py in points) if letters else sum(_is_body(px, py) for px, py in points)
    return inside / len(points), lit / len(points)


def _is_lit(x: float, y: float, letters: list[str]) -> bool:
    columns = 6 * len(letters) - 1
    column = (x - (WIDTH - columns * _DOT) // 2) / _DOT
    row = (y - (WIDTH - 7 * _DOT) // 2) / _DOT
    if not (0 <= column < columns and 0 <= row < 7):
        return False
    letter, dot = divmod(int(column), 6)
    return dot < 5 and bool(int(_ROWS[letters[letter]][2 * int(row) : 2 * int(row) + 2], 16) >> (4 - dot) & 1)


def _is_body(x: float, y: float) -> bool:
    middle = WIDTH / 2
    head = (x - middle) ** 2 + (y - 48) ** 2 <= 22**2
    shoulders = ((x - middle) / 40) ** 2 + ((y - 118) / 40) ** 2 <= 1
    return head or shoulders


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
