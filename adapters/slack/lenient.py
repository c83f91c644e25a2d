"""Reads Slack's JSON into the types of `wire`, so that cosmetic values never cost a message.

The types of many fields vary from app to app (numbers in `fields[].value`, a `ts` or a colour as a number, sizes as text, null for
a list). A value that fits is taken as it is; otherwise what a person would see of it is kept, or the field counts as absent. Only
what a type declares as `STRICT` (ids, the channel, the kind of event) must be valid; an optional id (`IDS`) that is invalid is left
out. Pure. Called by `decode`, `directory`, `catch_up` and the others that read answers."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar, Union

import msgspec

from adapters.common.lenient import mended_json

T = TypeVar("T")

_TRUE = ("true", "1")


class Undecodable(Exception):
    """A payload of a shape that the adapter does not know; `reason` holds no content of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read(raw: bytes | msgspec.Raw, kind: type[T]) -> T:
    """JSON text as that type. Raises msgspec.DecodeError for what is no JSON, is nested too deep, or has a strict field wrong."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError:
        return convert(_any(raw), kind)
    except RecursionError:
        raise msgspec.DecodeError("nested too deep") from None
    except msgspec.DecodeError:
        return convert(_any(raw), kind)


def _any(raw: bytes | msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise msgspec.DecodeError("nested too deep") from None
    except msgspec.DecodeError as error:
        try:
            return msgspec.json.decode(mended_json(bytes(raw)))
        except (ValueError, RecursionError):
            raise error from None


def convert(value: Any, kind: type[T]) -> T:
    """The same for JSON that is decoded already. Raises msgspec.ValidationError."""
    try:
        made: T = _convert(value, kind)
    except RecursionError:
        raise msgspec.ValidationError("nested too deep") from None
    return made


def _convert(value: Any, kind: Any) -> Any:
    if kind is msgspec.Raw:
        return value if isinstance(value, msgspec.Raw) else msgspec.Raw(msgspec.json.encode(value))
    origin = typing.get_origin(kind)
    if origin in (Union, types.UnionType):
        return _one_of(value, typing.get_args(kind))
    if origin is list:
        return _list(value, typing.get_args(kind)[0])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(value, kind)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return _scalar(value, kind)


def _one_of(value: Any, kinds: tuple[Any, ...]) -> Any:
    if value is None and type(None) in kinds:
        return None
    error: msgspec.ValidationError | None = None
    for kind in kinds:
        if kind is type(None):
            continue
        try:
            return _convert(value, kind)
        except msgspec.ValidationError as failed:
            error = failed
    raise error or msgspec.ValidationError("null where a value belongs")


def _list(value: Any, kind: Any) -> list[Any]:
    """Entries that cannot be read are left out: each is decoration, or would have no id to be told by."""
    if not isinstance(value, list | Mapping):
        raise msgspec.ValidationError("no list")
    found: list[Any] = []
    for entry in value if isinstance(value, list) else [value]:
        try:
            found.append(_convert(entry, kind))
        except msgspec.ValidationError:
            continue
    return found


def _struct(value: Any, kind: type[msgspec.Struct]) -> msgspec.Struct:
    if not isinstance(value, Mapping):
        raise msgspec.ValidationError(f"no object where {kind.__name__} belongs")
    given: dict[str, Any] = {}
    for field in _fields(kind):
        if field.name not in value:
            if field.is_required:
                raise msgspec.ValidationError(f"{kind.__name__} without {field.name}")
            continue
        try:
            # an id is not made fit: a number is none
            fit = msgspec.convert if field.is_id else _convert
            given[field.name] = fit(value[field.name], field.kind)
        except msgspec.ValidationError:
            if field.is_strict:
                raise msgspec.ValidationError(f"{kind.__name__}.{field.name} of an unexpected type") from None
    return kind(**given)


class _Field(NamedTuple):
    name: str
    kind: Any
    is_required: bool
    is_strict: bool
    is_id: bool


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[_Field, ...]:
    """A field without a default is strict, and one that the type declares as such."""
    declared: frozenset[str] = getattr(kind, "STRICT", frozenset())
    ids: frozenset[str] = getattr(kind, "IDS", frozenset())
    found: list[_Field] = []
    for each in msgspec.structs.fields(kind):
        is_strict = each.required or each.name in declared
        is_id = each.name in ids or (is_strict and each.type is str)
        found.append(_Field(each.encode_name, each.type, each.required, is_strict, is_id))
    return tuple(found)


def _scalar(value: Any, kind: Any) -> Any:
    """A number that should be text is its digits, and the reverse; a truth may be written out. Raises ValidationError."""
    if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if kind is str and isinstance(value, Mapping) and isinstance(value.get("text"), str):
        return value["text"]  # a text object where plain text belongs
    if kind in (int, float) and isinstance(value, str | int | float):
        try:
            return kind(float(value))
        except (ValueError, OverflowError):
            pass
    if kind is bool and isinstance(value, str | int | float):
        return str(value).lower() in _TRUE
    raise msgspec.ValidationError("of an unexpected type")


# -- JSON without a type of its own: blocks and their like ---------------------------------------------------------------------


def words(value: Any) -> str:
    """What a person would read: text, a number, or the text of a text object; empty for anything else."""
    match value:
        case str():
            return value
        case bool() | None:
            return ""
        case int() | float():
            return str(value)
        case Mapping():
            return words(value.get("text"))
        case _:
            return ""


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; a single object counts as a list of one."""
    if isinstance(value, dict):
        return [value]
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def next_cursor(answer: Mapping[str, Any]) -> str:
    """Where the next page of an answer begins; empty if there is none."""
    metadata = answer.get("response_metadata")
    return words(metadata.get("next_cursor")) if isinstance(metadata, Mapping) else ""


def number(value: Any, default: int = 0, *, least: int = 0, most: int = 10**9) -> int:
    """A whole number between bounds; `default` for what is none."""
    try:
        found = int(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else default
    except (ValueError, OverflowError):
        found = default
    return min(max(found, least), most)
