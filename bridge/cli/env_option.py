"""The option --env-file, which may stand before a command or behind it. It is taken out of the arguments before the command parser
sees them: the daemon starts without that parser, and every command reads bridge.yaml with the same variables."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

from bridge.config.env_file import VARIABLE

OPTION = "--env-file"


def take_env_file(arguments: list[str], environ: MutableMapping[str, str]) -> str:
    """Take the option out of `arguments`, and name the file in `environ`. Returns what is wrong with it; empty: nothing."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for index, argument in enumerate(arguments[:end]):
        name, is_joined, value = argument.partition("=")
        if name != OPTION:
            continue
        if not is_joined:
            value = arguments[index + 1] if index + 1 < end else ""
        if not value:
            return f"{OPTION} needs the name of a file"
        taken = 1 if is_joined else 2
        del arguments[index : index + taken]
        if any(one.partition("=")[0] == OPTION for one in arguments[: end - taken]):
            return f"{OPTION} is given twice"
        environ[VARIABLE] = os.path.abspath(Path(value).expanduser())
        return ""
    return ""
