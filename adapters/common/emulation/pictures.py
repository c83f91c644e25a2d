"""Pictures of people where an emulated messenger has none of its own: squares of one colour. Pure."""

from __future__ import annotations

import hashlib
import struct
import zlib


def square(seed: str) -> bytes:
    """A 32x32 PNG of one colour that depends on the seed."""
    colour = bytes(30 + byte // 2 for byte in hashlib.sha256(seed.encode()).digest()[:3])  # dark: initials are written on it
    row = b"\0" + colour * 32
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * 32)),
        (b"IEND", b""),
    )
    body = b"".join(struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body
