"""What a pydantic field accepts, read from its annotation: enough to hand over YAML text in the right form. Pure."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr

_NUMBERS = (int, float)


@dataclass(frozen=True, slots=True)
class Shape:
    """The union of everything an annotation admits."""

    text: bool = False
    """Takes any text as it is."""
    words: tuple[str, ...] = ()
    """Takes one of these words."""
    path: bool = False
    secret: bool = False
    number: bool = False
    switch: bool = False
    anything: bool = False
    """Takes any type: values come as YAML reads them."""
    models: tuple[type[BaseModel], ...] = ()
    item: Any = None
    """Annotation of a list's items; None if lists are not admitted."""
    value: Any = None
    """Annotation of a mapping's values; None if free mappings are not admitted."""
    nullable: bool = False

    @property
    def ambiguous(self) -> bool:
        """Whether text and another scalar type are both admitted, so that YAML's own reading decides."""
        return self.anything or ((self.text or bool(self.words)) and (self.number or self.switch))


def shape_of(annotation: Any) -> Shape:
    """Read an annotation. Unknown types count as text: pydantic parses what it gets."""
    try:
        return _cached(annotation)
    except TypeError:  # an unhashable annotation
        return _shape(annotation)


def fields_of(models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    """Key in the file -> annotation, over all given models (of a union)."""
    found: dict[str, Any] = {}
    for model in models:
        for name, annotation in _model_fields(model).items():
            found[name] = Union[found[name], annotation] if name in found else annotation  # noqa: UP007 - built at run time
    return found


def secret_keys(models: tuple[type[BaseModel], ...]) -> frozenset[str]:
    """Keys that hold secrets, each of which may be given as `<key>_file` too."""
    found = fields_of(models)
    return frozenset(name for name, annotation in found.items() if shape_of(annotation).secret and f"{name}_file" not in found)


@lru_cache(maxsize=512)
def _model_fields(model: type[BaseModel]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        alias = field.validation_alias if isinstance(field.validation_alias, str) else field.alias
        found[alias or name] = field.annotation
    return found


@lru_cache(maxsize=2048)
def _cached(annotation: Any) -> Shape:
    return _shape(annotation)


def _shape(annotation: Any) -> Shape:
    text = path = secret = number = switch = anything = nullable = False
    words: list[str] = []
    models: list[type[BaseModel]] = []
    item: Any = None
    value: Any = None
    for leaf in _leaves(annotation):
        origin = get_origin(leaf) or leaf
        arguments = get_args(leaf)
        if leaf is type(None):
            nullable = True
        elif leaf is Any or leaf is object:
            anything = True
        elif origin is Literal:
            words += [str(argument) for argument in arguments if isinstance(argument, str)]
            number = number or any(isinstance(argument, _NUMBERS) and not isinstance(argument, bool) for argument in arguments)
            switch = switch or any(isinstance(argument, bool) for argument in arguments)
        elif not isinstance(origin, type):
            text = True
        elif issubclass(origin, BaseModel):
            models.append(origin)
        elif issubclass(origin, SecretStr | SecretBytes):
            secret = True
        elif issubclass(origin, Enum):
            words += [str(member.value) for member in origin]
        elif issubclass(origin, bool):
            switch = True
        elif issubclass(origin, _NUMBERS):
            number = True
        elif issubclass(origin, Path):
            path = True
        elif issubclass(origin, str | bytes):
            text = True
        elif issubclass(origin, Mapping):
            value = arguments[1] if len(arguments) == 2 else Any
        elif hasattr(origin, "__iter__"):
            item = arguments[0] if arguments else Any
        else:
            text = True
    return Shape(text, tuple(words), path, secret, number, switch, anything, tuple(models), item, value, nullable)


def _leaves(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if hasattr(annotation, "__value__"):  # `type X = ...` aliases
        yield from _leaves(annotation.__value__)
    elif origin is Annotated:
        yield from _leaves(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for argument in get_args(annotation):
            yield from _leaves(argument)
    else:
        yield annotation
