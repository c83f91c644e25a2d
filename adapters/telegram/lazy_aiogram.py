"""The one place that imports aiogram: its models are built when they are first used, not all at once.

At import aiogram builds some four hundred pydantic models; the bridge uses two dozen. Built all at once they cost 2.3 s of CPU and
110 MB (platforms.md 7; measured with aiogram 3.31, pydantic 2.13). Here the building is put off. Every model of aiogram can still
be used by anybody in the process: it is built on first use, with the names that aiogram would have given it.

If somebody has imported aiogram before, the models are built already and nothing is changed. `transport` and `errors` import from
here.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel


@contextmanager
def _models_on_demand() -> Iterator[None]:
    """For the import of aiogram: building its types does nothing while this holds, and happens on first use afterwards. Models of
    others are not touched."""
    if "aiogram" in sys.modules:
        yield
        return
    original = BaseModel.__dict__["model_rebuild"]

    def put_off(cls: type[BaseModel], /, **options: Any) -> bool | None:
        if cls.__module__.startswith("aiogram.types."):
            return None
        built: bool | None = original.__get__(None, cls)(**options)
        return built

    BaseModel.model_rebuild = classmethod(put_off)  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        BaseModel.model_rebuild = original  # type: ignore[method-assign]
    _build_on_first_use()


def _build_on_first_use() -> None:
    """Give aiogram's models the names that they refer to whenever pydantic builds one of them."""
    from aiogram import types
    from aiogram.client.default import Default
    from aiogram.methods.base import Response, TelegramMethod
    from aiogram.types.base import TelegramObject

    names: dict[str, Any] = {"List": list, "Default": Default, "Optional": typing.Optional, "Union": typing.Union}
    names |= {"Literal": typing.Literal} | {name: getattr(types, name) for name in types.__all__}
    original = BaseModel.__dict__["model_rebuild"]

    def with_names(cls: type[BaseModel], /, **options: Any) -> bool | None:
        built: bool | None = original.__get__(None, cls)(**({"_types_namespace": names} | options))
        return built

    for base in (TelegramObject, TelegramMethod, Response):
        base.model_rebuild = classmethod(with_names)  # type: ignore[assignment,method-assign]


with _models_on_demand():
    from aiogram import Bot, exceptions, methods
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.methods import Response, TelegramMethod
    from aiogram.types import (
        InputFile,
        InputMediaAnimation,
        InputMediaAudio,
        InputMediaDocument,
        InputMediaPhoto,
        InputMediaVideo,
    )
    from aiogram.utils.token import TokenValidationError

__all__ = [
    "AiohttpSession",
    "Bot",
    "InputFile",
    "InputMediaAnimation",
    "InputMediaAudio",
    "InputMediaDocument",
    "InputMediaPhoto",
    "InputMediaVideo",
    "Response",
    "TelegramAPIServer",
    "TelegramMethod",
    "TokenValidationError",
    "exceptions",
    "methods",
]
