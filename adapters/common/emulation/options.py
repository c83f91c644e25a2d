"""An emulator's own options: the largest file it accepts, the rate limits it enforces, how much it keeps. Strict, by name.

Each emulator declares its options as a pydantic model; `EmulatorBase.configure` takes them as plain values from code, and
`parse_options` reads them from a command line (`telegram.local=true`). Account options are something else: they are in bridge.yaml.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

import yaml
from pydantic import Field, ValidationError

from adapters.common.options import Options


class EmulatorOptions(Options):
    """The options of every emulator. They bound memory: the oldest is forgotten first."""

    messages_kept: int = Field(default=50_000, ge=1, description="messages remembered per chat")
    changes_kept: int = Field(default=50_000, ge=1, description="changes that a follower may fall behind by")
    files_kept: int = Field(default=10_000, ge=1, description="files remembered")


class OptionFault(ValueError):
    """An option that does not exist, or a value that it cannot have. The text names it and what is possible instead."""


_O = TypeVar("_O", bound=EmulatorOptions)


def validated(model: type[_O], values: Mapping[str, Any]) -> _O:
    """The options with these values. Raises OptionFault for the first wrong one."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise OptionFault(_unknown(name, model.model_fields)) from None
        raise OptionFault(f"{name}: {first['msg']} (it is: {model.model_fields[name].description})") from None


def _unknown(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"{name}: there is no such option" + (f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}")


def parse_options(entries: Iterable[str], platforms: Collection[str]) -> dict[str, dict[str, Any]]:
    """`PLATFORM.NAME=VALUE` as written on a command line, to values by platform and name. A value is read as YAML reads it: true,
    40, 0.5. The emulator checks the names. Raises OptionFault."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        key, equals, raw = entry.partition("=")
        platform, dot, name = key.partition(".")
        if not (equals and dot and name):
            raise OptionFault(f"{entry}: not PLATFORM.NAME=VALUE, such as telegram.local=true")
        if platform not in platforms:
            raise OptionFault(f"{entry}: {platform} is not among the platforms that run here ({', '.join(platforms)})")
        if name in found.setdefault(platform, {}):
            raise OptionFault(f"{entry}: {key} is given twice")
        try:
            found[platform][name] = yaml.safe_load(raw)
        except yaml.YAMLError:
            raise OptionFault(f"{entry}: {raw!r} is not a value") from None
    return found
