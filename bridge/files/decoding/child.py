"""The child process's own work: it gives away what it does not need, reads one file from stdin, and writes the result to stdout.

The first line is JSON: `error`, or the facts of what was made; what was made follows. The process can read what its user can read,
and can write to that pipe alone: files of its own have no bytes, and it has no network where the kernel allows that to be said."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
from typing import Any, BinaryIO

from bridge.files.decoding import bounds
from bridge.files.decoding.bounds import Refused

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SIGKILL = 9
_NICE = 10


def main(parent: int, source: str, target: str, *, waveform: bool) -> None:
    """`source` and `target` are MIME types; equal ones: only the waveform is wanted. `parent` is the process that waits for it."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no result
    try:
        confine(parent)
        facts, made = convert(sys.stdin.buffer, source, target, waveform=waveform)
        if len(made) > bounds.OUTPUT_BYTES:
            raise Refused(f"it became {len(made)} bytes")
    except Refused as error:
        facts, made = {"error": str(error)}, b""
    except MemoryError:
        facts, made = {"error": "it needs too much memory"}, b""
    except Exception as error:  # libraries raise what they like about a damaged file
        facts, made = {"error": f"cannot be read: {type(error).__name__}"}, b""
    out.write(json.dumps(facts).encode() + b"\n" + made)
    out.flush()
    os._exit(0)  # without the clean-up of libraries that a damaged file may have confused


def confine(parent: int) -> None:
    """Before anything is decoded. Raises Refused if the limits cannot be set: then nothing is decoded at all."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # if memory is short, this process goes and not the daemon
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    try:
        for limit, most in (
            (resource.RLIMIT_AS, bounds.MEMORY_BYTES),
            (resource.RLIMIT_CPU, bounds.CPU_S),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 64),
        ):
            resource.setrlimit(limit, (most, most))
    except (OSError, ValueError) as error:
        raise Refused(f"the limits of the process cannot be set: {error}") from None
    _separate()
    if os.getppid() != parent:
        os._exit(0)  # it has ended before it could be told to take us along


def _separate() -> None:
    """Ends with the parent, gets no further rights, and has no network, as far as the system allows."""
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if libc.unshare(_CLONE_NEWNET):
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    except (ImportError, OSError, AttributeError, MemoryError):
        return  # not Linux, or no memory may be written and executed


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
    match source:
        case "application/x-tgsticker" | "application/json":
            from bridge.files.decoding import vectors

            return vectors.frames(stream, is_packed=source != "application/json")
        case "video/webm" | "video/mp4":
            from bridge.files.decoding import movies

            return movies.frames(stream, source)
        case "image/apng" | "image/webp":
            from bridge.files.decoding import pictures

            return pictures.frames(stream, source)
        case _:
            raise Refused(f"{source} is not converted")
