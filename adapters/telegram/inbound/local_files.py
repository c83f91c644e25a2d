"""Files that a local Bot API server keeps on a disk we share with it. Its answers say where, and are not trusted. The server keeps
what a bot may see in a directory named like the bot's token (telegram-bot-api, Client.cpp: `dir_`). Whatever path it names: nothing
outside that directory is read, no link is followed inside it, and only regular files are opened."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

from adapters.common.transfers import CHUNK_BYTES, check_whole
from bridge.model.errors import Rejected, RetryLater

_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE, errno.EINTR, errno.EAGAIN)
"""Failures of the machine, which pass; others are of the file."""


async def read(path: str, *, token: str, files_root: Path | None, size_bytes: int | None) -> AsyncIterator[bytes]:
    """The file that the server calls `path`. `files_root`: where the bot's directory is mounted here, if that is elsewhere.

    Raises Rejected for what is no file of that directory, RetryLater for one that is shorter than told."""
    descriptor = await asyncio.to_thread(_open, path, token, files_root)
    received = 0
    try:
        while chunk := await asyncio.to_thread(os.read, descriptor, CHUNK_BYTES):
            received += len(chunk)
            yield chunk
    except OSError as error:
        raise _failure(error) from None
    finally:
        await asyncio.to_thread(os.close, descriptor)
    check_whole(received, size_bytes)


def _open(path: str, token: str, files_root: Path | None) -> int:
    """The descriptor of a regular file below the bot's directory. Each step is taken from the directory before: what changes
    meanwhile leads nowhere else."""
    try:
        root, below = _place(path, token, files_root)
        here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for step in below[:-1]:
                inner = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
                os.close(here)
                here = inner
            if not stat.S_ISREG(os.stat(below[-1], dir_fd=here, follow_symlinks=False).st_mode):
                raise Rejected("the local server's file is no regular file")
            file = os.open(below[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=here)
        finally:
            os.close(here)
    except OSError as error:
        raise _failure(error) from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise Rejected("the local server's file is no regular file")
    return file


def _failure(error: OSError) -> Rejected | RetryLater:
    reason = f"the local server's file cannot be read here: {error.strerror}"
    return RetryLater(reason) if error.errno in _SHORTAGES else Rejected(reason)


def _place(path: str, token: str, files_root: Path | None) -> tuple[Path, tuple[str, ...]]:
    """The bot's directory here, and the steps from there to the file. Raises Rejected, OSError."""
    if "\0" in path:
        raise Rejected("the local server's path is none")
    steps = PurePosixPath(path).parts
    if files_root is not None:
        root = files_root
        mounted = PurePosixPath(files_root).parts
        below = steps[steps.index(token) + 1 :] if token in steps else steps
        if token not in steps and steps[: len(mounted)] == mounted:
            below = steps[len(mounted) :]
    else:
        if not path.startswith("/") or token not in steps:
            raise Rejected("the local server's file is not in the bot's directory; files_root tells where that is")
        root = Path(*steps[: steps.index(token) + 1]).resolve(strict=True)
        if root.name != token:
            raise Rejected("the bot's directory on the local server leads elsewhere")
        below = steps[steps.index(token) + 1 :]
    below = tuple(step for step in below if step != "/")
    if not below or ".." in steps:
        raise Rejected("the local server's path leads out of the bot's directory")
    return root, below
