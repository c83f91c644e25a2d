"""Variables for bridge.yaml from a file, as `--env-file` and the variable MESSENGER_BRIDGE_ENV_FILE name it: one NAME=value a line,
as systemd's EnvironmentFile= and Docker's --env-file have them. Strict, and no error shows a value: they are tokens."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from bridge.model.errors import ConfigFault

VARIABLE = "MESSENGER_BRIDGE_ENV_FILE"
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_LARGEST_BYTES = 1_000_000


def with_file(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment with what the file has besides: a variable that is set is stronger. Raises ConfigFault."""
    named = environ.get(VARIABLE)
    return {**read_env_file(Path(named)), **environ} if named else environ


def read_env_file(path: Path) -> dict[str, str]:
    """Raises ConfigFault."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise ConfigFault("is not a regular file", path=str(path), hint="see --env-file")
            raw = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise ConfigFault(f"cannot be read: {error.strerror or error}", path=str(path), hint="see --env-file") from None
    if len(raw) > _LARGEST_BYTES:
        raise ConfigFault(f"is larger than {_LARGEST_BYTES // 1000} kB", path=str(path))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigFault("is not UTF-8 text", path=str(path), line=raw.count(b"\n", 0, error.start) + 1) from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith(("#", ";")):
            name, value = _variable(stripped, path, number)
            found[name] = value
    return found


def _variable(line: str, path: Path, number: int) -> tuple[str, str]:
    matched = _LINE.fullmatch(line)
    if matched is None:
        raise ConfigFault("must be NAME=value", path=str(path), line=number)
    name, value = matched.groups()
    quote = value[:1]
    if quote in ("'", '"'):
        if len(value) < 2 or value[-1] != quote:
            raise ConfigFault(f"{name}: the quote is not closed", path=str(path), line=number, hint="one line is one value")
        value = value[1:-1]
        if quote == '"':
            value = re.sub(r'\\([\\"$`])', r"\1", value)
    if "\0" in value:
        raise ConfigFault(f"{name}: is not text", path=str(path), line=number)
    return name, value
