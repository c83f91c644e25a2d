"""Limits of what is decoded, and what is told when one is broken. They hold before anything is drawn."""

from __future__ import annotations

INPUT_BYTES = 20_000_000
OUTPUT_BYTES = 8_000_000
MEMORY_BYTES = 700_000_000
"""Address space of the process."""
CPU_S = 30
VECTOR_BYTES = 4_000_000
"""Of an animation's JSON when unpacked. Telegram's own limit for the packed file is 64 kB, Discord's for the JSON 512 kB."""
DRAWN_SIDE = 256
"""Pixels; what is larger is drawn smaller."""
MOST_SIDE = 4096
"""Pixels of a picture or a film; what is larger is not decoded."""
DECODED_PIXELS = 400_000_000
"""Width x height x frames."""
MOST_FRAMES = 160
"""Of what is made."""
FRAMES_PER_S = 20
LONGEST_FILM_S = 10.0
LONGEST_SOUND_S = 900.0
WAVEFORM_POINTS = 256
"""Source: Discord API reference, "Voice Messages": a point each 100 ms, 256 at most."""


class Refused(Exception):
    """The file is not converted. The text says why, in words for an admin."""
