"""Voice messages: made to what is heard on the other platform, and how loud they are at each moment."""

from __future__ import annotations

import base64
import io
from array import array
from typing import Any, BinaryIO

import av

from bridge.files.decoding.bounds import LONGEST_SOUND_S, WAVEFORM_POINTS, Refused

_OGG, _MP4, _WEBM = "ogg", "mp4", "matroska"
_CONTAINERS = {
    **dict.fromkeys(("audio/ogg", "audio/opus", "application/ogg"), _OGG),
    **dict.fromkeys(("audio/mp4", "audio/m4a", "audio/x-m4a", "video/mp4"), _MP4),
    **dict.fromkeys(("audio/webm", "video/webm"), _WEBM),
    **dict.fromkeys(("audio/mpeg", "audio/mp3"), "mp3"),
    **dict.fromkeys(("audio/wav", "audio/x-wav"), "wav"),
    "audio/flac": "flac",
    "audio/aac": "aac",
}
_SIGNS = ((0, b"OggS", _OGG), (4, b"ftyp", _MP4), (0, b"\x1aE\xdf\xa3", _WEBM), (0, b"RIFF", "wav"), (0, b"fLaC", "flac"))
"""What a file begins with. A name that lies about it is not believed."""
_MADE = {"audio/ogg": ("ogg", "libopus", 32_000), "audio/mp4": ("mp4", "aac", 64_000)}
_RATE_HZ = 48_000
_POINT_S = 0.1


def convert(stream: BinaryIO, source: str, target: str, *, waveform: bool) -> tuple[dict[str, Any], bytes]:
    loudness = _Loudness()
    out = io.BytesIO()
    is_same = source == target
    with av.open(stream, mode="r", format=_container(stream, source)) as container:
        sound = next(iter(container.streams.audio), None)
        if sound is None:
            raise Refused("it has no sound")
        sound.codec_context.thread_count = 1
        if is_same:
            _listen(container, sound, loudness)
        else:
            _encode(container, sound, target, out, loudness)
    if not loudness.samples:
        raise Refused("it has no sound")
    facts = {"duration_s": round(loudness.samples / _RATE_HZ, 3), "waveform": loudness.waveform() if waveform else ""}
    return facts, out.getvalue()


def _container(stream: BinaryIO, source: str) -> str:
    head = stream.read(16)
    stream.seek(0)
    signs = [name for at, sign, name in _SIGNS if head[at : at + len(sign)] == sign]
    found = signs[0] if signs else _CONTAINERS.get(source, "")
    if not found:
        raise Refused(f"{source} is not converted")
    return found


def _listen(container: Any, sound: Any, loudness: _Loudness) -> None:
    heard = av.AudioResampler(format="s16", layout="mono", rate=_RATE_HZ)
    for frame in container.decode(sound):
        for part in heard.resample(frame):
            loudness.add(part)


def _encode(container: Any, sound: Any, target: str, out: BinaryIO, loudness: _Loudness) -> None:
    name, codec, bits_per_s = _MADE[target]
    heard = av.AudioResampler(format="s16", layout="mono", rate=_RATE_HZ)
    with av.open(out, mode="w", format=name) as made:
        written: Any = made.add_stream(codec, rate=_RATE_HZ, layout="mono", bit_rate=bits_per_s)
        written.codec_context.thread_count = 1
        for frame in container.decode(sound):
            for part in heard.resample(frame):
                loudness.add(part)
                part.pts = None
                made.mux(written.encode(part))
        made.mux(written.encode(None))


class _Loudness:
    """The loudest sample of each tenth of a second, of mono sound in 16 bits."""

    def __init__(self) -> None:
        self.samples = 0
        self._points: list[int] = []
        self._waiting = array("h")

    def add(self, frame: Any) -> None:
        """Raises Refused when the sound is too long."""
        self.samples += frame.samples
        if self.samples > LONGEST_SOUND_S * _RATE_HZ:
            raise Refused("it is too long")
        self._waiting.frombytes(bytes(frame.planes[0])[: frame.samples * 2])
        size = round(_POINT_S * _RATE_HZ)
        while len(self._waiting) >= size:
            self._point(self._waiting[:size])
            del self._waiting[:size]

    def _point(self, samples: array[int]) -> None:
        self._points.append(max(max(samples), -min(samples)))

    def waveform(self) -> str:
        """At most 256 points, the loudest of which is the highest, as base64."""
        if self._waiting:
            self._point(self._waiting)
            self._waiting = array("h")
        step = max(1, -(-len(self._points) // WAVEFORM_POINTS))
        peaks = [max(self._points[at : at + step]) for at in range(0, len(self._points), step)]
        loudest = max(peaks, default=0) or 1
        return base64.b64encode(bytes(min(255, peak * 255 // loudest) for peak in peaks)).decode()
