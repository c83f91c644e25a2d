"""The values of options without their pydantic model, so that the daemon, which runs for months, need not import pydantic (10 MB).

`bare` makes them in the process that reads bridge.yaml (`reading`); adapters use them like the model: by attribute.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any


class Bare:
    """The fields of a model. Immutable; compares, shows itself and iterates as the model does."""

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(vars(self).items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bare) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).items()))

    def __repr__(self) -> str:
        return f"Bare({', '.join(f'{name}={value!r}' for name, value in self)})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: options do not change")


class Secret:
    """What pydantic's SecretStr is: a text that is not shown."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"{type(self).__name__}('**********')"

    def __str__(self) -> str:
        return "**********"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def bare(value: Any) -> Any:
    """Models within the value, at any depth, as `Bare`; secrets as `Secret`; all else as it is. A model's cached properties are
    values of it too: what follows from options is worked out where the models are."""
    from pydantic import BaseModel, SecretStr

    if isinstance(value, BaseModel):
        kind = type(value)
        derived = [name for base in kind.__mro__ for name, found in vars(base).items() if isinstance(found, cached_property)]
        return Bare(**{name: bare(getattr(value, name)) for name in (*kind.model_fields, *(value.model_extra or ()), *derived)})
    if isinstance(value, SecretStr):
        return Secret(value.get_secret_value())
    if type(value) is dict:
        return {key: bare(part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(bare(part) for part in value)
    return value
