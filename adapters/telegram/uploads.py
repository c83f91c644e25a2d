"""Files that a call takes along, streamed from disk, and aiogram's method made of a call. Used by `transport`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from adapters.common.files import CheckedFile
from adapters.common.transfers import CHUNK_BYTES, Progress
from adapters.telegram.lazy_aiogram import (
    Bot,
    InputFile,
    InputMediaAnimation,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    TelegramMethod,
    methods,
)
from adapters.telegram.wire import Call, Upload

_MEDIA = {
    "photo": InputMediaPhoto,
    "video": InputMediaVideo,
    "audio": InputMediaAudio,
    "document": InputMediaDocument,
    "animation": InputMediaAnimation,
}


class _WatchedInput(InputFile):
    """A file that is opened when its turn comes, and reports the progress of its upload."""

    def __init__(self, upload: Upload, progress: Progress) -> None:
        super().__init__(filename=upload.name, chunk_size=CHUNK_BYTES)
        self._file = upload.file
        self._progress = progress
        progress.size_bytes += upload.file.size_bytes

    async def read(self, bot: Bot) -> AsyncGenerator[bytes, None]:
        file = await asyncio.to_thread(CheckedFile, self._file)
        try:
            while chunk := await asyncio.to_thread(file.read, self.chunk_size):
                self._progress.note(len(chunk))
                yield chunk
        finally:
            await asyncio.to_thread(file.close)


def method_of(call: Call, progress: Progress | None) -> TelegramMethod[Any]:
    """The method that aiogram sends. `progress` is that of its uploads, if there are any."""
    params = call.params if progress is None else {name: _uploading(value, progress) for name, value in call.params.items()}
    method: TelegramMethod[Any] = getattr(methods, call.method)(**params)
    return method


def _uploading(value: Any, progress: Progress) -> Any:
    if isinstance(value, Upload):
        return _WatchedInput(value, progress)
    if isinstance(value, list) and value and isinstance(value[0], dict) and "media" in value[0]:
        return [_MEDIA[item["type"]](**{name: _uploading(each, progress) for name, each in item.items()}) for item in value]
    return value
