"""The child process's own work: it gives away what it does not need, reads one file from stdin, and writes the result to stdout.

The first line is JSON: `error`, or the facts of what was made, and which `guards` are in force, if it came so far as to set
them; what was made follows. When the file is read, the process has that file and that pipe, and nothing else, as far as the kernel
allows that (`confinement`)."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, BinaryIO

from bridge.files.decoding import bounds
from bridge.files.decoding.bounds import Refused
from bridge.files.decoding.confinement import Guards, confine, seal

_VECTORS, _MOVIES = ("application/x-tgsticker", "application/json"), ("video/webm", "video/mp4")
_PICTURES = ("image/apng", "image/webp")


def main(parent: int, source: str, target: str, *, waveform: bool) -> None:
    """`source` and `target` are MIME types; equal ones: only the waveform is wanted. `parent` is the process that waits for it."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no result
    guards = Guards()
    told: dict[str, Any] = {}
    facts: dict[str, Any]
    try:
        confine(parent, guards)
        load(source, target)
        seal(guards)
        told = {"guards": guards.facts()}
        facts, made = convert(sys.stdin.buffer, source, target, waveform=waveform)
        if len(made) > bounds.OUTPUT_BYTES:
            raise Refused(f"it became {len(made)} bytes")
    except Refused as error:
        facts, made = {"error": str(error)}, b""
    except MemoryError:
        facts, made = {"error": "it needs too much memory"}, b""
    except Exception as error:  # libraries raise what they like about a damaged file
        facts, made = {"error": f"cannot be read: {type(error).__name__}"}, b""
    out.write(json.dumps(facts | told).encode() + b"\n" + made)
    out.flush()
    os._exit(0)  # without the clean-up of libraries that a damaged file may have confused


def probe(parent: int) -> None:
    """Says which guards are in force in a process that would convert a file."""
    guards = Guards()
    try:
        confine(parent, guards)
        seal(guards)
        facts: dict[str, object] = {"guards": guards.facts()}
    except Refused as error:
        facts = {"error": str(error)}
    os.write(1, json.dumps(facts).encode())
    os._exit(0)


def load(source: str, target: str) -> None:
    """Everything that the conversion needs of the disk, before there is none."""
    if target.startswith("audio/"):
        from bridge.files.decoding import av_modules, sounds  # noqa: F401

        av_modules.load()
        return
    from bridge.files.decoding import pictures

    pictures.load()
    if source in _VECTORS:
        from bridge.files.decoding import vectors

        vectors.load()
    elif source in _MOVIES:
        from bridge.files.decoding import av_modules, movies  # noqa: F401

        av_modules.load()


def convert(stream: BinaryIO, source: str, target: str, *, waveform: bool) -> tuple[dict[str, Any], bytes]:
    """The facts of what was made, and its bytes; none if only the waveform was wanted. Raises Refused, and whatever libraries raise
    about a damaged file."""
    size_bytes = os.fstat(stream.fileno()).st_size
    if not 0 < size_bytes <= bounds.INPUT_BYTES:
        raise Refused(f"it has {size_bytes} bytes")
    if target.startswith("audio/"):
        from bridge.files.decoding import sounds

        return sounds.convert(stream, source, target, waveform=waveform)
    from bridge.files.decoding import pictures

    frames = _frames(stream, source)
    return pictures.as_gif(frames) if target == "image/gif" else pictures.as_png(frames)


def _frames(stream: BinaryIO, source: str) -> Any:
    if source in _VECTORS:
        from bridge.files.decoding import vectors

        return vectors.frames(stream, is_packed=source != "application/json")
    if source in _MOVIES:
        from bridge.files.decoding import movies

        return movies.frames(stream, source)
    if source in _PICTURES:
        from bridge.files.decoding import pictures

        return pictures.frames(stream, source)
    raise Refused(f"{source} is not converted")
