"""Checks options of which some are faulty or missing, so that faults in the others are found in the same run.

The options that a platform's check reads are not known. So the check runs on several candidates, with different values in place of
the faulty ones: a fault found for all candidates does not depend on these values. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)
Loc = tuple[str | int, ...]

_MOST_LEFT_OUT = 8
_ROUNDS = 20
_ANYTHING: tuple[Any, ...] = (True, False, "x", "https://x.invalid", 1, {}, [])
"""Values tried in place of an unusable one; those that are not valid there are skipped."""


@dataclass(frozen=True, slots=True)
class Possible(Generic[Model]):
    """Valid candidates for the options; empty if too little is known."""

    options: tuple[Model, ...] = ()
    left_out: frozenset[Loc] = frozenset()
    """Where something is faulty or missing."""

    def concerns(self, loc: Loc) -> bool:
        """Whether a place is, is within, or contains a faulty one, which is reported already."""
        return any(loc[: len(one)] == one[: len(loc)] for one in self.left_out)


def possible(model: type[Model], data: Mapping[str, Any], failed: Sequence[Loc]) -> Possible[Model]:
    """Candidates from the raw values, without the parts at `failed`, which are reported already."""
    values = copy.deepcopy(dict(data))
    left_out = {_without(values, loc) for loc in failed}
    base: Model | None = None
    for _ in range(_ROUNDS):
        try:
            base = model.model_validate(values)
            break
        except ValidationError as error:
            wrong = [_place(values, item["loc"]) for item in error.errors(include_url=False, include_input=False)]
        if not all(wrong) or len(left_out) > _MOST_LEFT_OUT:
            return Possible()
        for loc in wrong:
            left_out.add(_without(values, loc) if _reaches(values, loc) else loc)
            if not _reaches(values, loc) and len(loc) == 1 and not _fill(model, values, loc):
                return Possible()
    if base is None or len(left_out) > _MOST_LEFT_OUT:
        return Possible()
    return Possible((base, *_others(model, values, left_out)), frozenset(left_out))


def _place(values: Mapping[str, Any], loc: Loc) -> Loc:
    """The part of an error's place that exists in the values; a missing last part is included at the top level only."""
    found: list[str | int] = []
    inner: Any = values
    for step in loc:
        if not isinstance(inner, Mapping) or step not in inner:
            break
        found.append(step)
        inner = inner[step]
    return tuple(found) or loc[:1]


def _reaches(values: Mapping[str, Any], loc: Loc) -> bool:
    return _place(values, loc) == loc and loc[0] in values


def _without(values: dict[str, Any], loc: Loc) -> Loc:
    """Remove the value at a place, or the list that contains it. Returns the place of what was removed."""
    inner: Any = values
    for number, step in enumerate(loc):
        if isinstance(inner, list):
            return _without(values, loc[:number])
        if number + 1 == len(loc) or not isinstance(inner, dict) or step not in inner:
            if isinstance(inner, dict):
                inner.pop(step, None)
            break
        inner = inner[step]
    return loc


def _fill(model: type[BaseModel], values: dict[str, Any], loc: Loc) -> bool:
    """Put something into a required place at the top."""
    name = str(loc[0])
    for candidate in (*_words(model, name), *_ANYTHING):
        values[name] = candidate
        try:
            model.model_validate(values)
        except ValidationError as error:
            if any(item["loc"][:1] == (name,) for item in error.errors(include_url=False, include_input=False)):
                continue
        return True
    del values[name]
    return False


def _others(model: type[Model], values: Mapping[str, Any], left_out: set[Loc]) -> Iterator[Model]:
    for loc in left_out:
        words = _words(model, str(loc[0])) if len(loc) == 1 else ()
        for candidate in (*words, *_ANYTHING):
            changed: dict[str, Any] = copy.deepcopy(dict(values))
            inner: Any = changed
            for step in loc[:-1]:
                inner = inner.get(step) if isinstance(inner, dict) else None
            if not isinstance(inner, dict):
                continue
            inner[loc[-1]] = candidate
            try:
                yield model.model_validate(changed)
            except ValidationError:
                continue


def _words(model: type[BaseModel], name: str) -> tuple[Any, ...]:
    """The members of an enumeration or of a literal type."""
    field = model.model_fields.get(name)
    found: list[Any] = []
    pending = [field.annotation] if field is not None else []
    while pending:
        one = pending.pop()
        if get_origin(one) is Literal:
            found += get_args(one)
        elif isinstance(one, type) and issubclass(one, Enum):
            found += [member.value for member in one]
        else:
            pending += [argument for argument in get_args(one) if argument is not None]
    return tuple(found)
